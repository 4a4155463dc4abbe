//! `kustomize localize`: a copy of a kustomization in which everything that it names is local.

use super::build::{OWN_WARNINGS, built};
use super::flags::Given;
use super::{Failure, current_world, print};
use crate::atomic;
use crate::remotes::FetchedRemotes;
use onepane_kustomize::{Built, LocalizeRequest, Localized, LocalizedEntry, Options, localize, without_password};
use onepane_yaml::write_sorted;
use std::fs;

/// Runs with the arguments behind `localize`.
pub(super) fn run(arguments: &[String]) -> Result<(), Failure> {
    let given = Given::read(arguments, &["scope"], &[("no-verify", ""), ("help", "h")])?;
    if given.switch("help") {
        return print(HELP);
    }
    let (target, destination) = match given.arguments[..] {
        [] => (".", ""),
        [target] => (target, ""),
        [target, destination] => (target, destination),
        _ => return Err(Failure::text(format!("accepts at most 2 arg(s), received {}", given.arguments.len()))),
    };
    let remotes = FetchedRemotes::new(false);
    let request = LocalizeRequest { target, scope: given.text("scope"), destination };
    let localized = localize(&current_world(), &remotes, request)?;
    for warning in &localized.warnings {
        eprintln!("{}", warning.message);
    }
    write(&localized)?;
    if !given.switch("no-verify") {
        verify(target, &localized, &remotes)?;
    }
    let target = without_password(target);
    log(&format!("SUCCESS: localized {target:?} to directory {}", localized.destination));
    Ok(())
}

fn write(localized: &Localized) -> Result<(), Failure> {
    atomic::write_folder(&localized.destination, |folder| {
        localized.tree.entries().try_for_each(|(path, entry)| match entry {
            LocalizedEntry::Folder => fs::create_dir(folder.join(path)),
            LocalizedEntry::File(contents) => fs::write(folder.join(path), contents),
        })
    })?;
    Ok(())
}

/// Builds both. A copy that can't be built fails the command, and is left to be looked at; of one that builds to
/// something else Kustomize means to say so, and never does.
fn verify(target: &str, localized: &Localized, remotes: &FetchedRemotes) -> Result<(), Failure> {
    let original = build(target, remotes)?;
    let copy = build(localized.destination.join(&localized.kustomization).as_str(), remotes)?;
    let (target, destination) = (without_password(target), &localized.destination);
    if original.to_yaml()? == copy.to_yaml()? {
        log(&format!(
            "VERIFICATION SUCCESS: `kustomize build` for {target} and {destination} are the same after localization."
        ));
        return Ok(());
    }
    let mut pairs = original.resources.iter().zip(copy.resources.iter());
    let differ = pairs.find(|(one, other)| write_sorted(one.node()).ok() != write_sorted(other.node()).ok());
    let first = differ.map_or_else(|| "one has more resources".to_owned(), |(one, _)| one.id().to_string());
    log(&format!(
        "VERIFICATION FAILED: `kustomize build` for {target} and {destination} are different after localization, first \
         in: {first}"
    ));
    Ok(())
}

fn build(folder: &str, remotes: &FetchedRemotes) -> Result<Built, Failure> {
    let built = built(folder, &Options::default(), remotes, None).inspect_err(|_| {
        log(&format!(
            "If your target directory requires flags to build: \n1. Add executable permissions for the downloaded exec \
             binaries in '{}'. \n2. Run kustomize build with the necessary flags and self-verify the outputs.",
            without_password(folder)
        ));
    })?;
    for warning in built.warnings.iter().filter(|warning| OWN_WARNINGS.contains(&warning.code)) {
        eprintln!("{}", warning.message);
    }
    Ok(built)
}

/// A line of Kustomize's log.
fn log(message: &str) {
    eprintln!("{} {message}", jiff::Zoned::now().strftime("%Y/%m/%d %H:%M:%S"));
}

const HELP: &str =
    "Copies a kustomization to a new folder, with every file, folder and repository that it names: in the
copy, all of them are local. Fields come out sorted.

Usage:
  kustomize localize [target [destination]] [flags]

The target is a folder (\".\" if omitted) or the URL of a repository with its revision: ?ref=v1.
The destination is a new folder in one that is there (\"localized-<target>[-<ref>]\" if omitted).

Flags:
  -h, --help           help for localize
      --no-verify      Does not build the target and its copy to see that they are the same.
      --scope string   The folder that everything named by path has to be in; by default the target, and for a
                       repository always the whole of it.
";
