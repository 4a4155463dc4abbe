//! `onepane src grep`: a regular expression in the files of the repository and of all services.

use crate::commands::open;
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Diagnostic;
use onepane_git::LocalRepository;
use rayon::prelude::*;
use regex::bytes::{Regex, RegexBuilder};
use std::process::ExitCode;

/// What `onepane src grep` takes.
#[derive(clap::Args)]
#[command(after_help = "Exit codes: 0 where something is found, 1 where nothing is, 2 for a wrong command line.")]
pub(super) struct Arguments {
    /// The regular expression, as Rust's crate `regex` has them
    pattern: String,
    /// Only files below these paths
    paths: Vec<Utf8PathBuf>,
    /// Upper and lower case are the same
    #[arg(short, long)]
    ignore_case: bool,
    /// Only the names of files
    #[arg(short = 'l', long)]
    files_with_matches: bool,
}

/// Files that are larger are not searched.
const LARGEST: u64 = 64 << 20;

/// Searches all files that Git has, as they are on disk.
pub(super) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let (root, disk) = open(directory)?;
    let git = LocalRepository::of(&root)?;
    let pattern =
        RegexBuilder::new(&arguments.pattern).case_insensitive(arguments.ignore_case).multi_line(true).build();
    let pattern = pattern.map_err(|error| Diagnostic::error("src-grep-pattern", error.to_string()))?;
    let mut files = git.tracked_files();
    let mut missing = Vec::new();
    for service in git.listed_services(&disk) {
        let own = root.join(&service.path);
        let below = own.join(".git").exists().then(|| LocalRepository::of(&own).ok()).flatten();
        match below {
            Some(below) => files.extend(below.tracked_files().into_iter().map(|file| service.path.join(file))),
            None => missing.push(service.path),
        }
    }
    let paths: Vec<&Utf8Path> =
        arguments.paths.iter().map(|path| Utf8Path::new(path.as_str().trim_start_matches("./"))).collect();
    let is_wanted = |file: &Utf8PathBuf| paths.is_empty() || paths.iter().any(|path| file.starts_with(path));
    missing.retain(|service| is_wanted(service) || paths.iter().any(|path| path.starts_with(service)));
    files.retain(is_wanted);
    files.sort();
    let found: Vec<Vec<u8>> =
        files.par_iter().map(|file| search(&root, file, &pattern, arguments.files_with_matches)).collect();
    let text = found.concat();
    terminal.print(&text)?;
    if !missing.is_empty() {
        let names: Vec<&str> = missing.iter().map(|path| path.as_str()).collect();
        terminal.note(&format!("not searched, since not checked out: {} (`onepane src sync`)", names.join(", ")));
    }
    Ok(if text.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The lines of a file that the pattern is found in, each with the file's name and its number.
fn search(root: &Utf8Path, file: &Utf8Path, pattern: &Regex, only_names: bool) -> Vec<u8> {
    let path = root.join(file);
    let is_readable = path.symlink_metadata().is_ok_and(|data| data.is_file() && data.len() <= LARGEST);
    let Some(bytes) = is_readable.then(|| std::fs::read(&path).ok()).flatten() else { return Vec::new() };
    // What is no text has no lines.
    if bytes[..bytes.len().min(8 << 10)].contains(&0) || !pattern.is_match(&bytes) {
        return Vec::new();
    }
    if only_names {
        return format!("{file}\n").into_bytes();
    }
    let mut found = Vec::new();
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if pattern.is_match(line) {
            found.extend_from_slice(format!("{file}:{}:", number + 1).as_bytes());
            found.extend_from_slice(line);
            found.push(b'\n');
        }
    }
    found
}
