//! `onepane src foreach`: a command in each service, several at once.

use super::chosen;
use crate::commands::cores::on_cores;
use crate::commands::open;
use crate::terminal::{Failure, Terminal};
use camino::Utf8Path;
use onepane_diagnostics::Diagnostic;
use onepane_git::{LocalRepository, Service};
use std::process::{Command, ExitCode, Stdio};

/// What `onepane src foreach` takes.
#[derive(clap::Args)]
#[command(
    after_help = "The command is told what `git submodule foreach` tells: `name`, `sm_path`, `displaypath`, `sha1`, \
                  `toplevel`. Services that are not checked out are passed over. What each prints comes when it has \
                  ended, in the order of the services.\n\nExit codes: 0, 1 where the command failed in a service, 2 for a \
                  wrong command line."
)]
pub(super) struct Arguments {
    /// Only this service; again for more
    #[arg(short, long = "service", value_name = "SERVICE")]
    services: Vec<String>,
    /// One after the other, with the terminal as theirs
    #[arg(long)]
    serial: bool,
    /// The command; a single word goes to `sh`
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

/// Runs it, and tells where it failed.
pub(super) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let (root, disk) = open(directory)?;
    let git = LocalRepository::of(&root)?;
    let mut services = chosen(git.services(&disk), &arguments.services)?;
    services.retain(|service| service.here.is_some());
    let mut failed = Vec::new();
    let mut tell = |service: &Service, outcome: std::io::Result<(bool, Vec<u8>)>| -> Result<(), Failure> {
        match outcome {
            Ok((succeeded, said)) => {
                terminal.print(&said)?;
                if !succeeded {
                    failed.push(service.path.to_string());
                }
            }
            Err(error) => {
                let message = format!("`{}` can't be started: {error}", arguments.command[0]);
                return Err(Diagnostic::error("src-foreach", message).into());
            }
        }
        Ok(())
    };
    if arguments.serial {
        for service in &services {
            terminal.print(format!("{}\n", service.path).as_bytes())?;
            let status = command(&root, service, &arguments.command).status();
            tell(service, status.map(|status| (status.success(), Vec::new())))?;
        }
    } else {
        let outcomes = on_cores(
            services.len(),
            || (),
            |(), at| {
                let service = &services[at];
                let output = command(&root, service, &arguments.command).stdin(Stdio::null()).output()?;
                let mut said = format!("{}\n", service.path).into_bytes();
                said.extend(output.stdout);
                said.extend(output.stderr);
                Ok((output.status.success(), said))
            },
        );
        for (service, outcome) in services.iter().zip(outcomes) {
            tell(service, outcome)?;
        }
    }
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    terminal.note(&format!("it failed in {}", failed.join(", ")));
    Ok(ExitCode::FAILURE)
}

fn command(root: &Utf8Path, service: &Service, words: &[String]) -> Command {
    let mut command = match words {
        [text] => {
            let mut shell = Command::new("sh");
            shell.args(["-c", text]);
            shell
        }
        words => {
            let mut command = Command::new(&words[0]);
            command.args(&words[1..]);
            command
        }
    };
    command
        .current_dir(root.join(&service.path))
        .env("name", &service.name)
        .env("sm_path", &service.path)
        .env("displaypath", &service.path)
        .env("sha1", service.pinned.as_deref().unwrap_or_default())
        .env("toplevel", root);
    command
}
