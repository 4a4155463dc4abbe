//! Kubeconfig files as they are read: which are there, and that each holds what a kubeconfig may. Errors are client-go's,
//! but for what is secret in them: where client-go shows a value, only its place is told.

use crate::failure::{aggregate, go_words};
use crate::kubeconfig::filled;
use crate::settings::Settings;
use crate::unmarshal::{Struct, Type, misfit};
use camino::{Utf8Path, Utf8PathBuf};
use kube::config::Kubeconfig;
use onepane_value::{from_yaml_as_go, to_json};
use serde_json::Value as Json;
use std::path::Path;

/// The kubeconfigs that are there; those that come first win.
pub(crate) fn read_all(settings: &Settings) -> Result<Vec<Kubeconfig>, String> {
    if !settings.kubeconfig.is_empty() {
        let path = &settings.kubeconfig;
        if let Err(error) = std::fs::metadata(path)
            && error.kind() == std::io::ErrorKind::NotFound
        {
            return Err(format!("stat {path}: {}", go_words(&error)));
        }
        return read(path).map(|file| file.into_iter().collect());
    }
    let (mut files, mut problems, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    for path in settings.kubeconfigs.iter().filter(|path| !path.is_empty()) {
        if seen.contains(&path) {
            continue;
        }
        seen.push(path);
        match read(path) {
            Ok(file) => files.extend(file),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(files) } else { Err(aggregate(&problems)) }
}

/// A kubeconfig with its paths made absolute; `None` if there is no such file.
fn read(path: &str) -> Result<Option<Kubeconfig>, String> {
    let refuse = |problem: String| format!("error loading config file \"{path}\": {problem}");
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let what = if Path::new(path).is_dir() { "read" } else { "open" };
            return Err(refuse(format!("{what} {path}: {}", go_words(&error))));
        }
    };
    let text = String::from_utf8_lossy(&bytes);
    let mut file = parse(&text).map_err(&refuse)?;
    let kind = filled(&file.kind).unwrap_or_else(|| "Config".to_owned());
    let version = filled(&file.api_version).unwrap_or_else(|| "v1".to_owned());
    if (kind.as_str(), version.as_str()) != ("Config", "v1") {
        let scheme = "pkg/runtime/scheme.go:111";
        return Err(refuse(format!("no kind {kind:?} is registered for version {version:?} in scheme {scheme:?}")));
    }
    let folder = std::path::absolute(path).ok().and_then(|path| Utf8PathBuf::from_path_buf(path).ok());
    let folder = folder.and_then(|path| path.parent().map(Utf8Path::to_owned)).unwrap_or_default();
    let absolute = |path: &mut Option<String>| {
        if let Some(path) = path.as_mut().filter(|path| !path.is_empty()) {
            *path = onepane_world::normalize(&folder.join(&*path)).into_string();
        }
    };
    for cluster in file.clusters.iter_mut().filter_map(|named| named.cluster.as_mut()) {
        absolute(&mut cluster.certificate_authority);
    }
    for user in file.auth_infos.iter_mut().filter_map(|named| named.auth_info.as_mut()) {
        absolute(&mut user.client_certificate);
        absolute(&mut user.client_key);
        absolute(&mut user.token_file);
        if let Some(plugin) = &mut user.exec
            && plugin.command.as_ref().is_some_and(|command| command.contains('/'))
        {
            absolute(&mut plugin.command);
        }
    }
    Ok(Some(file))
}

/// The kubeconfig that a text is; an empty one is good.
fn parse(text: &str) -> Result<Kubeconfig, String> {
    let value = from_yaml_as_go(text).map_err(|error| {
        let own = error.strip_prefix("error converting YAML to JSON: ").map(str::to_owned);
        own.unwrap_or(error)
    })?;
    if value.is_nil() {
        return Ok(Kubeconfig::default());
    }
    let json = to_json(&value).map_err(|error| error.to_string())?;
    let mut json: Json = serde_json::from_slice(json.as_bytes()).map_err(|_| NO_KUBECONFIG.to_owned())?;
    if let Some(problem) = misfit(&json, &CONFIG) {
        return Err(problem);
    }
    tidy(&mut json);
    for (list, go) in [("clusters", "Cluster"), ("users", "AuthInfo"), ("contexts", "Context")] {
        let names = json.get(list).and_then(Json::as_array).into_iter().flatten().map(|named| named.get("name"));
        let mut seen = Vec::new();
        for name in names.flatten().filter_map(Json::as_str) {
            if seen.contains(&name) {
                let types = format!("*[]Named{go} into *map[string]*api.{go}");
                return Err(format!("error converting {types}: duplicate name {name:?} in list"));
            }
            seen.push(name);
        }
    }
    // serde's own words may hold a value, and a value may be a secret.
    serde_json::from_value(json).map_err(|_| NO_KUBECONFIG.to_owned())
}

