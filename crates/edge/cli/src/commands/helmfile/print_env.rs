//! `helmfile print-env`: the values of the environment, a document a state.

use super::session::Session;
use super::{Failure, print};
use crate::commands::pflag::Parsed;
use onepane_value::{Map, Value, to_json_indent, to_yaml_pretty};

pub(super) fn run(flags: &Parsed) -> Result<(), Failure> {
    let session = Session::open(flags)?;
    let mut documents = Vec::new();
    for state in &session.states {
        let path = onepane_world::normalize(&session.folder.join(&state.path));
        let described = Map::from_iter([
            ("filePath", Value::from(path.as_str())),
            ("name", state.environment.name.as_str().into()),
            ("values", state.values.clone().into()),
        ]);
        if !state.environment.kube_context.is_empty() {
            described.insert("kubeContext", state.environment.kube_context.as_str().into());
        }
        documents.push(Value::from(described));
    }
    match flags.text("output").unwrap_or_default() {
        "json" => {
            let text = |document: &Value| {
                let text = to_json_indent(document, "  ").map_err(Failure::text)?.to_string();
                Ok::<String, Failure>(text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"))
            };
            let texts: Vec<String> = documents.iter().map(text).collect::<Result<_, _>>()?;
            print(&format!("[\n{}\n]\n", texts.join(",\n")))
        }
        "" | "yaml" => {
            let text =
                |document: &Value| Ok::<_, Failure>(to_yaml_pretty(document).map_err(Failure::text)?.to_string());
            let texts: Vec<String> = documents.iter().map(text).collect::<Result<_, _>>()?;
            print(&texts.join("---\n"))
        }
        other => Err(Failure::text(format!("unsupported output format: {other} (supported: yaml, json)"))),
    }
}
