//! The rules for Chart.yaml.

use super::addresses::{is_email, is_request_url, is_url};
use super::{Linter, Severity};
use onepane_chart::{Maintainer, Metadata};
use onepane_semver::{Constraint, Version};
use onepane_value::format::quote;
use onepane_value::{Value, from_yaml};
use onepane_world::EntryKind;

const NAME: &str = "Chart.yaml";

impl Linter<'_> {
    pub(super) fn chart_file(&mut self) {
        if self.kind(NAME) == Some(EntryKind::Folder) {
            self.check(Severity::Error, NAME, Err("should be a file, not a directory".to_owned()));
        }
        let read = self.text(NAME).and_then(|text| Metadata::read(&text).map(|metadata| (text, metadata)));
        let (text, metadata) = match read {
            Ok(read) => read,
            Err(message) => {
                self.check(Severity::Error, NAME, Err(format!("unable to parse YAML\n\t{message}")));
                return;
            }
        };
        // It was read as Chart.yaml already.
        let document = from_yaml(&text, None).unwrap_or_default();
        let strict = Metadata::check_strictly(&text)
            .map_err(|message| format!("failed to strictly parse chart metadata file\n\t{message}"));
        let icon = &metadata.icon;
        let icon_present = if icon.is_empty() { Err("icon is recommended".to_owned()) } else { Ok(()) };
        let icon_address =
            if icon.is_empty() || is_request_url(icon) { Ok(()) } else { Err(format!("invalid icon URL '{icon}'")) };
        let strict_version = Version::parse_strict(&metadata.version)
            .map(|_| ())
            .map_err(|_| format!("version '{}' is not a valid SemVerV2", metadata.version));
        for (severity, outcome) in [
            (Severity::Warning, strict),
            (Severity::Error, name(&metadata)),
            (Severity::Error, api_version(&metadata)),
            (Severity::Error, is_string(&document, "version")),
            (Severity::Error, version(&metadata)),
            (Severity::Error, is_string(&document, "appVersion")),
            (Severity::Error, metadata.maintainers.iter().try_for_each(maintainer)),
            (Severity::Error, metadata.sources.iter().try_for_each(|source| self::source(source))),
            (Severity::Info, icon_present),
            (Severity::Error, icon_address),
            (Severity::Error, only_in_v2(&metadata, "type")),
            (Severity::Error, only_in_v2(&metadata, "dependencies")),
            (Severity::Warning, strict_version),
        ] {
            self.check(severity, NAME, outcome);
        }
    }
}

fn name(metadata: &Metadata) -> Result<(), String> {
    let name = &metadata.name;
    if name.is_empty() {
        return Err("name is required".to_owned());
    }
    // Go's `filepath.Base` of nothing but slashes is one of them.
    if name.contains('/') && name != "/" {
        return Err(format!("chart name {} is invalid", quote(name.as_bytes())));
    }
    Ok(())
}

fn api_version(metadata: &Metadata) -> Result<(), String> {
    const VALUES: &str = "The value must be either \"v1\" or \"v2\"";
    match metadata.api_version.as_str() {
        "" => Err(format!("apiVersion is required. {VALUES}")),
        "v1" | "v2" => Ok(()),
        other => Err(format!("apiVersion '{other}' is not valid. {VALUES}")),
    }
}

fn is_string(document: &Value, key: &str) -> Result<(), String> {
    match document.as_map().and_then(|map| map.get(key)) {
        Some(value) if value.as_text().is_none() => {
            Err(format!("{key} should be of type string but it's of type {}", value.type_name()))
        }
        _ => Ok(()),
    }
}

fn version(metadata: &Metadata) -> Result<(), String> {
    let text = &metadata.version;
    if text.is_empty() {
        return Err("version is required".to_owned());
    }
    let version = Version::parse(text).map_err(|_| format!("version '{text}' is not a valid SemVer"))?;
    match Constraint::parse(">0.0.0-0") {
        Ok(constraint) if !constraint.check(&version) => {
            Err(format!("version \"{text}\" is less than or equal to \"0.0.0-0\""))
        }
        _ => Ok(()),
    }
}

fn maintainer(maintainer: &Maintainer) -> Result<(), String> {
    let Maintainer { name, email, url } = maintainer;
    if maintainer.is_null() {
        return Err("a maintainer entry is empty".to_owned());
    }
    if name.is_empty() {
        return Err("each maintainer requires a name".to_owned());
    }
    if !email.is_empty() && !is_email(email) {
        return Err(format!("invalid email '{email}' for maintainer '{name}'"));
    }
    if !url.is_empty() && !is_url(url) {
        return Err(format!("invalid url '{url}' for maintainer '{name}'"));
    }
    Ok(())
}

fn source(source: &str) -> Result<(), String> {
    if is_request_url(source) { Ok(()) } else { Err(format!("invalid source URL '{source}'")) }
}

fn only_in_v2(metadata: &Metadata, what: &str) -> Result<(), String> {
    let version = &metadata.api_version;
    if version == "v2" {
        return Ok(());
    }
    match what {
        "type" if !metadata.kind.is_empty() => {
            Err(format!("chart type is not valid in apiVersion '{version}'. It is valid in apiVersion 'v2'"))
        }
        "dependencies" if metadata.dependencies.as_ref().is_some_and(|list| !list.is_empty()) => Err(format!(
            "dependencies are not valid in the Chart file with apiVersion '{version}'. They are valid in apiVersion 'v2'"
        )),
        _ => Ok(()),
    }
}
