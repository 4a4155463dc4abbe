//! The credentials of registries, as Docker and ORAS keep them: a `config.json` of their own for Helm, Docker's as a
//! fallback, and the helpers that either names.

use crate::failure::{self, damaged, prefixed, refused};
use crate::secret::{Credentials, Secret};
use crate::write;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use camino::Utf8Path;
use onepane_diagnostics::Result;
use onepane_value::{Map, Value, from_json, to_json, to_json_indent};
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// More than this is no configuration.
const LARGEST_CONFIG: u64 = 16 << 20;

/// For how long a helper may think, which may ask the user.
const HELPER_PATIENCE: Duration = Duration::from_secs(120);

/// The credentials for `host`: from Helm's configuration, then from Docker's.
///
/// Errors: `fetch-file` and `fetch-damaged` for a configuration that can't be read, `fetch-refused` for an identity
/// token and for a helper that fails.
pub(crate) fn find(helm: &Utf8Path, docker: &Utf8Path, host: &str) -> Result<Option<Credentials>> {
    let key = key_of(host);
    for path in [helm, docker] {
        let Some(config) = read(path)? else { continue };
        if let Some(helper) = helper_for(&config, &key) {
            if let Some(found) = ask(&helper, &key)? {
                return Ok(Some(found));
            }
        } else if let Some(found) = stored(&config, &key)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Stores credentials for `host` in the configuration at `path`, or with the helper that it names.
pub(crate) fn store(path: &Utf8Path, host: &str, credentials: &Credentials) -> Result<()> {
    let config = read(path)?.unwrap_or_default();
    let key = key_of(host);
    if let Some(helper) = helper_for(&config, &key) {
        let message = Map::new();
        message.insert("ServerURL", Value::string(key.as_str()));
        message.insert("Username", Value::string(credentials.username.as_str()));
        message.insert("Secret", Value::string(credentials.password.reveal()));
        let message = to_json(&message.into()).map_err(damaged)?;
        return run(&helper, "store", message.as_bytes()).map(drop);
    }
    let auths = auths(&config).unwrap_or_default();
    let entry = Map::new();
    let both = format!("{}:{}", credentials.username, credentials.password.reveal());
    entry.insert("auth", Value::string(STANDARD.encode(both)));
    auths.insert(key, entry.into());
    config.insert("auths", auths.into());
    save(path, config)
}

/// Removes the credentials for `host`; there need not be any.
pub(crate) fn remove(path: &Utf8Path, host: &str) -> Result<()> {
    let Some(config) = read(path)? else { return Ok(()) };
    let key = key_of(host);
    if let Some(helper) = helper_for(&config, &key) {
        return run(&helper, "erase", key.as_bytes()).map(drop);
    }
    let Some(auths) = auths(&config) else { return Ok(()) };
    match auths.remove(&key) {
        Some(_) => save(path, config),
        None => Ok(()),
    }
}

/// The key of a registry: its host, but for Docker Hub, which has had one since before there were others.
fn key_of(host: &str) -> String {
    match host {
        "docker.io" | "registry-1.docker.io" | "index.docker.io" => "https://index.docker.io/v1/".to_owned(),
        _ => host.to_owned(),
    }
}

fn read(path: &Utf8Path) -> Result<Option<Map>> {
    let Some(bytes) = write::read(path, LARGEST_CONFIG)? else { return Ok(None) };
    // What it holds is not repeated: it is full of secrets.
    let broken = || {
        damaged(format!("failed to decode config file at {path}: it is not a JSON object"))
            .hint("mend it, or move it away and log in again")
    };
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Some(Map::new()));
    }
    let document = from_json(&bytes).map_err(|_| broken())?;
    document.as_map().cloned().map(Some).ok_or_else(broken)
}

fn save(path: &Utf8Path, config: Map) -> Result<()> {
    let text = to_json_indent(&config.into(), "\t").map_err(damaged)?;
    write::write(path, text.as_bytes(), 0o600)
}

