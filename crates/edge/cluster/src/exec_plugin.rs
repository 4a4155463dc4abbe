//! Credential plugins (`exec` of a kubeconfig's user), run once and as client-go runs them. What a plugin prints is a
//! secret and in no error; what it says to stderr goes there. It may ask a person, so nothing limits its time.

use crate::credentials::{Asking, has_pem};
use crate::failure::go_words;
use crate::kubeconfig::{Target, filled};
use crate::unmarshal::{Struct, Type, misfit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kube::config::{ExecConfig, ExecInteractiveMode};
use onepane_value::{from_yaml_as_go, to_json};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value as Json, json};
use std::io::Read;
use std::process::{Command, Stdio};

const GROUP: &str = "client.authentication.k8s.io";

/// Where Kubernetes describes credential plugins.
pub(crate) const MANUAL: &str =
    "https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins";

/// What a plugin prints at most.
const LARGEST_OUTPUT: u64 = 1 << 20;

/// What a plugin gave.
pub(crate) struct Credential {
    pub(crate) token: Option<SecretString>,
    /// A certificate and its key, as PEM.
    pub(crate) certificate: Option<(String, SecretString)>,
}

/// Whether it is a plugin of a kind that is known.
pub(crate) fn check(plugin: &ExecConfig) -> Result<(), String> {
    let version = filled(&plugin.api_version).unwrap_or_default();
    match version.strip_prefix(GROUP) {
        Some("/v1" | "/v1beta1") => Ok(()),
        _ => Err(format!("exec plugin: invalid apiVersion {version:?}")),
    }
}

/// Runs it and takes what it gives.
pub(crate) fn run(
    plugin: &ExecConfig,
    target: &Target,
    authority: Option<&[u8]>,
    asking: &Asking<'_>,
) -> Result<Credential, String> {
    let is_interactive = match plugin.interactive_mode {
        Some(ExecInteractiveMode::Never) => false,
        Some(ExecInteractiveMode::Always) if !asking.is_interactive => {
            return Err("exec plugin cannot support interactive mode: standard input is not a terminal".to_owned());
        }
        _ => asking.is_interactive,
    };
    let program = filled(&plugin.command).unwrap_or_default();
    let mut command = Command::new(&program);
    command.args(plugin.args.iter().flatten());
    for variable in plugin.env.iter().flatten() {
        if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
            command.env(name, value);
        }
    }
    command.env("KUBERNETES_EXEC_INFO", info(plugin, target, authority, asking.proxy, is_interactive));
    command.stdin(if is_interactive { Stdio::inherit() } else { Stdio::null() }).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| not_started(plugin, &program, &error))?;
    let mut printed = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        let read = stdout.take(LARGEST_OUTPUT + 1).read_to_end(&mut printed);
        if read.is_err() || printed.len() as u64 > LARGEST_OUTPUT {
            // It may be gone already.
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("exec: executable {program} printed more than 1 MiB"));
        }
    }
    let status = child.wait().map_err(|error| format!("exec: {}", go_words(&error)))?;
    if !status.success() {
        let code = status.code().unwrap_or(-1);
        return Err(format!("exec: executable {program} failed with exit code {code}"));
    }
    taken(&String::from_utf8_lossy(&printed), &filled(&plugin.api_version).unwrap_or_default())
}

fn not_started(plugin: &ExecConfig, program: &str, error: &std::io::Error) -> String {
    if program.contains('/') {
        return format!("exec: fork/exec {program}: {}", go_words(error));
    }
    let hint = filled(&plugin.install_hint).map(|hint| format!("\n\n{hint}")).unwrap_or_default();
    format!(
        "exec: executable {program} not found\n\nIt looks like you are trying to use a client-go credential plugin that \
         is not installed.\n\nTo learn more about this feature, consult the documentation available at:\n      \
         {MANUAL}{hint}"
    )
}

/// What the plugin is told. Fields come in client-go's order, which a map would not keep.
fn info(
    plugin: &ExecConfig,
    target: &Target,
    authority: Option<&[u8]>,
    proxy: Option<&str>,
    is_interactive: bool,
) -> String {
    let of_cluster = if plugin.provide_cluster_info {
        let cluster = &target.cluster;
        let mut fields = vec![("server", Json::from(cluster.server.clone().unwrap_or_default()))];
        fields.extend(filled(&cluster.tls_server_name).map(|name| ("tls-server-name", name.into())));
        if cluster.insecure_skip_tls_verify == Some(true) {
            fields.push(("insecure-skip-tls-verify", true.into()));
        }
        fields.extend(authority.map(|pem| ("certificate-authority-data", STANDARD.encode(pem).into())));
        fields.extend(proxy.map(|proxy| ("proxy-url", proxy.into())));
        if cluster.disable_compression == Some(true) {
            fields.push(("disable-compression", true.into()));
        }
        let extension = cluster.extensions.iter().flatten().find(|it| it.name == format!("{GROUP}/exec"));
        fields.push(("config", extension.map_or(Json::Null, |it| it.extension.clone())));
        let fields: Vec<String> = fields.into_iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
        format!("\"cluster\":{{{}}},", fields.join(","))
    } else {
        String::new()
    };
    let version = json!(plugin.api_version);
    format!(
        "{{\"kind\":\"ExecCredential\",\"apiVersion\":{version},\"spec\":{{{of_cluster}\"interactive\":{is_interactive}}}}}"
    )
}

