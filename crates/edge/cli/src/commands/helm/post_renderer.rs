//! `--post-renderer`: the one flag that lets a render start a program. Helm 4 takes the name of a plugin and sends it
//! every document, hooks included; Helm 3 takes a program and sends it the finished manifests.

use super::flags::Parsed;
use super::plugins::{self, PlatformCommand, Plugin};
use crate::process::{Complaints, look_up, run};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_chart::Compat;
use onepane_world::World;
use std::process::Command;

/// More is not read from a post-renderer.
const LARGEST_OUTPUT: u64 = 512 << 20;

/// What manifests go through.
pub(super) enum PostRenderer {
    /// Helm 4's: a plugin, and arguments for it.
    Plugin(Plugin, Vec<String>),
    /// Helm 3's: a program, and its arguments.
    Program(Utf8PathBuf, Vec<String>),
}

/// The post-renderer that the flags name, if any. Errors are those of Helm's flag.
pub(super) fn post_renderer(flags: &Parsed, compat: Compat, world: &dyn World) -> Result<Option<PostRenderer>, String> {
    let refuse =
        |name: &str, problem: String| format!("invalid argument {name:?} for \"--post-renderer\" flag: {problem}");
    let mut named = flags.all("post-renderer").into_iter().filter(|name| !name.is_empty());
    let Some(name) = named.next() else { return Ok(None) };
    let arguments = flags.all("post-renderer-args");
    let found = match compat {
        Compat::Helm4 => {
            let mut plugins = plugins::installed(flags, world).map_err(|problem| refuse(&name, problem))?.into_iter();
            let plugin = plugins.find(|plugin| plugin.name == name && plugin.kind == "postrenderer/v1");
            let missing = || refuse(&name, format!("plugin: {{Name:{name} Type:postrenderer/v1}} not found"));
            PostRenderer::Plugin(plugin.ok_or_else(missing)?, arguments)
        }
        Compat::Helm3 => {
            let program = look_up(&name, world)
                .map_err(|problem| refuse(&name, format!("unable to find binary at {name}: {problem}")))?;
            PostRenderer::Program(program, arguments)
        }
    };
    match named.next() {
        None => Ok(Some(found)),
        Some(second) => Err(refuse(&second, "cannot specify --post-renderer flag more than once".to_owned())),
    }
}

impl PostRenderer {
    /// What the plugin makes of a stream of documents.
    pub(super) fn run_plugin(plugin: &Plugin, extra: &[String], stream: String) -> Result<Vec<u8>, String> {
        let name = &plugin.name;
        let failed = |problem: String| format!("failed to invoke post-renderer plugin {name:?}: {problem}");
        if plugin.runtime != "subprocess" {
            let problem = format!("it is made for the runtime {}, and onepane has subprocess only", plugin.runtime);
            return Err(failed(problem));
        }
        let (program, arguments) = prepare(plugin, extra).map_err(failed)?;
        let mut command = Command::new(&program);
        command.args(arguments).env("HELM_PLUGIN_NAME", name).env("HELM_PLUGIN_DIR", &plugin.folder);
        let ran = run(command, stream.into_bytes(), LARGEST_OUTPUT, Complaints::Kept)
            .map_err(|problem| failed(problem.words(&program)))?;
        if !ran.succeeded {
            return Err(failed(format!("plugin {name:?} exited with error")));
        }
        if ran.output.trim_ascii().is_empty() {
            return Err(format!("post-renderer {name:?} produced empty output"));
        }
        Ok(ran.output)
    }

    /// What the program makes of the manifests.
    pub(super) fn run_program(program: &Utf8Path, arguments: &[String], manifests: Vec<u8>) -> Result<Vec<u8>, String> {
        let mut command = Command::new(program);
        command.args(arguments);
        let failed = |problem: &str, complaint: &str| {
            format!("error while running command {program}. error output:\n{complaint}: {problem}")
        };
        let ran = run(command, manifests, LARGEST_OUTPUT, Complaints::Kept)
            .map_err(|problem| failed(&problem.words(program.as_str()), ""))?;
        if ran.succeeded { Ok(ran.output) } else { Err(failed(&ran.status, &ran.complaint)) }
    }
}

/// The program of a plugin and its arguments, variables put in.
fn prepare(plugin: &Plugin, extra: &[String]) -> Result<(String, Vec<String>), String> {
    let variable = |name: &str| match name {
        "HELM_PLUGIN_NAME" => plugin.name.clone(),
        "HELM_PLUGIN_DIR" => plugin.folder.to_string(),
        name => std::env::var(name).unwrap_or_default(),
    };
    let command = for_this_platform(&plugin.commands).filter(|command| !command.command.is_empty());
    let command = command.ok_or("failed to prepare plugin command: no plugin command is applicable")?;
    let mut words = command.command.split(' ').map(|word| expand(word, &variable));
    let program = words.next().unwrap_or_default();
    let own = command.arguments.iter().map(|argument| expand(argument, &variable));
    Ok((program, words.chain(own).chain(extra.iter().cloned()).collect()))
}

/// The command for exactly this platform; else the first for this system; else the first for any.
fn for_this_platform(commands: &[PlatformCommand]) -> Option<&PlatformCommand> {
    let system = if cfg!(target_os = "macos") { "darwin" } else { std::env::consts::OS };
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    };
    let is = |text: &str, wanted: &str| text.eq_ignore_ascii_case(wanted);
    let exact = commands.iter().find(|command| is(&command.os, system) && is(&command.architecture, architecture));
    let any_architecture = || commands.iter().filter(|command| command.architecture.is_empty());
    exact
        .or_else(|| any_architecture().find(|command| is(&command.os, system)))
        .or_else(|| any_architecture().find(|command| command.os.is_empty()))
}

/// Go's `os.Expand`: `$name` and `${name}`.
fn expand(text: &str, variable: &dyn Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let is_word = |c: char| c == '_' || c.is_ascii_alphanumeric();
        let (name, behind) = match after.strip_prefix('{') {
            Some(braced) => match braced.split_once('}') {
                Some((name, behind)) => (name, behind),
                // Go drops what can't be read.
                None => ("", braced),
            },
            // `$*`, `$1` and their like are names of one letter.
            None if after.starts_with(|c: char| "*#$@!?-".contains(c) || c.is_ascii_digit()) => after.split_at(1),
            None => after.split_at(after.find(|c| !is_word(c)).unwrap_or(after.len())),
        };
        match name {
            "" if !after.starts_with('{') => out.push('$'),
            "" => {}
            name => out.push_str(&variable(name)),
        }
        rest = behind;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_put_in_as_go_does() {
        let variable = |name: &str| format!("<{name}>");
        for (text, wanted) in
            [("a$b/c", "a<b>/c"), ("${b}c", "<b>c"), ("$1x$$", "<1>x<$>"), ("100%", "100%"), ("a$", "a$"), ("$.", "$.")]
        {
            assert_eq!(expand(text, &variable), wanted, "{text}");
        }
    }

    #[test]
    fn the_nearest_platform_wins() {
        let command = |os: &str, architecture: &str, name: &str| PlatformCommand {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            command: name.to_owned(),
            arguments: Vec::new(),
        };
        let commands = [command("", "", "any"), command("LINUX", "", "system"), command("", "amd64", "never")];
        let picked = for_this_platform(&commands).map(|command| command.command.as_str());
        assert_eq!(picked, Some(if cfg!(target_os = "linux") { "system" } else { "any" }));
        assert!(for_this_platform(&[command("plan9", "", "x")]).is_none());
    }
}
