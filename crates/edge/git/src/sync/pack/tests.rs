use super::*;
use onepane_testkit::git;

const MIB: usize = 1 << 20;
/// Nothing stays at hand, and files are named in parts.
const NARROW: Limits = Limits { recent: 0, whole: 1 << 12, single: MIB as u64, bases: MIB };

fn kept(mut bytes: &[u8], into: &Path, limits: Limits) -> std::result::Result<Option<PathBuf>, String> {
    keep(&mut bytes, into, limits, &|| Ok(())).map_err(|error| error.to_string())
}

fn refused(bytes: &[u8], limits: Limits) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let outcome = kept(bytes, folder.path(), limits);
    let files = || fs::read_dir(folder.path()).expect("it is there").flatten();
    let is_left = files().any(|file| file.file_name() != "tmp_pack_received");
    assert!(outcome.is_err() && !is_left, "{outcome:?} {:?}", files().collect::<Vec<_>>());
    outcome.expect_err("it is refused")
}

#[test]
fn packs_have_the_index_that_git_gives_them() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let origin = folder.path().join("origin");
    fs::create_dir_all(&origin).expect("nothing is there yet");
    git(&origin, &["init", "--quiet"]);
    for number in 0..40 {
        let lines: String =
            (0..400).map(|line| format!("{line} {}\n", if line == number { 7 * line } else { 0 })).collect();
        fs::write(origin.join("lines"), lines).expect("it can be written");
        fs::write(origin.join("other"), number.to_string()).expect("it can be written");
        fs::write(origin.join("empty"), "").expect("it can be written");
        let large: Vec<u8> = (0..200_000u32).flat_map(|at| (at.wrapping_mul(at) + number / 20).to_le_bytes()).collect();
        fs::write(origin.join("large"), large).expect("it can be written");
        git(&origin, &["add", "--all"]);
        git(&origin, &["commit", "--quiet", "--message", "one"]);
    }
    git(&origin, &["tag", "--annotate", "--message", "one", "one"]);
    let by_offset: &[&str] = &["--delta-base-offset"];
    for (kind, options) in [("names", &[][..]), ("offsets", by_offset), ("none", &["--window=0"])] {
        let made = folder.path().join(kind);
        let all = ["pack-objects", "--quiet", "--all", "--no-reuse-delta"];
        let name = git(&origin, &[&all[..], options, &[made.to_str().expect("it is UTF-8")]].concat());
        let file = |ending: &str| fs::read(folder.path().join(format!("{kind}-{name}.{ending}"))).expect("Git made it");
        let (bytes, index) = (file("pack"), file("idx"));
        let small = Limits { recent: 64 * 1024, ..Limits::default() };
        for (at, limits) in [Limits::default(), small, NARROW].into_iter().enumerate() {
            let into = folder.path().join(format!("{kind}{at}"));
            fs::create_dir(&into).expect("nothing is there yet");
            let path = kept(&bytes, &into, limits).expect("it is whole").expect("there is something in it");
            assert_eq!(fs::read(&path).ok().as_ref(), Some(&bytes), "{kind} {limits:?}");
            assert!(fs::read(path.with_extension("idx")).ok().as_ref() == Some(&index), "{kind} {limits:?}");
            assert_eq!(fs::read_dir(into).expect("it is there").count(), 2);
        }
    }
}

/// An entry of a pack: its kind, the size that it says it has, the base of a delta, and what is in it.
struct Made<'m>(u8, usize, Vec<u8>, &'m [u8]);

fn blob(bytes: &[u8]) -> Made<'_> {
    Made(3, bytes.len(), Vec::new(), bytes)
}

/// A delta of what has this name.
fn of(name: ObjectId, delta: &[u8]) -> Made<'_> {
    Made(7, delta.len(), name.as_bytes().to_vec(), delta)
}

/// A delta of what begins so many bytes before.
fn before(distance: u8, delta: &[u8]) -> Made<'_> {
    Made(6, delta.len(), vec![distance], delta)
}

fn name(bytes: &[u8]) -> ObjectId {
    compute_hash(gix::hash::Kind::Sha1, Kind::Blob, bytes).expect("it collides with nothing")
}

fn check_sum(bytes: &[u8]) -> Vec<u8> {
    let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
    hasher.update(bytes);
    hasher.try_finalize().expect("it collides with nothing").as_bytes().to_vec()
}

