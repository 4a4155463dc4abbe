use super::server::{Answer, Asked, Server};
use super::{refusal, there_and_back};
use crate::{CloudKeys, Endpoints, Programs};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use onepane_sops::KeyId;
use onepane_world::MemoryWorld;
use serde_json::json;

/// A vault, whose encryption is a word before the text.
fn vault(asked: &Asked) -> Answer {
    let refused = |status, code: &str| (status, json!({"error": {"code": code, "message": "no"}}).to_string());
    if asked.header("authorization") != "Bearer hush" {
        return refused(401, "Unauthorized");
    }
    let Some(path) = asked.path.strip_suffix("?api-version=7.4") else { return refused(400, "BadVersion") };
    let request = asked.json();
    let value = URL_SAFE_NO_PAD.decode(request["value"].as_str().unwrap_or_default()).unwrap_or_default();
    let padded = request["alg"] == "RSA-OAEP-256";
    let answer = |value: &[u8]| {
        (200, json!({"kid": "https://v.vault.azure.net/keys/k/2", "value": URL_SAFE_NO_PAD.encode(value)}).to_string())
    };
    match (asked.method.as_str(), path) {
        ("GET", "/keys/k") => (200, json!({"key": {"kid": "https://v.vault.azure.net/keys/k/2"}}).to_string()),
        ("POST", "/keys/k/2/encrypt") if padded => answer(&[b"sealed", value.as_slice()].concat()),
        ("POST", "/keys/k/2/decrypt") if padded => match value.strip_prefix(b"sealed") {
            Some(plain) => answer(plain),
            None => refused(400, "BadParameter"),
        },
        _ => refused(404, "KeyNotFound"),
    }
}

pub(super) fn authority(asked: &Asked) -> Answer {
    let good = asked.path == "/tenant/oauth2/v2.0/token"
        && asked.form("grant_type") == "client_credentials"
        && asked.form("client_id") == "client"
        && (asked.form("client_secret") == "hush secret"
            || (asked.form("client_assertion_type") == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
                && asked.form("client_assertion") == "hush jwt"))
        && asked.form("scope") == "https://vault.azure.net/.default";
    if good {
        (200, json!({"token_type": "Bearer", "access_token": "hush"}).to_string())
    } else {
        (
            401,
            json!({"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret"}).to_string(),
        )
    }
}

fn endpoints() -> Endpoints {
    let (vault, authority) = (Server::start(vault), Server::start(authority));
    Endpoints { azure_vault: Some(vault.url), azure_authority: Some(authority.url), ..Endpoints::default() }
}

fn world(secret: &str) -> MemoryWorld {
    let world = MemoryWorld::new().with_env("AZURE_TENANT_ID", "tenant").with_env("AZURE_CLIENT_ID", "client");
    world.with_env("AZURE_CLIENT_SECRET", secret)
}

#[test]
fn keys_of_a_vault_are_used_and_the_newest_version_is_noted() {
    let world = world("hush secret");
    let keys = CloudKeys::new(&world, endpoints(), Programs::Refused);
    let newest = there_and_back(&keys, KeyId::azure("https://v.vault.azure.net/keys/k").expect("it is an address"));
    assert_eq!(newest.id.to_string(), "https://v.vault.azure.net/keys/k/2");
    there_and_back(&keys, KeyId::azure("https://v.vault.azure.net/keys/k/2").expect("it is an address"));
    let mut damaged = newest;
    damaged.enc = "AAAA".to_owned();
    assert!(refusal(&keys, &damaged).ends_with("says 400 Bad Request: BadParameter no"));
    let other = KeyId::azure("https://v.vault.azure.net/keys/other/2").expect("it is an address");
    assert!(refusal(&keys, &other.into_key()).ends_with("says 404 Not Found: KeyNotFound no"));
}

#[test]
fn a_token_goes_to_vaults_of_azure_only() {
    let world = world("hush secret");
    let keys = CloudKeys::new(&world, endpoints(), Programs::Refused);
    for vault in
        ["https://evil.example", "https://vault.azure.net", "https://evilvault.azure.net", "http://v.vault.azure.net"]
    {
        let id = KeyId::AzureKv { vault_url: vault.into(), name: "k".into(), version: "2".into() };
        assert!(refusal(&keys, &id.into_key()).contains("no token is sent"), "{vault}");
    }
}

#[test]
fn wrong_credentials_are_told() {
    let id = || KeyId::azure("https://v.vault.azure.net/keys/k/2").expect("it is an address").into_key();
    let wrong = world("hush");
    let keys = CloudKeys::new(&wrong, endpoints(), Programs::Refused);
    assert!(refusal(&keys, &id()).ends_with("says 401 Unauthorized: AADSTS7000215: Invalid client secret"));
    let none = MemoryWorld::new().with_env("AZURE_TENANT_ID", "tenant");
    let keys = CloudKeys::new(&none, endpoints(), Programs::Refused);
    assert_eq!(refusal(&keys, &id()), "there are no Azure credentials: AZURE_CLIENT_ID is not set");
}
