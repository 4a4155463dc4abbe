//! `helm lint`: what is wrong with a chart, or unwise, by Helm's rules.

mod addresses;
mod chart_file;
mod manifest;
mod names;
mod objects;

use crate::capabilities::Capabilities;
use crate::release::{Action, Release};
use crate::render::{RenderOptions, Schemas, render_leniently};
use camino::Utf8Path;
use onepane_chart::{
    Chart, Compat, Dependency, LoadOptions, Origins, check_schema, coalesce_tables, load, parse_values_as,
};
use onepane_template::Demand;
use onepane_value::{Map, Text};
use onepane_world::{EntryKind, ReadErrorReason, World};
use std::fmt;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It is good to know.
    Info,
    /// It will likely work and is not as it should be.
    Warning,
    /// It will likely not work.
    Error,
}

/// What the linter found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The file within the chart, the chart's folder, or nothing.
    pub path: String,
    /// Helm's text.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Info => "INFO",
            Severity::Warning => "WARNING",
            Severity::Error => "ERROR",
        };
        write!(f, "[{severity}] {}: {}", self.path, self.message)
    }
}

/// What a chart is linted for.
#[derive(Clone, Debug)]
pub struct LintOptions {
    /// The namespace that `.Release` names.
    pub namespace: String,
    /// The cluster's version, which says what is deprecated.
    pub capabilities: Capabilities,
    /// Whether values are held against the chart's schema.
    pub schemas: Schemas,
}

/// Lints the chart in the folder `path` of `world` with what the user gave over its defaults. `tell` is told which demands of
/// templates are not met, which is no finding.
pub fn lint(
    path: &Utf8Path,
    given: &Map,
    options: &LintOptions,
    world: &dyn World,
    tell: &dyn Fn(Demand, &Text),
) -> Vec<Finding> {
    let reading = LoadOptions { any_version: true, ..LoadOptions::default() };
    let chart = load(path, world, reading, &mut |_| {}).map_err(|error| error.message);
    let mut linter = Linter { path, given, options, world, tell, chart, findings: Vec::new() };
    linter.chart_file();
    linter.values();
    linter.templates();
    linter.dependencies();
    linter.crds();
    linter.findings
}

struct Linter<'a> {
    path: &'a Utf8Path,
    given: &'a Map,
    options: &'a LintOptions,
    world: &'a dyn World,
    tell: &'a dyn Fn(Demand, &Text),
    /// The chart, or why it does not load: three groups of rules ask.
    chart: Result<Chart, String>,
    findings: Vec<Finding>,
}

