//! Which subcharts take part, under which names, and what they export to their parents.

use crate::chart::Chart;
use crate::coalesce::{coalesce_values, merge_values};
use crate::compat::Compat;
use crate::metadata::{Dependency, Metadata};
use crate::tables::{Nulls, Warn, lay_over};
use onepane_diagnostics::{Diagnostic, Origin, Result};
use onepane_semver::{Constraint, Version};
use onepane_value::{Data, Map, MapType, Value, format::sprint};
use std::rc::Rc;

/// What switches a subchart on or off.
#[derive(Clone, Debug)]
pub struct Switch {
    /// The subchart below the chart: `charts/a/charts/b`.
    pub folder: String,
    /// The value of its condition, or of one of its tags.
    pub value: Origin,
}

/// Keeps the enabled subcharts, renames the aliased ones and imports values, as Helm does before it renders. Gives what
/// switches subcharts, as far as it is known where that is from.
pub fn process_dependencies(
    chart: &mut Chart,
    given: &Map,
    compat: Compat,
    warn: &mut dyn FnMut(Diagnostic),
) -> Result<Vec<Switch>> {
    let mut switches = Vec::new();
    enable(chart, given, compat, Place { values: "", folder: "" }, &mut switches, warn)?;
    import_values(chart, warn)?;
    Ok(switches)
}

/// The names of `dependencies` that are not below `charts/`.
pub fn missing_dependencies(chart: &Chart) -> Vec<&str> {
    let wanted = chart.metadata.dependencies.iter().flatten();
    let there = |name: &str| chart.dependencies.iter().any(|subchart| subchart.name() == name);
    wanted.map(|dependency| dependency.name.as_str()).filter(|name| !there(name)).collect()
}

/// The subcharts under the names that `chart` calls them by, whether or not they are enabled.
pub fn named_dependencies(chart: &Chart) -> Vec<Chart> {
    let mut wanted = chart.metadata.dependencies.clone().unwrap_or_default();
    named(chart.dependencies.clone(), &mut wanted)
}

/// The names or aliases of the dependencies that no subchart stands for.
pub fn missing_among(chart: &Chart) -> Vec<String> {
    let present = named_dependencies(chart);
    let wanted = chart.metadata.dependencies.iter().flatten();
    let names = wanted.map(|wanted| if wanted.alias.is_empty() { &wanted.name } else { &wanted.alias });
    names.filter(|name| present.iter().all(|subchart| subchart.name() != *name)).cloned().collect()
}

/// Whether `version` satisfies `constraint`; what can't be read satisfies nothing.
pub fn is_compatible(constraint: &str, version: &str) -> bool {
    match (Constraint::parse(constraint), Version::parse(version)) {
        (Ok(constraint), Ok(version)) => constraint.check(&version),
        _ => false,
    }
}

/// Where a chart is: the start of its keys in the values of the whole, and of its path below it.
#[derive(Clone, Copy)]
struct Place<'p> {
    values: &'p str,
    folder: &'p str,
}

fn enable(
    chart: &mut Chart,
    given: &Map,
    compat: Compat,
    place: Place<'_>,
    switches: &mut Vec<Switch>,
    warn: Warn<'_>,
) -> Result<()> {
    let Some(mut wanted) = chart.metadata.dependencies.clone() else { return Ok(()) };
    chart.dependencies = named(std::mem::take(&mut chart.dependencies), &mut wanted);
    let metadata = Rc::make_mut(&mut chart.metadata);
    metadata.dependencies = Some(wanted.clone());

    let values = coalesce_values(chart, given, compat, warn)?;
    let mut switched = |dependency: &Dependency, by: &Value| {
        if by.origin.is_known() {
            let folder = format!("{}charts/{}", place.folder, dependency.name);
            switches.push(Switch { folder, value: by.origin.clone() });
        }
    };
    apply_tags(&mut wanted, &values, &mut switched, warn);
    apply_conditions(&mut wanted, &values, place.values, &mut switched, warn);
    let disabled: Vec<String> =
        wanted.iter().filter(|dependency| !dependency.enabled).map(|d| d.name.clone()).collect();
    let is_disabled = |name: &str| disabled.iter().any(|other| other == name);
    chart.dependencies.retain(|subchart| !is_disabled(subchart.name()));
    for subchart in &mut chart.dependencies {
        let inner = format!("{}{}.", place.values, subchart.name());
        let folder = format!("{}charts/{}/", place.folder, subchart.name());
        enable(subchart, &values, compat, Place { values: &inner, folder: &folder }, switches, warn)?;
    }
    wanted.retain(|dependency| !is_disabled(&dependency.name));
    // Helm leaves a nil slice where none are left, and then imports nothing.
    let metadata = Rc::make_mut(&mut chart.metadata);
    metadata.dependencies = (!wanted.is_empty()).then_some(wanted);
    Ok(())
}

