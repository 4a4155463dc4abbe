use super::*;
use onepane_diagnostics::{FileId, Result};
use onepane_world::{MemoryWorld, World};

/// A service without secrets: it writes down what it should encrypt.
struct Open;

impl KeyService for Open {
    fn decrypt(&self, key: &MasterKey) -> Option<Result<Secret>> {
        let KeyId::HcVault { name, .. } = &key.id else { return None };
        let bytes = key.enc.strip_prefix(&**name).unwrap_or("").split('.').map(|byte| byte.parse().ok());
        let secret: Option<Vec<u8>> = bytes.collect();
        let error = || onepane_diagnostics::Diagnostic::error("sops-key", "it is not what it wrote");
        Some(secret.map(Secret::new).ok_or_else(error))
    }

    fn encrypt(&self, key: &mut MasterKey, part: &Secret, _: &dyn World) -> Option<Result<()>> {
        let KeyId::HcVault { name, .. } = &key.id else { return None };
        let bytes: Vec<String> = part.reveal().iter().map(u8::to_string).collect();
        key.enc = format!("{name}{}", bytes.join("."));
        Some(Ok(()))
    }
}

/// Randomness that does not repeat.
struct Dice(MemoryWorld, std::sync::atomic::AtomicU64);

fn dice() -> Dice {
    static MADE: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    Dice(MemoryWorld::new(), MADE.fetch_add(1, std::sync::atomic::Ordering::Relaxed).into())
}

impl World for Dice {
    fn random(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let state = self
                .1
                .load(std::sync::atomic::Ordering::Relaxed)
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            self.1.store(state, std::sync::atomic::Ordering::Relaxed);
            *byte = (state >> 56) as u8;
        }
    }
    fn read(&self, path: &camino::Utf8Path) -> Result<std::sync::Arc<[u8]>, onepane_world::ReadError> {
        self.0.read(path)
    }
    fn list(&self, path: &camino::Utf8Path) -> Result<Vec<onepane_world::Entry>, onepane_world::ReadError> {
        self.0.list(path)
    }
    fn kind(&self, path: &camino::Utf8Path) -> Option<onepane_world::EntryKind> {
        self.0.kind(path)
    }
    fn canonical(&self, path: &camino::Utf8Path) -> Result<camino::Utf8PathBuf, onepane_world::ReadError> {
        self.0.canonical(path)
    }
    fn now(&self) -> std::time::SystemTime {
        self.0.now()
    }
    fn env(&self, name: &str) -> Option<String> {
        self.0.env(name)
    }
}

fn file() -> FileId {
    FileId::new("t")
}

fn vault(name: &str) -> MasterKey {
    KeyId::HcVault { address: "https://v".into(), engine: "transit".into(), name: name.into() }.into_key()
}

fn to(groups: &[&[&str]], selection: Option<Selection>) -> Recipients {
    let groups = groups.iter().map(|group| group.iter().map(|name| vault(name)).collect()).collect();
    Recipients { groups, shamir_threshold: 0, selection, mac_only_encrypted: false }
}

fn sealed(text: &str, format: Format, recipients: Recipients) -> String {
    let sealed = encrypt(text.as_bytes(), format, file(), recipients, &[&Open], Layout::default(), &dice());
    String::from_utf8(sealed.expect("it can be encrypted")).expect("it is text")
}

fn opened(text: &str, format: Format) -> Result<String> {
    let plain = decrypt(text.as_bytes(), format, file(), &[&Open], Integrity::Checked)?;
    Ok(String::from_utf8_lossy(plain.reveal()).into_owned())
}

const YAML: &str = "\
# head
a: hush
number: 7
float: 1.5
flag: true
none: null
time: 2024-01-02T03:04:05Z
list:
    - hush one
    - b: hush two
      c: |
        hush
          three
# between
empty: \"\"
open_unencrypted: seen
---
second: hush four
";

const TEXTS: [(Format, &str); 5] = [
    (Format::Yaml, YAML),
    (Format::Json, "{\n\t\"a\": \"hush\",\n\t\"b\": [\n\t\t1,\n\t\ttrue,\n\t\t{}\n\t]\n}\n"),
    (Format::Dotenv, "# head\nA=hush\nB=\nC=hush\\nhush\n"),
    (Format::Ini, "[a]\n; about x\nx  = hush\nyy = 1\n\n[b]\nz = hush\n"),
    (Format::Binary, "hush\n"),
];

