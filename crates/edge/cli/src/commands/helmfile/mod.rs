//! `onepane helmfile`: the drop-in. Helmfile's command line, output and exit codes. One file a command.

mod at_work;
mod build;
mod cache;
mod chartify;
mod charts;
mod dag;
mod deps;
mod destroy;
mod diff;
mod fetch;
mod files;
mod flags;
mod helm_flags;
mod hooks;
mod lint;
mod list;
mod live;
mod overlay;
mod print_env;
mod remote;
mod repositories;
mod secrets;
mod session;
mod status;
mod summary;
mod sync;
pub(super) mod system;
mod template;
mod upgrade_call;
mod write_values;

use crate::arguments::ColorChoice;
use crate::commands::helm;
use crate::commands::pflag::{self, Flag, Kind, Parsed, short};
use crate::redaction::redacted;
use crate::terminal::Terminal;
use flags::{CHANGES, DIFFERENCES, GLOBAL, NEEDS, REACH, RELEASES};
use live::Failed;
use onepane_diagnostics::Diagnostic;
use std::io::Write;
use std::process::ExitCode;

/// What the drop-in says it is.
const VERSION: &str = "1.8.0";

/// Why a command failed.
enum Failure {
    Text(String),
    Found(Box<Diagnostic>),
    /// A chart could not be rendered.
    Helm(helm::Failure),
    /// What went wrong with releases of a state.
    Releases(String, Vec<Failed>),
    /// An exit code, and a line.
    Exit(u8, String),
    /// Nothing was selected, maybe since states were passed over.
    NothingSelected(String, Vec<Box<Diagnostic>>),
}

impl Failure {
    fn text(message: impl Into<String>) -> Self {
        Self::Text(message.into())
    }

    /// It in a line or more.
    fn words(&self) -> String {
        redacted(&match self {
            Self::Text(message) | Self::Exit(_, message) | Self::NothingSelected(message, _) => message.clone(),
            Self::Found(diagnostic) => diagnostic.message.clone(),
            Self::Helm(failure) => failure.line(),
            Self::Releases(path, failed) => format!("in {path}: {} releases failed", failed.len()),
        })
    }

    /// Says it behind `before`.
    fn report(self, before: &str) {
        match self {
            Self::Found(diagnostic) => {
                if !before.is_empty() {
                    eprintln!("{}", before.trim_end());
                }
                Terminal::new(ColorChoice::Auto).report(&diagnostic, ".".into());
            }
            Self::Helm(failure) => failure.report_behind(before),
            other => eprintln!("{before}{}", other.words()),
        }
    }
}

impl From<Box<Diagnostic>> for Failure {
    fn from(diagnostic: Box<Diagnostic>) -> Self {
        Self::Found(diagnostic)
    }
}

impl From<helm::Failure> for Failure {
    fn from(failure: helm::Failure) -> Self {
        Self::Helm(failure)
    }
}

/// A command of Helmfile's.
struct Command {
    name: &'static str,
    about: &'static str,
    flags: &'static [&'static [Flag]],
    run: fn(&Parsed) -> Result<(), Failure>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "apply",
        about: "bring what has changed to the cluster",
        flags: &[RELEASES, NEEDS, DIFFERENCES, CHANGES],
        run: sync::run_apply,
    },
    Command { name: "build", about: "print the states, read and merged", flags: &[build::FLAGS], run: build::run },
    Command { name: "cache", about: "print or clean what is kept from elsewhere", flags: &[], run: cache::run },
    Command {
        name: "deps",
        about: "fetch the charts that charts depend on anew, and lock versions",
        flags: &[deps::FLAGS],
        run: deps::run,
    },
    Command { name: "destroy", about: "uninstall releases", flags: &[REACH, destroy::FLAGS], run: destroy::run },
    Command {
        name: "diff",
        about: "show what bringing releases to the cluster would change",
        flags: &[RELEASES, NEEDS, DIFFERENCES],
        run: diff::run,
    },
    Command { name: "fetch", about: "fetch the charts of releases", flags: &[fetch::FLAGS], run: fetch::run },
    Command { name: "lint", about: "lint the charts of releases", flags: &[RELEASES, NEEDS], run: lint::run },
    Command { name: "list", about: "list releases", flags: &[list::FLAGS], run: list::run },
    Command { name: "print-env", about: "print the values of the environment", flags: &[OUTPUT], run: print_env::run },
    Command {
        name: "repos",
        about: "add the chart repositories of states to Helm's",
        flags: &[repositories::FLAGS],
        run: repositories::run,
    },
    Command { name: "show-dag", about: "print which release needs which", flags: &[], run: dag::run },
    Command { name: "status", about: "show how releases are", flags: &[REACH], run: status::run },
    Command {
        name: "sync",
        about: "bring all releases to the cluster",
        flags: &[RELEASES, NEEDS, DIFFERENCES, CHANGES],
        run: sync::run,
    },
    Command {
        name: "template",
        about: "render releases",
        flags: &[RELEASES, NEEDS, template::FLAGS],
        run: template::run,
    },
    Command {
        name: "test",
        about: "run the tests of releases",
        flags: &[REACH, status::TEST_FLAGS],
        run: status::run_test,
    },
    Command { name: "version", about: "print the version", flags: &[OUTPUT], run: run_version },
    Command {
        name: "write-values",
        about: "write the values of each release to a file",
        flags: &[RELEASES, NEEDS, write_values::FLAGS],
        run: write_values::run,
    },
];

