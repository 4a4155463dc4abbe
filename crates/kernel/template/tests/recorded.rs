//! Templates and what Go 1.26 makes of them: every file of `inputs/`.
//!
//! A file is a list of cases: the template, then `=> ` and the output as a quoted Go string, or `!! ` and the error
//! text. `data` sets the data, and `missingkey` the option, of the cases that follow.

mod surroundings;

use onepane_template::{MissingKey, Options, Templates};
use onepane_value::format;
use onepane_world::MemoryWorld;
use std::fmt::Write;

#[test]
fn templates_give_what_go_gives() {
    // Go's recursion is bounded by depth: that needs more stack than a test's thread has.
    let work = std::thread::Builder::new().stack_size(512 << 20).spawn(run).expect("a thread with a large stack");
    let wrong = work.join().expect("no template makes the engine panic");
    assert!(wrong.is_empty(), "{wrong}");
}

fn run() -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/inputs");
    let mut wrong = String::new();
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the inputs are there") {
        let path = entry.expect("a file").path();
        let file = path.file_name().and_then(|name| name.to_str()).expect("a plain name").to_owned();
        let text = std::fs::read_to_string(&path).expect("a text");
        let (mut data, mut missing_key, mut template) = (String::new(), MissingKey::Zero, String::new());
        for line in text.split('\n') {
            let expected = line.strip_prefix("=> ").or_else(|| line.strip_prefix("!! "));
            if let Some(json) = line.strip_prefix("data ").filter(|_| template.is_empty()) {
                data = json.to_owned();
            } else if let Some(option) = line.strip_prefix("missingkey ").filter(|_| template.is_empty()) {
                missing_key = match option {
                    "error" => MissingKey::Error,
                    "default" => MissingKey::Invalid,
                    _ => MissingKey::Zero,
                };
            } else if let Some(expected) = expected {
                template.pop();
                count += 1;
                for origins in [false, true] {
                    let options = Options { missing_key, origins, set_name: "gotpl", ..Options::default() };
                    let actual = outcome(&template, &data, options);
                    if actual != line {
                        let _ = write!(
                            wrong,
                            "\n{file} (origins {origins}): {template}\n  is   {actual}\n  want {expected}\n"
                        );
                    }
                }
                template.clear();
            } else {
                template += line;
                template.push('\n');
            }
        }
    }
    assert!(count > 900, "only {count} cases were found");
    wrong
}

fn outcome(template: &str, data: &str, options: Options) -> String {
    let file = options.origins.then(|| onepane_diagnostics::FileId::new("n"));
    let mut templates = Templates::new(&surroundings::FUNCTIONS, options);
    let text = templates.parse("n", file, template).and_then(|()| {
        templates.execute("n", &surroundings::data(data), &MemoryWorld::new(), &onepane_template::Offline)
    });
    match text {
        Ok(text) => format!("=> {}", format::quote(&text)),
        Err(error) => format!("!! {}", error.to_string().replace('\n', "\\n")),
    }
}
