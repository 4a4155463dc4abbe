//! The conformance runner: cases of a corpus as tests.

use crate::{Corpus, Finished, corpus, masked_equal, parse_documents, run, run_with};
use libtest_mimic::{Arguments, Conclusion, Failed, Trial};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Runs the Helm corpus against `binary` (called as `binary helm template …`): each case with Helm 4's result, and with
/// `--compat helm3`, under the name `helm3/…`, those where Helm 3's differs.
pub fn helm(binary: &Path, known_failures: &Path) -> Conclusion {
    main("helm", known_failures, |corpus| {
        let root = Arc::new(corpus.folder.clone());
        let mut checks: Vec<(String, Check)> = Vec::new();
        for (name, folder, case) in Corpus::cases(&corpus.folder.join("cases")) {
            let case = Arc::new(case);
            let mut add = |name: String, version: Version| {
                let (binary, root, folder, case) = (binary.to_owned(), root.clone(), folder.clone(), case.clone());
                checks.push((name, Box::new(move || helm_case(&binary, &root, &folder, &case, version))));
            };
            if folder.join("expected-helm4.yaml").exists() || folder.join("error-helm4.txt").exists() {
                add(format!("helm3/{name}"), Version::Helm3);
            }
            add(name, Version::Helm4);
        }
        checks
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    Helm3,
    Helm4,
}

/// Runs the Kustomize corpus against `binary` (called as `binary kustomize build …`).
pub fn kustomize(binary: &Path, known_failures: &Path) -> Conclusion {
    main("kustomize", known_failures, |corpus| {
        let cases = Corpus::cases(&corpus.folder).into_iter();
        let case = |(name, folder, case): (String, PathBuf, Json)| {
            let binary = binary.to_owned();
            let check: Check = Box::new(move || kustomize_case(&binary, &folder, &case));
            (name, check)
        };
        cases.filter(|(.., case)| case["library_only"] != Json::Bool(true)).map(case).collect()
    })
}

/// Runs the Helmfile corpus against `binary` (called as `binary helmfile …`).
pub fn helmfile(binary: &Path, known_failures: &Path) -> Conclusion {
    main("helmfile", known_failures, |corpus| {
        let cases = Corpus::cases(&corpus.folder).into_iter();
        let case = |(name, folder, case): (String, PathBuf, Json)| {
            let binary = binary.to_owned();
            let check: Check = Box::new(move || helmfile_case(&binary, &folder, &case));
            (name, check)
        };
        cases.map(case).collect()
    })
}

type Check = Box<dyn FnOnce() -> Result<(), String> + Send>;

/// One trial a case, and one that fails where the list names a case that does not exist.
fn main(name: &str, known_failures: &Path, cases: impl FnOnce(&Corpus) -> Vec<(String, Check)>) -> Conclusion {
    let mut arguments = Arguments::from_args();
    // Thousands of lines that say `ok` hide the one that does not.
    arguments.quiet = true;
    let trials = match corpus(name) {
        Err(absent) => {
            eprintln!("SKIPPED {name} conformance: {absent}");
            vec![Trial::test(format!("{name} corpus absent, skipped"), || Ok(())).with_ignored_flag(true)]
        }
        Ok(corpus) => {
            let mut known = read_known_failures(known_failures);
            let mut trials: Vec<Trial> = cases(&corpus)
                .into_iter()
                .map(|(case, check)| {
                    let listed = known.remove(&case);
                    Trial::test(case, move || verdict(check(), listed))
                })
                .collect();
            trials.extend(known.into_iter().map(|absent| {
                Trial::test(absent, || {
                    Err(Failed::from("the list of known failures names it, but there is no such case"))
                })
            }));
            trials
        }
    };
    libtest_mimic::run(&arguments, trials)
}

fn verdict(outcome: Result<(), String>, listed: bool) -> Result<(), Failed> {
    match (outcome, listed) {
        (Ok(()), false) | (Err(_), true) => Ok(()),
        (Ok(()), true) => Err("it passes: take it off the list of known failures".into()),
        (Err(reason), false) => Err(reason.into()),
    }
}

/// Names, one a line; `#` starts a comment.
fn read_known_failures(path: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let name = |line: &str| line.split('#').next().unwrap_or("").trim().to_owned();
    text.lines().map(name).filter(|name| !name.is_empty()).collect()
}

fn helm_case(binary: &Path, root: &Path, folder: &Path, case: &Json, version: Version) -> Result<(), String> {
    let home = temporary_folder()?;
    let mut arguments = vec!["helm".to_owned(), "template".to_owned()];
    if version == Version::Helm3 {
        arguments.extend(["--compat".to_owned(), "helm3".to_owned()]);
    }
    arguments.extend(strings(&case["args"]));
    let finished = run(binary, &arguments, root, home.path())?;
    let own = |name: &str| Some(folder.join(name)).filter(|path| version == Version::Helm4 && path.exists());
    let succeeds =
        own("expected-helm4.yaml").is_some() || (own("error-helm4.txt").is_none() && case["outcome"] != "error");
    if !succeeds {
        let wanted = own("error-helm4.txt").unwrap_or_else(|| folder.join("error.txt"));
        expect_error(&finished)?;
        if case["error_nondeterministic"] == Json::Bool(true) {
            return Ok(());
        }
        return expect_cause(&read(&wanted)?, finished.stderr.as_bytes());
    }
    expect_success(&finished)?;
    let expected = read(&own("expected-helm4.yaml").unwrap_or_else(|| folder.join("expected.yaml")))?;
    if case["nondeterministic"] == Json::Bool(true) {
        let masks: Vec<Vec<String>> = case["mask"].as_array().into_iter().flatten().map(path_of).collect();
        return masked_equal(&parse_documents(&expected)?, &parse_documents(&finished.stdout)?, &masks);
    }
    expect_bytes(&expected, &finished.stdout)
}

/// Whether the last cause of the expected error is named by ours, as the corpus' own runner tells it.
fn expect_cause(expected: &[u8], actual: &[u8]) -> Result<(), String> {
    let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).split_whitespace().collect::<Vec<_>>().join(" ");
    let (expected, actual) = (words(expected), words(actual));
    let expected = expected.split("Error: ").last().unwrap_or_default();
    let expected = expected.trim_end_matches("Use --debug flag to render out invalid YAML").trim_end();
    let after = |mark: &str| expected.rfind(mark).map(|at| at + mark.len());
    let cause = &expected[after(">: ").max(after("): ")).unwrap_or(0)..];
    // A schema's findings come in the order of a Go map, which is random.
    let (cause, findings) = cause.split_once(" - at ").unwrap_or((cause, ""));
    let named = actual.contains(cause) && findings.split(" - at ").all(|finding| actual.contains(finding.trim()));
    if named { Ok(()) } else { Err(format!("wanted the cause: {cause} {findings}\ngot: {actual}")) }
}

fn kustomize_case(binary: &Path, folder: &Path, case: &Json) -> Result<(), String> {
    let home = temporary_folder()?;
    let input = private_copy(folder, case, home.path())?;
    let mut arguments = vec!["kustomize".to_owned(), "build".to_owned()];
    arguments.extend(strings(&case["flags"]));
    arguments.push(input.join(case["target"].as_str().unwrap_or(".")).to_string_lossy().into_owned());
    let finished = run(binary, &arguments, &input, home.path())?;
    if case["outcome"] == "error" {
        return expect_error(&finished);
    }
    expect_success(&finished)?;
    let (mut expected, mut actual) = (read(&folder.join("expected.yaml"))?, finished.stdout);
    if strings(&case["normalize"]).any(|how| how == "managed-by-version") {
        (expected, actual) = (without_version(&expected), without_version(&actual));
    }
    expect_bytes(&expected, &actual)
}

fn helmfile_case(binary: &Path, folder: &Path, case: &Json) -> Result<(), String> {
    let home = temporary_folder()?;
    let input = private_copy(folder, case, home.path())?;
    let arguments: Vec<String> = ["helmfile".to_owned()].into_iter().chain(strings(&case["args"])).collect();
    let variables = case["env"].as_object().into_iter().flatten();
    let variables: Vec<(String, String)> =
        variables.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect();
    let start = input.join(case["cwd"].as_str().unwrap_or("."));
    let finished = run_with(binary, &arguments, &start, home.path(), &variables)?;
    if case["outcome"] == "error" {
        return expect_error(&finished);
    }
    expect_success(&finished)?;
    let named = |bytes: &[u8]| {
        let real = std::fs::canonicalize(&input).unwrap_or_else(|_| input.clone());
        let text = String::from_utf8_lossy(bytes).replace(&*real.to_string_lossy(), "{IN}");
        text.replace(&*input.to_string_lossy(), "{IN}")
    };
    // Files of a folder are read at the same time, and what comes of them comes in any order.
    let ordered = |text: String| {
        if case["order"] != "any" {
            return text;
        }
        let mut documents: Vec<&str> = text.split("---\n").collect();
        documents.sort_unstable();
        documents.join("---\n")
    };
    let expected = String::from_utf8_lossy(&read(&folder.join("expected.stdout"))?).into_owned();
    expect_bytes(ordered(expected).as_bytes(), ordered(named(&finished.stdout)).as_bytes())?;
    for output in strings(&case["outputs"]) {
        let (wanted, got) = (files_below(&folder.join("expected.files"), &output)?, files_below(&input, &output)?);
        for (path, bytes) in &wanted {
            let actual = got.get(path).ok_or_else(|| format!("{path} was not written"))?;
            expect_bytes(bytes, named(actual).as_bytes()).map_err(|problem| format!("{path}: {problem}"))?;
        }
        if let Some(path) = got.keys().find(|path| !wanted.contains_key(*path)) {
            return Err(format!("{path} was written"));
        }
    }
    Ok(())
}

/// The files at `path` below a folder, and below that, by their paths from there.
fn files_below(root: &Path, path: &str) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let (mut files, mut rest) = (BTreeMap::new(), vec![path.to_owned()]);
    while let Some(path) = rest.pop() {
        let full = root.join(&path);
        if full.is_dir() {
            let entries = std::fs::read_dir(&full).map_err(|error| error.to_string())?;
            rest.extend(entries.flatten().map(|entry| format!("{path}/{}", entry.file_name().to_string_lossy())));
        } else if full.is_file() {
            files.insert(path, read(&full)?);
        }
    }
    Ok(files)
}

