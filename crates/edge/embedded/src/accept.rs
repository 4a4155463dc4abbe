//! In which form an answer is wanted: the header `Accept`.

use crate::failure::{Failure, Result};

/// The form of an answer. Each is JSON, which is YAML as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The objects themselves.
    Whole,
    /// Their metadata.
    Metadata,
    /// Rows for people.
    Table,
    /// Discovery of everything at once.
    Discovery,
}

/// The first form that can be had.
pub(crate) fn form(accept: &str) -> Result<Form> {
    if accept.trim().is_empty() {
        return Ok(Form::Whole);
    }
    for media_type in accept.split(',') {
        let mut words = media_type.split(';').map(str::trim);
        let is_json = matches!(words.next(), Some("application/json" | "application/yaml" | "*/*" | "application/*"));
        if !is_json {
            continue;
        }
        let (mut of, mut group, mut version) = ("", "", "");
        for word in words {
            match word.split_once('=') {
                Some(("as", value)) => of = value,
                Some(("g", value)) => group = value,
                Some(("v", value)) => version = value,
                _ => {}
            }
        }
        let form = match (of, group, version) {
            ("", _, _) => Form::Whole,
            ("PartialObjectMetadata" | "PartialObjectMetadataList", "meta.k8s.io", "v1") => Form::Metadata,
            ("Table", "meta.k8s.io", "v1") => Form::Table,
            ("APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2") => Form::Discovery,
            // Such as a version that is no longer served: the next one may do.
            _ => continue,
        };
        return Ok(form);
    }
    Err(Failure::not_acceptable())
}