const ANSWER: Struct = Struct { name: "v1.ExecCredential", fields: &[("status", Type::Struct(&STATUS))] };
const STATUS: Struct = Struct {
    name: "v1.ExecCredentialStatus",
    fields: &[
        ("token", Type::Text),
        ("clientCertificateData", Type::Text),
        ("clientKeyData", Type::Text),
        ("expirationTimestamp", Type::Text),
    ],
};

/// The credential in what a plugin printed.
fn taken(printed: &str, wanted: &str) -> Result<Credential, String> {
    let refuse = |problem: &str| format!("decoding stdout: {problem}");
    let value = from_yaml_as_go(printed)
        .map_err(|error| refuse(error.strip_prefix("error converting YAML to JSON: ").unwrap_or(&error)))?;
    let unreadable = |_| refuse("it is not JSON");
    let text = to_json(&value).map_err(|_| refuse("it is not JSON"))?;
    let answer: Json = serde_json::from_slice(text.as_bytes()).map_err(unreadable)?;
    if let Some(problem) = misfit(&answer, &ANSWER) {
        return Err(refuse(&problem));
    }
    let field =
        |of: &Json, name: &str| of.get(name).and_then(Json::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let version = field(&answer, "apiVersion").unwrap_or_else(|| format!("{GROUP}/__internal"));
    match field(&answer, "kind").as_deref() {
        // Nothing at all counts as a credential without a version.
        None if answer.is_null() => {}
        // client-go shows what was printed.
        None => return Err(refuse("Object 'Kind' is missing")),
        Some("ExecCredential") => {}
        Some(kind) => {
            let scheme = "pkg/runtime/scheme.go:111";
            let problem = format!("no kind {kind:?} is registered for version {version:?} in scheme {scheme:?}");
            return Err(refuse(&problem));
        }
    }
    if version != wanted {
        return Err(format!(
            "exec plugin is configured to use API version {wanted}, plugin returned version {version}"
        ));
    }
    let status = answer.get("status").filter(|status| !status.is_null());
    let status = status.ok_or("exec plugin didn't return a status field")?;
    let token = field(status, "token").map(SecretString::from);
    let certificate = match (field(status, "clientCertificateData"), field(status, "clientKeyData")) {
        (None, None) if token.is_none() => {
            return Err("exec plugin didn't return a token or cert/key pair".to_owned());
        }
        (None, None) => None,
        (Some(certificate), Some(key)) => Some((certificate, SecretString::from(key))),
        _ => return Err("exec plugin returned only certificate or key, not both".to_owned()),
    };
    if let Some((certificate, key)) = &certificate {
        check_pair(certificate.as_bytes(), key.expose_secret().as_bytes())
            .map_err(|problem| format!("failed parsing client key/certificate: {problem}"))?;
    }
    Ok(Credential { token, certificate })
}

/// Whether there is a certificate and a key.
pub(crate) fn check_pair(certificate: &[u8], key: &[u8]) -> Result<(), String> {
    for (pem, block, what) in [(certificate, "CERTIFICATE", "certificate"), (key, "PRIVATE KEY", "key")] {
        if !has_pem(pem, block) {
            return Err(format!("tls: failed to find any PEM data in {what} input"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_plugin_prints_is_in_no_error() {
        let error = |printed: &str| {
            let error = taken(printed, "client.authentication.k8s.io/v1").err().unwrap_or_default();
            assert!(!error.contains("secret") && !error.contains("98765"), "{error}");
            error
        };
        let of = |rest: &str| format!("{{apiVersion: client.authentication.k8s.io/v1, kind: ExecCredential{rest}}}");
        assert_eq!(error(&of(", status: {token: a}")), "");
        assert_eq!(error(&of("")), "exec plugin didn't return a status field");
        assert_eq!(error(&of(", status: {}")), "exec plugin didn't return a token or cert/key pair");
        let one = "exec plugin returned only certificate or key, not both";
        assert_eq!(error(&of(", status: {clientKeyData: secret}")), one);
        let pem = "failed parsing client key/certificate: tls: failed to find any PEM data in certificate input";
        assert_eq!(error(&of(", status: {clientKeyData: secret, clientCertificateData: secret}")), pem);
        let number = "decoding stdout: json: cannot unmarshal number into Go struct field \
                      ExecCredentialStatus.status.token of type string";
        assert_eq!(error(&of(", status: {token: 98765}")), number);
        for printed in ["secret", "secret: [", "{status: {token: secret}}", "{kind: List, status: {token: secret}}", ""]
        {
            assert!(!error(printed).is_empty(), "{printed}");
        }
    }
}
