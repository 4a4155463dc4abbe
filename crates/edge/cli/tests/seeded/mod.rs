//! Repositories to seed faults in, and faults.

pub(crate) mod faults;

use onepane_testkit::{Finished, run_once};
use std::path::{Path, PathBuf};

/// An edit of a file, and the finding that has to follow from it.
pub(crate) struct Fault {
    /// The code of the finding.
    pub(crate) code: &'static str,
    /// The file that is edited.
    pub(crate) file: &'static str,
    /// What stands there once, and what takes its place. Without the former, a file is made or a text put to its end.
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    /// The file of the finding, if it is another one.
    pub(crate) place: Option<&'static str>,
    /// A part of the line of the finding: the first such one behind the edit, else in the file.
    pub(crate) line: &'static str,
    /// Whether that line is before the edit, the nearest one.
    pub(crate) is_above: bool,
    /// Other findings that follow from the same edit.
    pub(crate) also: &'static [&'static str],
}

/// Runs `onepane`, and gives what it printed.
pub(crate) fn onepane(folder: &Path, arguments: &[&str]) -> (Finished, String) {
    let finished = run_once(env!("CARGO_BIN_EXE_onepane"), arguments, folder);
    let said = String::from_utf8_lossy(&finished.stdout).into_owned();
    (finished, said)
}

/// Copies the files below a folder.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder can be made");
    for entry in std::fs::read_dir(from).expect("it is a folder") {
        let entry = entry.expect("it can be read");
        let target = to.join(entry.file_name());
        match entry.file_type().expect("it has a type") {
            kind if kind.is_dir() => copy(&entry.path(), &target),
            kind if kind.is_file() => drop(std::fs::copy(entry.path(), &target).expect("it can be copied")),
            _ => {}
        }
    }
}

/// The small repository of `seeded/base`, without faults.
pub(crate) fn base() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/seeded/base")
}

/// What `check` found, as `(code, file, line)`.
pub(crate) type Found = Vec<(String, String, u64)>;

/// Runs `check` with more arguments.
pub(crate) fn checked(folder: &Path, arguments: &[&str]) -> (Found, String) {
    let (finished, said) = onepane(folder, &[&["check", "--output", "json"], arguments].concat());
    let report: serde_json::Value =
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}\n{}", finished.stderr));
    let findings = report["findings"].as_array().expect("there are findings");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let found = findings
        .iter()
        .map(|one| {
            let span = &one["primary"]["span"];
            (text(&one["code"]), text(&span["file"]), span["line"].as_u64().unwrap_or(0))
        })
        .collect();
    (found, said)
}

impl Fault {
    /// Makes the edit; gives the line at which the finding has to be.
    pub(crate) fn seed(&self, folder: &Path) -> u64 {
        let path = folder.join(self.file);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let start = if self.from.is_empty() {
            text.len()
        } else {
            assert_eq!(
                text.matches(self.from).count(),
                1,
                "{}: `{}` is not there once in {}",
                self.code,
                self.from,
                self.file
            );
            text.find(self.from).expect("it is there once")
        };
        let edited = format!("{}{}{}", &text[..start], self.to, &text[start + self.from.len()..]);
        std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder can be made");
        std::fs::write(&path, &edited).expect("it can be written");
        let (text, from_line) = match self.place {
            None => (edited.clone(), edited[..start].matches('\n').count()),
            Some(place) => (std::fs::read_to_string(folder.join(place)).unwrap_or_default(), 0),
        };
        let lines: Vec<&str> = text.lines().collect();
        // With a line break, the line ends so.
        let is_it = |line: &str| match self.line.strip_suffix('\n') {
            Some(end) => line.ends_with(end),
            None => line.contains(self.line),
        };
        let here = |from: usize| lines.iter().skip(from).position(|line| is_it(line)).map(|at| at + from);
        let above = || lines[..from_line.min(lines.len())].iter().rposition(|line| is_it(line));
        let found = if self.is_above { above() } else { here(from_line).or_else(|| here(0)) };
        found.unwrap_or_else(|| panic!("{}: no line has `{}`", self.code, self.line)) as u64 + 1
    }

    /// What is wrong with what was found, if anything.
    pub(crate) fn missed(&self, found: &Found, line: u64) -> Option<String> {
        let place = self.place.unwrap_or(self.file);
        let wanted = (self.code.to_owned(), place.to_owned(), line);
        let is_known = |(code, _, _): &&(String, String, u64)| code == self.code || self.also.contains(&code.as_str());
        let others: Vec<_> = found.iter().filter(|one| !is_known(one)).collect();
        let edit = format!("{} → {}", self.from.trim(), self.to.trim());
        match (found.contains(&wanted), others.is_empty()) {
            (true, true) => None,
            (false, _) => Some(format!("{wanted:?} is not found of {edit:?}; found: {found:?}")),
            (true, false) => Some(format!("{edit:?} has findings that nobody expects: {others:?}")),
        }
    }
}
