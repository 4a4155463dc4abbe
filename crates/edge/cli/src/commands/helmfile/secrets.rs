//! What references to secrets lead to: [`Secrets`], one provider after the other as vals has them.

use super::system::System;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_cluster::{Holder, Settings, data_of};
use onepane_diagnostics::Diagnostic;
use onepane_helmfile::{Found, Reference, substitute};
use onepane_keys::{Keeper, Kept, Wanted};
use onepane_sops::Format;
use onepane_world::World;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Providers of vals that are not here.
const NOT_YET: [&str; 29] = [
    "awskms",
    "bw",
    "conjur",
    "doppler",
    "exec",
    "gcs",
    "gitlab",
    "gkms",
    "googlesheets",
    "hcpvaultsecrets",
    "httpjson",
    "infisical",
    "keychain",
    "oci",
    "onepasswordconnect",
    "op",
    "openbao",
    "pulumistateapi",
    "s3",
    "scw",
    "servercore",
    "tfstate",
    "tfstateazurerm",
    "tfstategitlab",
    "tfstategs",
    "tfstateremote",
    "tfstates3",
    "tss",
    "yclockbox",
];

/// What was found already: nobody is asked twice for the same.
#[derive(Default)]
pub(super) struct Secrets(Mutex<HashMap<Key, Found>>);

/// What was asked for: a reference without its keys, whether for a document, and the folder where that counts.
type Key = ((Reference, bool), Option<Utf8PathBuf>);

impl Secrets {
    /// What a reference of a state in `folder` leads to.
    pub(super) fn find(&self, system: &System, folder: &Utf8Path, reference: &Reference) -> Result<Found, String> {
        let is_local = matches!(reference.provider(), "file" | "sops" | "k8s");
        let what = (reference.document(), is_local.then(|| folder.to_owned()));
        // Releases that are rendered beside each other wait here, so that logins are made once.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(&what) {
            return Ok(found.clone());
        }
        let found = ask(system, folder, reference)?;
        known.insert(what, found.clone());
        Ok(found)
    }
}

fn ask(system: &System, folder: &Utf8Path, reference: &Reference) -> Result<Found, String> {
    let path = reference.path();
    match reference.provider() {
        "echo" => echo(path, reference.wants_document()),
        "envsubst" => {
            let text = substitute(path.strip_suffix('/').unwrap_or(path).trim(), &|name| system.world.env(name))?;
            Ok(Found::Text(text))
        }
        "file" => {
            let file = folder.join(path.strip_suffix('/').unwrap_or(path));
            let bytes = std::fs::read(&file).map_err(|error| format!("{file}: {error}"))?;
            encoded(system, reference, bytes)
        }
        "sops" => sops(system, folder, reference),
        "k8s" => k8s(system, folder, reference),
        "vault" => keeper(system, reference, Keeper::Vault),
        "awssecrets" => keeper(system, reference, Keeper::AwsSecrets),
        "awsssm" => keeper(system, reference, Keeper::AwsParameters),
        "gcpsecrets" => keeper(system, reference, Keeper::GcpSecrets),
        "azurekeyvault" => keeper(system, reference, Keeper::AzureKeyVault),
        // Helmfile has only `envsubst`.
        "env" => {
            let name = path.trim_end_matches('/');
            let value = system.world.env(name);
            value.map(Found::Text).ok_or_else(|| format!("there is no variable `{name}`"))
        }
        other if NOT_YET.contains(&other) => {
            Err(format!("`{other}` is a provider of Helmfile's that onepane does not have yet"))
        }
        other => Err(format!("no provider registered for scheme {other:?}")),
    }
}

/// A parameter, else the variable that vals has for it.
fn setting(system: &System, reference: &Reference, name: &str) -> Option<String> {
    let given = reference.parameter(name).map(str::to_owned);
    given.or_else(|| system.world.env(&format!("VALS_{}", name.to_uppercase()))).filter(|text| !text.is_empty())
}

/// Bytes as text, or in base64 where `encode` says so; documents are taken as they are.
fn encoded(system: &System, reference: &Reference, bytes: Vec<u8>) -> Result<Found, String> {
    let encode = setting(system, reference, "encode").filter(|_| !reference.wants_document());
    match encode.as_deref() {
        None | Some("raw") => {}
        Some("base64") => return Ok(Found::Text(STANDARD.encode(bytes))),
        Some(_) => return Err("`encode` is to be `raw` or `base64`".to_owned()),
    }
    let text = String::from_utf8(bytes);
    text.map(Found::Text).map_err(|_| "what it stands for is no text; take it by `?encode=base64`".to_owned())
}

