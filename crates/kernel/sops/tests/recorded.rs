//! Files that the real `sops` wrote, recorded by `peer.rs`: they are read, and no flipped byte of a value goes unnoticed.

mod keys;

use keys::Keys;
use onepane_diagnostics::FileId;
use onepane_sops::{Format, Integrity, KeyService, Secret, decrypt};
use std::path::Path;

/// What was encrypted and what `sops decrypt` prints of it, by name.
fn recorded() -> Vec<(String, Vec<u8>, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded");
    let entries =
        std::fs::read_dir(&folder).expect("it is there").map(|entry| entry.expect("it can be listed").file_name());
    let mut names: Vec<String> = entries.map(|name| name.into_string().expect("it is UTF-8")).collect();
    names.retain(|name| !name.ends_with(".plain"));
    names.sort();
    let read = |name: &str| std::fs::read(folder.join(name)).expect("it can be read");
    names.into_iter().map(|name| (name.clone(), read(&name), read(&format!("{name}.plain")))).collect()
}

fn opened(keys: &Keys, name: &str, text: &[u8]) -> Option<Secret> {
    let services: [&dyn KeyService; 2] = [&keys.age, &keys.pgp];
    decrypt(text, Format::of_path(name), FileId::new(name), &services, Integrity::Checked).ok()
}

#[test]
fn they_are_read() {
    let keys = Keys::read();
    let recorded = recorded();
    assert!(recorded.len() >= 11, "there are {}", recorded.len());
    for (name, text, plain) in recorded {
        let opened = opened(&keys, &name, &text).unwrap_or_else(|| panic!("{name} can't be decrypted"));
        assert_eq!(String::from_utf8_lossy(opened.reveal()), String::from_utf8_lossy(&plain), "{name}");
    }
}

#[test]
fn no_flipped_byte_of_a_value_goes_unnoticed() {
    let keys = Keys::read();
    for (name, text, plain) in recorded() {
        let shown = String::from_utf8_lossy(&text).into_owned();
        for (start, _) in shown.match_indices("ENC[AES256_GCM,") {
            let end = shown[start..].find(",type:").map_or(shown.len(), |end| start + end);
            if shown[end..].starts_with(",type:comment") {
                // Comments are not protected: one that can't be decrypted stays as it is.
                continue;
            }
            // Not each of them: a file's keys are used once for each.
            for at in (start..end).step_by(7) {
                let mut changed = text.clone();
                changed[at] ^= 1;
                let same = opened(&keys, &name, &changed).is_none_or(|opened| opened.reveal() == plain);
                assert!(same, "{name} at byte {at}");
            }
        }
    }
}
