//! The `onepane` binary: it reads the command line, hands it to one file of [`commands`], and turns what comes back
//! into output and an exit code.

mod commands;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().collect();
    // Placeholder dispatch until the real command line lands: `onepane helm …`, `onepane kustomize …`.
    match arguments.get(1).map(String::as_str) {
        Some("helm") => commands::helm::run(&arguments.split_off(2)),
        Some("kustomize") => commands::kustomize::run(&arguments.split_off(2)),
        _ => ExitCode::from(2),
    }
}
