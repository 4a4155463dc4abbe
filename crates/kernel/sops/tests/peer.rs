//! Files that the real `sops` writes are read, and it reads ours: all formats, age and PGP, groups of keys.
//!
//! Skipped where there is no `sops`. `ONEPANE_RECORD=1` writes what it made to `recorded`, which `recorded.rs` reads
//! everywhere.

use onepane_diagnostics::FileId;
use onepane_sops::{
    Encrypted, Format, Integrity, KeyId, KeyService, Layout, Recipients, SopsConfig, VERSION, decrypt, encrypt,
};
use onepane_testkit::{Finished, peer, run};
use onepane_world::OsWorld;
use std::path::{Path, PathBuf};

mod keys;
use keys::Keys;

/// The real program with folders of its own.
struct Sops {
    program: PathBuf,
    /// It is the version whose files ours are, so that they look alike as well.
    looks_alike: bool,
    folder: tempfile::TempDir,
    keys: Keys,
}

impl Sops {
    fn new() -> Option<Self> {
        let program = peer("sops")?;
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        for name in ["home", "work", "gnupg"] {
            std::fs::create_dir(folder.path().join(name)).expect("it is not there yet");
        }
        let keys = Keys::read();
        // The program reads keyrings of old versions of GnuPG itself.
        std::fs::write(folder.path().join("gnupg/secring.gpg"), keys.pgp_secret.reveal()).expect("it can be written");
        std::fs::write(folder.path().join("gnupg/pubring.gpg"), &keys.pgp_public).expect("it can be written");
        let mut sops = Self { program, looks_alike: false, folder, keys };
        sops.looks_alike = shown(&sops.print(&["--version", "--disable-version-check"])).contains(VERSION);
        Some(sops)
    }

    fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    fn write(&self, name: &str, text: &[u8]) -> String {
        let path = self.work().join(name);
        std::fs::write(&path, text).expect("it can be written");
        path.to_str().expect("it is UTF-8").to_owned()
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        let age = self.folder.path().join("age.txt");
        std::fs::write(&age, self.keys.age_text.reveal()).expect("it can be written");
        let variables = [
            format!("SOPS_AGE_KEY_FILE={}", age.display()),
            format!("GNUPGHOME={}", self.folder.path().join("gnupg").display()),
            self.program.display().to_string(),
        ];
        let words: Vec<String> = variables.into_iter().chain(arguments.iter().map(|word| (*word).to_owned())).collect();
        run(Path::new("/usr/bin/env"), &words, &self.work(), &self.folder.path().join("home")).expect("it can be run")
    }

    /// What it prints; it must succeed.
    fn print(&self, arguments: &[&str]) -> Vec<u8> {
        let finished = self.run(arguments);
        assert_eq!(finished.code, Some(0), "sops {arguments:?}: {}", finished.stderr);
        finished.stdout
    }
}

fn samples() -> Vec<(String, Format, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    let mut samples: Vec<_> = std::fs::read_dir(folder)
        .expect("it is there")
        .map(|entry| {
            let entry = entry.expect("it can be listed");
            let name = entry.file_name().into_string().expect("it is UTF-8");
            (name.clone(), Format::of_path(&name), std::fs::read(entry.path()).expect("it can be read"))
        })
        .collect();
    samples.sort_by(|a, b| a.0.cmp(&b.0));
    samples
}

/// SOPS 3.13.2 computes another code for comments in lists than the versions before and after it, also when it reads
/// what it wrote itself (getsops/sops#2243).
fn ignore_mac(name: &str) -> &'static [&'static str] {
    if name == "list-comments.yaml" { &["--ignore-mac"] } else { &[] }
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn opened(text: &[u8], format: Format, services: &[&dyn KeyService]) -> Vec<u8> {
    let plain = decrypt(text, format, FileId::new("peer"), services, Integrity::Checked);
    plain.unwrap_or_else(|error| panic!("{error}: {:?}\n{}", error.trace, shown(text))).reveal().to_vec()
}

fn record(name: &str, bytes: &[u8]) {
    if std::env::var_os("ONEPANE_RECORD").is_some() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded");
        std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(folder.join(name), bytes))
            .expect("it can be written");
    }
}

