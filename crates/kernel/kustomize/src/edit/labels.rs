//! Labels and annotations.

use super::{KustomizationDraft, entry, refused, string};
use crate::scalar::{NodeExt, Scalar};
use onepane_diagnostics::Result;
use onepane_yaml::Node;
use onepane_yaml::Place::{Item, Key};

/// What `commonLabels` or `commonAnnotations` hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metadata {
    /// Labels.
    Label,
    /// Annotations.
    Annotation,
}

impl Metadata {
    /// What one of them is called.
    pub fn word(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Annotation => "annotation",
        }
    }

    fn field(self) -> &'static str {
        match self {
            Self::Label => "commonLabels",
            Self::Annotation => "commonAnnotations",
        }
    }
}

impl KustomizationDraft {
    /// Sets a label or annotation of all resources.
    pub fn set_metadata(&mut self, kind: Metadata, key: &str, value: &str) -> Result<()> {
        if self.draft.get(&[Key(kind.field()), Key(key)]).and_then(Node::as_str) == Some(value) {
            return Ok(());
        }
        self.put(&[Key(kind.field())], key, string(value))
    }

    /// Sets a label or annotation of all resources that is new.
    ///
    /// # Errors
    /// `kustomize-edit` where it is there already.
    pub fn add_metadata(&mut self, kind: Metadata, key: &str, value: &str) -> Result<()> {
        match self.draft.get(&[Key(kind.field()), Key(key)]) {
            Some(_) => Err(already_there(kind, key)),
            None => self.set_metadata(kind, key, value),
        }
    }

    /// Whether all resources get a label or annotation.
    pub fn has_metadata(&self, kind: Metadata, key: &str) -> bool {
        self.draft.get(&[Key(kind.field()), Key(key)]).is_some()
    }

    /// Takes a label or annotation of all resources away.
    ///
    /// # Errors
    /// `kustomize-edit` where it is not there.
    pub fn remove_metadata(&mut self, kind: Metadata, key: &str) -> Result<()> {
        let field = kind.field();
        if self.draft.get(&[Key(field)]).is_none_or(NodeExt::is_null) {
            return Err(refused(format!("{field} is not defined in kustomization file")));
        }
        if self.draft.get(&[Key(field), Key(key)]).is_none() {
            return Err(refused(format!("{} {key} is not defined in kustomization file", kind.word())));
        }
        self.draft.remove(&[Key(field), Key(key)])
    }

    /// Adds a label that goes to no selector: to the first entry of `labels` that is such, or in one of its own.
    ///
    /// # Errors
    /// `kustomize-edit` where it is there already, unless it is `forced`.
    pub fn add_label_without_selector(&mut self, key: &str, value: &str, templates: bool, forced: bool) -> Result<()> {
        let says = |label: &Node, field| {
            label.get(field).is_some_and(|value| matches!(value.scalar_1_1(), Some(Scalar::Bool(true))))
        };
        let same = |label: &Node| !says(label, "includeSelectors") && says(label, "includeTemplates") == templates;
        let Some(index) = self.draft.items(&[Key("labels")]).iter().position(same) else {
            let pairs = Node::mapping(vec![(string(key), string(value))]);
            let templates = templates.then(|| ("includeTemplates", Node::scalar("true")));
            return self.draft.push(&[Key("labels")], entry([("pairs", pairs)].into_iter().chain(templates)));
        };
        let pairs = [Key("labels"), Item(index), Key("pairs")];
        if self.draft.get(&pairs).is_some_and(|pairs| pairs.get(key).is_some()) && !forced {
            return Err(already_there(Metadata::Label, key));
        }
        self.put(&pairs, key, string(value))
    }
}

fn already_there(kind: Metadata, key: &str) -> Box<onepane_diagnostics::Diagnostic> {
    refused(format!("{} {key} already in kustomization file. Use --force to override.", kind.word()))
}
