//! `helm version`.

use super::command::{Arguments, Command};
use super::flags::{Flag, Kind, Parsed, flag};
use super::{Failure, print};
use onepane_template::{GO, Offline, Options, Templates};
use onepane_value::{Map, Value};

pub(super) const COMMAND: Command = Command {
    path: &["version"],
    aliases: &[],
    usage: "",
    about: "print the version of Helm that this is the same as",
    flags: &[FLAGS],
    arguments: Arguments::None,
    run,
};

const FLAGS: &[Flag] = &[
    flag("short", Kind::Bool, "the number alone"),
    flag("template", Kind::Text, "a Go template over Version, GitCommit, GitTreeState, GoVersion, KubeClientVersion"),
];

/// What scripts that look at Helm's version are to see.
const BUILD: [(&str, &str); 5] = [
    ("Version", "v4.3.1"),
    ("GitCommit", ""),
    ("GitTreeState", ""),
    ("GoVersion", "go1.26.8"),
    ("KubeClientVersion", "v1.37"),
];

fn run(flags: &Parsed) -> Result<(), Failure> {
    if let Some(template) = flags.text("template").filter(|template| !template.is_empty()) {
        let mut templates = Templates::new(&GO, Options { set_name: "_", ..Options::default() });
        templates.parse("_", None, template).map_err(|error| error.to_string())?;
        let build: Map = BUILD.into_iter().map(|(name, value)| (name, Value::string(value))).collect();
        let world = super::world()?;
        let text = templates.execute("_", &build.into(), &world, &Offline).map_err(|error| error.to_string())?;
        print(text.as_bytes());
        return Ok(());
    }
    if flags.is_set("short") {
        print(format!("{}\n", BUILD[0].1).as_bytes());
        return Ok(());
    }
    let fields: Vec<String> = BUILD.iter().map(|(name, value)| format!("{name}:{value:?}")).collect();
    print(format!("version.BuildInfo{{{}}}\n", fields.join(", ")).as_bytes());
    Ok(())
}