#[test]
fn every_format_comes_back_and_shows_nothing() {
    for (format, text) in TEXTS {
        let sealed = sealed(text, format, to(&[&["k"]], None));
        assert!(!sealed.contains("hush"), "{sealed}");
        assert!(is_encrypted(sealed.as_bytes(), format, file()) && !is_encrypted(text.as_bytes(), format, file()));
        assert_eq!(opened(&sealed, format).expect("it can be decrypted"), text, "{sealed}");
    }
}

#[test]
fn no_flipped_bit_gives_another_text() {
    for (format, text) in TEXTS {
        // The metadata of a second document is not read.
        let text = text
            .split("---\n")
            .next()
            .unwrap_or_default()
            .replace("# head\n", "")
            .replace("# between\n", "")
            .replace("; about x\n", "");
        let sealed = sealed(&text, format, to(&[&["k"]], None));
        for at in 0..sealed.len() {
            for bit in [0, 3, 5] {
                let mut changed = sealed.clone().into_bytes();
                changed[at] ^= 1 << bit;
                let Ok(plain) = decrypt(&changed, format, file(), &[&Open], Integrity::Checked) else { continue };
                let changed = String::from_utf8_lossy(&changed).into_owned();
                let line = changed[..at].rfind('\n').map_or(0, |start| start + 1);
                let line = &changed[line..];
                let line = &line[..line.find('\n').unwrap_or(line.len())];
                let same = plain.reveal() == text.as_bytes();
                // Names of what is not encrypted are not protected, nor are the types of what is; see SOPS.
                let bare = line.contains("seen") || !line.contains("ENC[") && !line.contains("mac");
                assert!(same || bare || line.contains(",type:"), "{line}");
            }
        }
    }
}

#[test]
fn what_is_protected_can_t_be_changed() {
    let sealed = sealed(YAML, Format::Yaml, to(&[&["k"]], None));
    let line = |start: &str| sealed.lines().find(|line| line.trim_start().starts_with(start)).expect("it is there");
    let (number, float) = (line("number:"), line("float:"));
    let moved = sealed.replace(number, &number.replace("number", "other"));
    let swapped = sealed.replace(number, &float.replace("float", "number"));
    let plain = sealed.replace("seen", "sees");
    let added = sealed.replacen("open_unencrypted", "new_unencrypted: 1\nopen_unencrypted", 1);
    let removed = sealed.replace(&format!("{number}\n"), "");
    let order = sealed.replace(&format!("{number}\n{float}\n"), &format!("{float}\n{number}\n"));
    let unsealed = sealed.replace(number, "number: 8");
    let mac = sealed.replace(line("mac:"), "    mac: \"\"");
    let later = sealed.replace("lastmodified: \"2023", "lastmodified: \"2022");
    let none = sealed.replace("unencrypted_suffix: _unencrypted", "mac_only_encrypted: true");
    let cases = [moved, swapped, plain, added, removed, order, unsealed, mac, later, none];
    for (index, changed) in cases.iter().enumerate() {
        assert_ne!(*changed, sealed, "{index}");
        let error = opened(changed, Format::Yaml).expect_err("it was changed");
        assert!(matches!(error.code, "sops-mac" | "sops-format"), "{index}: {error}");
        assert!(!error.message.contains("hush") && !error.hints.is_empty() || error.primary.is_some(), "{error:?}");
    }
    let ignored = decrypt(cases[2].as_bytes(), Format::Yaml, file(), &[&Open], Integrity::Ignored);
    assert_eq!(ignored.expect("nobody minds").reveal_text(), Some(&*YAML.replace("seen", "sees")));
}

