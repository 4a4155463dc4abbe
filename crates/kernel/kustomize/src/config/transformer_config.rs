//! The fields that every transformer reaches: [`TransformerConfig`].

use super::default_fields as defaults;
use super::default_references::NAME_REFERENCES;
use super::field_spec::{Row, compare_types};
use super::{FieldSpec, merge_all};
use crate::decode::Decoder;
use onepane_diagnostics::Result;
use onepane_yaml::Node;
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

/// The fields that every transformer reaches.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TransformerConfig {
    pub(crate) name_prefix: Vec<FieldSpec>,
    pub(crate) name_suffix: Vec<FieldSpec>,
    pub(crate) namespace: Vec<FieldSpec>,
    pub(crate) common_labels: Vec<FieldSpec>,
    pub(crate) labels: Vec<FieldSpec>,
    pub(crate) template_labels: Vec<FieldSpec>,
    pub(crate) common_annotations: Vec<FieldSpec>,
    pub(crate) name_references: Vec<NameBackReference>,
    pub(crate) variables: Vec<FieldSpec>,
    pub(crate) images: Vec<FieldSpec>,
    pub(crate) replicas: Vec<FieldSpec>,
    pub(crate) claim_template_labels: Vec<FieldSpec>,
}

/// The fields that may hold the name of a resource of a type.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct NameBackReference {
    pub(crate) group: Cow<'static, str>,
    pub(crate) version: Cow<'static, str>,
    pub(crate) kind: Cow<'static, str>,
    pub(crate) referrers: Vec<FieldSpec>,
}

impl TransformerConfig {
    /// What holds where nothing is configured. Shared, because hardly any kustomization configures something.
    pub(crate) fn default_shared() -> Arc<Self> {
        static DEFAULT: OnceLock<Arc<TransformerConfig>> = OnceLock::new();
        DEFAULT.get_or_init(|| Arc::new(Self::defaults())).clone()
    }

    fn defaults() -> Self {
        let specs = |rows: &'static [Row]| rows.iter().map(FieldSpec::from).collect::<Vec<_>>();
        Self {
            name_prefix: specs(defaults::NAMES),
            name_suffix: specs(defaults::NAMES),
            namespace: specs(defaults::NAMESPACE),
            common_labels: specs(defaults::COMMON_LABELS),
            labels: Vec::new(),
            template_labels: specs(defaults::TEMPLATE_LABELS),
            common_annotations: specs(defaults::COMMON_ANNOTATIONS),
            name_references: NAME_REFERENCES
                .iter()
                .map(|&(group, version, kind, referrers)| NameBackReference {
                    group: Cow::Borrowed(group),
                    version: Cow::Borrowed(version),
                    kind: Cow::Borrowed(kind),
                    referrers: specs(referrers),
                })
                .collect(),
            variables: specs(defaults::VARIABLES),
            images: specs(defaults::IMAGES),
            replicas: specs(defaults::REPLICAS),
            claim_template_labels: specs(defaults::CLAIM_TEMPLATE_LABELS),
        }
    }

    /// Both together, what `this` has first.
    ///
    /// # Errors
    /// See [`merge_all`].
    pub(crate) fn merge(this: &Arc<Self>, other: &Arc<Self>) -> Result<Arc<Self>> {
        if Arc::ptr_eq(this, other) || **other == Self::default() {
            return Ok(this.clone());
        }
        if **this == Self::default() {
            return Ok(other.clone());
        }
        let mut merged = Self::clone(this);
        let lists = merged.lists_mut().into_iter().zip(other.lists());
        lists.into_iter().try_for_each(|(into, from)| merge_all(into, from))?;
        for reference in &other.name_references {
            merged.add_reference(reference)?;
        }
        merged.sort();
        Ok(Arc::new(merged))
    }

    /// Adds the fields that may hold the name of a type.
    pub(crate) fn add_reference(&mut self, reference: &NameBackReference) -> Result<()> {
        let same = |present: &&mut NameBackReference| {
            present.kind == reference.kind && present.group == reference.group && present.version == reference.version
        };
        match self.name_references.iter_mut().find(same) {
            Some(present) => merge_all(&mut present.referrers, &reference.referrers),
            None => {
                self.name_references.push(reference.clone());
                Ok(())
            }
        }
    }

