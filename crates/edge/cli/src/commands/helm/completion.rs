//! `helm completion`: scripts that complete commands and flags. They are made once from the tables of commands, where
//! Helm's ask the binary at every turn; so they know no names of charts or repositories.

use super::command::{Arguments, COMMANDS, Command, GROUPS};
use super::flags::{Flag, GLOBAL, HELP, Kind, Parsed, flag};
use super::{Failure, print};
use clap::{Arg, ArgAction};
use clap_complete::{Shell, generate};

const FLAGS: &[Flag] = &[flag("no-descriptions", Kind::Bool, "complete without descriptions")];

pub(super) const BASH: Command = command(&["completion", "bash"], "a script for bash", |flags| run(flags, Shell::Bash));
pub(super) const FISH: Command = command(&["completion", "fish"], "a script for fish", |flags| run(flags, Shell::Fish));
pub(super) const POWERSHELL: Command =
    command(&["completion", "powershell"], "a script for PowerShell", |flags| run(flags, Shell::PowerShell));
pub(super) const ZSH: Command = command(&["completion", "zsh"], "a script for zsh", |flags| run(flags, Shell::Zsh));

const fn command(
    path: &'static [&'static str],
    about: &'static str,
    run: fn(&Parsed) -> Result<(), Failure>,
) -> Command {
    Command { path, aliases: &[], usage: "", about, flags: &[FLAGS], arguments: Arguments::None, run }
}

fn run(flags: &Parsed, shell: Shell) -> Result<(), Failure> {
    let mut tree = tree(!flags.is_set("no-descriptions"));
    let mut script = Vec::new();
    generate(shell, &mut tree, "helm", &mut script);
    print(&script);
    Ok(())
}

/// The tables as clap has commands, for its generators.
fn tree(described: bool) -> clap::Command {
    let about = |text: &'static str| if described { text } else { "" };
    let leaf = |command: &Command| {
        let own = command.flags.iter().copied().flatten();
        let mut made = clap::Command::new(command.name()).about(about(command.about));
        made = made.visible_aliases(command.aliases.iter().copied());
        for flag in own.filter(|flag| !flag.help.is_empty()) {
            made = made.arg(argument(flag, described));
        }
        made
    };
    let mut root = clap::Command::new("helm").disable_help_flag(true).disable_help_subcommand(true);
    for flag in GLOBAL.iter().chain([&HELP]).filter(|flag| !flag.help.is_empty()) {
        root = root.arg(argument(flag, described).global(true));
    }
    for (name, aliases, text) in GROUPS {
        let inner = COMMANDS.iter().filter(|command| command.path.len() == 2 && command.path[0] == *name);
        let group = clap::Command::new(*name).about(about(text)).visible_aliases(aliases.iter().copied());
        root = root.subcommand(group.disable_help_subcommand(true).subcommands(inner.map(leaf)));
    }
    root.subcommands(COMMANDS.iter().filter(|command| command.path.len() == 1).map(leaf))
}

fn argument(flag: &Flag, described: bool) -> Arg {
    let mut argument = Arg::new(flag.name).long(flag.name);
    if let Some(letter) = flag.shorthand {
        argument = argument.short(letter);
    }
    if described {
        argument = argument.help(flag.help);
    }
    match flag.kind {
        Kind::Bool => argument.action(ArgAction::SetTrue),
        Kind::OptionalText(_) => argument.action(ArgAction::Set).num_args(0..=1),
        _ => argument.action(ArgAction::Append),
    }
}