/// A copy of what a case works on.
fn private_copy(folder: &Path, case: &Json, home: &Path) -> Result<PathBuf, String> {
    let input = home.join("in");
    std::fs::create_dir_all(&input).map_err(|error| error.to_string())?;
    if folder.join("in").is_dir() {
        copy_folder(&folder.join("in"), &input)?;
    }
    for empty in strings(&case["empty_dirs"]) {
        std::fs::create_dir_all(input.join(empty)).map_err(|error| error.to_string())?;
    }
    Ok(input)
}

fn expect_error(finished: &Finished) -> Result<(), String> {
    if finished.crashed() {
        return Err(format!("crashed ({:?}): {}", finished.code, tail(&finished.stderr)));
    }
    if finished.code == Some(0) {
        return Err("an error was expected, and it succeeded".to_owned());
    }
    Ok(())
}

fn expect_success(finished: &Finished) -> Result<(), String> {
    match finished.code {
        Some(0) => Ok(()),
        code => Err(format!("exit code {code:?}: {}", tail(&finished.stderr))),
    }
}

fn expect_bytes(expected: &[u8], actual: &[u8]) -> Result<(), String> {
    if expected == actual {
        return Ok(());
    }
    let (expected, actual) = (String::from_utf8_lossy(expected), String::from_utf8_lossy(actual));
    let line = expected.lines().zip(actual.lines()).take_while(|(a, b)| a == b).count();
    let show = |text: &str| text.lines().nth(line).unwrap_or("<end>").chars().take(200).collect::<String>();
    Err(format!("line {} differs\nexpected: {}\nactual:   {}", line + 1, show(&expected), show(&actual)))
}

