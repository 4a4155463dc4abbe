//! Charts as Helm stores them in releases, and what is read back of them.

use super::Failure;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use onepane_chart::{Chart, Compat, Dependency, File, Metadata, Origins, coalesce_values, load};
use onepane_diagnostics::Diagnostic;
use onepane_release::Release;
use onepane_value::{Data, Map, Value, from_yaml, to_json};
use onepane_world::MemoryWorld;
use serde_json::{Map as Fields, Value as Json, json};

/// A chart as a release has it, in Helm's order. Subcharts are no part of it, as they are none there; neither is when files
/// were changed.
pub(super) fn stored(chart: &Chart) -> Result<Json, String> {
    let files = |files: &[File]| match files {
        [] => Json::Null,
        files => files.iter().map(|file| json!({"name": &*file.name, "data": STANDARD.encode(file.bytes())})).collect(),
    };
    Ok(json!({
        "metadata": metadata(&chart.metadata)?,
        "lock": chart.lock.as_ref().map_or(Json::Null, lock),
        "templates": files(&chart.templates),
        "values": as_json(&Value::from(chart.values.clone()))?,
        "schema": chart.schema.as_ref().map_or(Json::Null, |schema| Json::from(STANDARD.encode(schema.bytes()))),
        "schemamodtime": "0001-01-01T00:00:00Z",
        "files": files(&chart.files),
    }))
}

/// A value as JSON, maps in order of their keys.
pub(super) fn as_json(value: &Value) -> Result<Json, String> {
    let text = to_json(value)?;
    serde_json::from_slice(text.as_bytes()).map_err(|error| error.to_string())
}

/// The values that a release's user gave.
pub(super) fn given(release: &Release) -> Result<Map, String> {
    as_map(&release.config)
}

/// All values of a release: those that its user gave over those of its chart.
pub(super) fn computed(release: &Release, warn: &mut dyn FnMut(Diagnostic)) -> Result<Map, Failure> {
    let name = release.chart_field("name").unwrap_or_default();
    let values = release.chart.get("values").cloned().unwrap_or_default();
    let world = MemoryWorld::new()
        .with("c/Chart.yaml", json!({"apiVersion": "v2", "name": name, "version": "0.0.0"}).to_string())
        .with("c/values.yaml", if values.is_null() { "{}".to_owned() } else { values.to_string() });
    let chart = load("c".into(), &world, Origins::Untracked, warn)?;
    Ok(coalesce_values(&chart, &given(release)?, Compat::Helm4, warn)?)
}

fn as_map(json: &Json) -> Result<Map, String> {
    if json.is_null() {
        return Ok(Map::new());
    }
    match from_yaml(&json.to_string(), None).map_err(|error| error.to_string())?.data {
        Data::Map(map) => Ok(map),
        _ => Err("the release's values are no table".to_owned()),
    }
}

/// Chart.yaml, without what is empty.
fn metadata(metadata: &Metadata) -> Result<Json, String> {
    let mut fields = Fields::new();
    let mut text = |name: &str, text: &str| {
        if !text.is_empty() {
            fields.insert(name.to_owned(), Json::from(text));
        }
    };
    text("name", &metadata.name);
    text("home", &metadata.home);
    let list = |list: &[String]| list.iter().map(String::as_str).map(Json::from).collect::<Vec<_>>();
    if !metadata.sources.is_empty() {
        fields.insert("sources".to_owned(), list(&metadata.sources).into());
    }
    for (name, text) in [("version", &metadata.version), ("description", &metadata.description)] {
        if !text.is_empty() {
            fields.insert(name.to_owned(), Json::from(text.as_str()));
        }
    }
    if !metadata.keywords.is_empty() {
        fields.insert("keywords".to_owned(), list(&metadata.keywords).into());
    }
    if !metadata.maintainers.is_empty() {
        let maintainers = metadata.maintainers.iter().map(|maintainer| {
            let fields = [("name", &maintainer.name), ("email", &maintainer.email), ("url", &maintainer.url)];
            let given = fields.into_iter().filter(|(_, text)| !text.is_empty());
            Json::Object(given.map(|(name, text)| (name.to_owned(), Json::from(text.as_str()))).collect())
        });
        fields.insert("maintainers".to_owned(), maintainers.collect());
    }
    for (name, text) in [
        ("icon", &metadata.icon),
        ("apiVersion", &metadata.api_version),
        ("condition", &metadata.condition),
        ("tags", &metadata.tags),
        ("appVersion", &metadata.app_version),
    ] {
        if !text.is_empty() {
            fields.insert(name.to_owned(), Json::from(text.as_str()));
        }
    }
    if metadata.deprecated {
        fields.insert("deprecated".to_owned(), true.into());
    }
    let mut annotations = metadata.annotations.clone().unwrap_or_default();
    annotations.sort();
    if !annotations.is_empty() {
        let annotations = annotations.into_iter().map(|(key, value)| (key, Json::from(value)));
        fields.insert("annotations".to_owned(), Json::Object(annotations.collect()));
    }
    if !metadata.kube_version.is_empty() {
        fields.insert("kubeVersion".to_owned(), Json::from(metadata.kube_version.as_str()));
    }
    let dependencies = metadata.dependencies.as_deref().unwrap_or_default();
    if !dependencies.is_empty() {
        let dependencies: Result<Vec<Json>, String> = dependencies.iter().map(dependency).collect();
        fields.insert("dependencies".to_owned(), dependencies?.into());
    }
    if !metadata.kind.is_empty() {
        fields.insert("type".to_owned(), Json::from(metadata.kind.as_str()));
    }
    Ok(Json::Object(fields))
}

