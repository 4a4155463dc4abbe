//! `--post-renderer`: the one flag that lets a render start a program. Helm 4 takes the name of a plugin and sends it
//! every document, hooks included; Helm 3 takes a program and sends it the finished manifests.

use super::flags::Parsed;
use super::plugins::{self, PlatformCommand, Plugin};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_chart::Compat;
use onepane_world::World;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

/// More is not read from a post-renderer.
const LARGEST_OUTPUT: u64 = 512 << 20;

/// More of what it complains is not shown.
const LARGEST_COMPLAINT: u64 = 1 << 20;

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
        let ran = run(command, stream.into_bytes()).map_err(|problem| failed(problem.words(&program)))?;
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
        let ran = run(command, manifests).map_err(|problem| failed(&problem.words(program.as_str()), ""))?;
        if ran.succeeded { Ok(ran.output) } else { Err(failed(&ran.status, &ran.complaint)) }
    }
}

/// What a program left behind.
struct Ran {
    succeeded: bool,
    /// Its exit status in Go's words.
    status: String,
    output: Vec<u8>,
    complaint: String,
}

/// Why a program did not run to its end.
enum Unable {
    Start(std::io::Error),
    Read(String),
}

impl Unable {
    /// Go's words.
    fn words(&self, program: &str) -> String {
        match self {
            Self::Start(error) if error.kind() == std::io::ErrorKind::NotFound && !program.contains('/') => {
                format!("exec: {program:?}: executable file not found in $PATH")
            }
            Self::Start(error) => format!("fork/exec {program}: {}", go_words(error)),
            Self::Read(problem) => problem.clone(),
        }
    }
}

/// Runs `command` with `input` on its standard input. That it does not read all of it is no failure.
fn run(mut command: Command, input: Vec<u8>) -> Result<Ran, Unable> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(Unable::Start)?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let mut output = Vec::new();
    let (read, complaint) = std::thread::scope(|scope| {
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(&input)));
        let complaint = scope.spawn(move || {
            let mut text = Vec::new();
            if let Some(mut stderr) = stderr {
                let _ = stderr.by_ref().take(LARGEST_COMPLAINT).read_to_end(&mut text);
                // The rest is read as well, so that the program does not wait for a reader for ever.
                let _ = std::io::copy(&mut stderr, &mut std::io::sink());
            }
            text
        });
        let read = stdout.map_or(Ok(0), |stdout| stdout.take(LARGEST_OUTPUT + 1).read_to_end(&mut output));
        if output.len() as u64 > LARGEST_OUTPUT {
            let _ = child.kill();
        }
        (read, complaint.join().unwrap_or_default())
    });
    let status = child.wait().map_err(Unable::Start)?;
    read.map_err(|error| Unable::Read(go_words(&error)))?;
    if output.len() as u64 > LARGEST_OUTPUT {
        return Err(Unable::Read(format!("its output is larger than {LARGEST_OUTPUT} bytes")));
    }
    let words = match status.code() {
        Some(code) => format!("exit status {code}"),
        None => status.to_string(),
    };
    let complaint = String::from_utf8_lossy(&complaint).into_owned();
    Ok(Ran { succeeded: status.success(), status: words, output, complaint })
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

/// Where a program lies: `$PATH` is looked through for a bare name, as Go's `exec.LookPath` does.
fn look_up(name: &str, world: &dyn World) -> Result<Utf8PathBuf, String> {
    let absolute = |path: &Utf8Path| camino::absolute_utf8(path).map_err(|error| error.to_string());
    if name.contains('/') {
        return match is_program(Utf8Path::new(name)) {
            Ok(()) => absolute(Utf8Path::new(name)),
            Err(problem) => Err(format!("exec: {name:?}: {problem}")),
        };
    }
    let path = world.env("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).filter_map(|folder| Utf8PathBuf::from_path_buf(folder).ok());
    let mut places = folders.map(|folder| folder.join(name));
    match places.find(|place| is_program(place).is_ok()) {
        Some(place) => absolute(&place),
        None => Err(format!("exec: {name:?}: executable file not found in $PATH")),
    }
}

fn is_program(path: &Utf8Path) -> Result<(), String> {
    let metadata = std::fs::metadata(path).map_err(|error| format!("stat {path}: {}", go_words(&error)))?;
    if metadata.is_dir() {
        return Err("is a directory".to_owned());
    }
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 == 0 {
        return Err("permission denied".to_owned());
    }
    Ok(())
}

/// An error of the system in Go's letter case, without Rust's number behind it.
fn go_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
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