/// The value of `app.kubernetes.io/managed-by` names the version of the tool that built it.
fn without_version(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    let line = |line: &str| match line.split_once("app.kubernetes.io/managed-by: ") {
        Some((before, _)) => format!("{before}app.kubernetes.io/managed-by: VERSION\n"),
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect::<String>().into_bytes()
}

fn tail(text: &str) -> String {
    let start = text.char_indices().rev().nth(600).map_or(0, |(at, _)| at);
    text[start..].trim().to_owned()
}

fn strings(list: &Json) -> impl Iterator<Item = String> {
    list.as_array().into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned))
}

fn path_of(mask: &Json) -> Vec<String> {
    let part = |part: &Json| part.as_str().map_or_else(|| part.to_string(), str::to_owned);
    mask.as_array().into_iter().flatten().map(part).collect()
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn temporary_folder() -> Result<tempfile::TempDir, String> {
    tempfile::Builder::new().prefix("onepane-").tempdir().map_err(|error| error.to_string())
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), String> {
    let copy = || -> std::io::Result<Vec<(PathBuf, PathBuf)>> {
        let mut folders = Vec::new();
        for entry in std::fs::read_dir(from)? {
            let (entry, target) = (entry?, to);
            let (source, target) = (entry.path(), target.join(entry.file_name()));
            if entry.file_type()?.is_symlink() {
                std::os::unix::fs::symlink(std::fs::read_link(&source)?, &target)?;
            } else if source.is_dir() {
                std::fs::create_dir_all(&target)?;
                folders.push((source, target));
            } else {
                std::fs::copy(&source, &target)?;
            }
        }
        Ok(folders)
    };
    let folders = copy().map_err(|error| format!("{}: {error}", from.display()))?;
    folders.iter().try_for_each(|(from, to)| copy_folder(from, to))
}
