use super::server::{Answer, Asked, Server};
use super::{refusal, there_and_back};
use crate::aws_signature::{Credentials, Signed};
use crate::{CloudKeys, Endpoints, Programs};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use onepane_sops::{KeyId, Secret};
use onepane_world::MemoryWorld;
use serde_json::json;
use std::collections::BTreeMap;

const ARN: &str = "arn:aws:kms:eu-west-1:123456789012:key/k";
const ROLE: &str = "arn:aws:iam::123456789012:role/r";

/// Whether a request is signed by these credentials: the signature is computed anew from what came.
pub(super) fn is_signed(asked: &Asked, service: &str, access_key: &str, secret: &str, token: &str) -> bool {
    let authorization = asked.header("authorization");
    let names =
        authorization.split("SignedHeaders=").nth(1).and_then(|rest| rest.split(',').next()).unwrap_or_default();
    let headers: Vec<(&str, &str)> = names.split(';').map(|name| (name, asked.header(name))).collect();
    let signed = Signed {
        region: "eu-west-1",
        service,
        time: asked.header("x-amz-date"),
        method: &asked.method,
        path: &asked.path,
        headers: &headers,
        body: &asked.body,
    };
    let credentials =
        Credentials { access_key: access_key.to_owned(), secret_key: Secret::new(secret), session_token: None };
    let all = ["host", "x-amz-date", "content-type"].iter().all(|name| names.split(';').any(|found| found == *name));
    all && asked.header("x-amz-security-token") == token && signed.authorization(&credentials) == authorization
}

/// KMS, whose encryption is the encryption context before the text.
fn kms(asked: &Asked) -> Answer {
    let user = is_signed(asked, "kms", "AKIDEXAMPLE", "wJalrXUtnFEMI", "");
    let role = is_signed(asked, "kms", "ASIAROLE", "hush", "hush token");
    if !user && !role || asked.header("content-type") != "application/x-amz-json-1.1" {
        return (400, json!({"__type": "com.amazon#AccessDeniedException", "message": "not you"}).to_string());
    }
    let request = asked.json();
    if request["KeyId"] != ARN {
        return (400, json!({"__type": "NotFoundException", "Message": "no such key"}).to_string());
    }
    let context = format!("{} {role}:", request["EncryptionContext"]);
    let decoded = |name: &str| STANDARD.decode(request[name].as_str().unwrap_or_default()).unwrap_or_default();
    match asked.header("x-amz-target") {
        "TrentService.Encrypt" => {
            let sealed = [context.as_bytes(), &decoded("Plaintext")].concat();
            (200, json!({"CiphertextBlob": STANDARD.encode(sealed), "KeyId": ARN}).to_string())
        }
        "TrentService.Decrypt" => match decoded("CiphertextBlob").strip_prefix(context.as_bytes()) {
            Some(plain) => (200, json!({"Plaintext": STANDARD.encode(plain), "KeyId": ARN}).to_string()),
            None => (400, json!({"__type": "InvalidCiphertextException"}).to_string()),
        },
        _ => (400, json!({"__type": "UnknownOperationException"}).to_string()),
    }
}

/// STS, which gives the role to the user.
pub(super) fn sts(asked: &Asked) -> Answer {
    let whole = asked.form("Action") == "AssumeRole" && asked.form("Version") == "2011-06-15";
    if !whole || asked.form("RoleArn") != ROLE || !is_signed(asked, "sts", "AKIDEXAMPLE", "wJalrXUtnFEMI", "") {
        return (403, "<ErrorResponse/>".to_owned());
    }
    let fields = "<AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>hush</SecretAccessKey><SessionToken>hush token</SessionToken>";
    (
        200,
        format!(
            "<AssumeRoleResponse><AssumeRoleResult><Credentials>{fields}</Credentials></AssumeRoleResult></AssumeRoleResponse>"
        ),
    )
}

