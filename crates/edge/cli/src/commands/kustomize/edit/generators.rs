//! ConfigMaps and Secrets of `kustomize edit add` and `kustomize edit set`.

use super::super::current_world;
use super::super::flags::Given;
use super::super::paths::globbed;
use super::add::globbed_or_said;
use super::{Failure, edit};
use onepane_kustomize::{Generated, GeneratorSources, KustomizationDraft};

/// Adds a generator, or sources to one.
pub(super) fn add(arguments: &[String], kind: Generated) -> Result<(), Failure> {
    let own = if kind == Generated::ConfigMap { "behavior" } else { "type" };
    let texts = ["from-file", "from-literal", "from-env-file", "namespace", own];
    let given = Given::read(arguments, &texts, &[("disableNameSuffixHash", "")])?;
    let invalid = |message: &str| Err(Failure::text(format!("failed to validate flags: {message}")));
    let files = file_sources(&given)?;
    let [name] = given.arguments[..] else { return invalid("name must be specified once") };
    let (env, literals) = (given.text("from-env-file"), given.texts("from-literal"));
    let literals: Vec<String> = literals.map(str::to_owned).collect();
    let others = !files.is_empty() || !literals.is_empty();
    if env.is_empty() && !others {
        return invalid("at least from-env-file, or from-file or from-literal must be set");
    }
    if !env.is_empty() && others {
        return invalid("from-env-file cannot be combined with from-file or from-literal");
    }
    let behavior = given.text("behavior").to_owned();
    if !["", "create", "merge", "replace"].contains(&&*behavior) {
        return invalid("invalid behavior: must be one of \"create\", \"merge\", or \"replace\"");
    }
    let secret_type = match given.texts("type").last() {
        Some(secret_type) => secret_type.to_owned(),
        None if kind == Generated::Secret => "Opaque".to_owned(),
        None => String::new(),
    };
    let envs = [env].into_iter().filter(|env| !env.is_empty()).map(str::to_owned).collect();
    let no_hash = given.switch("disableNameSuffixHash");
    let sources = GeneratorSources { files, literals, envs, behavior, no_hash, secret_type };
    edit(|draft| {
        let index = draft.add_to_generator(kind, name, given.text("namespace"), &sources)?;
        check(draft, kind, index)
    })
}

/// Gives literals of a generator other values, or the generator another namespace.
pub(super) fn set(arguments: &[String], kind: Generated) -> Result<(), Failure> {
    let given = Given::read(arguments, &["from-literal", "namespace", "new-namespace"], &[])?;
    let invalid = |message: &str| Err(Failure::text(format!("failed to validate flags: {message}")));
    let [name] = given.arguments[..] else { return invalid("name must be specified once") };
    let new_namespace = given.text("new-namespace");
    if given.texts("from-literal").next().is_none() && new_namespace.is_empty() {
        return invalid("at least one of [--from-literal, --new-namespace] must be specified");
    }
    let word = match kind {
        Generated::ConfigMap => "ConfigMap",
        Generated::Secret => "Secret",
    };
    edit(|draft| {
        let Some(index) = draft.generator(kind, name, given.text("namespace")) else {
            return Err(Failure::text(format!("unable to find {word} with name \"{name}\"")));
        };
        for literal in given.texts("from-literal") {
            let Some((key, value)) = literal.split_once('=') else {
                return Err(Failure::text("invalid format: literal values must be specified in the key=value format"));
            };
            draft.set_literal(kind, index, key, value)?;
        }
        if !new_namespace.is_empty() {
            draft.set_generator_namespace(kind, index, new_namespace)?;
        }
        check(draft, kind, index)
    })
}

/// Whether the generator could make its resource.
fn check(draft: &KustomizationDraft, kind: Generated, index: usize) -> Result<(), Failure> {
    Ok(draft.check_generator(kind, index, &current_world())?)
}

/// `[key=]pattern`, in lists parted by commas, as the files that they match.
fn file_sources(given: &Given<'_>) -> Result<Vec<String>, Failure> {
    let mut sources = Vec::new();
    for source in given.texts("from-file").flat_map(|list| list.split(',')) {
        match source.split('=').collect::<Vec<_>>()[..] {
            [key, pattern] if !key.is_empty() => match &globbed(pattern)?[..] {
                [file] => sources.push(format!("{key}={file}")),
                files => {
                    return Err(Failure::text(format!(
                        "failed to expand file source: 'pattern '{source}' catches files [{}], should catch only one",
                        files.join(" ")
                    )));
                }
            },
            ["", pattern] | [pattern, ..] => sources.extend(globbed_or_said([pattern].into_iter())?),
            [] => {}
        }
    }
    Ok(sources)
}
