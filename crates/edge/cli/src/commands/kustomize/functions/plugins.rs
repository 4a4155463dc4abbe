//! Plugins of old: executables in a folder of the user's, by the type of their configuration.

use super::LARGEST_OUTPUT;
use crate::process::{Complaints, go_words, is_executable, run};
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use onepane_resource::GroupVersionKind;
use std::io::Write;
use std::process::Command;

/// A variable may not be longer, with its name.
const LONGEST_VARIABLE: usize = 131_071;

/// The executable `<group>/<version>/<kind in lower case>/<Kind>` below the folder of plugins.
pub(super) fn find(of: &GroupVersionKind) -> Result<Utf8PathBuf, String> {
    let mut path = home()?;
    let folder = of.kind.to_lowercase();
    for part in [&*of.group, &*of.version, &folder, &*of.kind].into_iter().filter(|part| !part.is_empty()) {
        // The type is what a configuration says; it leads to no program elsewhere.
        if !matches!(Utf8Path::new(part).components().collect::<Vec<_>>()[..], [Utf8Component::Normal(name)] if name == part)
        {
            return Err(format!("unable to load external plugin '{}': '{part}' is no name of a folder", of.kind));
        }
        path.push(part);
    }
    match std::fs::metadata(&path) {
        Ok(metadata) if is_executable(&metadata) => Ok(path),
        Ok(_) => Err(format!("unexecutable plugin at: {path}")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let library = format!("{path}.so");
            Err(if Utf8Path::new(&library).exists() {
                format!("plugin {library} fails to load: it is a plugin in Go, of which onepane loads none")
            } else {
                format!("expected file with Go object code at: {library}")
            })
        }
        Err(error) => Err(format!("stat {path}: {}", go_words(&error))),
    }
}

/// The folder of plugins: the first of these that is there.
fn home() -> Result<Utf8PathBuf, String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty()).map(Utf8PathBuf::from);
    let user = variable("HOME").unwrap_or_else(|| "~".into());
    let places = [
        ("$KUSTOMIZE_PLUGIN_HOME", variable("KUSTOMIZE_PLUGIN_HOME")),
        ("$XDG_CONFIG_HOME", variable("XDG_CONFIG_HOME").map(|folder| folder.join("kustomize/plugin"))),
        ("default value of $XDG_CONFIG_HOME", Some(user.join(".config/kustomize/plugin"))),
        ("home directory", Some(user.join("kustomize/plugin"))),
    ];
    if let Some(place) = places.iter().find_map(|(_, place)| place.as_ref().filter(|place| place.exists())) {
        return camino::absolute_utf8(place).map_err(|error| go_words(&error));
    }
    let tried = places.map(|(what, place)| {
        let place = place.map_or_else(|| "<no value>".to_owned(), Utf8PathBuf::into_string);
        format!("('{place}'; homed in {what})")
    });
    Err(format!("unable to find plugin root - tried: {}", tried.join(", ")))
}

/// What the plugin prints. It gets the configuration in a file and in a variable.
pub(super) fn run_plugin(
    program: &Utf8Path,
    arguments: &[String],
    configuration: &str,
    folder: &Utf8Path,
    input: &str,
) -> Result<Vec<u8>, String> {
    let create = || {
        let mut file = tempfile::Builder::new().prefix("kust-plugin-config-").tempfile()?;
        file.write_all(configuration.as_bytes())?;
        Ok(file.into_temp_path())
    };
    let file =
        create().map_err(|error: std::io::Error| format!("creating tmp plugin config file: {}", go_words(&error)))?;
    let mut command = Command::new(program);
    command.arg(&file).args(arguments).current_dir(folder);
    let variables =
        [("KUSTOMIZE_PLUGIN_CONFIG_STRING", configuration), ("KUSTOMIZE_PLUGIN_CONFIG_ROOT", folder.as_str())];
    for (name, value) in variables {
        if name.len() + 1 + value.len() <= LONGEST_VARIABLE {
            command.env(name, value);
        } else {
            eprintln!(
                "{name} exceeds hard limit of {LONGEST_VARIABLE} characters, the environment variable will be omitted"
            );
        }
    }
    let failed = |complaint: &str, problem: &str| {
        let complaint = if complaint.is_empty() { String::new() } else { format!("{complaint}: ") };
        format!("{complaint}failure in plugin configured via {}; {problem}", file.display())
    };
    let ran = run(command, input.into(), LARGEST_OUTPUT, Complaints::Kept)
        .map_err(|unable| failed("", &unable.words(program.as_str())))?;
    if ran.succeeded { Ok(ran.output) } else { Err(failed(&ran.complaint, &ran.status)) }
}
