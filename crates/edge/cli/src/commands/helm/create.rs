//! `helm create`: a chart to start from. Its files stand beside this source, in `scaffold/`.

use super::command::{Arguments, Command};
use super::flags::{Flag, Kind, Parsed, short};
use super::{Failure, print};
use crate::atomic;
use camino::Utf8Path;

pub(super) const COMMAND: Command = Command {
    path: &["create"],
    aliases: &[],
    usage: "NAME",
    about: "make a new chart in a folder of its name",
    flags: &[FLAGS],
    arguments: Arguments::Exactly(1),
    run,
};

const FLAGS: &[Flag] = &[short('p', "starter", Kind::Text, "a chart to start from instead (not supported yet)")];

/// What is put in place of the chart's name, as in Helm's starters.
const NAME: &str = "<CHARTNAME>";

const FILES: &[(&str, &str)] = &[
    (".helmignore", include_str!("scaffold/.helmignore")),
    ("Chart.yaml", include_str!("scaffold/Chart.yaml")),
    ("templates/NOTES.txt", include_str!("scaffold/templates/NOTES.txt")),
    ("templates/_helpers.tpl", include_str!("scaffold/templates/_helpers.tpl")),
    ("templates/deployment.yaml", include_str!("scaffold/templates/deployment.yaml")),
    ("templates/hpa.yaml", include_str!("scaffold/templates/hpa.yaml")),
    ("templates/httproute.yaml", include_str!("scaffold/templates/httproute.yaml")),
    ("templates/ingress.yaml", include_str!("scaffold/templates/ingress.yaml")),
    ("templates/service.yaml", include_str!("scaffold/templates/service.yaml")),
    ("templates/serviceaccount.yaml", include_str!("scaffold/templates/serviceaccount.yaml")),
    ("templates/tests/test-connection.yaml", include_str!("scaffold/templates/tests/test-connection.yaml")),
    ("values.yaml", include_str!("scaffold/values.yaml")),
];

fn run(flags: &Parsed) -> Result<(), Failure> {
    if flags.text("starter").is_some_and(|starter| !starter.is_empty()) {
        return Err("--starter is not supported yet; copy the starter's folder".to_owned().into());
    }
    let folder = Utf8Path::new(&flags.arguments[0]);
    let name = folder.file_name().unwrap_or_default();
    print(format!("Creating {}\n", flags.arguments[0]).as_bytes());
    if name.is_empty() || name.len() > 250 || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) {
        return Err("chart name must be at most 250 letters, digits, dots, dashes and underscores".to_owned().into());
    }
    for (path, text) in FILES {
        let path = folder.join(path);
        if path.exists() {
            eprintln!("WARNING: File {:?} already exists. Overwriting.", path.as_str());
        }
        atomic::write(&path, text.replace(NAME, name).as_bytes())?;
    }
    let charts = folder.join("charts");
    std::fs::create_dir_all(&charts).map_err(|error| format!("{charts} can't be made: {error}"))?;
    Ok(())
}