    /// Puts the lists into the order in which they are applied.
    fn sort(&mut self) {
        for list in self.lists_mut() {
            list.sort_by(FieldSpec::compare_types);
        }
        self.name_references
            .sort_by(|a, b| compare_types((&a.group, &a.version, &a.kind), (&b.group, &b.version, &b.kind)));
    }

    fn lists(&self) -> [&Vec<FieldSpec>; 11] {
        [
            &self.name_prefix,
            &self.name_suffix,
            &self.namespace,
            &self.common_annotations,
            &self.common_labels,
            &self.labels,
            &self.template_labels,
            &self.variables,
            &self.images,
            &self.replicas,
            &self.claim_template_labels,
        ]
    }

    fn lists_mut(&mut self) -> [&mut Vec<FieldSpec>; 11] {
        [
            &mut self.name_prefix,
            &mut self.name_suffix,
            &mut self.namespace,
            &mut self.common_annotations,
            &mut self.common_labels,
            &mut self.labels,
            &mut self.template_labels,
            &mut self.variables,
            &mut self.images,
            &mut self.replicas,
            &mut self.claim_template_labels,
        ]
    }
}

const FIELDS: &[&str] = &[
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "templateLabels",
    "commonAnnotations",
    "nameReference",
    "varReference",
    "images",
    "replicas",
    "volumeClaimTemplateLabels",
];

/// Reads one file of `configurations:`; a field that it does not know is an error.
pub(crate) fn read_configuration(node: &Node) -> Result<TransformerConfig> {
    let mut config = TransformerConfig::default();
    let decoder = Decoder::strict_converting("TransformerConfig");
    decoder.fields(node, FIELDS, |field, value| {
        let list = match field {
            "namePrefix" => &mut config.name_prefix,
            "nameSuffix" => &mut config.name_suffix,
            "namespace" => &mut config.namespace,
            "commonLabels" => &mut config.common_labels,
            "labels" => &mut config.labels,
            "templateLabels" => &mut config.template_labels,
            "commonAnnotations" => &mut config.common_annotations,
            "varReference" => &mut config.variables,
            "images" => &mut config.images,
            "replicas" => &mut config.replicas,
            "volumeClaimTemplateLabels" => &mut config.claim_template_labels,
            _ => {
                config.name_references = decoder.list(value, |item| back_reference(&decoder, item))?;
                return Ok(());
            }
        };
        *list = field_specs(&decoder, value)?;
        Ok(())
    })?;
    config.sort();
    Ok(config)
}

/// A list of field specs.
pub(crate) fn field_specs(decoder: &Decoder, node: &Node) -> Result<Vec<FieldSpec>> {
    decoder.list(node, |item| {
        let mut spec = FieldSpec::default();
        decoder.fields(item, &["group", "version", "kind", "path", "create"], |field, value| {
            match field {
                "group" => spec.group = decoder.embedded_string(value)?.into(),
                "version" => spec.version = decoder.embedded_string(value)?.into(),
                "kind" => spec.kind = decoder.embedded_string(value)?.into(),
                "path" => spec.path = decoder.string(value)?.into(),
                _ => spec.create = decoder.bool(value)?,
            }
            Ok(())
        })?;
        Ok(spec)
    })
}

fn back_reference(decoder: &Decoder, node: &Node) -> Result<NameBackReference> {
    let mut reference = NameBackReference::default();
    decoder.fields(node, &["group", "version", "kind", "fieldSpecs"], |field, value| {
        match field {
            "group" => reference.group = decoder.embedded_string(value)?.into(),
            "version" => reference.version = decoder.embedded_string(value)?.into(),
            "kind" => reference.kind = decoder.embedded_string(value)?.into(),
            _ => reference.referrers = field_specs(decoder, value)?,
        }
        Ok(())
    })?;
    Ok(reference)
}