/// The path itself, or a document in which each part of it is the key of the next.
fn echo(path: &str, wants_document: bool) -> Result<Found, String> {
    if !wants_document {
        return Ok(Found::Text(path.trim_end_matches('/').to_owned()));
    }
    let mut parts = path.split('/').rev();
    let last = Value::from(parts.next().unwrap_or_default());
    match parts.fold(last, |below, key| Map::from_iter([(key.to_owned(), below)]).into()) {
        Value::Object(fields) => Ok(Found::Fields(fields)),
        _ => Err("its path needs two parts at least for a document".to_owned()),
    }
}

fn sops(system: &System, folder: &Utf8Path, reference: &Reference) -> Result<Found, String> {
    let path = reference.path();
    let (name, bytes) = match setting(system, reference, "key_type").as_deref() {
        None | Some("filepath") => {
            let bytes = std::fs::read(folder.join(path)).map_err(|error| format!("{path}: {error}"))?;
            (Utf8PathBuf::from(path), bytes)
        }
        Some("base64") => {
            let bytes = URL_SAFE.decode(path).map_err(|_| "its path is no base64".to_owned())?;
            (Utf8PathBuf::from("-"), bytes)
        }
        Some(_) => return Err("`key_type` is to be `filepath` or `base64`".to_owned()),
    };
    // A document is read as YAML, whatever the file is called.
    let format = match setting(system, reference, "format").as_deref() {
        None if reference.wants_document() => Format::Yaml,
        None => Format::of_path(name.as_str()),
        Some(format) => Format::named(format).unwrap_or(Format::Binary),
    };
    let plain = system.decrypt_as(&name, format, &bytes)?;
    encoded(system, reference, plain)
}

fn keeper(system: &System, reference: &Reference, keeper: Keeper) -> Result<Found, String> {
    let services = system.services().ok_or_else(|| on_the_network(reference))?;
    let wanted = Wanted {
        path: reference.path(),
        parameter: &|name| reference.parameter(name).map(str::to_owned),
        document: reference.wants_document(),
    };
    match services.secret(keeper, &wanted).map_err(|error| with_hints(&error))? {
        Kept::Fields(fields) => Ok(Found::Fields(fields)),
        Kept::Text(text) => {
            let text = text.reveal_text().ok_or("what it stands for is no text")?;
            Ok(Found::Text(text.to_owned()))
        }
    }
}

/// `ref+k8s://v1/Secret/NAMESPACE/NAME[/KEY]`
fn k8s(system: &System, folder: &Utf8Path, reference: &Reference) -> Result<Found, String> {
    if system.is_sandbox {
        return Err(on_the_network(reference));
    }
    let parts: Vec<&str> = reference.path().split('/').collect();
    let (kind, namespace, name, key) = match parts[..] {
        ["v1", kind, namespace, name] => (kind, namespace, name, None),
        ["v1", kind, namespace, name, key] if !reference.wants_document() && !key.is_empty() => {
            (kind, namespace, name, Some(key))
        }
        _ => return Err("its path is to be v1/Secret/NAMESPACE/NAME or v1/Secret/NAMESPACE/NAME/KEY".to_owned()),
    };
    let holder = match kind {
        "Secret" => Holder::Secret,
        "ConfigMap" => Holder::ConfigMap,
        _ => return Err("its kind is to be Secret or ConfigMap".to_owned()),
    };
    let variable = |name: &str| system.world.env(name);
    let settings = if reference.parameter("inCluster").is_some() {
        Settings::within_cluster(&variable).ok_or("it asks the cluster around, and there is none")?
    } else {
        let mut settings = Settings::from_kubeconfigs(&variable);
        settings.context = setting(system, reference, "kubeContext").unwrap_or_default();
        if let Some(path) = setting(system, reference, "kubeConfigPath") {
            settings.kubeconfig = folder.join(path).into_string();
        }
        if settings.kubeconfig.is_empty()
            && !settings.kubeconfigs.iter().any(|path| std::fs::exists(path).unwrap_or(false))
        {
            return Err(
                "there is no kubeconfig: neither `kubeConfigPath`, nor KUBECONFIG, nor ~/.kube/config".to_owned()
            );
        }
        settings
    };
    let data = data_of(&settings, holder, namespace, name)?;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| "what it stands for is no text".to_owned());
    if let Some(key) = key {
        let value = data.get(key).ok_or_else(|| format!("{kind} {namespace}/{name} has no `{key}`"))?;
        return text(value).map(Found::Text);
    }
    let fields = data.iter().map(|(key, value)| Ok((key.clone(), Value::from(text(value)?))));
    let fields = fields.collect::<Result<Map<_, _>, String>>()?;
    Ok(if reference.wants_document() { Found::Fields(fields) } else { Found::Text(Value::Object(fields).to_string()) })
}

fn on_the_network(reference: &Reference) -> String {
    format!("`{}` is asked over the network: not with --sandbox", reference.provider())
}

fn with_hints(error: &Diagnostic) -> String {
    error.hints.iter().fold(error.message.clone(), |message, hint| format!("{message} ({hint})"))
}
