//! Functions and plugins of a build, run as Kustomize runs them: containers by the `docker` program, executables and
//! plugins as they are. What they are told and what becomes of what they print is the kernel's to know.

mod docker;
mod plugins;

use crate::process::{Complaints, look_up, run};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_kustomize::{ExecutableFunction, FunctionCall, FunctionSpecification, Functions, Mount};
use onepane_resource::GroupVersionKind;
use onepane_world::OsWorld;
use std::collections::BTreeMap;
use std::process::Command;

/// More is not read from a function or plugin.
const LARGEST_OUTPUT: u64 = 128 << 20;

/// What the flags of `build` allow functions, and give them.
#[derive(Clone, Debug, Default)]
pub(super) struct Allowed {
    /// `--enable-exec`
    pub(super) executables: bool,
    /// `--network`
    pub(super) network: bool,
    /// `--mount`
    pub(super) mounts: Vec<Mount>,
    /// `--env`
    pub(super) environment: Vec<String>,
    /// `--as-current-user`
    pub(super) as_current_user: bool,
}

impl Functions for Allowed {
    fn plugin(&self, of: &GroupVersionKind) -> Result<Utf8PathBuf, String> {
        plugins::find(of)
    }

    fn run(&self, call: &FunctionCall<'_>) -> Result<Option<Vec<u8>>, String> {
        match *call {
            FunctionCall::Function { specification, folder, input } => self.run_function(specification, folder, input),
            FunctionCall::Plugin { program, arguments, configuration, folder, input } => {
                plugins::run_plugin(program, arguments, configuration, folder, input).map(Some)
            }
        }
    }
}

impl Allowed {
    fn run_function(
        &self,
        specification: &FunctionSpecification,
        folder: &Utf8Path,
        input: &str,
    ) -> Result<Option<Vec<u8>>, String> {
        let FunctionSpecification { container, executable } = specification;
        if container.network && !self.network {
            return Err("network required but not enabled with --network".to_owned());
        }
        let command = if !container.image.is_empty() {
            docker::command(container, self, folder)?
        } else if self.executables && !executable.path.is_empty() {
            self.command(executable)?
        } else {
            return Ok(None);
        };
        execute(command, folder, input).map(Some)
    }

    fn command(&self, executable: &ExecutableFunction) -> Result<Command, String> {
        let mut command = program(&executable.path)?;
        // What has no value or an `=` in it is left out, as by Kustomize.
        let variables = executable.environment.iter().chain(&self.environment).filter_map(|variable| {
            let (name, value) = variable.split_once('=')?;
            (!value.contains('=')).then_some((name, value))
        });
        let variables: BTreeMap<&str, &str> = variables.collect();
        // The system takes none without a name.
        command.args(&executable.arguments).envs(variables.into_iter().filter(|(name, _)| !name.is_empty()));
        Ok(command)
    }
}

/// A program by its path, relative to the folder that it will run in, or by its name.
fn program(path: &str) -> Result<Command, String> {
    if path.contains('/') {
        return Ok(Command::new(path));
    }
    let mut command = Command::new(look_up(path, &OsWorld::unrestricted("/"))?);
    // It knows itself by its name, as under a shell.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::arg0(&mut command, path);
    Ok(command)
}

/// Runs a function, whose complaints are shown as they come.
fn execute(mut command: Command, folder: &Utf8Path, input: &str) -> Result<Vec<u8>, String> {
    if folder == "/" {
        return Err("root working directory '/' not allowed".to_owned());
    }
    command.current_dir(folder);
    let name = command.get_program().to_string_lossy().into_owned();
    let ran = run(command, input.into(), LARGEST_OUTPUT, Complaints::Shown).map_err(|unable| unable.words(&name))?;
    if ran.succeeded { Ok(ran.output) } else { Err(ran.status) }
}

/// A mount as `--mount` writes it; what it does not know of is passed over.
pub(super) fn parse_mount(text: &str) -> Mount {
    let mut mount = Mount::default();
    for (key, value) in text.split(',').filter_map(|option| option.split_once('=')) {
        match key {
            "type" => mount.kind = value.to_owned(),
            "src" | "source" => mount.source = value.to_owned(),
            "dst" | "target" => mount.target = value.to_owned(),
            "rw" => mount.writable = value == "true",
            _ => {}
        }
    }
    mount
}