#[test]
fn each_reads_what_the_other_wrote() {
    let Some(sops) = Sops::new() else { return };
    let world = OsWorld::unrestricted("/");
    let recipient = sops.keys.age_recipients[0].clone();
    for (name, format, text) in samples() {
        let plain = sops.write(&name, &text);
        let theirs = sops.print(&["encrypt", "--age", &recipient, &plain]);
        let path = sops.write(&name, &theirs);
        let decrypted_by_sops = |path: &str| sops.print(&[&["decrypt"][..], ignore_mac(&name), &[path]].concat());
        let printed = decrypted_by_sops(&path);
        assert_eq!(shown(&opened(&theirs, format, &[&sops.keys.age])), shown(&printed), "{name}");
        record(&name, &theirs);
        record(&format!("{name}.plain"), &printed);

        let recipients = || Recipients {
            groups: vec![vec![KeyId::age(&recipient).into_key()]],
            shamir_threshold: 0,
            selection: None,
            mac_only_encrypted: false,
        };
        let file = FileId::new("peer");
        let services: [&dyn KeyService; 1] = [&sops.keys.age];
        let layout = Layout::default();
        let ours = encrypt(&text, format, file, recipients(), &services, layout, &world).expect("it can be encrypted");
        let path = sops.write(&name, &ours);
        assert_eq!(shown(&decrypted_by_sops(&path)), shown(&printed), "{name}");
        let keys = |text: &[u8]| -> Vec<String> {
            shown(text).lines().map(|line| line.split("ENC[").next().unwrap_or("").to_owned()).collect()
        };
        let varies = |line: &String| {
            ["mac", "lastmodified", "-----", "enc", "sops_"]
                .iter()
                .any(|start| line.trim_start().trim_start_matches('"').starts_with(start))
        };
        let stable = |text: &[u8]| -> Vec<String> {
            let mut is_armour = false;
            let kept = |line: &String| {
                // age adds some of a random length, so that the last line may be as short as a word.
                let is_part = is_armour || line.contains("-----BEGIN");
                is_armour = is_part && !line.contains("-----END");
                !is_part && !varies(line) && !looks_random(line)
            };
            keys(text).into_iter().filter(kept).collect()
        };
        if sops.looks_alike {
            assert_eq!(stable(&ours), stable(&theirs), "{name}");
        }

        let decrypted =
            Encrypted::read(&theirs, format, file).and_then(|file| file.decrypt(&services, Integrity::Checked));
        let decrypted = decrypted.expect("it can be decrypted");
        let edited = decrypted.edited(&printed, file, layout, &world).expect("it can be encrypted");
        let path = sops.write(&name, &edited);
        assert_eq!(shown(&decrypted_by_sops(&path)), shown(&printed), "{name}");
        let groups = vec![vec![KeyId::age(&recipient).into_key(), KeyId::age(&sops.keys.age_recipients[1]).into_key()]];
        let rotated = decrypted.rotated(groups, &services, layout, &world).expect("it can be encrypted");
        let path = sops.write(&name, &rotated);
        assert_eq!(shown(&decrypted_by_sops(&path)), shown(&printed), "{name}");
        if ignore_mac(&name).is_empty() {
            let again = sops.print(&["rotate", "--rm-age", &recipient, &path]);
            assert_eq!(shown(&opened(&again, format, &services)), shown(&printed), "{name}");
        }
    }
}

/// A line of the armour of an encrypted data key.
fn looks_random(line: &str) -> bool {
    let text = line.trim();
    text.len() > 20 && !text.contains(' ') && !text.contains('=')
        || text.len() > 20
            && text.chars().all(|character| character.is_ascii_alphanumeric() || "+/=".contains(character))
}

#[test]
fn pgp_keys_serve_both_ways() {
    let Some(sops) = Sops::new() else { return };
    let plain = sops.write("pgp.yaml", b"a: hush\n");
    let fingerprint = sops.keys.pgp_fingerprint.clone();
    let theirs = sops.print(&["encrypt", "--pgp", &fingerprint, &plain]);
    assert_eq!(shown(&opened(&theirs, Format::Yaml, &[&sops.keys.pgp])), "a: hush\n");
    record("pgp.yaml", &theirs);
    record("pgp.yaml.plain", b"a: hush\n");
    let recipients = Recipients {
        groups: vec![vec![KeyId::pgp(&fingerprint).into_key()]],
        shamir_threshold: 0,
        selection: None,
        mac_only_encrypted: false,
    };
    let services: [&dyn KeyService; 1] = [&sops.keys.pgp];
    let world = OsWorld::unrestricted("/");
    let ours =
        encrypt(b"a: hush\n", Format::Yaml, FileId::new("peer"), recipients, &services, Layout::default(), &world);
    let path = sops.write("pgp.yaml", &ours.expect("it can be encrypted"));
    assert_eq!(shown(&sops.print(&["decrypt", &path])), "a: hush\n");
}