#[test]
fn groups_of_keys_are_all_needed_or_as_many_as_is_said() {
    let mut recipients = to(&[&["k", "l"], &["m"], &["n"]], None);
    recipients.shamir_threshold = 2;
    let sealed = sealed("a: hush\n", Format::Yaml, recipients);
    assert!(sealed.contains("shamir_threshold: 2") && sealed.contains("key_groups:\n"), "{sealed}");
    assert_eq!(opened(&sealed, Format::Yaml).expect("all keys are there"), "a: hush\n");
    let without = |names: &[&str]| {
        names.iter().fold(sealed.clone(), |text, name| text.replace(&format!("enc: {name}"), "enc: lost"))
    };
    assert_eq!(opened(&without(&["k", "m"]), Format::Yaml).expect("enough are there"), "a: hush\n");
    let error = opened(&without(&["k", "l", "m"]), Format::Yaml).expect_err("too few are there");
    assert_eq!(error.message, "the file needs keys of 2 groups, and there are keys of 1");
    let said: Vec<&str> = error.trace.iter().map(|frame| &*frame.message).collect();
    assert_eq!(said.len(), 3);
    assert_eq!(said[0], "hc_vault `https://v/v1/transit/keys/k`: it is not what it wrote");
}

#[test]
fn edits_keep_what_did_not_change() {
    let before = sealed(YAML, Format::Yaml, to(&[&["k"]], None));
    let file_before = Encrypted::read(before.as_bytes(), Format::Yaml, file()).expect("it is encrypted");
    let plain = file_before.decrypt(&[&Open], Integrity::Checked).expect("it can be decrypted");
    let edited = YAML.replace("number: 7", "number: 8\nnew: hush five");
    let after = plain.edited(edited.as_bytes(), file(), Layout::default(), &dice()).expect("it can be encrypted");
    let after = String::from_utf8(after).expect("it is text");
    assert_eq!(opened(&after, Format::Yaml).expect("it can be decrypted"), edited);
    let kept = |line: &&str| before.lines().any(|old| old == *line);
    let new: Vec<&str> =
        after.lines().filter(|line| !kept(line)).map(|line| line.split(':').next().unwrap_or("")).collect();
    assert_eq!(new, ["number", "new", "    mac", "    mac"], "each document has the metadata");

    let keys = vec![vec![vault("k"), vault("l")]];
    let rotated = plain.rotated(keys.clone(), &[&Open], Layout::default(), &dice()).expect("it can be encrypted");
    let rotated = String::from_utf8(rotated).expect("it is text");
    assert!(rotated.contains("key_name: l") && !rotated.lines().any(|line| line.starts_with("a: ") && kept(&line)));
    assert_eq!(opened(&rotated, Format::Yaml).expect("it can be decrypted"), YAML);

    let file_before = Encrypted::read(before.as_bytes(), Format::Yaml, file()).expect("it is encrypted");
    let shared = file_before.with_keys(keys, None, &[&Open], Layout::default(), &dice()).expect("it can be written");
    let shared = String::from_utf8(shared).expect("it is text");
    assert_eq!(opened(&shared, Format::Yaml).expect("it can be decrypted"), YAML);
    assert!(before.lines().filter(|line| line.contains("ENC[")).all(|line| shared.contains(line)));
}

#[test]
fn rules_say_what_is_encrypted() {
    let text = "# key:\ndata:\n    a: hush\nkind: Secret\n";
    let regex = |text: &str| regex::Regex::new(text).expect("it is one");
    for (selection, wanted) in [
        (Selection::EncryptedRegex(regex("^data$")), vec!["kind: Secret", "# key:"]),
        (Selection::UnencryptedRegex(regex("^kind$")), vec!["kind: Secret"]),
        (Selection::EncryptedSuffix("ata".into()), vec!["kind: Secret", "# key:"]),
        (Selection::EncryptedCommentRegex(regex("key")), vec!["kind: Secret", "# key:"]),
        (Selection::UnencryptedSuffix("ind".into()), vec!["kind: Secret"]),
    ] {
        for only_encrypted in [false, true] {
            let mut recipients = to(&[&["k"]], Some(selection.clone()));
            recipients.mac_only_encrypted = only_encrypted;
            let sealed = sealed(text, Format::Yaml, recipients);
            assert!(!sealed.contains("hush"), "{sealed}");
            let shown = ["kind: Secret", "# key:"].into_iter().filter(|line| sealed.contains(line));
            let mut shown: Vec<&str> = shown.collect();
            shown.sort_by_key(|line| wanted.iter().position(|wanted| wanted == line));
            assert_eq!(shown, wanted, "{selection:?}\n{sealed}");
            assert_eq!(opened(&sealed, Format::Yaml).expect("it can be decrypted"), text);
            let changed = sealed.replace("kind: Secret", "kind: Public");
            assert_eq!(opened(&changed, Format::Yaml).is_ok(), only_encrypted && changed != sealed, "{selection:?}");
        }
    }
}

