//! Tables that the API server makes of objects, as kubectl prints them: [`tables`].

use serde_json::{Map, Value};
use unicode_width::UnicodeWidthStr;

/// The narrowest column, and the space behind the widest cell of each.
const NARROWEST: usize = 6;
const SPACE: usize = 3;

/// The tables of each group, in order of the groups' names: Helm has them at random.
pub(super) fn tables(groups: &Map<String, Value>) -> String {
    let mut names: Vec<&String> = groups.keys().collect();
    names.sort();
    let mut out = String::new();
    let mut shown = Value::Null;
    for name in names {
        out += &format!("==> {name}\n");
        for table in groups[name].as_array().into_iter().flatten() {
            out += &one(table, &mut shown);
        }
        out.push('\n');
    }
    out
}

/// One table. Its header is left out if it is that of the one before it, `shown`.
fn one(table: &Value, shown: &mut Value) -> String {
    let own = table.get("columnDefinitions").filter(|columns| columns.as_array().is_some_and(|list| !list.is_empty()));
    let has_header = own.is_some_and(|columns| columns != shown);
    if let Some(columns) = own {
        *shown = columns.clone();
    }
    let columns: Vec<(usize, &str)> = shown
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
        .filter(|(_, column)| column["priority"].as_i64().unwrap_or(0) == 0)
        .map(|(at, column)| (at, column["name"].as_str().unwrap_or_default()))
        .collect();
    let mut rows: Vec<Vec<String>> = Vec::new();
    if has_header {
        rows.push(columns.iter().map(|(_, name)| name.to_uppercase()).collect());
    }
    for row in table.get("rows").and_then(Value::as_array).into_iter().flatten() {
        rows.push(columns.iter().map(|(at, _)| cell(row.get("cells").and_then(|cells| cells.get(*at)))).collect());
    }
    let width = |column: usize| {
        let widest = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0);
        (widest + SPACE).max(NARROWEST)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let last = row.len().saturating_sub(1);
        for (at, cell) in row.iter().enumerate() {
            out += cell;
            if at < last {
                out += &" ".repeat(widths[at].saturating_sub(cell.width()));
            }
        }
        out.push('\n');
    }
    out
}

/// A cell, of which no more than a line is shown.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => match text.find(['\n', '\r']) {
            Some(end) => format!("{}...", &text[..end]),
            None => text.clone(),
        },
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn headers_are_shown_once() {
        let table = |name: &str| {
            json!({"columnDefinitions": [{"name": "Name"}, {"name": "Data"}, {"name": "Hidden", "priority": 1}, {"name": "Age"}],
                "rows": [{"cells": [name, 1, "x", "5s"]}]})
        };
        let groups = json!({"v1/ConfigMap": [table("a"), table("a-long-name")]});
        let wanted = "==> v1/ConfigMap\nNAME   DATA   AGE\na      1      5s\na-long-name   1     5s\n\n";
        assert_eq!(tables(groups.as_object().expect("they are groups")), wanted);
    }
}
