//! What `--help` prints.

use super::flags::{Flag, GLOBAL, Kind, TEMPLATE};
use super::{Failure, print};
use std::fmt::Write;

pub(super) fn print_root() -> Result<(), Failure> {
    print(
        b"Helm's own command line, in onepane.\n\nUsage:\n  helm template [NAME] [CHART] [flags]\n\nRun 'helm template \
          --help' for its flags.\n",
    );
    Ok(())
}

pub(super) fn print_template() -> Result<(), Failure> {
    let mut text = String::from(
        "Render a chart to stdout, without a cluster and without a network.\n\nUsage:\n  helm template [NAME] [CHART] \
         [flags]\n\nFlags:\n",
    );
    list(&mut text, TEMPLATE);
    text.push_str("\nGlobal Flags:\n");
    list(&mut text, GLOBAL);
    print(text.as_bytes());
    Ok(())
}

fn list(text: &mut String, flags: &[Flag]) {
    for flag in flags.iter().filter(|flag| !flag.help.is_empty()) {
        let shorthand = flag.shorthand.map_or_else(|| "    ".to_owned(), |letter| format!("-{letter}, "));
        let kind = match flag.kind {
            Kind::Bool => "",
            Kind::Text | Kind::OptionalText(_) => " string",
            Kind::Array => " stringArray",
            Kind::Slice => " strings",
            Kind::Duration => " duration",
            Kind::Integer => " int",
            Kind::Number => " float32",
        };
        let name = format!("--{}{kind}", flag.name);
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {shorthand}{name:<32} {}", flag.help);
    }
}