/// The subcharts that Chart.yaml does not name, then those it names, each as often as it is named and under its alias.
fn named(present: Vec<Chart>, wanted: &mut [Dependency]) -> Vec<Chart> {
    let fits = |chart: &Chart, dependency: &Dependency| {
        chart.name() == dependency.name && is_compatible(&dependency.version, &chart.metadata.version)
    };
    let unnamed = present.iter().filter(|chart| !wanted.iter().any(|dependency| fits(chart, dependency)));
    let mut charts: Vec<Chart> = unnamed.cloned().collect();
    for dependency in wanted {
        if let Some(found) = present.iter().find(|chart| fits(chart, dependency)) {
            let mut chart = found.clone();
            if !dependency.alias.is_empty() {
                Rc::<Metadata>::make_mut(&mut chart.metadata).name.clone_from(&dependency.alias);
            }
            charts.push(chart);
        }
        if !dependency.alias.is_empty() {
            dependency.name.clone_from(&dependency.alias);
        }
        dependency.enabled = true;
    }
    charts
}

/// A dependency with tags is enabled when one of them is true or none is set.
fn apply_tags(wanted: &mut [Dependency], values: &Map, switched: &mut dyn FnMut(&Dependency, &Value), warn: Warn<'_>) {
    let Some(Value { data: Data::Map(tags), .. }) = values.get("tags") else { return };
    for dependency in wanted {
        let (mut any_true, mut any_false) = (false, false);
        for tag in &dependency.tags {
            let value = tags.get(tag.as_bytes());
            value.iter().for_each(|value| switched(dependency, value));
            match value.map(|value| value.as_bool()) {
                Some(Some(true)) => any_true = true,
                Some(Some(false)) => any_false = true,
                Some(None) => warn_non_boolean("tag", tag, &dependency.name, warn),
                None => {}
            }
        }
        dependency.enabled = any_true || !any_false;
    }
}

/// The first path of a condition that leads to a boolean decides.
fn apply_conditions(
    wanted: &mut [Dependency],
    values: &Map,
    path: &str,
    switched: &mut dyn FnMut(&Dependency, &Value),
    warn: Warn<'_>,
) {
    for dependency in wanted {
        for condition in dependency.condition.trim().split(',').filter(|condition| !condition.is_empty()) {
            let Some(value) = leaf(values, &format!("{path}{condition}")) else { continue };
            if let Some(enabled) = value.as_bool() {
                switched(dependency, &value);
                dependency.enabled = enabled;
                break;
            }
            warn_non_boolean("path", condition, &dependency.name, warn);
        }
    }
}

fn warn_non_boolean(what: &str, which: &str, chart: &str, warn: Warn<'_>) {
    let message = format!("returned non-bool value ({what} {which}, chart {chart})");
    warn(*Diagnostic::warning("dependency-condition", message));
}

/// The value at the end of a dotted path, unless it is a table.
fn leaf(values: &Map, path: &str) -> Option<Value> {
    let (tables, key) = path.rsplit_once('.').unwrap_or(("", path));
    let table = if tables.is_empty() { values.clone() } else { table_at(values, tables).ok()? };
    table.get(key).filter(|value| value.as_map().is_none())
}

/// The table at the end of a dotted path; the key that is none otherwise.
fn table_at<'p>(values: &Map, path: &'p str) -> Result<Map, &'p str> {
    path.split('.').try_fold(values.clone(), |table, key| match table.get(key) {
        Some(Value { data: Data::Map(map), .. }) => Ok(map),
        _ => Err(key),
    })
}

/// Inner charts first: what a chart exports may come from its own subcharts.
fn import_values(chart: &mut Chart, warn: Warn<'_>) -> Result<()> {
    for subchart in &mut chart.dependencies {
        import_values(subchart, warn)?;
    }
    let Some(mut wanted) = chart.metadata.dependencies.clone() else { return Ok(()) };
    let values = merge_values(chart, warn)?;
    let mut imported = Map::new();
    for dependency in &mut wanted {
        let mut resolved = Vec::new();
        for entry in &dependency.import_values {
            let (child, parent) = match &entry.data {
                Data::Map(map) => {
                    let text = |key: &str| sprint(&[map.get(key).unwrap_or_default()]).to_string();
                    (text("child"), text("parent"))
                }
                Data::String(name) => (format!("exports.{name}"), ".".to_owned()),
                _ => continue,
            };
            resolved.push(Value::from(
                Map::from_iter([("child", Value::string(child.as_str())), ("parent", Value::string(parent.as_str()))])
                    .declared_as(MapType::String),
            ));
            match table_at(&values, &format!("{}.{child}", dependency.name)) {
                Ok(table) => imported = lay_over(&imported, &at_path(&parent, table), "", Nulls::Keep, false, warn),
                Err(key) => {
                    let message =
                        format!("ImportValues missing table from chart {}: {key:?} is not a table", dependency.name);
                    warn(*Diagnostic::warning("dependency-import", message));
                }
            }
        }
        dependency.import_values = resolved;
    }
    // The parent's own values win over what it imports.
    chart.values = lay_over(&values, &imported, "", Nulls::Keep, false, warn);
    if wanted.iter().any(|dependency| !dependency.import_values.is_empty()) {
        Rc::make_mut(&mut chart.metadata).dependencies = Some(wanted);
    }
    Ok(())
}

