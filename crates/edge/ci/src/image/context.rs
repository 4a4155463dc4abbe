//! What Docker is given of a folder: an archive without what `.dockerignore` names, [`of`].

use glob::{MatchOptions, Pattern};
use std::fs;
use std::path::Path;

/// No more is sent.
const LARGEST: u64 = 1 << 30;

/// The archive. The Dockerfile is in it in any case.
pub(super) fn of(folder: &Path) -> Result<Vec<u8>, String> {
    if !folder.join("Dockerfile").is_file() {
        return Err(format!("{} has no Dockerfile", folder.display()));
    }
    let ignored = Ignored::read(&fs::read_to_string(folder.join(".dockerignore")).unwrap_or_default())?;
    let mut archive = tar::Builder::new(Vec::new());
    // Links are sent as links, so that none leads out of the folder.
    archive.follow_symlinks(false);
    let mut size = 0;
    add(&mut archive, folder, "", &ignored, &mut size)?;
    archive.into_inner().map_err(|error| error.to_string())
}

fn add(
    archive: &mut tar::Builder<Vec<u8>>,
    folder: &Path,
    below: &str,
    ignored: &Ignored,
    size: &mut u64,
) -> Result<(), String> {
    let place = folder.join(below);
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", place.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(&place).map_err(|error| failed(&error))? {
        let name = entry.map_err(|error| failed(&error))?.file_name();
        names.push(name.into_string().map_err(|name| failed(&format!("{} is not UTF-8", name.display())))?);
    }
    names.sort();
    for name in names {
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        let metadata = fs::symlink_metadata(folder.join(&path)).map_err(|error| failed(&error))?;
        let is_left_out = ignored.names(&path) && path != "Dockerfile";
        if metadata.is_dir() {
            // Something within may be wanted all the same.
            if !is_left_out || ignored.has_exceptions {
                add(archive, folder, &path, ignored, size)?;
            }
            continue;
        }
        if is_left_out || !(metadata.is_file() || metadata.is_symlink()) {
            continue;
        }
        *size += metadata.len();
        if *size > LARGEST {
            let why = format!("it has more than {LARGEST} bytes; .dockerignore says what is not needed");
            return Err(format!("{}: {why}", folder.display()));
        }
        archive.append_path_with_name(folder.join(&path), &path).map_err(|error| failed(&error))?;
    }
    Ok(())
}

/// The lines of a `.dockerignore`.
struct Ignored {
    /// Each with whether it makes an exception; the last that fits has the say.
    patterns: Vec<(Pattern, bool)>,
    has_exceptions: bool,
}

impl Ignored {
    fn read(text: &str) -> Result<Self, String> {
        let mut patterns = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (pattern, is_exception) = match line.strip_prefix('!') {
                Some(pattern) => (pattern.trim(), true),
                None => (line, false),
            };
            let pattern = pattern.trim_start_matches("./").trim_matches('/');
            let pattern = Pattern::new(pattern).map_err(|error| format!(".dockerignore: `{line}`: {error}"))?;
            patterns.push((pattern, is_exception));
        }
        let has_exceptions = patterns.iter().any(|(_, is_exception)| *is_exception);
        Ok(Self { patterns, has_exceptions })
    }

    /// Whether a path is left out: it, or a folder that it is in, is named.
    fn names(&self, path: &str) -> bool {
        let options = MatchOptions { require_literal_separator: true, ..MatchOptions::new() };
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        let parents: Vec<&str> = ends.map(|end| &path[..end]).collect();
        let fits = |pattern: &Pattern| parents.iter().any(|parent| pattern.matches_with(parent, options));
        self.patterns.iter().rev().find(|(pattern, _)| fits(pattern)).is_some_and(|(_, is_exception)| !is_exception)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn what_is_ignored_is_not_sent() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it can be made");
            fs::write(path, text).expect("it can be written");
        };
        assert!(of(folder.path()).is_err_and(|why| why.ends_with("has no Dockerfile")));
        for path in ["Dockerfile", "main.go", "bin/api", "bin/keep", ".git/config", "a/b/c.log", "a/d.txt"] {
            write(path, path);
        }
        write(".dockerignore", "# comment\n.git\nDockerfile\n**/*.log\n/bin/\n!bin/keep\n");
        let archive = of(folder.path()).expect("it can be made");
        let mut found = Vec::new();
        for entry in tar::Archive::new(archive.as_slice()).entries().expect("it is one") {
            let mut entry = entry.expect("it is whole");
            let path = entry.path().expect("it has one").to_str().expect("it is UTF-8").to_owned();
            let mut text = String::new();
            entry.read_to_string(&mut text).expect("it can be read");
            assert!(path == ".dockerignore" || text == path);
            found.push(path);
        }
        assert_eq!(found, [".dockerignore", "Dockerfile", "a/d.txt", "bin/keep", "main.go"]);
        write(".dockerignore", "[\n");
        assert!(of(folder.path()).is_err_and(|why| why.contains(".dockerignore")));
    }
}
