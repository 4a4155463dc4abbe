//! Values coalescing: what a user gives, over what a parent chart says, over a chart's own defaults, down the tree
//! of subcharts, with `global` handed down. The rules are those of Helm 4.3, but for the nulls of Helm 3 ([`Compat`]).

use crate::chart::Chart;
use crate::compat::Compat;
use crate::tables::{Lazy, Nulls, Warn, joined, lay_over, without_nulls};
use onepane_diagnostics::{Diagnostic, Result};
use onepane_value::{Data, Map, Text, Value};

/// The key whose table every subchart gets.
const GLOBAL: &str = "global";

/// The values of `chart` and, below their names, of its subcharts: `given` over the defaults.
///
/// The result shares what it can with `given` and the charts; make a deep copy before templates may change it.
pub fn coalesce_values(chart: &Chart, given: &Map, compat: Compat, warn: &mut dyn FnMut(Diagnostic)) -> Result<Map> {
    let nulls = match compat {
        Compat::Helm4 => Nulls::Remove,
        Compat::Helm3 => Nulls::RemoveGiven,
    };
    coalesce(chart, given, "", nulls, warn)
}

/// The defaults of `chart` and its subcharts with their nulls: what import-values reads.
pub(crate) fn merge_values(chart: &Chart, warn: Warn<'_>) -> Result<Map> {
    coalesce(chart, &Map::new(), "", Nulls::Keep, warn)
}

fn coalesce(chart: &Chart, given: &Map, prefix: &str, nulls: Nulls, warn: Warn<'_>) -> Result<Map> {
    let path = joined(prefix, &chart.name().into());
    let values = own_defaults(chart, given, &path, nulls, warn);
    if chart.dependencies.is_empty() {
        return Ok(values);
    }
    let mut result = Lazy::new(&values);
    let mut seen: Vec<(&str, Map)> = Vec::new();
    for subchart in &chart.dependencies {
        let key = Text::from(subchart.name());
        let value = match seen.iter().rev().find(|(name, _)| *name == subchart.name()) {
            Some((_, map)) => Some(Value::from(map.clone())),
            None => values.get(&key),
        };
        let (table, origin) = match value {
            None => (Map::new(), Default::default()),
            Some(Value { data: Data::Map(map), origin }) => (map, origin),
            Some(other) => {
                let message = format!("type mismatch on {}: {}", subchart.name(), go_t_verb(&other));
                return Err(Diagnostic::error("values-type", message).at(chart.place));
            }
        };
        let table = hand_down_globals(&table, &values, &path, warn);
        let table = coalesce(subchart, &table, &path, nulls, warn)?;
        seen.push((subchart.name(), table.clone()));
        result.set(&key, Value { data: Data::Map(table), origin });
    }
    Ok(result.finish())
}

/// `given` over the chart's values.yaml.
fn own_defaults(chart: &Chart, given: &Map, path: &str, nulls: Nulls, warn: Warn<'_>) -> Map {
    let mut result = Lazy::new(given);
    chart.values.for_each(|key, default| {
        let Some(value) = given.get(key) else {
            match nulls {
                Nulls::Keep | Nulls::RemoveGiven => result.set(key, default.clone()),
                Nulls::Remove if default.is_nil() => {}
                Nulls::Remove => result.set(key, without_nulls(default)),
            }
            return;
        };
        match (&value.data, &default.data) {
            (Data::Nil, _) => {
                if nulls != Nulls::Keep {
                    result.remove(key);
                }
            }
            (Data::Map(table), Data::Map(default_table)) => {
                // A subchart's table goes through that subchart's own coalescing, which is where its nulls count.
                let is_subchart = chart.dependencies.iter().any(|subchart| *key == subchart.name());
                let inner = if is_subchart { Nulls::Keep } else { nulls };
                let clean = inner == Nulls::Remove;
                let map = lay_over(table, default_table, &joined(path, key), inner, clean, warn);
                let origin = crate::tables::overriding(&value.origin, &default.origin);
                if !map.same(table) || !origin.same(&value.origin) {
                    result.set(key, Value { data: Data::Map(map), origin });
                }
            }
            (Data::Map(_), default_data) => {
                if !matches!(default_data, Data::Nil) {
                    let message = format!("warning: skipped value for {}: Not a table.", joined(path, key));
                    warn(*Diagnostic::warning("values-type", message));
                }
            }
            _ => {
                let origin = crate::tables::overriding(&value.origin, &default.origin);
                if !origin.same(&value.origin) {
                    result.set(key, Value { data: value.data.clone(), origin });
                }
            }
        }
    });
    result.finish()
}