fn endpoints() -> Endpoints {
    let (kms, sts) = (Server::start(kms), Server::start(sts));
    Endpoints { aws_kms: Some(kms.url), aws_sts: Some(sts.url), ..Endpoints::default() }
}

fn user() -> MemoryWorld {
    MemoryWorld::new().with_env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").with_env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
}

#[test]
fn requests_are_signed_and_contexts_are_bound() {
    let world = user();
    let keys = CloudKeys::new(&world, endpoints(), Programs::Refused);
    there_and_back(&keys, KeyId::kms(ARN, BTreeMap::new(), ""));
    let context = |value: &str| BTreeMap::from([("app".to_owned(), value.to_owned())]);
    let key = there_and_back(&keys, KeyId::kms(ARN, context("a"), ""));
    let mut other = key.clone();
    other.id = KeyId::kms(ARN, context("b"), "");
    assert!(refusal(&keys, &other).ends_with("says 400 Bad Request: InvalidCiphertextException"));
    let mut missing = key;
    missing.id = KeyId::kms(&ARN.replace("key/k", "key/l"), context("a"), "");
    assert!(refusal(&keys, &missing).ends_with("NotFoundException no such key"));
    let stranger =
        MemoryWorld::new().with_env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").with_env("AWS_SECRET_ACCESS_KEY", "hush");
    let keys = CloudKeys::new(&stranger, endpoints(), Programs::Refused);
    assert!(refusal(&keys, &missing).ends_with("AccessDeniedException not you"));
}

#[test]
fn roles_are_taken_on_once() {
    let world = user();
    let keys = CloudKeys::new(&world, endpoints(), Programs::Refused);
    let key = there_and_back(&keys, KeyId::kms(&format!("{ARN}+{ROLE}"), BTreeMap::new(), ""));
    assert!(STANDARD.decode(&key.enc).expect("it is base64").starts_with(b"null true:"));
    assert_eq!(keys.token_count(), 1);
    let other = KeyId::kms(&format!("{ARN}+{ROLE}x"), BTreeMap::new(), "");
    assert!(refusal(&keys, &onepane_sops::MasterKey { id: other, ..key }).contains("AWS STS"));
}

#[test]
fn profiles_are_read_from_both_files() {
    let world = MemoryWorld::new()
        .with_env("HOME", "/h")
        .with_env("AWS_PROFILE", "role")
        .with("/h/.aws/credentials", "[base]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key=wJalrXUtnFEMI\n")
        .with("/h/.aws/config", format!("# mine\n[profile role]\nrole_arn = {ROLE}\nsource_profile = base\n[profile loop]\nrole_arn = r\nsource_profile = loop2\n[profile loop2]\nrole_arn = r\nsource_profile = loop\n[profile run]\ncredential_process = never\n"));
    let keys = CloudKeys::new(&world, endpoints(), Programs::Refused);
    let by_role = there_and_back(&keys, KeyId::kms(ARN, BTreeMap::new(), ""));
    let by_user = there_and_back(&keys, KeyId::kms(ARN, BTreeMap::new(), "base"));
    assert_ne!(by_role.enc, by_user.enc);
    for (profile, wanted) in [
        ("none", "there are no AWS credentials: neither variables nor those of profile `none`"),
        ("loop", "names a role, and no `source_profile` that could take it on"),
        ("run", "`credential_process` of profile `run` is not run here"),
    ] {
        let message = refusal(&keys, &KeyId::kms(ARN, BTreeMap::new(), profile).into_key());
        assert!(message.ends_with(wanted), "{message}");
    }
}

#[test]
fn what_is_no_arn_is_sent_nowhere() {
    let world = user();
    let keys = CloudKeys::new(&world, Endpoints::default(), Programs::Refused);
    for arn in ["", "arn:aws:kms:evil.example/:1:key/k", "arn:aws:s3:eu-west-1:1:key/k", "arn:x:kms:eu-west-1:1:key/k"]
    {
        assert!(refusal(&keys, &KeyId::kms(arn, BTreeMap::new(), "").into_key()).contains(arn), "{arn}");
    }
}
