//! Helm's flags.

use crate::commands::pflag;
pub(super) use crate::commands::pflag::{Flag, HELP, Kind, Parsed, boolean, flag, short};

/// Where values come from besides the chart.
pub(super) const VALUES: &[Flag] = &[
    flag("set", Kind::Array, "set values: key1=val1,key2=val2"),
    flag("set-file", Kind::Array, "set values to the contents of files: key1=path1,key2=path2"),
    flag("set-json", Kind::Array, "set values to JSON: key1=json1,key2=json2 or {\"key1\": …}"),
    flag("set-literal", Kind::Array, "set one value to the text as it stands"),
    flag("set-string", Kind::Array, "set values to strings: key1=val1,key2=val2"),
    short('f', "values", Kind::Slice, "read values from files; later ones win"),
];

/// How a server is talked to.
pub(super) const SERVER: &[Flag] = &[
    flag("ca-file", Kind::Text, "the certificates that servers are checked with"),
    flag("cert-file", Kind::Text, "the certificate to show to the server"),
    flag("insecure-skip-tls-verify", Kind::Bool, "don't check the server's certificate"),
    flag("key-file", Kind::Text, "the key of that certificate"),
    flag("password", Kind::Text, "the password at the server"),
    flag("plain-http", Kind::Bool, "talk HTTP to registries, without encryption"),
    flag("username", Kind::Text, "the user's name at the server"),
];

/// Where a chart comes from: read by [`locate`](super::location::locate), beside [`SERVER`].
pub(super) const CHART_LOCATION: &[Flag] = &[
    flag("keyring", Kind::Text, "the public keys for --verify"),
    flag("pass-credentials", Kind::Bool, "send user and password to other hosts too"),
    flag("repo", Kind::Text, "the URL of a chart repository"),
    flag("verify", Kind::Bool, "check the package's signature before it is used"),
    flag("version", Kind::Text, "the version of the chart, or a range"),
];

/// Whether versions like 1.0.0-alpha count, where charts come from repositories.
pub(super) const DEVELOPMENT: &[Flag] =
    &[flag("devel", Kind::Bool, "take development versions too; the same as --version '>0.0.0-0'")];

/// Flags of every command.
pub(super) const GLOBAL: &[Flag] = &[
    flag("burst-limit", Kind::Integer, "no effect here"),
    flag("color", Kind::Text, "never, auto or always"),
    flag("colour", Kind::Text, "never, auto or always"),
    flag("compat", Kind::Text, "whose results: helm4 (default) or helm3"),
    flag("content-cache", Kind::Text, "no effect here"),
    flag("debug", Kind::Bool, "print what was rendered also where it is no YAML"),
    flag("kube-apiserver", Kind::Text, "the API server's address"),
    flag("kube-as-group", Kind::Array, "a group to act as a member of"),
    flag("kube-as-user", Kind::Text, "the user to act as in the cluster"),
    flag("kube-ca-file", Kind::Text, "the certificates that the API server is checked with"),
    flag("kube-context", Kind::Text, "the context of the kubeconfig to use"),
    flag("kube-insecure-skip-tls-verify", Kind::Bool, "don't check the API server's certificate"),
    flag("kube-tls-server-name", Kind::Text, "the name that the API server's certificate is for"),
    flag("kube-token", Kind::Text, "the bearer token to show to the API server"),
    flag("kubeconfig", Kind::Text, "the kubeconfig to use"),
    short('n', "namespace", Kind::Text, "the release's namespace"),
    flag("qps", Kind::Number, "no effect here"),
    flag("registry-config", Kind::Text, "no effect here"),
    flag("repository-cache", Kind::Text, "no effect here"),
    flag("repository-config", Kind::Text, "no effect here"),
    // Kubernetes' logging library brings these; Helm hides them.
    flag("add-dir-header", Kind::Bool, ""),
    flag("alsologtostderr", Kind::Bool, ""),
    flag("log-backtrace-at", Kind::Text, ""),
    flag("log-dir", Kind::Text, ""),
    flag("log-file", Kind::Text, ""),
    flag("log-file-max-size", Kind::Integer, ""),
    flag("logtostderr", Kind::Bool, ""),
    flag("one-output", Kind::Bool, ""),
    flag("skip-headers", Kind::Bool, ""),
    flag("skip-log-headers", Kind::Bool, ""),
    flag("stderrthreshold", Kind::Text, ""),
    short('v', "v", Kind::Integer, ""),
    flag("vmodule", Kind::Text, ""),
];

const DEPRECATED: [(&str, &str); 5] = [
    ("force", "use --force-replace instead"),
    ("atomic", "use --rollback-on-failure instead"),
    ("hide-notes", "this flag has no effect for 'helm template' and will be removed in Helm 5"),
    ("render-subchart-notes", "this flag has no effect for 'helm template' and will be removed in Helm 5"),
    ("validate", "use '--dry-run=server' instead"),
];

/// Takes the arguments of a command apart, which has `own` flags besides those of every command.
pub(super) fn parse(own: &[&'static [Flag]], arguments: &[String]) -> Result<Parsed, String> {
    let parsed = pflag::parse(&[own, &[GLOBAL]].concat(), arguments)?;
    let wait = parsed.all("wait");
    let is_known = |value: &&String| matches!(value.as_str(), "watcher" | "legacy" | "hookOnly" | "true" | "false");
    if let Some(value) = wait.iter().find(|value| !is_known(value)) {
        let flag = own.iter().copied().flatten().find(|flag| flag.name == "wait").unwrap_or(&HELP);
        let reason = format!("invalid wait input {value:?}. Valid inputs are watcher, hookOnly, and legacy");
        return Err(pflag::refusal(flag, value, &reason));
    }
    Ok(parsed)
}

/// What Helm says about deprecated flags that were given. Those about notes mean something to all commands but `template`.
pub(super) fn deprecations<'p>(command: &str, parsed: &'p Parsed) -> impl Iterator<Item = String> + use<'p> {
    let is_template = command == "template";
    let is_about_notes = |name: &str| matches!(name, "hide-notes" | "render-subchart-notes");
    let advice = move |flag: &&'static str| {
        let advice = DEPRECATED.iter().find(|(name, _)| name == flag);
        advice.filter(|(name, _)| is_template || !is_about_notes(name))
    };
    parsed.given.iter().filter_map(advice).map(|(name, advice)| format!("Flag --{name} has been deprecated, {advice}"))
}

/// Where the next word stands that is no flag and no flag's value.
pub(super) fn next_word(arguments: &[String]) -> Option<usize> {
    pflag::next_word(GLOBAL, arguments)
}