/// A pack of few and small entries, which are not compressed.
fn pack(entries: &[Made<'_>]) -> Vec<u8> {
    let mut bytes = b"PACK\0\0\0\x02\0\0\0".to_vec();
    bytes.push(entries.len() as u8);
    for Made(kind, size, base, contents) in entries {
        let more = if *size > 15 { 0x80 } else { 0 };
        bytes.push(more | kind << 4 | (size & 15) as u8);
        if *size > 15 {
            bytes.push((size >> 4) as u8);
        }
        bytes.extend_from_slice(base);
        let sums = contents.iter().fold((1u32, 0u32), |(a, b), byte| {
            let a = (a + u32::from(*byte)) % 65521;
            (a, (b + a) % 65521)
        });
        let size = contents.len() as u16;
        bytes.extend_from_slice(b"\x78\x01\x01");
        bytes.extend_from_slice(&size.to_le_bytes());
        bytes.extend_from_slice(&(!size).to_le_bytes());
        bytes.extend_from_slice(contents);
        bytes.extend_from_slice(&(sums.1 << 16 | sums.0).to_be_bytes());
    }
    bytes.extend(check_sum(&bytes));
    bytes
}

#[test]
fn deltas_may_come_before_what_they_lean_on() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    // `abc` and what a delta makes of it, and another one of that.
    let second = of(name(b"abcabc"), b"\x06\x07\x90\x06\x01x");
    let first = of(name(b"abc"), b"\x03\x06\x90\x03\x90\x03");
    let bytes = pack(&[second, first, blob(b"abc")]);
    let path = kept(&bytes, folder.path(), Limits::default()).expect("it is whole").expect("there is something in it");
    let index = path.with_extension("idx");
    let listed = git(folder.path(), &["verify-pack", "--verbose", index.to_str().expect("it is UTF-8")]);
    for bytes in [&b"abc"[..], b"abcabc", b"abcabcx"] {
        assert!(listed.contains(&name(bytes).to_string()), "{listed}");
    }
}

#[test]
fn what_is_no_whole_pack_is_refused() {
    let whole = pack(&[blob(b"abc"), before(15, b"\x03\x04\x90\x03\x01x"), of(name(b"abcx"), b"\x04\x01\x01y")]);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    kept(&whole, folder.path(), Limits::default()).expect("it is whole");
    for limits in [Limits::default(), NARROW] {
        for end in 0..whole.len() {
            let told = refused(&whole[..end], limits);
            assert!(told.contains("broken"), "{end}: {told}");
        }
        // A byte that is another one is told, and where the check sum is right, nothing worse happens.
        for at in 0..whole.len() - 20 {
            let mut other = whole.clone();
            for bit in 0..8 {
                other[at] = whole[at] ^ 1 << bit;
                assert!(!refused(&other, limits).is_empty());
                let mut summed = other[..whole.len() - 20].to_vec();
                summed.extend(check_sum(&summed));
                let into = tempfile::tempdir().expect("a temporary folder can be made");
                let _ = kept(&summed, into.path(), limits);
            }
        }
    }
    let longer = [&whole[..], b"x"].concat();
    let missing = name(b"nobody has it");
    let loops = [name(b"a"), name(b"b")];
    let large = vec![b'x'; 200];
    let single = Limits { single: 100, ..Limits::default() };
    let bases = Limits { bases: 2, ..NARROW };
    let cases: [(Vec<u8>, Limits, &str); 12] = [
        (longer, Limits::default(), "goes on after its end"),
        (pack(&[Made(3, 4, Vec::new(), b"abc")]), Limits::default(), "has not the 4 bytes"),
        (pack(&[Made(3, 2, Vec::new(), b"abc")]), Limits::default(), "has not the 2 bytes"),
        (pack(&[Made(3, 2000, Vec::new(), b"abc")]), Limits { whole: 0, ..NARROW }, "has not the 2000 bytes"),
        (pack(&[Made(5, 3, Vec::new(), b"abc")]), Limits::default(), "5"),
        (pack(&[blob(b"abc"), before(3, b"\x03\x01\x01x")]), Limits::default(), "a delta of what is no entry"),
        (pack(&[blob(b"abc"), before(99, b"\x03\x01\x01x")]), Limits::default(), "a delta of what is no entry"),
        (pack(&[of(missing, b"\x03\x01\x01x"), blob(b"abc")]), Limits::default(), &missing.to_string()),
        (
            pack(&[of(loops[0], b"\x01\x01\x01b"), of(loops[1], b"\x01\x01\x01a")]),
            Limits::default(),
            "2 of its objects lean on",
        ),
        (pack(&[blob(b"abc"), of(name(b"abc"), b"\x04\x01\x01y")]), Limits::default(), "its base has 3"),
        (pack(&[Made(1, 200, Vec::new(), &large)]), single, "an object of 200 bytes"),
        (pack(&[blob(b"abc"), of(name(b"abc"), b"\x03\x01\x01y")]), bases, "would take too much memory"),
    ];
    for (bytes, limits, why) in cases {
        let told = refused(&bytes, limits);
        assert!(told.contains(why), "{told}: {why}");
    }
    // Nothing at all is a pack, too.
    let empty = tempfile::tempdir().expect("a temporary folder can be made");
    assert_eq!(kept(&pack(&[]), empty.path(), Limits::default()), Ok(None));
    assert_eq!(fs::read_dir(empty.path()).expect("it is there").count(), 0);
}

#[test]
fn who_waits_can_end_it() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let bytes = pack(&[blob(b"abc"), blob(b"abcd")]);
    let ended = keep(&mut &bytes[..], folder.path(), Limits::default(), &|| Err(Error::other("it is enough")));
    assert!(ended.is_err_and(|error| error.to_string() == "it is enough"));
}
