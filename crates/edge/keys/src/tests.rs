//! The services against a stand-in on this machine, which answers as their documents say and checks what it is asked.

mod aws;
mod azure;
mod gcp;
mod secrets;
mod server;
mod vault;

use crate::{CloudKeys, Endpoints, Programs};
use onepane_diagnostics::FileId;
use onepane_sops::{Format, Integrity, KeyId, KeyService, Layout, MasterKey, Recipients, Secret, decrypt, encrypt};
use onepane_world::MemoryWorld;

/// Encrypts a data key, says how it was written, and decrypts it.
fn there_and_back(keys: &CloudKeys<'_>, id: KeyId) -> MasterKey {
    let part = Secret::new((0..32).collect::<Vec<u8>>());
    let mut key = id.into_key();
    keys.encrypt(&mut key, &part, keys.world).expect("it is known").expect("it can be encrypted");
    assert_eq!(keys.decrypt(&key).expect("it is known").expect("it can be decrypted"), part);
    key
}

/// What a service says that refuses.
fn refusal(keys: &CloudKeys<'_>, key: &MasterKey) -> String {
    let error = keys.decrypt(key).expect("it is known").expect_err("it is refused");
    let said = format!("{error:?}");
    for hush in ["hush", "wJalrXUtnFEMI"] {
        assert!(!said.contains(hush), "{said}");
    }
    error.message
}

#[test]
fn a_file_is_encrypted_for_a_service_and_decrypted_by_it() {
    let server = server::Server::start(vault::answer);
    let world = MemoryWorld::new().with_env("VAULT_TOKEN", "hush").with_env("VAULT_ADDR", &server.url);
    let keys = CloudKeys::new(&world, Endpoints::default(), Programs::Refused);
    let key = KeyId::vault(&format!("{}/v1/transit/keys/k", server.url)).expect("it is an address").into_key();
    let recipients =
        Recipients { groups: vec![vec![key]], shamir_threshold: 0, selection: None, mac_only_encrypted: false };
    let (file, layout) = (FileId::new("a.yaml"), Layout::default());
    let text =
        encrypt(b"a: hush\n", Format::Yaml, file, recipients, &[&keys], layout, &world).expect("it can be encrypted");
    let plain = decrypt(&text, Format::Yaml, file, &[&keys], Integrity::Checked).expect("it can be decrypted");
    assert_eq!(plain.reveal_text(), Some("a: hush\n"));
}
