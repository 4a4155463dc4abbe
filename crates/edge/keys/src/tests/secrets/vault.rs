use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A server with an engine of each version, where whoever has logged in gets what the token `hush` gets.
fn answer(asked: &Asked) -> Answer {
    let no = |status, why: &str| (status, json!({"errors": [why]}).to_string());
    let request = asked.json();
    if asked.method == "PUT" {
        let known = match asked.path.as_str() {
            "/v1/auth/approle/login" | "/v1/auth/team/login" => request == json!({"role_id": "r", "secret_id": "hush"}),
            "/v1/auth/kubernetes/login" => request == json!({"role": "r", "jwt": "hush jwt"}),
            "/v1/auth/userpass/login/me" => request == json!({"password": "hush word"}),
            "/v1/auth/odd/login" => return (200, json!({"auth": null}).to_string()),
            _ => return no(404, "no handler for route"),
        };
        return if known {
            (200, json!({"auth": {"client_token": "hush"}}).to_string())
        } else {
            no(400, "invalid role")
        };
    }
    if asked.header("x-vault-token") != "hush" || asked.header("x-vault-request") != "true" {
        return no(403, "permission denied");
    }
    let second = json!({"data": {"path": "team/secret/", "options": {"version": "2"}}});
    let metadata = json!({"version": 3});
    let fields = match asked.path.as_str() {
        path if path.starts_with("/v1/sys/internal/ui/mounts/team/") => return (200, second.to_string()),
        path if path.starts_with("/v1/sys/internal/ui/mounts/first/") => {
            return (200, json!({"data": {"path": "first/", "options": null}}).to_string());
        }
        "/v1/team/secret/data/db" if asked.header("x-vault-namespace") == "ns" => json!({"password": "of ns"}),
        "/v1/team/secret/data/db" => {
            json!({"password": "hush hush", "port": 5432, "open": true, "more": {"n": 1}, "b64": "aHVzaA==", "odd": "hush!"})
        }
        "/v1/team/secret/data/db?version=2" => json!({"password": "older"}),
        "/v1/team/secret/data/a%20b" => json!({"password": "with a space"}),
        "/v1/team/secret/data/deleted" => {
            return (404, json!({"data": {"data": null, "metadata": metadata}}).to_string());
        }
        "/v1/team/secret/data/malformed" => return (200, json!({"data": {"data": "hush"}}).to_string()),
        "/v1/team/secret/data/html" => return (200, "<hush>".to_owned()),
        "/v1/first/db" | "/v1/old/db" => return (200, json!({"data": {"password": "hush one"}}).to_string()),
        _ => return no(404, ""),
    };
    (200, json!({"data": {"data": fields, "metadata": metadata}}).to_string())
}

fn world(server: &Server) -> MemoryWorld {
    MemoryWorld::new().with_env("HOME", "/h").with_env("VAULT_ADDR", &server.url)
}

#[test]
fn engines_of_both_versions_are_read() {
    let server = Server::start(answer);
    let world = world(&server).with("/h/.vault-token", "hush\n");
    let keys = CloudKeys::new(&world, Endpoints::default(), Programs::Refused);
    for (reference, wanted) in [
        ("team/secret/db/password", json!("hush hush")),
        ("team/secret/db/port", json!("5432")),
        ("team/secret/db/open", json!("true")),
        ("team/secret/db/b64?decode=base64", json!("hush")),
        ("team/secret/db/password?version=2", json!("older")),
        ("team/secret/db/password?namespace=ns", json!("of ns")),
        ("team/secret/a b/password", json!("with a space")),
        ("first/db/password", json!("hush one")),
        // The server is too old to tell of its mounts.
        ("old/db/password", json!("hush one")),
        ("first/db#", json!({"password": "hush one"})),
    ] {
        assert_eq!(asked(&keys, Keeper::Vault, reference), Ok(wanted), "{reference}");
    }
    let document = asked(&keys, Keeper::Vault, "team/secret/db#").expect("it is there");
    assert_eq!(
        (&document["port"], &document["more"]["n"], &document["open"]),
        (&json!("5432"), &json!("1"), &json!(true))
    );
    for (reference, wanted) in [
        ("team/secret/none/password", "Vault has no secret `team/secret/none`"),
        ("team/secret/deleted/password", "Vault has no secret `team/secret/deleted`"),
        ("team/secret/db/none", "the secret `team/secret/db` has no `none`"),
        ("team/secret/db/more", "`more` of the secret `team/secret/db` is no text"),
        ("team/secret/db/odd?decode=base64", "`odd` of the secret `team/secret/db` is no base64"),
        ("team/secret/db/b64?decode=hex", "`decode` is to be `raw` or `base64`"),
        ("team/secret/malformed/password", "Vault answers without the fields of `team/secret/malformed`"),
        ("team/secret/html/password", "Vault answers with something else than JSON"),
        ("team/../sys/x", "leads out of itself"),
        ("password", "names no secret with a key behind it"),
        ("team/secret/db/password?auth_method=ldap", "`auth_method` is to be"),
    ] {
        refused(&keys, Keeper::Vault, reference, wanted);
    }
}

