//! `--output`: lists as Helm prints them for programs.

use super::flags::{Flag, Kind, Parsed, short};
use onepane_value::{List, Map, Value, to_json, to_yaml};

/// The flag.
pub(super) const OUTPUT: &[Flag] = &[short('o', "output", Kind::Text, "table, json or yaml; table by default")];

/// What a list is printed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Columns for people.
    Table,
    /// A line of JSON.
    Json,
    /// YAML with sorted keys.
    Yaml,
}

impl Format {
    /// What the flags ask for; the error is Helm's.
    pub(super) fn read(flags: &Parsed) -> Result<Self, String> {
        match flags.text("output").unwrap_or("table") {
            "table" => Ok(Self::Table),
            "json" => Ok(Self::Json),
            "yaml" => Ok(Self::Yaml),
            other => Err(format!("invalid argument {other:?} for \"-o, --output\" flag: invalid format type")),
        }
    }
}

/// Rows as a list of objects with these fields, which JSON has in this order.
pub(super) fn text<const N: usize>(fields: [&str; N], rows: &[[String; N]], format: Format) -> Result<String, String> {
    if format == Format::Yaml {
        let objects = rows.iter().map(|row| {
            let entries = fields.iter().zip(row).map(|(field, text)| (*field, Value::string(text.as_str())));
            Value::from(entries.collect::<Map>())
        });
        let objects: Value = objects.collect::<List>().into();
        return Ok(to_yaml(&objects)?.to_str().into_owned());
    }
    let quoted = |text: &str| to_json(&Value::string(text)).map(|text| text.to_str().into_owned());
    let mut objects = Vec::new();
    for row in rows {
        let mut entries = Vec::new();
        for (field, text) in fields.iter().zip(row) {
            entries.push(format!("{}:{}", quoted(field)?, quoted(text)?));
        }
        objects.push(format!("{{{}}}", entries.join(",")));
    }
    Ok(format!("[{}]\n", objects.join(",")))
}
