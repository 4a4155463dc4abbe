//! The commands, and which of them a command line means, by cobra's rules.

use super::flags::{self, Flag, Parsed};
use super::{Failure, help};
use super::{
    completion, create, dependency, dependency_update, env, get, get_all, get_metadata, get_values, history, install,
    lint, list, package, plugin_list, pull, push, registry_login, registry_logout, repo_add, repo_index, repo_list,
    repo_remove, repo_update, rollback, search_hub, search_repo, show, status, template, test, uninstall, upgrade,
    verify, version,
};

/// A command of Helm's.
pub(super) struct Command {
    /// Its words: `dependency`, `list`.
    pub(super) path: &'static [&'static str],
    /// Other names of its last word.
    pub(super) aliases: &'static [&'static str],
    /// Its arguments as help shows them.
    pub(super) usage: &'static str,
    /// What it does, in a line.
    pub(super) about: &'static str,
    /// Its flags besides those of every command.
    pub(super) flags: &'static [&'static [Flag]],
    /// How many arguments it takes.
    pub(super) arguments: Arguments,
    /// What it does.
    pub(super) run: fn(&Parsed) -> Result<(), Failure>,
}

/// How many arguments a command takes.
#[derive(Clone, Copy)]
pub(super) enum Arguments {
    /// Any number: the command itself looks at them.
    Any,
    /// None.
    None,
    /// As many.
    Exactly(usize),
    /// No fewer.
    AtLeast(usize),
    /// No more.
    AtMost(usize),
}

/// Commands that only hold others: name, aliases, what they are about.
pub(super) const GROUPS: &[(&str, &[&str], &str)] = &[
    ("completion", &[], "print scripts that complete what you type"),
    ("dependency", &["dep", "dependencies"], "look after the charts that a chart depends on"),
    ("get", &[], "print what is kept of a release"),
    ("plugin", &[], "look at the plugins that are installed"),
    ("registry", &[], "log in to registries and out of them"),
    ("repo", &[], "look after the chart repositories that are known"),
    ("search", &[], "search charts"),
    ("show", &["inspect"], "print what is in a chart"),
];

/// All commands, by name.
pub(super) const COMMANDS: &[Command] = &[
    completion::BASH,
    completion::FISH,
    completion::POWERSHELL,
    completion::ZSH,
    create::COMMAND,
    dependency_update::BUILD,
    dependency::LIST,
    dependency_update::UPDATE,
    env::COMMAND,
    get_all::COMMAND,
    get::HOOKS,
    get::MANIFEST,
    get_metadata::COMMAND,
    get::NOTES,
    get_values::COMMAND,
    history::COMMAND,
    install::COMMAND,
    lint::COMMAND,
    list::COMMAND,
    package::COMMAND,
    plugin_list::COMMAND,
    pull::COMMAND,
    push::COMMAND,
    registry_login::COMMAND,
    registry_logout::COMMAND,
    repo_add::COMMAND,
    repo_index::COMMAND,
    repo_list::COMMAND,
    repo_remove::COMMAND,
    repo_update::COMMAND,
    rollback::COMMAND,
    search_hub::COMMAND,
    search_repo::COMMAND,
    show::ALL,
    show::CHART,
    show::CRDS,
    show::README,
    show::VALUES,
    status::COMMAND,
    template::COMMAND,
    test::COMMAND,
    uninstall::COMMAND,
    upgrade::COMMAND,
    verify::COMMAND,
    version::COMMAND,
];

