//! What `--help` prints.

use super::command::{COMMANDS, Command, GROUPS, find};
use super::flags::{Flag, GLOBAL, HELP, Kind};
use super::{Failure, print};
use std::fmt::Write;

/// `helm help WORDS…`
pub(super) fn print_for(words: &[String]) -> Result<(), Failure> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let resolved: Vec<&str> = match words.split_first() {
        None => return print_root(),
        Some((first, rest)) => {
            let group = GROUPS.iter().find(|(name, aliases, _)| name == first || aliases.contains(first));
            let first = group.map_or(*first, |(name, ..)| *name);
            if group.is_some() && rest.is_empty() {
                return print_group(first);
            }
            std::iter::once(first).chain(rest.iter().copied()).collect()
        }
    };
    match find(&resolved) {
        Some(command) => print_command(command),
        None => Err(format!("unknown help topic: {}", words.join(" ")).into()),
    }
}

pub(super) fn print_root() -> Result<(), Failure> {
    let groups = GROUPS.iter().map(|(name, _, about)| (*name, *about));
    let single = COMMANDS.iter().filter(|command| command.path.len() == 1).map(|c| (c.name(), c.about));
    let mut commands: Vec<_> = groups.chain(single).collect();
    commands.sort_unstable();
    print_list("Helm's own command line, in onepane.", "helm [command]", &commands)
}

pub(super) fn print_group(group: &str) -> Result<(), Failure> {
    let about = GROUPS.iter().find(|(name, ..)| *name == group).map_or("", |(.., about)| *about);
    let inner = COMMANDS.iter().filter(|command| command.path.len() == 2 && command.path[0] == group);
    let commands: Vec<_> = inner.map(|command| (command.name(), command.about)).collect();
    print_list(&capitalized(about), &format!("helm {group} [command]"), &commands)
}

fn print_list(about: &str, usage: &str, commands: &[(&str, &str)]) -> Result<(), Failure> {
    let mut text = format!("{about}\n\nUsage:\n  {usage}\n\nCommands:\n");
    for (name, about) in commands {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {name:<12} {about}");
    }
    let words = usage.trim_end_matches(" [command]");
    let _ = writeln!(text, "\nRun '{words} [command] --help' for more about a command.");
    print(text.as_bytes());
    Ok(())
}

pub(super) fn print_command(command: &Command) -> Result<(), Failure> {
    let mut text = format!("{}\n\nUsage:\n  {}\n", capitalized(command.about), command.usage_line());
    if !command.aliases.is_empty() {
        let _ = writeln!(text, "\nAliases:\n  {}, {}", command.name(), command.aliases.join(", "));
    }
    text.push_str("\nFlags:\n");
    let mut own: Vec<&Flag> = command.flags.iter().copied().flatten().chain([&HELP]).collect();
    own.sort_unstable_by_key(|flag| flag.name);
    list(&mut text, own.into_iter());
    text.push_str("\nGlobal Flags:\n");
    list(&mut text, GLOBAL.iter());
    print(text.as_bytes());
    Ok(())
}

fn capitalized(about: &str) -> String {
    let mut characters = about.chars();
    let first = characters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", characters.as_str())
}

fn list<'a>(text: &mut String, flags: impl Iterator<Item = &'a Flag>) {
    for flag in flags.filter(|flag| !flag.help.is_empty()) {
        let shorthand = flag.shorthand.map_or_else(|| "    ".to_owned(), |letter| format!("-{letter}, "));
        let kind = match flag.kind {
            Kind::Bool => "",
            Kind::Text | Kind::OptionalText(_) => " string",
            Kind::Array => " stringArray",
            Kind::Slice => " strings",
            Kind::Duration => " duration",
            Kind::Integer => " int",
            Kind::Number => " float32",
        };
        let name = format!("--{}{kind}", flag.name);
        let _ = writeln!(text, "  {shorthand}{name:<32} {}", flag.help);
    }
}
