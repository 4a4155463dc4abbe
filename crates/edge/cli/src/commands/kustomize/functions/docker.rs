//! The command that runs a function in a container.

use super::{Allowed, program};
use camino::Utf8Path;
use onepane_kustomize::{ContainerFunction, Mount};
use onepane_world::normalize;
use std::collections::BTreeMap;
use std::process::Command;

/// `docker run` with Kustomize's arguments.
pub(super) fn command(container: &ContainerFunction, allowed: &Allowed, folder: &Utf8Path) -> Result<Command, String> {
    let mut command = program("docker")?;
    command.args(["run", "--rm", "-i", "-a", "STDIN", "-a", "STDOUT", "-a", "STDERR"]);
    command.args(["--network", if container.network { "host" } else { "none" }]);
    command.args(["--user", &user(allowed.as_current_user), "--security-opt=no-new-privileges"]);
    for mount in container.mounts.iter().chain(&allowed.mounts) {
        command.args(["--mount", &option(mount, folder)]);
    }
    for variable in variables(&container.environment, &allowed.environment) {
        command.args(["-e", &variable]);
    }
    command.arg(&container.image);
    Ok(command)
}

fn user(is_current: bool) -> String {
    #[cfg(unix)]
    if is_current {
        return format!("{}:{}", rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    }
    let _ = is_current;
    "nobody".to_owned()
}

fn option(mount: &Mount, folder: &Utf8Path) -> String {
    let Mount { kind, source, target, writable } = mount;
    // docker takes no relative path.
    let source = if source.starts_with('/') { source.as_str().into() } else { normalize(&folder.join(source)) };
    format!("type={kind},source={source},target={target}{}", if *writable { "" } else { ",readonly" })
}

/// Values by their names, then the names of those that are passed on. A flag's value goes before the configuration's,
/// and so do Kustomize's own.
fn variables(configured: &[String], given: &[String]) -> Vec<String> {
    let own = ["LOG_TO_STDERR=true", "STRUCTURED_RESULTS=true"];
    let (mut values, mut passed) = (BTreeMap::new(), Vec::new());
    for variable in configured.iter().map(String::as_str).chain(own).chain(given.iter().map(String::as_str)) {
        match variable.split_once('=') {
            Some((name, value)) => drop(values.insert(name, value)),
            None if passed.contains(&variable) => {}
            None => passed.push(variable),
        }
    }
    let values = values.into_iter().map(|(name, value)| format!("{name}={value}"));
    values.chain(passed.into_iter().map(str::to_owned)).collect()
}