/// A subchart's table with the parent's `global` over its own.
fn hand_down_globals(table: &Map, parent: &Map, prefix: &str, warn: Warn<'_>) -> Map {
    let as_table = |map: &Map| match map.get(GLOBAL) {
        None => Some(Map::new()),
        Some(value) => value.as_map().cloned(),
    };
    let mut refuse = |which: &str| {
        let message = format!("warning: skipping globals because {which} {GLOBAL} is not a table.");
        warn(*Diagnostic::warning("values-type", message));
    };
    let Some(own) = as_table(table) else {
        refuse("destination");
        return table.clone();
    };
    let Some(handed) = as_table(parent) else {
        refuse("source");
        return table.clone();
    };
    let mut globals = Lazy::new(&own);
    handed.for_each(|key, value| match (&value.data, own.get(key)) {
        (Data::Map(above), Some(Value { data: Data::Map(below), origin })) => {
            let map = lay_over(above, &below, &joined(prefix, key), Nulls::Keep, false, warn);
            if map.same(&below) {
                return;
            }
            globals.set(key, Value { data: Data::Map(map), origin: crate::tables::overriding(&value.origin, &origin) });
        }
        (Data::Map(_), Some(_)) => {
            let message = format!("Conflict: cannot merge map onto non-map for {key:?}. Skipping.");
            warn(*Diagnostic::warning("values-type", message));
        }
        (_, Some(Value { data: Data::Map(_), .. })) => {
            warn(*Diagnostic::warning("values-type", format!("key {key} is table. Skipping")));
        }
        (_, Some(old)) => {
            let origin = crate::tables::overriding(&value.origin, &old.origin);
            globals.set(key, Value { data: value.data.clone(), origin });
        }
        (_, None) => globals.set(key, value.clone()),
    });
    let origin = table.get(GLOBAL).map(|value| value.origin).unwrap_or_default();
    let copy = table.shallow_copy();
    copy.insert(GLOBAL, Value { data: Data::Map(globals.finish()), origin });
    copy
}

/// Helm's message formats the value with `%t`, which suits booleans only.
fn go_t_verb(value: &Value) -> String {
    onepane_value::format::sprintf(b"%t", std::slice::from_ref(value)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Origins, load};
    use onepane_value::{from_yaml_map, to_yaml};
    use onepane_world::MemoryWorld;

    /// A chart `p` with a subchart `s`, its values and those of the subchart.
    fn chart(parent: &str, child: &str) -> Chart {
        let world = MemoryWorld::new()
            .with("p/Chart.yaml", "apiVersion: v2\nname: p\nversion: 1.0.0\n")
            .with("p/values.yaml", parent)
            .with("p/charts/s/Chart.yaml", "apiVersion: v2\nname: s\nversion: 1.0.0\n")
            .with("p/charts/s/values.yaml", child);
        load("p".into(), &world, Origins::Untracked, &mut |_| {}).expect("the chart is good")
    }

    fn coalesced(parent: &str, child: &str, given: &str) -> (String, Vec<String>) {
        let mut warnings = Vec::new();
        let given = from_yaml_map(given, None).expect("the values are good");
        let values = coalesce_values(&chart(parent, child), &given, Compat::Helm4, &mut |warning| {
            warnings.push(warning.message)
        });
        let text = to_yaml(&values.expect("they coalesce").into()).expect("they are plain");
        (text.to_string(), warnings)
    }

    #[test]
    fn values_win_from_the_outside_in() {
        // Each from printing .Values with Helm 4.3.1.
        let cases = [
            ("a: 1\nb: 2\n", "", "a: 3\n", "a: 3\nb: 2\ns:\n  global: {}\n"),
            ("a: 1\nt: {x: 1, z: 2}\n", "", "a: null\nt: {x: null}\n", "s:\n  global: {}\nt:\n  z: 2\n"),
            ("s: {x: parent}\n", "x: child\nz: child\n", "", "s:\n  global: {}\n  x: parent\n  z: child\n"),
            ("s: {x: null}\n", "x: child\n", "", "s:\n  global: {}\n  x: child\n"),
            ("", "x: child\n", "s: {x: null}\n", "s:\n  global: {}\n"),
            (
                "global: {a: {b: 1}}\n",
                "global: {a: {c: 2}}\n",
                "",
                "global:\n  a:\n    b: 1\ns:\n  global:\n    a:\n      b: 1\n      c: 2\n",
            ),
            ("a: null\nb: {c: null}\n", "", "", "b: {}\ns:\n  global: {}\n"),
        ];
        for (parent, child, given, wanted) in cases {
            let (text, warnings) = coalesced(parent, child, given);
            assert_eq!((text.as_str(), warnings.len()), (wanted, 0), "{parent} {child} {given}");
        }
    }

    #[test]
    fn what_does_not_fit_is_warned_of() {
        let (text, warnings) = coalesced("a: {b: 1}\nc: 1\n", "", "a: {b: {d: 1}}\nc: {e: 1}\n");
        assert_eq!(text, "a:\n  b:\n    d: 1\nc:\n  e: 1\ns:\n  global: {}\n");
        assert_eq!(
            warnings,
            [
                "warning: destination for p.a.b is a table. Ignoring non-table value (1)",
                "warning: skipped value for p.c: Not a table."
            ]
        );
        let given = from_yaml_map("s: 5\n", None).expect("the values are good");
        let error = coalesce_values(&chart("", ""), &given, Compat::Helm4, &mut |_| {})
            .expect_err("a subchart's values are a table");
        assert_eq!(error.message, "type mismatch on s: %!t(float64=5)");
    }
}
