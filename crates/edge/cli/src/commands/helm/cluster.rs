//! The cluster that flags and environment mean: the only way from a render to one.

use super::flags::{Parsed, boolean};
use super::{Failure, log, log_with};
use onepane_cluster::{Cluster, Level, Logged, Settings};
use onepane_diagnostics::Severity;
use onepane_world::World;
use std::io::IsTerminal;

/// Connects. That it does not work is logged and said, as Helm has it.
pub(super) fn connect(flags: &Parsed, world: &dyn World) -> Result<Cluster, Failure> {
    let connected = Cluster::connect(&settings(flags, world), |Logged { level, message, fields }| {
        let severity = match level {
            Level::Warning => Severity::Warning,
            Level::Error => Severity::Error,
        };
        log_with(severity, &message, &fields);
    });
    connected.map_err(|error| {
        let message = format!("cluster reachability check failed: {error}");
        log(Severity::Error, &message);
        message.into()
    })
}

/// A flag that is given wins over the environment, even if it is given empty.
fn settings(flags: &Parsed, world: &dyn World) -> Settings {
    let mut settings = Settings::from_variables(&|name| world.env(name));
    settings.is_interactive = std::io::stdin().is_terminal();
    for (flag, setting) in [
        ("kubeconfig", &mut settings.kubeconfig),
        ("kube-context", &mut settings.context),
        ("kube-apiserver", &mut settings.server),
        ("kube-ca-file", &mut settings.ca_file),
        ("kube-tls-server-name", &mut settings.tls_server_name),
        ("kube-token", &mut settings.token),
        ("kube-as-user", &mut settings.as_user),
    ] {
        if let Some(given) = flags.text(flag) {
            *setting = given.to_owned();
        }
    }
    if flags.is_given("kube-as-group") {
        settings.as_groups = flags.all("kube-as-group");
    }
    if let Some(given) = flags.text("kube-insecure-skip-tls-verify") {
        settings.insecure_skip_tls_verify = boolean(given).unwrap_or(false);
    }
    settings
}
