use super::server::{Answer, Asked, Server};
use super::{refusal, there_and_back};
use crate::{CloudKeys, Endpoints, Programs};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use onepane_sops::KeyId;
use onepane_world::MemoryWorld;
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};

const KMS: &str = "https://www.googleapis.com/auth/cloudkms";
const RESOURCE: &str = "projects/p/locations/l/keyRings/r/cryptoKeys/k";
/// A key that was made for this test and is used nowhere else.
const ACCOUNT: &str = include_str!("account.pem");

/// KMS, whose encryption is a word before the text.
fn kms(asked: &Asked) -> Answer {
    if asked.header("authorization") != "Bearer hush" || asked.method != "POST" {
        return (403, json!({"error": {"code": 403, "message": "Permission denied"}}).to_string());
    }
    let request = asked.json();
    let decoded = |name: &str| STANDARD.decode(request[name].as_str().unwrap_or_default()).unwrap_or_default();
    match asked.path.strip_prefix(&format!("/v1/{RESOURCE}:")) {
        Some("encrypt") => {
            let sealed = [b"sealed", decoded("plaintext").as_slice()].concat();
            (200, json!({"name": RESOURCE, "ciphertext": STANDARD.encode(sealed)}).to_string())
        }
        Some("decrypt") => match decoded("ciphertext").strip_prefix(b"sealed") {
            Some(plain) => (200, json!({"plaintext": STANDARD.encode(plain)}).to_string()),
            None => (400, json!({"error": {"message": "Decryption failed"}}).to_string()),
        },
        _ => (404, json!({"error": {"message": "no such key"}}).to_string()),
    }
}

/// The token server: it checks the signature and what is claimed.
fn tokens(asked: &Asked, scope: &str) -> Answer {
    let refused = |why: &str| (400, json!({"error": "invalid_grant", "error_description": why}).to_string());
    if asked.form("grant_type") == "refresh_token" {
        let known = asked.form("client_id") == "c"
            && asked.form("client_secret") == "hush"
            && asked.form("refresh_token") == "hush";
        return if known { (200, json!({"access_token": "hush"}).to_string()) } else { refused("Bad Request") };
    }
    let assertion = asked.form("assertion");
    let Some((signed, signature)) = assertion.rsplit_once('.') else { return refused("no token") };
    let pem = PrivatePkcs8KeyDer::from_pem_slice(ACCOUNT.as_bytes()).expect("it is PEM");
    let pair = RsaKeyPair::from_pkcs8(pem.secret_pkcs8_der()).expect("it is a key");
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
    if public.verify(signed.as_bytes(), &signature).is_err() {
        return refused("Invalid JWT Signature.");
    }
    let parts: Vec<Value> = signed
        .split('.')
        .map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap_or_default()).unwrap_or_default())
        .collect();
    let claims = &parts[1];
    let lasts = claims["exp"].as_u64().unwrap_or(0) - claims["iat"].as_u64().unwrap_or(0);
    let good = parts[0] == json!({"alg": "RS256", "typ": "JWT", "kid": "1"})
        && claims["iss"] == "a@p.iam.example"
        && claims["scope"] == scope
        && claims["aud"].as_str().is_some_and(|aud| aud.ends_with(&asked.path))
        && lasts == 3600
        && asked.form("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer";
    if good { (200, json!({"access_token": "hush", "expires_in": 3599}).to_string()) } else { refused("bad claims") }
}

fn endpoints() -> Endpoints {
    Endpoints { gcp_kms: Some(Server::start(kms).url), ..Endpoints::default() }
}

pub(super) fn account(email: &str, scope: &str) -> String {
    let scope = scope.to_owned();
    let uri = format!("{}/token", Server::start(move |asked| tokens(asked, &scope)).url);
    let account = json!({
        "type": "service_account", "client_email": email, "private_key": ACCOUNT, "private_key_id": "1", "token_uri": uri,
    });
    account.to_string()
}

fn id() -> KeyId {
    KeyId::GcpKms { resource: RESOURCE.to_owned() }
}

#[test]
fn service_accounts_get_tokens_that_use_keys() {
    let file = account("a@p.iam.example", KMS);
    for world in [
        MemoryWorld::new().with_env("GOOGLE_CREDENTIALS", &file),
        MemoryWorld::new().with_env("GOOGLE_CREDENTIALS", "/k.json").with("/k.json", &file),
        MemoryWorld::new().with_env("GOOGLE_APPLICATION_CREDENTIALS", "/k.json").with("/k.json", &file),
        MemoryWorld::new().with_env("HOME", "/h").with("/h/.config/gcloud/application_default_credentials.json", &file),
        MemoryWorld::new().with_env("GOOGLE_OAUTH_ACCESS_TOKEN", "hush"),
    ] {
        let keys = CloudKeys::new(&world, endpoints(), Programs::Refused);
        let key = there_and_back(&keys, id());
        assert!(STANDARD.decode(&key.enc).expect("it is base64").starts_with(b"sealed"));
    }
}

#[test]
fn users_refresh_their_tokens() {
    let uri = format!("{}/token", Server::start(|asked| tokens(asked, KMS)).url);
    let file = json!({"type": "authorized_user", "client_id": "c", "client_secret": "hush", "refresh_token": "hush", "token_uri": uri});
    let world = MemoryWorld::new().with_env("GOOGLE_CREDENTIALS", &file.to_string());
    there_and_back(&CloudKeys::new(&world, endpoints(), Programs::Refused), id());
}

#[test]
fn what_is_refused_is_said() {
    for (credentials, wanted) in [
        (account("b@p.iam.example", KMS), "says 400 Bad Request: bad claims"),
        (json!({"type": "external_account"}).to_string(), "are of a kind that is not known"),
        ("{hush".to_owned(), "are no JSON"),
        (
            json!({"type": "service_account", "client_email": "a", "private_key": "hush"}).to_string(),
            "have no private key of RSA in PKCS#8",
        ),
    ] {
        let world = MemoryWorld::new().with_env("GOOGLE_CREDENTIALS", &credentials);
        let message = refusal(&CloudKeys::new(&world, endpoints(), Programs::Refused), &id().into_key());
        assert!(message.ends_with(wanted), "{message}");
    }
    let world = MemoryWorld::new().with_env("GOOGLE_OAUTH_ACCESS_TOKEN", "another");
    let keys = CloudKeys::new(&world, endpoints(), Programs::Refused);
    assert!(refusal(&keys, &id().into_key()).ends_with("says 403 Forbidden: Permission denied"));
    for resource in [
        "projects/p",
        "projects/../locations/l/keyRings/r/cryptoKeys/k",
        "projects/p/locations/l/keyRings/r/cryptoKeys/k?",
    ] {
        let id = KeyId::GcpKms { resource: resource.to_owned() };
        assert!(refusal(&keys, &id.into_key()).contains(resource), "{resource}");
    }
}