fn auths(config: &Map) -> Option<Map> {
    config.get("auths").as_ref().and_then(Value::as_map).cloned()
}

/// The helper that the user set for the registry. One that the user did not set is not looked for, as ORAS would.
fn helper_for(config: &Map, key: &str) -> Option<String> {
    let text = |value: Option<Value>| {
        let text = value?.as_text()?.to_str().into_owned();
        (!text.is_empty()).then_some(text)
    };
    let helpers = config.get("credHelpers");
    let own = helpers.as_ref().and_then(Value::as_map).and_then(|helpers| text(helpers.get(key)));
    own.or_else(|| text(config.get("credsStore")))
}

/// The credentials in the file: under the key, or under an address of the same host, as older Dockers wrote it.
fn stored(config: &Map, key: &str) -> Result<Option<Credentials>> {
    let Some(auths) = auths(config) else { return Ok(None) };
    let host = host_of(key);
    let same_host = || auths.entries().into_iter().find(|(other, _)| host_of(&other.to_str()) == host);
    let found = auths.get(key).or_else(|| same_host().map(|(_, entry)| entry));
    found.as_ref().and_then(Value::as_map).map(|found| entry(key, found)).transpose().map(Option::flatten)
}

/// What an entry of `auths` holds.
pub(crate) fn entry(key: &str, entry: &Map) -> Result<Option<Credentials>> {
    let text = |field: &str| {
        entry.get(field).as_ref().and_then(Value::as_text).map(|text| text.to_str().into_owned()).unwrap_or_default()
    };
    if !text("identitytoken").is_empty() || !text("registrytoken").is_empty() {
        return Err(no_tokens(key));
    }
    let auth = text("auth");
    let (username, password) = if auth.is_empty() {
        (text("username"), text("password"))
    } else {
        let broken = || damaged(format!("the credentials for {key} are not of the form that Docker writes"));
        let both = STANDARD.decode(auth.trim()).map_err(|_| broken())?;
        let both = String::from_utf8(both).map_err(|_| broken())?;
        let (username, password) = both.split_once(':').ok_or_else(broken)?;
        // Docker has been seen to pad with NULs.
        (username.to_owned(), password.trim_matches('\0').to_owned())
    };
    if username.is_empty() && password.is_empty() {
        return Ok(None);
    }
    Ok(Some(Credentials { username, password: Secret::new(password) }))
}