impl Command {
    /// Its last word.
    pub(super) fn name(&self) -> &'static str {
        self.path.last().copied().unwrap_or_default()
    }

    fn check_arguments(&self, given: usize) -> Result<(), Failure> {
        let noun = |count: usize| if count == 1 { "argument" } else { "arguments" };
        let wanted = match self.arguments {
            Arguments::None if given > 0 => "accepts no arguments".to_owned(),
            Arguments::Exactly(count) if given != count => format!("requires {count} {}", noun(count)),
            Arguments::AtLeast(count) if given < count => format!("requires at least {count} {}", noun(count)),
            Arguments::AtMost(count) if given > count => format!("accepts at most {count} {}", noun(count)),
            _ => return Ok(()),
        };
        let path = self.path.join(" ");
        Err(format!("\"helm {path}\" {wanted}\n\nUsage:  {}", self.usage_line()).into())
    }

    /// `helm show chart [CHART] [flags]`
    pub(super) fn usage_line(&self) -> String {
        let words = ["helm"].into_iter().chain(self.path.iter().copied()).chain([self.usage, "[flags]"]);
        words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

/// Runs what `arguments`, those behind `helm`, ask for.
pub(super) fn dispatch(arguments: &[String]) -> Result<(), Failure> {
    let mut rest = arguments.to_vec();
    let Some(word) = take_word(&mut rest) else {
        flags::parse(&[], &rest)?;
        return help::print_root();
    };
    if word == "help" {
        return help::print_for(&flags::parse(&[], &rest)?.arguments);
    }
    if let Some((group, ..)) = GROUPS.iter().find(|(name, aliases, _)| is_called(name, aliases, &word)) {
        let inner = take_word(&mut rest);
        if let Some(command) = inner.as_deref().and_then(|word| find(&[group, word])) {
            return run(command, &rest);
        }
        if let Some(word) = inner.filter(|word| NOT_YET_IN_PLUGIN.contains(&word.as_str()) && *group == "plugin") {
            return Err(format!("`{group} {word}` is a command of Helm's that onepane does not have yet").into());
        }
        flags::parse(&[], &rest)?;
        return help::print_group(group);
    }
    match find(&[&word]) {
        Some(command) => run(command, &rest),
        None => Err(unknown(&word)),
    }
}

fn run(command: &Command, arguments: &[String]) -> Result<(), Failure> {
    let parsed = flags::parse(command.flags, arguments)?;
    flags::deprecations(command.name(), &parsed).for_each(|warning| eprintln!("{warning}"));
    if parsed.is_set("help") {
        return help::print_command(command);
    }
    command.check_arguments(parsed.arguments.len())?;
    (command.run)(&parsed)
}

/// Takes the next word out that is no flag's value.
fn take_word(arguments: &mut Vec<String>) -> Option<String> {
    flags::next_word(arguments).map(|at| arguments.remove(at))
}

/// The command with these words, the last of which may be an alias.
pub(super) fn find(words: &[&str]) -> Option<&'static Command> {
    let (last, before) = words.split_last()?;
    COMMANDS.iter().find(|command| {
        command.path.split_last().is_some_and(|(name, group)| group == before && is_called(name, command.aliases, last))
    })
}

fn is_called(name: &str, aliases: &[&str], word: &str) -> bool {
    name == word || aliases.contains(&word)
}

/// Like cobra, it suggests what begins the same or is at most two letters off.
fn unknown(word: &str) -> Failure {
    let names = GROUPS.iter().map(|(name, ..)| *name).chain(COMMANDS.iter().filter_map(|command| match command.path {
        [name] => Some(*name),
        _ => None,
    }));
    let lower = word.to_lowercase();
    let mut close: Vec<&str> =
        names.filter(|name| name.starts_with(&lower) || strsim::levenshtein(name, &lower) <= 2).collect();
    close.sort_unstable();
    let mut message = format!("unknown command {word:?} for \"helm\"\n");
    if !close.is_empty() {
        message += &format!("\nDid you mean this?\n\t{}\n\n", close.join("\n\t"));
    }
    message += "Run 'helm --help' for usage.";
    message.into()
}

/// Helm's commands of `plugin` that are not here, whose other words get its help, as in Helm.
const NOT_YET_IN_PLUGIN: &[&str] =
    &["add", "install", "package", "remove", "rm", "uninstall", "up", "update", "verify"];
