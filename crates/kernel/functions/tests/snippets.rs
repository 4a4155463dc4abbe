//! What templates of Helm 4.3's functions print or fail with (`snippets/*.jsonl`, made by running them in Go on
//! `snippets/data.yaml`), and that ours do the same.
//!
//! A line has the template `t`, what it prints before it ends or fails as `o`, and its error as `e`.

use onepane_template::{MissingKey, Offline, Options, Templates};
use onepane_value::{Value, from_yaml_as_go};
use onepane_world::MemoryWorld;
use std::fmt::Write;

fn render(template: &str, data: &Value) -> Result<String, String> {
    let options = Options { missing_key: MissingKey::Zero, ..Options::default() };
    let mut templates = Templates::new(&onepane_functions::HELM, options);
    templates.parse("t", None, template).map_err(|error| error.to_string())?;
    let text = templates.execute("t", data, &MemoryWorld::new(), &Offline).map_err(|error| error.to_string())?;
    Ok(text.to_string())
}

#[test]
fn snippets_print_and_fail_as_in_go() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snippets");
    let data = std::fs::read_to_string(format!("{folder}/data.yaml")).expect("the data are there");
    let mut files: Vec<_> = std::fs::read_dir(folder).expect("the folder is there").flatten().collect();
    files.retain(|file| file.path().extension().is_some_and(|extension| extension == "jsonl"));
    files.sort_by_key(std::fs::DirEntry::path);
    let (mut report, mut count) = (String::new(), 0);
    for file in files {
        let lines = std::fs::read_to_string(file.path()).expect("a table can be read");
        for line in lines.lines() {
            let case: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
            let field = |name: &str| case[name].as_str().unwrap_or_default();
            let wanted = if field("e").is_empty() { Ok(field("o")) } else { Err(field("e")) };
            // Each has data of its own: snippets change them.
            let data = from_yaml_as_go(&data).expect("the data are YAML");
            let found = render(field("t"), &data);
            count += 1;
            if found.as_deref().map_err(String::as_str) != wanted {
                let _ = writeln!(report, "{}\n  wanted {wanted:?}\n  found  {found:?}", field("t"));
            }
        }
    }
    assert!(report.is_empty(), "of {count} snippets these differ:\n{report}");
}
