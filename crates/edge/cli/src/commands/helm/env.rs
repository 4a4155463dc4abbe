//! `helm env`: where Helm keeps its things and what its environment says.

use super::command::{Arguments, Command};
use super::flags::{Parsed, boolean};
use super::namespace::namespace;
use super::network::paths;
use super::{Failure, print};
use onepane_fetch::Homes;
use onepane_world::World;
use std::collections::BTreeMap;

pub(super) const COMMAND: Command = Command {
    path: &["env"],
    aliases: &[],
    usage: "",
    about: "print the settings of Helm's environment",
    flags: &[],
    arguments: Arguments::AtMost(1),
    run,
};

fn run(flags: &Parsed) -> Result<(), Failure> {
    let settings = settings(flags, &super::world()?);
    let text = match flags.arguments.first() {
        Some(name) => format!("{}\n", settings.get(name.as_str()).map_or("", String::as_str)),
        None => settings.iter().map(|(name, value)| format!("{name}=\"{value}\"\n")).collect(),
    };
    print(text.as_bytes());
    Ok(())
}

/// Every setting under the name of its variable: a flag wins over the variable, which wins over the default.
pub(super) fn settings(flags: &Parsed, world: &dyn World) -> BTreeMap<&'static str, String> {
    let variable = |name: &str| world.env(name).filter(|value| !value.is_empty());
    let of =
        |flag: &str, name: &str| flags.text(flag).map(str::to_owned).or_else(|| variable(name)).unwrap_or_default();
    let Homes { cache, config, data } = Homes::from_variables(&|name| world.env(name));
    let paths = paths(flags, world);
    let or = |value: String, default: String| if value.is_empty() { default } else { value };
    let is_on = |flag: &str, name: &str| boolean(&of(flag, name)).unwrap_or(false).to_string();
    let number = |flag: &str, name: &str, default: i64| of(flag, name).parse().unwrap_or(default).to_string();
    let groups = flags.all("kube-as-group").join(",");
    let mut settings = BTreeMap::from([
        ("HELM_BIN", std::env::args().next().unwrap_or_default()),
        ("HELM_BURST_LIMIT", number("burst-limit", "HELM_BURST_LIMIT", 100)),
        ("HELM_CONTENT_CACHE", paths.content_cache.into_string()),
        ("HELM_DEBUG", is_on("debug", "HELM_DEBUG")),
        ("HELM_KUBEAPISERVER", of("kube-apiserver", "HELM_KUBEAPISERVER")),
        ("HELM_KUBEASGROUPS", or(groups, variable("HELM_KUBEASGROUPS").unwrap_or_default())),
        ("HELM_KUBEASUSER", of("kube-as-user", "HELM_KUBEASUSER")),
        ("HELM_KUBECAFILE", of("kube-ca-file", "HELM_KUBECAFILE")),
        ("HELM_KUBECONTEXT", of("kube-context", "HELM_KUBECONTEXT")),
        (
            "HELM_KUBEINSECURE_SKIP_TLS_VERIFY",
            is_on("kube-insecure-skip-tls-verify", "HELM_KUBEINSECURE_SKIP_TLS_VERIFY"),
        ),
        ("HELM_KUBETLS_SERVER_NAME", of("kube-tls-server-name", "HELM_KUBETLS_SERVER_NAME")),
        ("HELM_KUBETOKEN", of("kube-token", "HELM_KUBETOKEN")),
        ("HELM_MAX_HISTORY", number("max-history", "HELM_MAX_HISTORY", 10)),
        ("HELM_NAMESPACE", namespace(flags, world)),
        ("HELM_PLUGINS", variable("HELM_PLUGINS").unwrap_or_else(|| format!("{data}/plugins"))),
        ("HELM_QPS", format!("{:.2}", of("qps", "HELM_QPS").parse::<f32>().unwrap_or_default())),
        ("HELM_REGISTRY_CONFIG", paths.registry_config.into_string()),
        ("HELM_REPOSITORY_CACHE", paths.repository_cache.into_string()),
        ("HELM_REPOSITORY_CONFIG", paths.repository_config.into_string()),
        ("HELM_CACHE_HOME", cache.into_string()),
        ("HELM_CONFIG_HOME", config.into_string()),
        ("HELM_DATA_HOME", data.into_string()),
    ]);
    let kubeconfig = of("kubeconfig", "KUBECONFIG");
    if !kubeconfig.is_empty() {
        settings.insert("KUBECONFIG", kubeconfig);
    }
    settings
}