const OUTPUT: &[Flag] = &[short('o', "output", Kind::Text, "the format")];

/// Helmfile's commands that are not here.
const NOT_YET: &[&str] = &["completion", "create", "doctor", "init", "unittest"];

/// Runs with the arguments behind `helmfile`.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    match dispatch(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => fail(failure),
    }
}

fn dispatch(arguments: &[String]) -> Result<(), Failure> {
    let mut rest = arguments.to_vec();
    let Some(at) = pflag::next_word(GLOBAL, &rest) else {
        let parsed = pflag::parse(&[GLOBAL, VERSION_FLAG], &rest).map_err(Failure::text)?;
        return if parsed.is_set("version") { run_version(&parsed) } else { print(&help()) };
    };
    let word = rest.remove(at);
    if word == "help" {
        return print(&help());
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == word) else {
        let mut message = format!("unknown command {word:?} for \"helmfile\"");
        if NOT_YET.contains(&word.as_str()) {
            message += &format!("\n(`{word}` is a command of Helmfile's that onepane does not have yet.)");
        }
        return Err(Failure::Text(message));
    };
    let parsed = pflag::parse(&[command.flags, &[GLOBAL]].concat(), &rest).map_err(Failure::text)?;
    if parsed.is_set("help") {
        return print(&command_help(command));
    }
    (command.run)(&parsed)
}

const VERSION_FLAG: &[Flag] = &[short('v', "version", Kind::Bool, "print the version")];

fn fail(failure: Failure) -> ExitCode {
    match failure {
        Failure::Releases(path, failed) => {
            let count = failed.len();
            if count > 1 {
                eprintln!("in {path}: {count} errors:");
            }
            for (at, failure) in failed.into_iter().enumerate() {
                let place = if count > 1 { format!("err {at}") } else { format!("in {path}") };
                failure.report(&place);
            }
        }
        Failure::Exit(code, message) => {
            if !message.is_empty() {
                eprintln!("{}", redacted(&message));
            }
            return ExitCode::from(code);
        }
        Failure::NothingSelected(message, why) => {
            eprintln!("err: {message}");
            why.iter().for_each(|diagnostic| Terminal::new(ColorChoice::Auto).report(diagnostic, ".".into()));
            return ExitCode::from(3);
        }
        other => other.report(""),
    }
    ExitCode::FAILURE
}

/// Writes to stdout. That nobody reads any more is no failure of ours.
fn print(text: &str) -> Result<(), Failure> {
    write(text.as_bytes());
    Ok(())
}

fn write(bytes: &[u8]) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(bytes).and_then(|()| stdout.flush());
}

fn run_version(flags: &Parsed) -> Result<(), Failure> {
    match flags.text("output") {
        None => print(&format!("helmfile version {VERSION} (onepane {})\n", env!("CARGO_PKG_VERSION"))),
        Some("short") => print(&format!("{VERSION}\n")),
        Some("json") => print(&format!("{{\"version\":\"{VERSION}\"}}\n")),
        Some("yaml") => print(&format!("version: {VERSION}\n")),
        Some(other) => Err(Failure::text(format!("unsupported output format: {other}"))),
    }
}

fn help() -> String {
    let commands = COMMANDS.iter().map(|command| format!("  {:<14}{}\n", command.name, command.about));
    format!(
        "Reads the states of a repository, renders what they list and brings it to clusters, as Helmfile 1.8 does.\n\nUsage:\n  helmfile [command]\n\n\
         Available Commands:\n{}\nFlags:\n{}",
        commands.collect::<String>(),
        shown(GLOBAL)
    )
}

fn command_help(command: &Command) -> String {
    let own: String = command.flags.iter().map(|flags| shown(flags)).collect();
    format!(
        "{}.\n\nUsage:\n  helmfile {} [flags]\n\nFlags:\n{own}\nGlobal Flags:\n{}",
        command.about,
        command.name,
        shown(GLOBAL)
    )
}

fn shown(flags: &[Flag]) -> String {
    let line = |flag: &Flag| {
        let short = flag.shorthand.map_or("    ".to_owned(), |letter| format!("-{letter}, "));
        format!("  {short}--{:<32}{}\n", flag.name, flag.help)
    };
    flags.iter().map(line).collect()
}