#[test]
fn comments_in_lists_become_items_and_come_back() {
    let text = "list:\n    # secret\n    # hush one\n    - hush two\n    - open\nother: open\n";
    for selection in [None, Some(Selection::EncryptedCommentRegex(regex::Regex::new("secret").expect("it is one")))] {
        let all = selection.is_none();
        let sealed = sealed(text, Format::Yaml, to(&[&["k"]], selection));
        assert!(!sealed.contains("hush") && sealed.contains("    - ENC["), "{sealed}");
        assert_eq!(sealed.matches("type:comment]").count(), if all { 2 } else { 1 }, "{sealed}");
        assert_eq!(opened(&sealed, Format::Yaml).expect("it can be decrypted"), text);
    }
}

#[test]
fn comments_that_moved_stay_encrypted() {
    let sealed = sealed("a:\n    # hush\n    b: 1\n    c: 2\n", Format::Yaml, to(&[&["k"]], None));
    let comment = sealed.lines().find(|line| line.contains("type:comment")).expect("it is there").to_owned();
    let moved = format!("{}\n{}", comment.trim(), sealed.replace(&format!("{comment}\n"), ""));
    let read = Encrypted::read(moved.as_bytes(), Format::Yaml, file()).expect("it is encrypted");
    let plain = read.decrypt(&[&Open], Integrity::Checked).expect("comments are not protected");
    assert_eq!(plain.comments_left(), 1);
    let text = plain.text(Format::Yaml, Layout::default()).expect("it can be written");
    assert_eq!(text.reveal_text(), Some(&*format!("{}\na:\n    b: 1\n    c: 2\n", comment.trim())));
}

#[test]
fn what_can_t_be_encrypted_is_refused() {
    let sealed = sealed("a: hush\n", Format::Yaml, to(&[&["k"]], None));
    let cases: [(&str, Format, Recipients, &str); 7] = [
        (&sealed, Format::Yaml, to(&[&["k"]], None), "encrypted already"),
        ("", Format::Yaml, to(&[&["k"]], None), "empty file"),
        ("- hush\n", Format::Yaml, to(&[&["k"]], None), "no mapping"),
        ("1: hush\n", Format::Yaml, to(&[&["k"]], None), "no string"),
        ("a: hush\na: hush\n", Format::Yaml, to(&[&["k"]], None), "stands twice"),
        ("a: hush\n", Format::Yaml, to(&[], None), "without keys"),
        ("a: hush\n", Format::Yaml, to(&[&["k"], &[]], None), "without keys"),
    ];
    for (text, format, recipients, wanted) in cases {
        let error = encrypt(text.as_bytes(), format, file(), recipients, &[&Open], Layout::default(), &dice());
        let error = error.expect_err(wanted);
        assert!(error.message.contains(wanted) && !format!("{error:?}").contains("hush"), "{error:?}");
    }
}

#[test]
fn what_is_deep_but_allowed_needs_no_more_than_a_thread_s_stack() {
    let yaml = format!("a: {}{}\n", "[".repeat(900), "]".repeat(900));
    let json = format!("{{\"a\":{}1{}}}", "{\"b\":[".repeat(450), "]}".repeat(450));
    for (format, text) in [(Format::Yaml, yaml), (Format::Json, json)] {
        let sealed = sealed(&text, format, to(&[&["k"]], None));
        assert!(opened(&sealed, format).is_ok());
    }
}

#[test]
fn aliases_and_depth_are_bounded() {
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, of) in ["b", "c", "d", "e", "f", "g", "h", "i"].into_iter().zip(["a", "b", "c", "d", "e", "f", "g", "h"])
    {
        bomb.push_str(&format!("{name}: &{name} [*{of}, *{of}, *{of}, *{of}, *{of}, *{of}, *{of}, *{of}, *{of}]\n"));
    }
    let circle = "a: &a\n  b: *a\n";
    let deep = format!("a: {}{}\n", "[".repeat(2000), "]".repeat(2000));
    for text in [bomb.as_str(), circle, &deep] {
        let world = dice();
        let result =
            encrypt(text.as_bytes(), Format::Yaml, file(), to(&[&["k"]], None), &[&Open], Layout::default(), &world);
        assert!(result.is_err());
    }
}
