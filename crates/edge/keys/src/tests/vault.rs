use super::server::{Answer, Asked, Server};
use super::{refusal, there_and_back};
use crate::{CloudKeys, Endpoints, Programs};
use onepane_sops::KeyId;
use onepane_world::MemoryWorld;
use serde_json::json;

/// A transit engine whose encryption is a name before the text.
pub(crate) fn answer(asked: &Asked) -> Answer {
    if asked.header("x-vault-token") != "hush" || asked.header("x-vault-request") != "true" || asked.method != "PUT" {
        return (403, json!({"errors": ["permission denied"]}).to_string());
    }
    let request = asked.json();
    let data = match asked.path.as_str() {
        "/v1/transit/encrypt/k" => {
            json!({"ciphertext": format!("vault:v1:{}", request["plaintext"].as_str().unwrap_or_default())})
        }
        "/v1/transit/decrypt/k" => {
            let text = request["ciphertext"].as_str().unwrap_or_default();
            match text.strip_prefix("vault:v1:") {
                Some(plain) => json!({"plaintext": plain}),
                None => return (400, json!({"errors": ["invalid ciphertext: no prefix"]}).to_string()),
            }
        }
        _ => return (404, json!({"errors": []}).to_string()),
    };
    (200, json!({"data": data}).to_string())
}

fn key(server: &Server, name: &str) -> KeyId {
    KeyId::vault(&format!("{}/v1/transit/keys/{name}", server.url)).expect("it is an address")
}

#[test]
fn keys_of_the_transit_engine_are_used() {
    let server = Server::start(answer);
    let world = MemoryWorld::new().with_env("HOME", "/h").with("/h/.vault-token", "hush\n");
    let keys = CloudKeys::new(&world, Endpoints::default(), Programs::Refused);
    let key_with_part = there_and_back(&keys, key(&server, "k"));
    assert_eq!(key_with_part.enc, "vault:v1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    let mut damaged = key_with_part.clone();
    damaged.enc = "x".to_owned();
    assert!(refusal(&keys, &damaged).ends_with("says 400 Bad Request: invalid ciphertext: no prefix"));
    assert!(refusal(&keys, &key(&server, "other").into_key()).ends_with("says 404 Not Found"));
}

#[test]
fn a_token_goes_where_the_environment_says() {
    let server = Server::start(answer);
    let world = MemoryWorld::new().with_env("VAULT_TOKEN", "hush").with_env("VAULT_ADDR", "https://vault.example");
    let keys = CloudKeys::new(&world, Endpoints::default(), Programs::Refused);
    let message = refusal(&keys, &key(&server, "k").into_key());
    assert_eq!(message, format!("the file names the Vault server `{}`, to which no token is sent", server.url));
    let world = world.with_env("SOPS_HC_VAULT_ALLOWLIST", &format!("https://vault.example, {}/", server.url));
    there_and_back(&CloudKeys::new(&world, Endpoints::default(), Programs::Refused), key(&server, "k"));
    let world = MemoryWorld::new().with_env("VAULT_TOKEN", "hush");
    let keys = CloudKeys::new(&world, Endpoints::default(), Programs::Refused);
    for name in ["../../sys", "k?x=1", ""] {
        let id = KeyId::HcVault { address: server.url.clone(), engine: "transit".into(), name: name.into() };
        assert!(refusal(&keys, &id.into_key()).contains("is no address of a key"), "{name}");
    }
}

#[test]
fn without_a_token_nobody_is_asked() {
    let keys_of_nobody = MemoryWorld::new().with_env("HOME", "/h");
    let keys = CloudKeys::new(&keys_of_nobody, Endpoints::default(), Programs::Refused);
    let id = KeyId::vault("https://vault.example/v1/transit/keys/k").expect("it is an address");
    let message = refusal(&keys, &id.into_key());
    assert_eq!(message, "there is no Vault token: VAULT_TOKEN is not set, and there is no `/h/.vault-token`");
}