#[test]
fn rules_and_groups_are_understood_alike() {
    let Some(sops) = Sops::new() else { return };
    let (one, two) = (&sops.keys.age_recipients[0], &sops.keys.age_recipients[1]);
    let config = format!(
        "creation_rules:\n  - path_regex: groups\\.yaml$\n    shamir_threshold: 2\n    key_groups:\n      - age: [{one}]\n      - age: [{two}]\n      - pgp: [{pgp}]\n  - path_regex: comments\\.yaml$\n    encrypted_comment_regex: secret\n    age: {one}\n  - path_regex: open\\.yaml$\n    unencrypted_comment_regex: open\n    age: {one}\n  - encrypted_regex: ^(data|stringData)$\n    mac_only_encrypted: true\n    age: {one},{two}\nstores:\n  yaml:\n    indent: 2\n",
        pgp = sops.keys.pgp_fingerprint,
    );
    sops.write(".sops.yaml", config.as_bytes());
    let read = SopsConfig::read(&config, FileId::new(".sops.yaml")).expect("it can be read");
    let text = "# open\nkind: Secret\ndata:\n  # secret\n  a: hush\n  b:\n    - c\n    - d\n  # other\n  e: f # secret\nmetadata:\n  name: seen\n";
    let services: [&dyn KeyService; 2] = [&sops.keys.age, &sops.keys.pgp];
    for name in ["groups.yaml", "comments.yaml", "open.yaml", "secret.yaml"] {
        let plain = sops.write(name, text.as_bytes());
        let theirs = sops.print(&["encrypt", &plain]);
        let path = sops.write(name, &theirs);
        let printed = sops.print(&["decrypt", &path]);
        let file = FileId::new("peer");
        let decrypted =
            Encrypted::read(&theirs, Format::Yaml, file).and_then(|file| file.decrypt(&services, Integrity::Checked));
        let decrypted = decrypted.unwrap_or_else(|error| panic!("{name}: {error}\n{}", shown(&theirs)));
        let plain = decrypted.text(Format::Yaml, read.layout()).expect("it can be written");
        assert_eq!(shown(plain.reveal()), shown(&printed), "{name}");
        record(&format!("rule-{name}"), &theirs);
        record(&format!("rule-{name}.plain"), &opened(&theirs, Format::Yaml, &services));

        let recipients = read.recipients(name).expect("a rule matches").expect("there are rules");
        let world = OsWorld::unrestricted("/");
        let ours = encrypt(text.as_bytes(), Format::Yaml, file, recipients, &services, read.layout(), &world);
        let ours = ours.expect("it can be encrypted");
        let visible = |text: &[u8]| -> Vec<String> {
            let lines = shown(text);
            let lines = lines.lines().take_while(|line| !line.starts_with("sops:"));
            lines.map(|line| line.split("data:").next().unwrap_or("").to_owned()).collect()
        };
        if sops.looks_alike {
            assert_eq!(visible(&ours), visible(&theirs), "{name}");
        }
        let path = sops.write(name, &ours);
        assert_eq!(shown(&sops.print(&["decrypt", &path])), shown(&printed), "{name}");
    }
}

#[test]
fn both_refuse_what_was_changed() {
    let Some(sops) = Sops::new() else { return };
    let plain = sops.write("changed.yaml", b"a: hush\nb: 7\nopen_unencrypted: seen\n");
    let theirs = shown(&sops.print(&["encrypt", "--age", &sops.keys.age_recipients[0], &plain]));
    let line =
        |start: &str| theirs.lines().find(|line| line.trim_start().starts_with(start)).expect("it is there").to_owned();
    let cases = [
        theirs.replace("seen", "sees"),
        theirs.replace(&format!("{}\n", line("b:")), ""),
        theirs.replace("open_unencrypted: seen", "open_unencrypted: seen\nnew_unencrypted: x"),
        theirs.replace(&line("a:"), &line("b:").replace("b:", "a:")),
        theirs.replace(&line("mac:"), "    mac: \"\""),
        theirs.replace("lastmodified: \"2", "lastmodified: \"1"),
    ];
    for (index, changed) in cases.iter().enumerate() {
        assert_ne!(*changed, theirs, "{index}");
        let path = sops.write("changed.yaml", changed.as_bytes());
        assert_ne!(sops.run(&["decrypt", &path]).code, Some(0), "{index}");
        let error =
            decrypt(changed.as_bytes(), Format::Yaml, FileId::new("peer"), &[&sops.keys.age], Integrity::Checked);
        assert!(matches!(error.expect_err("it was changed").code, "sops-mac" | "sops-format"), "{index}");
    }
    let path = sops.write("changed.yaml", cases[0].as_bytes());
    let printed = sops.print(&["decrypt", "--ignore-mac", &path]);
    let plain = decrypt(cases[0].as_bytes(), Format::Yaml, FileId::new("peer"), &[&sops.keys.age], Integrity::Ignored);
    assert_eq!(shown(plain.expect("nobody minds").reveal()), shown(&printed));
}
