//! The command line and which command it means.

use crate::commands;
use crate::terminal::Terminal;
use camino::Utf8PathBuf;
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use std::process::ExitCode;

/// Runs what the arguments ask for. The first one is the name the binary was called by.
pub(crate) fn dispatch(arguments: Vec<String>) -> ExitCode {
    let called_by = arguments.first().and_then(|name| name.rsplit('/').next()).unwrap_or_default();
    // The drop-ins take upstream's flags as they are, so they are told apart before ours are read.
    match (called_by, arguments.get(1).map(String::as_str)) {
        ("helmfile", _) => return commands::helmfile::run(&arguments[1..]),
        ("helm", _) => return commands::helm::run(&arguments[1..]),
        ("kustomize", _) => return commands::kustomize::run(&arguments[1..]),
        (_, Some("helmfile")) => return commands::helmfile::run(&arguments[2..]),
        (_, Some("helm")) => return commands::helm::run(&arguments[2..]),
        (_, Some("kustomize")) => return commands::kustomize::run(&arguments[2..]),
        _ => {}
    }
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Only a closed output makes this fail, and then nobody is left to tell.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let terminal = Terminal::new(cli.color);
    let directory = cli.directory;
    let outcome = match cli.command {
        Command::Init(arguments) => commands::init::run(&terminal, directory.as_deref(), &arguments),
        Command::Render(arguments) => commands::render::run(&terminal, directory.as_deref(), &arguments),
        Command::Build(arguments) => commands::build::run(&terminal, directory.as_deref(), &arguments),
        Command::Plan(arguments) => commands::plan::run(&terminal, directory.as_deref(), &arguments),
        Command::Check(arguments) => commands::check::run(&terminal, directory.as_deref(), &arguments),
        Command::Graph(arguments) => commands::graph::run(&terminal, directory.as_deref(), &arguments),
        Command::List(arguments) => commands::list::run(&terminal, directory.as_deref(), &arguments),
        Command::Find(arguments) => commands::find::run(&terminal, directory.as_deref(), &arguments),
        Command::Why(arguments) => commands::why::run(&terminal, directory.as_deref(), &arguments),
        Command::Impact(arguments) => commands::impact::run(&terminal, directory.as_deref(), &arguments),
        Command::Apply(arguments) => commands::live::apply::run(&terminal, directory.as_deref(), &arguments),
        Command::Diff(arguments) => commands::live::diff::run(&terminal, directory.as_deref(), &arguments),
        Command::Status(arguments) => commands::live::status::run(&terminal, directory.as_deref(), &arguments),
        Command::Destroy(arguments) => commands::live::destroy::run(&terminal, directory.as_deref(), &arguments),
        Command::Promote(arguments) => commands::promote::promote(&terminal, directory.as_deref(), &arguments),
        Command::Rollback(arguments) => commands::promote::rollback(&terminal, directory.as_deref(), &arguments),
        Command::Bump(arguments) => commands::bump::run(&terminal, directory.as_deref(), &arguments),
        Command::Audit(arguments) => commands::audit::run(&terminal, directory.as_deref(), &arguments),
        Command::Src(arguments) => commands::services::run(&terminal, directory.as_deref(), &arguments),
        Command::Ci(arguments) => commands::ci::run(&terminal, directory.as_deref(), &arguments),
        Command::Lsp(arguments) => commands::lsp::run(&arguments),
        Command::Secrets(arguments) => commands::secrets::run(&terminal, directory.as_deref(), &arguments),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "onepane", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
        Command::Helmfile { arguments } => return commands::helmfile::run(&arguments),
        Command::Helm { arguments } => return commands::helm::run(&arguments),
        Command::Kustomize { arguments } => return commands::kustomize::run(&arguments),
    };
    outcome.unwrap_or_else(|failure| terminal.fail(&failure))
}

/// Everything that runs, in one Git repository: render, build, see where each field comes from.
#[derive(Parser)]
#[command(name = "onepane", version, max_term_width = 120)]
struct Cli {
    /// Work on the repository that holds this folder [default: the current one]
    #[arg(short = 'C', long, global = true, value_name = "DIR")]
    directory: Option<Utf8PathBuf>,
    /// When to use colours; NO_COLOR is honoured
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
    #[command(subcommand)]
    command: Command,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Subcommand)]
enum Command {
    /// Make a new repository of the pattern, or the example company
    Init(commands::init::Arguments),
    /// Render the charts to disk
    Render(commands::render::Arguments),
    /// Build the manifests of clusters, groups or any folder
    Build(commands::build::Arguments),
    /// Show what a change does to every cluster
    Plan(commands::plan::Arguments),
    /// Find what is wrong, at the line that has to be changed
    Check(Box<commands::check::Arguments>),
    /// Draw what the repository is made of, or who uses something
    Graph(commands::graph::Arguments),
    /// List what there is of one sort, and on which clusters
    List(commands::list::Arguments),
    /// Find resources of all clusters
    Find(commands::find::Arguments),
    /// Show where a field of a resource gets its value from
    Why(commands::why::Arguments),
    /// Show which fields of which clusters a line feeds
    Impact(commands::impact::Arguments),
    /// Bring what a cluster's folder says to the cluster, and wait until it is ready
    Apply(commands::live::apply::Arguments),
    /// Show what an apply would change on the cluster
    Diff(commands::live::diff::Arguments),
    /// Show how what was applied is
    Status(commands::live::status::Arguments),
    /// Delete everything that was applied
    Destroy(commands::live::destroy::Arguments),
    /// Carry the versions that one environment runs to another one
    Promote(commands::promote::PromoteArguments),
    /// Bring back the versions that an environment ran before
    Rollback(commands::promote::RollbackArguments),
    /// Bring the newest images by a policy to an environment, or to the lines that follow one
    Bump(Box<commands::bump::Arguments>),
    /// Tell who changed what of a cluster and when, from Git alone
    Audit(commands::audit::Arguments),
    /// The services in src/: status, commits, search
    Src(commands::services::Arguments),
    /// Test in temporary environments
    Ci(Box<commands::ci::Arguments>),
    /// Serve an editor: findings as you type, definitions, values
    Lsp(commands::lsp::Arguments),
    /// Encrypt, decrypt and edit files of SOPS
    Secrets(Box<commands::secrets::Arguments>),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Helm's own command line: `onepane helm template …`
    #[command(disable_help_flag = true)]
    Helm {
        /// As Helm takes them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Helmfile's own command line: `onepane helmfile template …`
    #[command(disable_help_flag = true)]
    Helmfile {
        /// As Helmfile takes them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Kustomize's own command line: `onepane kustomize build …`
    #[command(disable_help_flag = true)]
    Kustomize {
        /// As Kustomize takes them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