impl Linter<'_> {
    /// Notes what is wrong; whether nothing is.
    fn check(&mut self, severity: Severity, path: &str, outcome: Result<(), String>) -> bool {
        match outcome {
            Ok(()) => true,
            Err(message) => {
                self.findings.push(Finding { severity, path: path.to_owned(), message });
                false
            }
        }
    }

    fn kind(&self, name: &str) -> Option<EntryKind> {
        self.world.kind(&self.path.join(name))
    }

    fn text(&self, name: &str) -> Result<String, String> {
        let path = self.path.join(name);
        let bytes = self.world.read(&path).map_err(|error| match error.reason {
            ReadErrorReason::Absent => format!("open {path}: no such file or directory"),
            ReadErrorReason::WrongKind => format!("read {path}: is a directory"),
            _ => error.to_string(),
        })?;
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    fn values(&mut self) {
        const NAME: &str = "values.yaml";
        let exists = self.kind(NAME).is_some();
        if !self.check(Severity::Info, NAME, exists.then_some(()).ok_or_else(|| "file does not exist".to_owned())) {
            return;
        }
        let outcome = self.check_values(NAME);
        self.check(Severity::Error, NAME, outcome);
    }

    /// Values of subcharts are not looked at here, as in Helm.
    fn check_values(&self, name: &str) -> Result<(), String> {
        /// The Go type that others read values into.
        const MAP: &str = "map[string]interface {}";
        // Helm's linter reads the first document and no more, as Helm 3 does everywhere.
        let values = self.text(name).and_then(|text| {
            parse_values_as(Compat::Helm3, text.as_bytes(), None).map_err(|error| {
                match error.message.strip_suffix(MAP) {
                    Some(head) => format!("{head}common.Values"),
                    None => error.message,
                }
            })
        });
        let values = values.map_err(|message| format!("unable to parse YAML: {message}"))?;
        let Ok(schema) = self.text("values.schema.json") else { return Ok(()) };
        if schema.is_empty() || self.options.schemas == Schemas::Skipped {
            return Ok(());
        }
        check_schema(schema.as_bytes(), &coalesce_tables(self.given, &values))
    }

    fn templates(&mut self) {
        const FOLDER: &str = "templates/";
        let missing = || Err("directory does not exist".to_owned());
        let outcome = if self.kind("templates").is_some() { Ok(()) } else { missing() };
        if !self.check(Severity::Warning, FOLDER, outcome) {
            return;
        }
        let is_folder = self.kind("templates") == Some(EntryKind::Folder);
        let outcome = if is_folder { Ok(()) } else { Err("not a directory".to_owned()) };
        if !self.check(Severity::Error, FOLDER, outcome) {
            return;
        }
        let mut chart = match self.chart.clone() {
            Ok(chart) => chart,
            Err(message) => {
                self.check(Severity::Error, FOLDER, Err(message));
                return;
            }
        };
        let options = RenderOptions {
            release: Release {
                name: "test-release".to_owned(),
                namespace: self.options.namespace.clone(),
                action: Action::Lint,
                ..Release::default()
            },
            capabilities: self.options.capabilities.clone(),
            schemas: self.options.schemas,
            origins: Origins::Untracked,
            compat: Compat::Helm4,
            explain: None,
        };
        let printed = match render_leniently(&mut chart, self.given, &options, self.world, self.tell) {
            None => return,
            Some(Ok(printed)) => printed,
            Some(Err(message)) => {
                self.check(Severity::Error, FOLDER, Err(message));
                return;
            }
        };
        for file in chart.templates.iter() {
            let extension = file.name.rsplit('/').next().and_then(|name| name.rfind('.').map(|dot| &name[dot..]));
            let extension = extension.unwrap_or_default();
            if ![".yaml", ".yml", ".tpl", ".txt"].contains(&extension) {
                let message =
                    format!("file extension '{extension}' not valid. Valid extensions are .yaml, .yml, .tpl, or .txt");
                self.check(Severity::Error, &file.name, Err(message));
            }
            if !extension.eq_ignore_ascii_case(".yaml") && !extension.eq_ignore_ascii_case(".yml") {
                continue;
            }
            let path = format!("{}/{}", chart.name(), file.name);
            if let Some((_, text)) = printed.iter().find(|(printed, _)| **printed == path)
                && !self.manifests(&file.name, text.as_bytes())
            {
                return;
            }
        }
    }

    fn dependencies(&mut self) {
        let chart = match self.chart.clone() {
            Ok(chart) => chart,
            Err(message) => {
                self.check(Severity::Error, "", Err(format!("unable to load chart\n\t{message}")));
                return;
            }
        };
        let wanted = chart.metadata.dependencies.as_deref().unwrap_or_default();
        let present: Vec<&str> = chart.dependencies.iter().map(Chart::name).collect();
        let key = |dependency: &Dependency| {
            if dependency.alias.is_empty() { dependency.name.clone() } else { dependency.alias.clone() }
        };
        let unnamed = present.iter().filter(|name| !wanted.iter().any(|dependency| dependency.name == **name));
        let unnamed: Vec<String> = unnamed.map(|name| (*name).to_owned()).collect();
        let twice = (0..wanted.len()).filter(|at| wanted[..*at].iter().any(|before| key(before) == key(&wanted[*at])));
        let twice: Vec<String> = twice.map(|at| key(&wanted[at])).collect();
        let missing = wanted.iter().filter(|dependency| !present.contains(&dependency.name.as_str()));
        let missing: Vec<String> = missing.map(|dependency| dependency.name.clone()).collect();
        let folder = self.path.to_string();
        for (severity, what, names) in [
            (Severity::Error, "chart metadata is missing these dependencies", unnamed),
            (Severity::Error, "multiple dependencies with name or alias", twice),
            (Severity::Warning, "chart directory is missing these dependencies", missing),
        ] {
            let outcome = if names.is_empty() { Ok(()) } else { Err(format!("{what}: {}", names.join(","))) };
            self.check(severity, &folder, outcome);
        }
    }
}
