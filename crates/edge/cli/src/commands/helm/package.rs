//! `helm package`: a chart as an archive.

use super::command::{Arguments, Command};
use super::dependency_update::update_in_passing;
use super::flags::{Flag, Kind, Parsed, SERVER, flag, short};
use super::package_sign::Signer;
use super::{Failure, log, print, world};
use crate::atomic;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_chart::{Origins, load, missing_dependencies, pack};
use onepane_semver::Version;
use onepane_world::{EntryKind, World};
use std::rc::Rc;

pub(super) const COMMAND: Command = Command {
    path: &["package"],
    aliases: &[],
    usage: "[CHART_PATH] [...]",
    about: "make an archive of a chart; the same chart always gives the same bytes",
    flags: &[FLAGS, SERVER],
    arguments: Arguments::Any,
    run,
};

const FLAGS: &[Flag] = &[
    flag("app-version", Kind::Text, "the appVersion that the archive's Chart.yaml gets"),
    short('u', "dependency-update", Kind::Bool, "fetch dependencies first"),
    short('d', "destination", Kind::Text, "the folder for the archive (default \".\")"),
    flag("key", Kind::Text, "for --sign: the user name of the key, or a part of it"),
    flag("keyring", Kind::Text, "for --sign: the file with the secret key"),
    flag("passphrase-file", Kind::Text, "for --sign: the file with the passphrase, - for stdin"),
    flag("sign", Kind::Bool, "sign the archive with PGP, into a provenance file beside it"),
    flag("version", Kind::Text, "the version that the archive's Chart.yaml gets"),
];

fn run(flags: &Parsed) -> Result<(), Failure> {
    if flags.arguments.is_empty() {
        return Err("need at least one argument, the path to the chart".to_owned().into());
    }
    let world = world()?;
    let signer = if flags.is_set("sign") { Some(Signer::new(flags, &world)?) } else { None };
    // The time of every file in the archive.
    let time = super::source_date_epoch(&world)?.unwrap_or(0);
    for argument in &flags.arguments {
        let archive = package(flags, Utf8Path::new(argument), time, signer.as_ref(), &world)?;
        print(format!("Successfully packaged chart and saved it to: {archive}\n").as_bytes());
    }
    Ok(())
}

fn package(
    flags: &Parsed,
    path: &Utf8Path,
    time: u64,
    signer: Option<&Signer>,
    world: &dyn World,
) -> Result<Utf8PathBuf, Failure> {
    match world.kind(path) {
        Some(EntryKind::Folder) => {}
        Some(_) => return Err(format!("{path} is not a folder with a chart").into()),
        None => return Err(format!("stat {path}: no such file or directory").into()),
    }
    if flags.is_set("dependency-update") {
        update_in_passing(flags, path, &mut |_| {})?;
    }
    let mut chart = load(path, world, Origins::Untracked, &mut |warning| log(warning.severity, &warning.message))?;
    let metadata = Rc::make_mut(&mut chart.metadata);
    if let Some(version) = flags.text("version").filter(|version| !version.is_empty()) {
        version.clone_into(&mut metadata.version);
    }
    Version::parse(&metadata.version).map_err(|error| error.to_string())?;
    if let Some(version) = flags.text("app-version").filter(|version| !version.is_empty()) {
        version.clone_into(&mut metadata.app_version);
    }
    let missing = missing_dependencies(&chart);
    if !missing.is_empty() {
        return Err(format!("found in Chart.yaml, but missing in charts/ directory: {}", missing.join(", ")).into());
    }
    let archive = pack(&chart, time).map_err(|message| format!("failed to save: {message}"))?;
    let folder = match flags.text("destination").unwrap_or(".") {
        "." => super::current_folder()?,
        folder => folder.into(),
    };
    let target = folder.join(format!("{}-{}.tgz", chart.name(), chart.metadata.version));
    // Nothing is written where signing fails.
    let name = target.file_name().unwrap_or_default();
    let provenance =
        signer.map(|signer| signer.sign(&archive, name, &chart.metadata.to_yaml()?.to_str())).transpose()?;
    atomic::write(&target, &archive)?;
    if let Some(provenance) = provenance {
        atomic::write(Utf8Path::new(&format!("{target}.prov")), provenance.as_bytes())?;
    }
    Ok(onepane_world::normalize(&target))
}