fn dependency(dependency: &Dependency) -> Result<Json, String> {
    let mut fields = Fields::new();
    fields.insert("name".to_owned(), Json::from(dependency.name.as_str()));
    if !dependency.version.is_empty() {
        fields.insert("version".to_owned(), Json::from(dependency.version.as_str()));
    }
    fields.insert("repository".to_owned(), Json::from(dependency.repository.as_str()));
    if !dependency.condition.is_empty() {
        fields.insert("condition".to_owned(), Json::from(dependency.condition.as_str()));
    }
    if !dependency.tags.is_empty() {
        fields.insert("tags".to_owned(), dependency.tags.iter().map(String::as_str).collect());
    }
    if dependency.enabled {
        fields.insert("enabled".to_owned(), true.into());
    }
    if !dependency.import_values.is_empty() {
        let values: Result<Vec<Json>, String> = dependency.import_values.iter().map(as_json).collect();
        fields.insert("import-values".to_owned(), values?.into());
    }
    if !dependency.alias.is_empty() {
        fields.insert("alias".to_owned(), Json::from(dependency.alias.as_str()));
    }
    Ok(Json::Object(fields))
}

/// Chart.lock.
fn lock(file: &File) -> Json {
    let parsed = from_yaml(&file.text(), None).ok().and_then(|value| as_json(&value).ok()).unwrap_or_default();
    let text = |json: &Json, name: &str| json.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    let generated = Some(text(&parsed, "generated")).filter(|text| !text.is_empty());
    let dependencies = parsed.get("dependencies").and_then(Json::as_array).map(|list| {
        let entry = |entry: &Json| {
            let mut fields = Fields::new();
            fields.insert("name".to_owned(), text(entry, "name").into());
            if !text(entry, "version").is_empty() {
                fields.insert("version".to_owned(), text(entry, "version").into());
            }
            fields.insert("repository".to_owned(), text(entry, "repository").into());
            Json::Object(fields)
        };
        list.iter().map(entry).collect::<Vec<_>>()
    });
    json!({
        "generated": generated.unwrap_or_else(|| "0001-01-01T00:00:00Z".to_owned()),
        "digest": text(&parsed, "digest"),
        "dependencies": dependencies,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_is_stored_as_helm_stores_it() {
        let world = MemoryWorld::new()
            .with(
                "c/Chart.yaml",
                "apiVersion: v2\nname: c\nversion: 1.0.0\nannotations: {b: x, a: z}\nappVersion: \"2\"\n",
            )
            .with("c/values.yaml", "b: 1\na: [x]\n")
            .with("c/README.md", "hello")
            .with("c/templates/a.yaml", "a: b");
        let chart = load("c".into(), &world, Origins::Untracked, &mut |_| {}).expect("it is good");
        let stored = stored(&chart).expect("it can be stored");
        let wanted = concat!(
            r#"{"metadata":{"name":"c","version":"1.0.0","apiVersion":"v2","appVersion":"2","annotations":{"a":"z","b":"x"}},"#,
            r#""lock":null,"templates":[{"name":"templates/a.yaml","data":"YTogYg=="}],"values":{"a":["x"],"b":1},"#,
            r#""schema":null,"schemamodtime":"0001-01-01T00:00:00Z","files":[{"name":"README.md","data":"aGVsbG8="}]}"#
        );
        assert_eq!(onepane_release::go_json(&stored), wanted);
        let release = Release { chart: stored, config: json!({"b": 2, "a": null}), ..Release::default() };
        let all = computed(&release, &mut |_| {}).map_err(|failure| failure.message).expect("they coalesce");
        assert_eq!(as_json(&all.into()).expect("they are plain").to_string(), r#"{"b":2}"#);
    }
}