#[test]
fn whoever_asks_logs_in_once() {
    let logins = Arc::new(AtomicUsize::new(0));
    let counted = logins.clone();
    let server = Server::start(move |asked| {
        counted.fetch_add(usize::from(asked.method == "PUT"), Ordering::Relaxed);
        answer(asked)
    });
    let world = world(&server)
        .with("/jwt", "hush jwt")
        .with_env("VAULT_KUBERNETES_JWT_TOKEN_PATH", "/jwt")
        .with_env("VAULT_ROLE_ID", "r")
        .with_env("VAULT_SECRET_ID", "hush")
        .with_env("WORD", "hush word");
    let keys = CloudKeys::new(&world, Endpoints::default(), Programs::Refused);
    for how in ["approle", "kubernetes", "userpass&username=me&password_env=WORD"] {
        let before = logins.load(Ordering::Relaxed);
        for _ in 0..2 {
            let reference = format!("first/db/password?auth_method={how}");
            assert_eq!(asked(&keys, Keeper::Vault, &reference), Ok(json!("hush one")), "{how}");
        }
        assert_eq!(logins.load(Ordering::Relaxed), before + 1, "{how}");
    }
    for (how, wanted) in [
        ("approle&secret_id=hush2", "says 400 Bad Request: invalid role"),
        ("userpass&username=you&password_env=WORD", "says 404 Not Found: no handler for route"),
        ("userpass&username=me&password_env=NONE", "the password of $NONE, which is not there"),
        ("userpass&username=me", "a password, which is not there"),
        ("token&token_env=NONE", "the token of $NONE, which is not there"),
        ("token&token_file=/none", "the token of `/none`, which is not there"),
        ("token", "VAULT_TOKEN or the token of `/h/.vault-token`, which is not there"),
    ] {
        refused(&keys, Keeper::Vault, &format!("first/db/password?auth_method={how}"), wanted);
    }
    let elsewhere = world.clone().with_env("VAULT_AUTH_METHOD", "approle").with_env("VAULT_LOGIN_MOUNT_POINT", "/team");
    let keys = CloudKeys::new(&elsewhere, Endpoints::default(), Programs::Refused);
    assert_eq!(asked(&keys, Keeper::Vault, "first/db/password"), Ok(json!("hush one")));
    let odd = elsewhere.with_env("VAULT_LOGIN_MOUNT_POINT", "odd");
    let keys = CloudKeys::new(&odd, Endpoints::default(), Programs::Refused);
    refused(&keys, Keeper::Vault, "first/db/password", "Vault answers a login without a token");
    let denied = world.with_env("VAULT_TOKEN", "another");
    let keys = CloudKeys::new(&denied, Endpoints::default(), Programs::Refused);
    refused(&keys, Keeper::Vault, "first/db/password", "says 403 Forbidden: permission denied");
}

/// The server that a reference names sees no token that is for the one of `VAULT_ADDR`.
#[test]
fn a_token_goes_where_it_belongs() {
    let (own, seen) = (Server::start(answer), Arc::new(Mutex::new(Vec::new())));
    let noted = seen.clone();
    let other = Server::start(move |asked| {
        noted.lock().expect("no panic before").push(asked.header("x-vault-token").to_owned());
        answer(asked)
    });
    let world = world(&own).with_env("VAULT_TOKEN", "hush").with_env("OTHER", "hush");
    let world = world.with_env("VAULT_ROLE_ID", "r").with_env("VAULT_SECRET_ID", "hush");
    let keys = CloudKeys::new(&world, Endpoints::default(), Programs::Refused);
    let host = other.url.strip_prefix("http://").expect("it is one");
    for more in [
        format!("address={}", other.url),
        format!("host={host}&proto=http"),
        format!("address={}&token_env=VAULT_TOKEN", other.url),
        format!("address={}&auth_method=approle", other.url),
        format!("address={}&auth_method=kubernetes", other.url),
    ] {
        refused(&keys, Keeper::Vault, &format!("first/db/password?{more}"), "to which no token is sent");
    }
    assert_eq!(seen.lock().expect("no panic before").len(), 0);
    // One that is named for it goes there.
    let reference = format!("first/db/password?address={}&token_env=OTHER", other.url);
    assert_eq!(asked(&keys, Keeper::Vault, &reference), Ok(json!("hush one")));
    assert_eq!(*seen.lock().expect("no panic before"), ["hush", "hush"]);
    // Whoever sends elsewhere is not followed.
    let address = own.url.clone();
    let sends_on = Server::start(move |_| (307, format!("see {address}")));
    let world = MemoryWorld::new().with_env("VAULT_ADDR", &sends_on.url).with_env("VAULT_TOKEN", "hush");
    let keys = CloudKeys::new(&world, Endpoints::default(), Programs::Refused);
    refused(&keys, Keeper::Vault, "first/db/password", "says 307 Temporary Redirect");
    let nobody = MemoryWorld::new().with_env("VAULT_ADDR", "http://127.0.0.1:1").with_env("VAULT_TOKEN", "hush");
    let keys = CloudKeys::new(&nobody, Endpoints::default(), Programs::Refused);
    refused(&keys, Keeper::Vault, "first/db/password", "Vault at `127.0.0.1` can't be reached");
}

/// Variables `VALS_…` stand for parameters that a reference has not.
#[test]
fn parameters_have_variables() {
    let server = Server::start(answer);
    let world = MemoryWorld::new().with_env("VALS_ADDRESS", &server.url).with_env("VALS_VERSION", "2");
    let world = world.with_env("VAULT_TOKEN", "hush");
    let keys = CloudKeys::new(&world, Endpoints::default(), Programs::Refused);
    assert_eq!(asked(&keys, Keeper::Vault, "team/secret/db/password"), Ok(json!("older")));
}
