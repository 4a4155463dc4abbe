//! `kustomize edit remove`.

use super::super::flags::Given;
use super::{Failure, build_metadata, edit, edit_if, patch, unknown_thing};
use onepane_chart::matches_glob;
use onepane_kustomize::{Generated, Metadata};

/// Removes `what`.
pub(super) fn run(what: &str, arguments: &[String]) -> Result<(), Failure> {
    match what {
        "resource" => remove_files(arguments, "resources", what),
        "transformer" => remove_files(arguments, "transformers", what),
        "label" => remove_metadata(arguments, Metadata::Label),
        "annotation" => remove_metadata(arguments, Metadata::Annotation),
        "patch" => {
            let patch = patch(arguments)?;
            edit_if(|draft| {
                let found = draft.remove_patch(&patch)?;
                if !found {
                    eprintln!("patch {} doesn't exist in kustomization file", patch.patch);
                }
                Ok(found)
            })
        }
        "configmap" => remove_generators(arguments, Generated::ConfigMap, what),
        "secret" => remove_generators(arguments, Generated::Secret, what),
        "buildmetadata" => {
            let given = Given::read(arguments, &[], &[])?;
            let options = build_metadata(&given.arguments)?;
            edit(|draft| Ok(draft.remove("buildMetadata", |option| options.contains(&option))?))
        }
        _ => unknown_thing("remove", what),
    }
}

/// Takes the entries out of a list that patterns match.
fn remove_files(arguments: &[String], field: &str, what: &str) -> Result<(), Failure> {
    let given = Given::read(arguments, &[], &[])?;
    if given.arguments.is_empty() {
        return Err(Failure::text(format!("must specify a {what} file")));
    }
    edit_if(|draft| {
        let mut matched = Vec::new();
        for pattern in &given.arguments {
            for path in draft.strings(field) {
                if matches_glob(pattern, path).map_err(|_| Failure::text("syntax error in pattern"))? {
                    matched.push(path.to_owned());
                }
            }
        }
        draft.remove(field, |path| matched.iter().any(|matched| matched == path))?;
        Ok(!matched.is_empty())
    })
}

fn remove_metadata(arguments: &[String], kind: Metadata) -> Result<(), Failure> {
    let given = Given::read(arguments, &[], &[("ignore-non-existence", "i")])?;
    let keys = match given.arguments[..] {
        // Kustomize calls annotations labels here.
        [] => return Err(Failure::text("must specify label")),
        [keys] => keys,
        _ => return Err(Failure::text("labels must be comma-separated, with no spaces")),
    };
    if keys.split(',').any(str::is_empty) {
        return Err(Failure::text("invalid label: '' (name is empty)"));
    }
    edit(|draft| {
        for key in keys.split(',') {
            if draft.has_metadata(kind, key) || !given.switch("ignore-non-existence") {
                draft.remove_metadata(kind, key)?;
            }
        }
        Ok(())
    })
}

fn remove_generators(arguments: &[String], kind: Generated, what: &str) -> Result<(), Failure> {
    let given = Given::read(arguments, &["namespace"], &[])?;
    let names: Vec<&str> = match given.arguments[..] {
        [] => return Err(Failure::text(format!("at least one {what} name must be specified"))),
        [names] => names.split(',').collect(),
        _ => {
            return Err(Failure::text(format!(
                "too many arguments: [{}]; to provide multiple {what}s to remove, please separate {what} names by commas",
                given.arguments.join(" ")
            )));
        }
    };
    edit(|draft| {
        let found = draft.remove_generators(kind, &names, given.text("namespace"))?;
        if found.is_empty() {
            return Err(Failure::text(format!("no specified {what}(s) were found in the kustomization.yaml file")));
        }
        for name in names.iter().filter(|name| !found.iter().any(|found| found == *name)) {
            eprintln!("{what} {name} doesn't exist in kustomization file");
        }
        Ok(())
    })
}
