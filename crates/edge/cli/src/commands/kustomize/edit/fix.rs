//! `kustomize edit fix`.

use super::super::flags::Given;
use super::super::{Failure, as_kustomize_says, build, current_world, print};
use super::edit;
use crate::atomic;
use crate::remotes::FetchedRemotes;
use onepane_kustomize::Options;

/// Moves what is deprecated, and says whether the build is another one afterwards.
pub(super) fn run(arguments: &[String]) -> Result<(), Failure> {
    let given = Given::read(arguments, &[], &[("vars", "")])?;
    let vars = given.switch("vars");
    let remotes = FetchedRemotes::new(false);
    let text = || Ok(build::built(".", &Options::default(), &remotes, None)?.to_yaml()?);
    let before: Result<String, Failure> = text();
    edit(|draft| {
        draft.modernize(|path| std::fs::read(path).is_ok())?;
        let rewritten = if vars { draft.vars_to_replacements(&current_world())? } else { Vec::new() };
        Ok(rewritten.iter().try_for_each(|file| atomic::rewrite(&file.path, file.contents.as_bytes()))?)
    })?;
    let moved = if vars { "  vars -> replacements\n" } else { "" };
    print(&format!(
        "\nFixed fields:\n  patchesJson6902 -> patches\n  patchesStrategicMerge -> patches\n  commonLabels -> labels\n{moved}"
    ))?;
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
