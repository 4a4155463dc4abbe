//! `kustomize edit add`.

use super::super::flags::{Given, pair};
use super::super::paths::{globbed, matching};
use super::{Failure, build_metadata, edit, edit_if, generators, kustomization_file, patch, unknown_thing};
use camino::Utf8Path;
use onepane_kustomize::{Generated, Metadata};

/// Adds `what`.
pub(super) fn run(what: &str, arguments: &[String]) -> Result<(), Failure> {
    match what {
        "resource" => add_files(arguments, "resources", what),
        "component" => add_files(arguments, "components", what),
        "generator" => add_plugins(arguments, "generators", what),
        "transformer" => add_plugins(arguments, "transformers", what),
        "base" => add_bases(arguments),
        "patch" => add_patch(arguments),
        "label" => add_labels(arguments),
        "annotation" => add_annotations(arguments),
        "configmap" => generators::add(arguments, Generated::ConfigMap),
        "secret" => generators::add(arguments, Generated::Secret),
        "buildmetadata" => {
            let given = Given::read(arguments, &[], &[])?;
            let options = build_metadata(&given.arguments)?;
            edit(|draft| {
                for option in options {
                    if !draft.add("buildMetadata", option)? {
                        return Err(Failure::text(format!(
                            "buildMetadata option {option} already in kustomization file"
                        )));
                    }
                }
                Ok(())
            })
        }
        _ => unknown_thing("add", what),
    }
}

/// Adds the files that patterns match to a list.
fn add_files(arguments: &[String], field: &str, what: &str) -> Result<(), Failure> {
    let given = Given::read(arguments, &[], if what == "resource" { &[("no-verify", "")] } else { &[] })?;
    if given.arguments.is_empty() {
        return Err(Failure::text(format!("must specify a {what} file")));
    }
    let mut found = Vec::new();
    for pattern in &given.arguments {
        found.extend(if given.switch("no-verify") { vec![(*pattern).to_owned()] } else { matching(pattern)? });
    }
    add_each(&found, field, what)
}

/// Adds the configurations that patterns match to a list; a pattern may match none.
fn add_plugins(arguments: &[String], field: &str, what: &str) -> Result<(), Failure> {
    let given = Given::read(arguments, &[], &[])?;
    if given.arguments.is_empty() {
        return Err(Failure::text(format!("must specify a yaml file which contains a {what} plugin resource")));
    }
    let found = globbed_or_said(given.arguments.into_iter())?;
    if found.is_empty() { Ok(()) } else { add_each(&found, field, what) }
}

/// What patterns match; says which match nothing.
pub(super) fn globbed_or_said<'a>(patterns: impl Iterator<Item = &'a str>) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    for pattern in patterns {
        let mut files = globbed(pattern)?;
        if files.is_empty() {
            eprintln!("{pattern} has no match");
        }
        found.append(&mut files);
    }
    Ok(found)
}

fn add_each(found: &[String], field: &str, what: &str) -> Result<(), Failure> {
    let itself = kustomization_file()?.as_str();
    edit(|draft| {
        for path in found.iter().filter(|path| *path != itself) {
            if !draft.add(field, path)? {
                eprintln!("{what} {path} already in kustomization file");
            }
        }
        Ok(())
    })
}

fn add_bases(arguments: &[String]) -> Result<(), Failure> {
    let given = Given::read(arguments, &[], &[])?;
    let [bases] = given.arguments[..] else { return Err(Failure::text("must specify a base directory")) };
    edit(|draft| {
        for base in bases.split(',') {
            if !Utf8Path::new(base).exists() {
                return Err(Failure::text(format!("{base} does not exist")));
            }
            if !draft.add("resources", base)? {
                return Err(Failure::text(format!("base {base} already in kustomization file")));
            }
        }
        Ok(())
    })
}

fn add_patch(arguments: &[String]) -> Result<(), Failure> {
    let patch = patch(arguments)?;
    if patch.path.is_empty() && patch.patch.is_empty() {
        return Err(Failure::text("must provide either patch or path"));
    }
    edit_if(|draft| {
        let new = draft.add_patch(&patch)?;
        if !new {
            let named = if patch.path.is_empty() { &patch.patch } else { &patch.path };
            eprintln!("patch {named} already in kustomization file");
        }
        Ok(new)
    })
}

fn add_annotations(arguments: &[String]) -> Result<(), Failure> {
    let given = Given::read(arguments, &[], &[("force", "f")])?;
    add_metadata(&given, Metadata::Annotation)
}

fn add_labels(arguments: &[String]) -> Result<(), Failure> {
    let switches = [("force", "f"), ("without-selector", ""), ("include-templates", "")];
    let given = Given::read(arguments, &[], &switches)?;
    let (without_selector, templates) = (given.switch("without-selector"), given.switch("include-templates"));
    if !without_selector && templates {
        return Err(Failure::text("--without-selector flag must be specified for --include-templates to work"));
    }
    if !without_selector {
        return add_metadata(&given, Metadata::Label);
    }
    let pairs = metadata_pairs(&given, Metadata::Label)?;
    edit(|draft| {
        for (key, value) in pairs {
            draft.add_label_without_selector(key, value, templates, given.switch("force"))?;
        }
        Ok(())
    })
}

fn add_metadata(given: &Given<'_>, kind: Metadata) -> Result<(), Failure> {
    let pairs = metadata_pairs(given, kind)?;
    edit(|draft| {
        for (key, value) in pairs {
            if given.switch("force") {
                draft.set_metadata(kind, key, value)?;
            } else {
                draft.add_metadata(kind, key, value)?;
            }
        }
        Ok(())
    })
}

/// The labels or annotations of the command line, by key; the last of equal keys counts.
pub(super) fn metadata_pairs<'a>(
    given: &Given<'a>,
    kind: Metadata,
) -> Result<std::collections::BTreeMap<&'a str, &'a str>, Failure> {
    if given.arguments.is_empty() {
        return Err(Failure::text(format!("must specify {}", kind.word())));
    }
    given.arguments.iter().map(|argument| pair(argument, kind.word())).collect()
}
