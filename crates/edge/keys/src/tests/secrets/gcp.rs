use super::super::gcp::account;
use super::*;

fn manager(asked: &Asked) -> Answer {
    let no = |status, why: &str| (status, json!({"error": {"code": status, "message": why}}).to_string());
    if asked.header("authorization") != "Bearer hush" || asked.method != "GET" {
        return no(403, "Permission denied");
    }
    let data = match asked.path.as_str() {
        "/v1/projects/p/secrets/db/versions/latest:access" => "YTogaHVzaAo=",
        "/v1/projects/p/secrets/db/versions/2:access" => "b2xkZXI=",
        "/v1/projects/p/secrets/malformed/versions/latest:access" => "hush!",
        "/v1/projects/p/secrets/empty/versions/latest:access" => return (200, json!({"name": "hush"}).to_string()),
        _ => return no(404, "Secret not found"),
    };
    (200, json!({"name": "n", "payload": {"data": data, "dataCrc32c": "1"}}).to_string())
}

fn endpoints() -> Endpoints {
    Endpoints { gcp_secrets: Some(Server::start(manager).url), ..Endpoints::default() }
}

#[test]
fn versions_of_secrets_are_read() {
    let scope = "https://www.googleapis.com/auth/cloud-platform";
    let world = MemoryWorld::new().with("/a.json", account("a@p.iam.example", scope));
    let world = world.with_env("GOOGLE_APPLICATION_CREDENTIALS", "/a.json").with_env("GCP_PROJECT", "p");
    let keys = CloudKeys::new(&world, endpoints(), Programs::Refused);
    for (reference, wanted) in [
        ("p/db", "a: hush\n"),
        ("db", "a: hush\n"),
        ("p/db#", "a: hush\n"),
        ("p/db?version=2", "older"),
        ("p/db?trim_nl=true", "a: hush"),
        ("p/none?optional=true", ""),
        ("p/none?fallback_value=f", "f"),
        ("p/none?fallback_value=", ""),
    ] {
        assert_eq!(asked(&keys, Keeper::GcpSecrets, reference), Ok(wanted.into()), "{reference}");
    }
    for (reference, wanted) in [
        ("p/none", "says 404 Not Found: Secret not found"),
        ("p/none?optional=false", "says 404 Not Found: Secret not found"),
        ("p/malformed", "Google Secret Manager answers without a secret"),
        ("p/empty?fallback_value=f", "Google Secret Manager answers without a secret"),
        ("p/a/b", "`p/a/b` is no secret like PROJECT/NAME"),
        ("../db", "`../db` is no secret like PROJECT/NAME"),
    ] {
        refused(&keys, Keeper::GcpSecrets, reference, wanted);
    }
    assert_eq!(keys.token_count(), 1);
}

#[test]
fn whose_credentials_are_wrong_or_none_gets_no_secret() {
    let world = MemoryWorld::new().with_env("GOOGLE_OAUTH_ACCESS_TOKEN", "another");
    let keys = CloudKeys::new(&world, endpoints(), Programs::Refused);
    refused(&keys, Keeper::GcpSecrets, "p/db", "says 403 Forbidden: Permission denied");
    let world = MemoryWorld::new();
    let keys = CloudKeys::new(&world, endpoints(), Programs::Refused);
    // A fallback is for secrets that are not there.
    refused(&keys, Keeper::GcpSecrets, "p/db?fallback_value=f", "there are no Google credentials");
    refused(&keys, Keeper::GcpSecrets, "db", "`db` is no secret like PROJECT/NAME");
    let nobody = Endpoints { gcp_secrets: Some("http://127.0.0.1:1".to_owned()), ..Endpoints::default() };
    let world = MemoryWorld::new().with_env("GOOGLE_OAUTH_ACCESS_TOKEN", "hush");
    let keys = CloudKeys::new(&world, nobody, Programs::Refused);
    refused(&keys, Keeper::GcpSecrets, "p/db?optional=true", "can't be reached");
}
