//! `kustomize edit set`.

use super::super::flags::Given;
use super::add::metadata_pairs;
use super::{Failure, build_metadata, edit, generators, unknown_thing};
use onepane_kustomize::{Generated, ImageChange, Metadata};

/// Sets `what`.
pub(super) fn run(what: &str, arguments: &[String]) -> Result<(), Failure> {
    match what {
        "nameprefix" => set_text(arguments, "namePrefix", "prefix"),
        "namesuffix" => set_text(arguments, "nameSuffix", "suffix"),
        "namespace" => set_text(arguments, "namespace", "namespace"),
        "image" => set_images(arguments),
        "replicas" => set_replicas(arguments),
        "label" => set_metadata(arguments, Metadata::Label),
        "annotation" => set_metadata(arguments, Metadata::Annotation),
        "configmap" => generators::set(arguments, Generated::ConfigMap),
        "secret" => generators::set(arguments, Generated::Secret),
        "buildmetadata" => {
            let given = Given::read(arguments, &[], &[])?;
            let options = build_metadata(&given.arguments)?;
            edit(|draft| Ok(draft.set_list("buildMetadata", &options)?))
        }
        _ => unknown_thing("set", what),
    }
}

fn set_text(arguments: &[String], field: &str, word: &str) -> Result<(), Failure> {
    let given = Given::read(arguments, &[], &[])?;
    let [value] = given.arguments[..] else {
        return Err(Failure::text(format!("must specify exactly one {word} value")));
    };
    edit(|draft| Ok(draft.set_text(field, value)?))
}

fn set_images(arguments: &[String]) -> Result<(), Failure> {
    let given = Given::read(arguments, &[], &[])?;
    if given.arguments.is_empty() {
        return Err(Failure::text("no image specified"));
    }
    let mut changes: Vec<ImageChange> = Vec::new();
    for argument in &given.arguments {
        let change = ImageChange::parse(argument)?;
        changes.retain(|earlier| earlier.name != change.name);
        changes.push(change);
    }
    edit(|draft| Ok(changes.iter().try_for_each(|change| draft.set_image(change))?))
}

fn set_replicas(arguments: &[String]) -> Result<(), Failure> {
    let given = Given::read(arguments, &[], &[])?;
    if given.arguments.is_empty() {
        return Err(Failure::text("no name and count specified"));
    }
    let parsed = given.arguments.iter().map(|argument| match argument.split('=').collect::<Vec<_>>()[..] {
        [name, count] => count.parse().ok().map(|count: i64| (name, count)),
        _ => None,
    });
    let Some(replicas) = parsed.collect::<Option<Vec<_>>>() else {
        return Err(Failure::text("invalid format of replica, use the following option: <name>=<count>"));
    };
    edit(|draft| Ok(replicas.into_iter().try_for_each(|(name, count)| draft.set_replicas(name, count))?))
}

fn set_metadata(arguments: &[String], kind: Metadata) -> Result<(), Failure> {
    let given = Given::read(arguments, &[], &[])?;
    let pairs = metadata_pairs(&given, kind)?;
    if kind == Metadata::Annotation && !pairs.keys().all(|key| is_annotation_key(key)) {
        return Err(Failure::text(
            "invalid annotation key: a name of letters, digits, `-`, `_` and `.`, behind a domain and a slash or without",
        ));
    }
    edit(|draft| Ok(pairs.into_iter().try_for_each(|(key, value)| draft.set_metadata(kind, key, value))?))
}

/// A name of up to 63 characters, with a domain of up to 253 before a slash or without.
fn is_annotation_key(key: &str) -> bool {
    let fits = |text: &str, longest, first: fn(&u8) -> bool, inner: &[u8]| {
        let bytes = text.as_bytes();
        bytes.len() <= longest
            && bytes.first().is_some_and(first)
            && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || inner.contains(byte))
    };
    let (domain, name) = key.split_once('/').map_or((None, key), |(domain, name)| (Some(domain), name));
    domain.is_none_or(|domain| fits(domain, 253, u8::is_ascii_alphabetic, b"-."))
        && fits(name, 63, u8::is_ascii_alphanumeric, b"-_.")
}