/// What is said where client-go's rules were kept and it still is none: of modes and extensions that are none.
const NO_KUBECONFIG: &str = "it is not a kubeconfig: a field holds what it may not";

/// Leaves out what is null and fills in names that are missing: to client-go, either is an empty text.
fn tidy(config: &mut Json) {
    drop_nulls(config);
    for list in ["clusters", "users", "contexts"] {
        let items = config.get_mut(list).and_then(Json::as_array_mut);
        for fields in items.into_iter().flatten().filter_map(Json::as_object_mut) {
            fields.entry("name").or_insert_with(|| "".into());
            if let Some(context) = fields.get_mut("context").and_then(Json::as_object_mut) {
                context.entry("cluster").or_insert_with(|| "".into());
            }
        }
    }
}

fn drop_nulls(json: &mut Json) {
    match json {
        Json::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Json::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

const CONFIG: Struct = Struct {
    name: "v1.Config",
    fields: &[
        ("current-context", Type::Text),
        ("clusters", Type::Structs(&NAMED_CLUSTER)),
        ("contexts", Type::Structs(&NAMED_CONTEXT)),
        ("users", Type::Structs(&NAMED_USER)),
    ],
};
const NAMED_CLUSTER: Struct =
    Struct { name: "v1.NamedCluster", fields: &[("name", Type::Text), ("cluster", Type::Struct(&CLUSTER))] };
const NAMED_CONTEXT: Struct =
    Struct { name: "v1.NamedContext", fields: &[("name", Type::Text), ("context", Type::Struct(&CONTEXT))] };
const NAMED_USER: Struct =
    Struct { name: "v1.NamedAuthInfo", fields: &[("name", Type::Text), ("user", Type::Struct(&USER))] };
const CLUSTER: Struct = Struct {
    name: "v1.Cluster",
    fields: &[
        ("server", Type::Text),
        ("tls-server-name", Type::Text),
        ("insecure-skip-tls-verify", Type::Bool),
        ("certificate-authority", Type::Text),
        ("certificate-authority-data", Type::Bytes),
        ("proxy-url", Type::Text),
        ("disable-compression", Type::Bool),
    ],
};
const CONTEXT: Struct =
    Struct { name: "v1.Context", fields: &[("cluster", Type::Text), ("user", Type::Text), ("namespace", Type::Text)] };
const USER: Struct = Struct {
    name: "v1.AuthInfo",
    fields: &[
        ("client-certificate", Type::Text),
        ("client-certificate-data", Type::Bytes),
        ("client-key", Type::Text),
        ("client-key-data", Type::Bytes),
        ("token", Type::Text),
        ("tokenFile", Type::Text),
        ("as", Type::Text),
        ("as-uid", Type::Text),
        ("as-groups", Type::Texts),
        ("as-user-extra", Type::TextsMap),
        ("username", Type::Text),
        ("password", Type::Text),
        ("auth-provider", Type::Struct(&PROVIDER)),
        ("exec", Type::Struct(&PLUGIN)),
    ],
};
const PROVIDER: Struct =
    Struct { name: "v1.AuthProviderConfig", fields: &[("name", Type::Text), ("config", Type::TextMap)] };
const PLUGIN: Struct = Struct {
    name: "v1.ExecConfig",
    fields: &[
        ("command", Type::Text),
        ("args", Type::Texts),
        ("env", Type::Structs(&VARIABLE)),
        ("apiVersion", Type::Text),
        ("installHint", Type::Text),
        ("provideClusterInfo", Type::Bool),
        ("interactiveMode", Type::Text),
    ],
};
const VARIABLE: Struct = Struct { name: "v1.ExecEnvVar", fields: &[("name", Type::Text), ("value", Type::Text)] };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_in_no_error() {
        for text in [
            "users: very secret",
            "users: [{name: a, user: very secret}]",
            "users: [{name: a, user: {token: 123451}}]",
            "users: [{name: a, user: {exec: {interactiveMode: very secret}}}]",
            "users: [{name: a, user: {client-key-data: very secret}}]",
            "users: [{name: a, user: {extensions: [very secret]}}]",
            "users: [{name: a}, {name: a, user: {token: very secret}}]",
            "very secret",
            "very secret: [",
        ] {
            let error = parse(text).expect_err("it is bad");
            assert!(!error.contains("secret") && !error.contains("12345"), "{error}");
        }
        assert!(parse("users: [{user: {token: a, exec: null}}]\ncontexts: [{context: {user: a}}]").is_ok());
    }
}