/// `table` below the keys of `path`.
fn at_path(path: &str, table: Map) -> Map {
    if path == "." {
        return table;
    }
    path.split('.').rev().fold(table, |inner, key| Map::from_iter([(key, Value::from(inner))]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Origins, load};
    use onepane_value::{from_yaml_map, to_yaml};
    use onepane_world::MemoryWorld;

    fn processed(dependencies: &str, values: &str, given: &str) -> Chart {
        let chart_yaml = format!("apiVersion: v2\nname: p\nversion: 1.0.0\ndependencies:\n{dependencies}");
        let mut world = MemoryWorld::new().with("p/Chart.yaml", chart_yaml).with("p/values.yaml", values);
        for name in ["a", "b"] {
            let path = format!("p/charts/{name}");
            world = world
                .with(format!("{path}/Chart.yaml"), format!("apiVersion: v2\nname: {name}\nversion: 1.2.3\n"))
                .with(format!("{path}/values.yaml"), "exports:\n  all:\n    x: exported\ninner:\n  w: 1\n");
        }
        let mut chart = load("p".into(), &world, Origins::Untracked, &mut |_| {}).expect("the chart is good");
        let given = from_yaml_map(given, None).expect("the values are good");
        process_dependencies(&mut chart, &given, Compat::Helm4, &mut |_| {}).expect("the dependencies are good");
        chart
    }

    #[test]
    fn conditions_tags_aliases_and_ranges_decide() {
        let cases: &[(&str, &str, &str, &[&str])] = &[
            ("- {name: a}\n- {name: b}\n", "", "", &[]),
            ("- {name: a, version: 1.x}\n- {name: b, version: \">=1\"}\n", "", "", &["a", "b"]),
            ("- {name: a, version: ^2}\n", "", "", &["a", "b"]),
            ("- {name: a, version: ^1, condition: a.use}\n", "a: {use: false}\n", "", &["b"]),
            ("- {name: a, version: ^1, condition: a.use}\n", "a: {use: false}\n", "a: {use: true}\n", &["b", "a"]),
            ("- {name: a, version: ^1, condition: \"x.w,a.use\"}\n", "a: {use: false}\n", "", &["b"]),
            ("- {name: a, version: ^1, tags: [t]}\n", "tags: {t: false}\n", "", &["b"]),
            ("- {name: a, version: ^1, tags: [t, u]}\n", "tags: {t: false, u: true}\n", "", &["b", "a"]),
            (
                "- {name: a, version: ^1, tags: [t], condition: a.use}\n",
                "tags: {t: false}\na: {use: true}\n",
                "",
                &["b", "a"],
            ),
            ("- {name: a, version: ^1, alias: x}\n- {name: a, version: ^1, alias: z}\n", "", "", &["b", "x", "z"]),
        ];
        for (dependencies, values, given, wanted) in cases {
            let chart = processed(dependencies, values, given);
            let names: Vec<_> = chart.dependencies.iter().map(Chart::name).collect();
            // A dependency whose range does not fit is none; its folder is a plain subchart.
            let wanted: &[&str] = if wanted.is_empty() { &["a", "b"] } else { wanted };
            let mut sorted = (names.clone(), wanted.to_vec());
            sorted.0.sort_unstable();
            sorted.1.sort_unstable();
            assert_eq!(sorted.0, sorted.1, "{dependencies} {values} {given}");
        }
    }

    #[test]
    fn exports_come_in_below_the_parents_own_values() {
        let chart = processed(
            "- name: a\n  version: ^1\n  import-values:\n  - all\n  - {child: inner, parent: got}\n",
            "got: {z: own}\n",
            "",
        );
        assert_eq!(to_yaml(&chart.values.get("x").expect("it is imported")).expect("it is plain"), "exported\n");
        let got = chart.values.get("got").expect("it is imported");
        assert_eq!(to_yaml(&got).expect("it is plain"), "w: 1\nz: own\n");
    }

    #[test]
    fn missing_dependencies_are_named() {
        let world = MemoryWorld::new()
            .with("p/Chart.yaml", "apiVersion: v2\nname: p\nversion: 1.0.0\ndependencies: [{name: x}, {name: z}]\n");
        let chart = load("p".into(), &world, Origins::Untracked, &mut |_| {}).expect("the chart is good");
        assert_eq!(missing_dependencies(&chart), ["x", "z"]);
    }
}
