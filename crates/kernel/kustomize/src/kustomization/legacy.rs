//! Helm charts in a kustomization, also in the form that came before `helmCharts:`.

use super::parts::entry_span;
use super::{HelmChart, HelmGlobals};
use crate::decode::Decoder;
use crate::scalar::NodeExt;
use onepane_diagnostics::Result;
use onepane_yaml::Node;

pub(super) const CHART_FIELDS: &[&str] = &[
    "name",
    "version",
    "repo",
    "releaseName",
    "namespace",
    "additionalValuesFiles",
    "valuesFile",
    "valuesInline",
    "valuesMerge",
    "includeCRDs",
    "skipHooks",
    "apiVersions",
    "kubeVersion",
    "nameTemplate",
    "skipTests",
    "debug",
    "devel",
];

/// Reads `helmGlobals:`.
pub(crate) fn read_helm_globals(decoder: &Decoder, node: &Node) -> Result<HelmGlobals> {
    let mut globals = HelmGlobals::default();
    decoder.fields(node, &["chartHome", "configHome"], |field, value| {
        match field {
            "chartHome" => globals.chart_home = decoder.string(value)?,
            _ => globals.config_home = decoder.string(value)?,
        }
        Ok(())
    })?;
    Ok(globals)
}

/// Reads an entry of `helmCharts:`.
pub(crate) fn read_helm_chart(decoder: &Decoder, node: &Node) -> Result<HelmChart> {
    let mut chart = HelmChart { span: entry_span(node), ..HelmChart::default() };
    decoder.fields(node, CHART_FIELDS, |field, value| {
        match field {
            "name" => chart.name = decoder.string(value)?,
            "version" => chart.version = decoder.string(value)?,
            "repo" => chart.repo = decoder.string(value)?,
            "releaseName" => chart.release_name = decoder.string(value)?,
            "namespace" => chart.namespace = decoder.string(value)?,
            "additionalValuesFiles" => chart.additional_values_files = decoder.located_list(value)?,
            "valuesFile" => chart.values_file = decoder.located(value)?,
            "valuesInline" => chart.values_inline = (!value.is_null()).then(|| value.clone()),
            "valuesMerge" => chart.values_merge = decoder.string(value)?,
            "includeCRDs" => chart.include_crds = decoder.bool(value)?,
            "skipHooks" => chart.skip_hooks = decoder.bool(value)?,
            "apiVersions" => chart.api_versions = decoder.strings(value)?,
            "kubeVersion" => chart.kube_version = decoder.string(value)?,
            "nameTemplate" => chart.name_template = decoder.string(value)?,
            "skipTests" => chart.skip_tests = decoder.bool(value)?,
            "devel" => chart.devel = decoder.bool(value)?,
            _ => drop(decoder.bool(value)?),
        }
        Ok(())
    })?;
    Ok(chart)
}

pub(super) const OLD_CHART_FIELDS: &[&str] = &[
    "chartName",
    "chartVersion",
    "chartRepoUrl",
    "chartHome",
    "chartRepoName",
    "helmBin",
    "helmHome",
    "values",
    "valuesLocal",
    "valuesMerge",
    "releaseName",
    "releaseNamespace",
    "extraArgs",
];

/// Reads an entry of `helmChartInflationGenerator:` and what it says for all.
pub(super) fn read_old_helm_chart(decoder: &Decoder, node: &Node) -> Result<(HelmChart, HelmGlobals)> {
    let mut chart = HelmChart { span: entry_span(node), ..HelmChart::default() };
    let mut globals = HelmGlobals::default();
    decoder.fields(node, OLD_CHART_FIELDS, |field, value| {
        match field {
            "chartName" => chart.name = decoder.string(value)?,
            "chartVersion" => chart.version = decoder.string(value)?,
            "chartRepoUrl" => chart.repo = decoder.string(value)?,
            "chartHome" => globals.chart_home = decoder.string(value)?,
            "helmHome" => globals.config_home = decoder.string(value)?,
            "values" => chart.values_file = decoder.located(value)?,
            "valuesLocal" => chart.values_inline = (!value.is_null()).then(|| value.clone()),
            "valuesMerge" => chart.values_merge = decoder.string(value)?,
            "releaseName" => chart.release_name = decoder.string(value)?,
            "extraArgs" => drop(decoder.strings(value)?),
            // The repository's name, Helm's own path and a namespace that was never handed on.
            _ => drop(decoder.string(value)?),
        }
        Ok(())
    })?;
    Ok((chart, globals))
}
