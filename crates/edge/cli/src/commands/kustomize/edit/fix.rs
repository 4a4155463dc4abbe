//! `kustomize edit fix`.

use super::super::flags::Given;
use super::super::{Failure, as_kustomize_says, build, print};
use super::edit;
use crate::remotes::FetchedRemotes;
use onepane_kustomize::Options;

/// Moves what is deprecated, and says whether the build is another one afterwards.
pub(super) fn run(arguments: &[String]) -> Result<(), Failure> {
    let given = Given::read(arguments, &[], &[("vars", "")])?;
    if given.switch("vars") {
        return Err(Failure::text("turning vars into replacements is not supported: write them under `replacements:`"));
    }
    let remotes = FetchedRemotes::new(false);
    let text = || Ok(build::built(".", &Options::default(), &remotes, None)?.to_yaml()?);
    let before: Result<String, Failure> = text();
    edit(|draft| Ok(draft.modernize(|path| std::fs::read(path).is_ok())?))?;
    print(
        "\nFixed fields:\n  patchesJson6902 -> patches\n  patchesStrategicMerge -> patches\n  commonLabels -> labels\n",
    )?;
    match (text(), before) {
        (Err(Failure::Found(error)), _) => {
            print(&format!("Warning: the fixed kustomization can't be built: {}\n", as_kustomize_says(&error)))
        }
        (Err(Failure::Text(error)), _) => print(&format!("Warning: the fixed kustomization can't be built: {error}\n")),
        (Ok(after), Ok(before)) if after == before => Ok(()),
        (Ok(after), _) => print(&format!("Warning: the fixed kustomization builds to something else:\n{after}")),
        (Err(Failure::OutputClosed), _) => Ok(()),
    }
}