fn host_of(key: &str) -> &str {
    let rest = key.split_once("://").map_or(key, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

fn no_tokens(key: &str) -> Box<onepane_diagnostics::Diagnostic> {
    refused(format!("the credentials for {key} are an identity token, which can't be used here"))
        .hint("log in with a user name and a password or access token: `helm registry login`")
}

fn ask(helper: &str, key: &str) -> Result<Option<Credentials>> {
    let answer = match run(helper, "get", key.as_bytes()) {
        Ok(answer) => answer,
        // What helpers say where they have nothing.
        Err(error) if error.message.contains("credentials not found") => return Ok(None),
        Err(error) => return Err(error),
    };
    let document =
        from_json(&answer).map_err(|_| damaged(format!("docker-credential-{helper} did not answer JSON")))?;
    let text = |field: &str| {
        let value = document.as_map().and_then(|map| map.get(field));
        value.as_ref().and_then(Value::as_text).map(|text| text.to_str().into_owned()).unwrap_or_default()
    };
    let (username, password) = (text("Username"), text("Secret"));
    if username == "<token>" {
        return Err(no_tokens(key));
    }
    let nothing = username.is_empty() && password.is_empty();
    Ok((!nothing).then(|| Credentials { username, password: Secret::new(password) }))
}

/// Runs `docker-credential-<helper> <action>` with `input` and gives what it prints. What it was given is not repeated
/// in errors.
fn run(helper: &str, action: &str, input: &[u8]) -> Result<Vec<u8>> {
    let program = format!("docker-credential-{helper}");
    let named = |error| prefixed(&format!("{program} {action}: "), error);
    if !helper.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
        return Err(named(refused("that is not the name of a helper")));
    }
    let failed = |error: std::io::Error| {
        named(refused(failure::go_words(&error))).hint("the registry configuration names it; install or unset it there")
    };
    let mut command = Command::new(&program);
    command.arg(action).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that does not read is told by what it answers.
        let _ = stdin.write_all(input);
    }
    let output = child.stdout.take();
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = output.map(|output| output.take(LARGEST_CONFIG).read_to_end(&mut bytes));
        read.transpose().map(|_| bytes)
    });
    let start = Instant::now();
    let status = loop {
        match child.try_wait().map_err(failed)? {
            Some(status) => break status,
            None if start.elapsed() > HELPER_PATIENCE => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(named(refused("it does not answer")));
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let answer = reader.join().map_err(|_| named(refused("its answer can't be read")))?.map_err(failed)?;
    if status.success() {
        return Ok(answer);
    }
    let words = String::from_utf8_lossy(&answer[..answer.len().min(200)]).trim().to_owned();
    // A helper that fails on `get` or `erase` says why on stdout; on `store` it was told a secret.
    Err(named(refused(if action == "store" { "it failed".to_owned() } else { words })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use camino::Utf8PathBuf;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = Utf8Path::from_path(folder.path()).expect("it has a UTF-8 path").to_owned();
        (folder, path)
    }

    fn credentials(username: &str, password: &str) -> Credentials {
        Credentials { username: username.into(), password: Secret::new(password) }
    }

    #[test]
    fn the_file_is_written_as_helm_does_and_keeps_the_rest() {
        let (_guard, folder) = folder();
        let path = folder.join("registry/config.json");
        store(&path, "127.0.0.1:8902", &credentials("u", "p")).expect("it can be written");
        let text = std::fs::read_to_string(&path).expect("it is there");
        // What `helm registry login` of 4.3.1 wrote.
        assert_eq!(text, "{\n\t\"auths\": {\n\t\t\"127.0.0.1:8902\": {\n\t\t\t\"auth\": \"dTpw\"\n\t\t}\n\t}\n}");
        std::fs::write(&path, text.replacen("{\n", "{\n\"psFormat\": \"x\",", 1)).expect("it can be written");
        store(&path, "docker.io", &credentials("v", "q")).expect("it can be written");
        let find = |host| find(&path, &folder.join("none"), host).expect("it is good");
        assert_eq!(find("registry-1.docker.io"), Some(credentials("v", "q")));
        assert_eq!(find("127.0.0.1:8902"), Some(credentials("u", "p")));
        remove(&path, "127.0.0.1:8902").expect("it can be written");
        remove(&path, "127.0.0.1:8902").expect("that there is nothing is fine");
        assert_eq!(find("127.0.0.1:8902"), None);
        assert!(std::fs::read_to_string(&path).expect("it is there").contains("psFormat"));
    }

    #[test]
    fn dockers_file_is_asked_second_and_secrets_stay_in_it() {
        let (_guard, folder) = folder();
        let docker = folder.join("config.json");
        std::fs::write(&docker, r#"{"auths": {"https://h/v1/": {"auth": "dTpw"}, "t": {"identitytoken": "hush"}}}"#)
            .expect("it can be written");
        let find = |host| find(&folder.join("none"), &docker, host);
        assert_eq!(find("h").expect("it is good"), Some(credentials("u", "p")));
        let error = find("t").expect_err("tokens are not supported");
        assert!(!format!("{error:?}").contains("hush"));
        std::fs::write(&docker, "{\"auths\": hush").expect("it can be written");
        let error = find("h").expect_err("it is broken");
        assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        std::fs::write(&docker, r#"{"credsStore": "../../bin/sh"}"#).expect("it can be written");
        assert!(find("h").expect_err("it is no name").message.contains("not the name of a helper"));
        std::fs::write(&docker, r#"{"credsStore": "onepane-none"}"#).expect("it can be written");
        assert!(find("h").expect_err("there is none").message.starts_with("docker-credential-onepane-none get: "));
    }
}
