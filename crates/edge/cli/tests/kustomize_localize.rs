//! `kustomize localize`: the copies it makes, and, where it is there, the real Kustomize beside ours. With
//! `ONEPANE_RECORD=1`, the copies in `cases.txt` are written anew from what we do.

use onepane_testkit::{GitServer, git, peer};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const OURS: &str = env!("CARGO_BIN_EXE_onepane");

/// A folder's contents by path: texts of files, targets of links (`-> target`), nothing for an empty folder.
type Files = BTreeMap<String, String>;

/// A folder, what is asked for in it, and what is new there then. What is refused leaves nothing, and says why.
struct Case {
    name: String,
    arguments: Vec<String>,
    files: Files,
    /// A part of the error.
    refused: Option<String>,
    copy: Files,
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kustomize_localize/cases.txt")
}

/// `=== name`, `$ arguments`, `in path` and `out path` with lines behind `| `, `in path -> target` for a link, and
/// `refused: message`.
fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let (mut text, mut last) = (String::new(), String::new());
    for line in fs::read_to_string(path()).expect("the cases are there").lines().chain(["=== end"]) {
        if let Some(more) = line.strip_prefix('|') {
            text.push_str(more.strip_prefix(' ').unwrap_or(more));
            text.push('\n');
            continue;
        }
        if let (Some(case), Some((side, path))) = (cases.last_mut(), last.split_once(' ')) {
            let (path, text) = match path.split_once(" -> ") {
                Some((path, target)) => (path, format!("-> {target}")),
                None => (path, std::mem::take(&mut text)),
            };
            let files = if side == "in" { &mut case.files } else { &mut case.copy };
            files.insert(path.to_owned(), text);
        }
        last.clear();
        if let Some(name) = line.strip_prefix("=== ") {
            let (name, arguments) = (name.to_owned(), Vec::new());
            cases.push(Case { name, arguments, files: Files::new(), refused: None, copy: Files::new() });
        } else if let Some(case) = cases.last_mut() {
            if let Some(arguments) = line.strip_prefix("$ ") {
                case.arguments = arguments.split(' ').map(str::to_owned).collect();
            } else if let Some(message) = line.strip_prefix("refused: ") {
                case.refused = Some(message.to_owned());
            } else if !line.is_empty() {
                last = line.to_owned();
            }
        }
    }
    cases.pop();
    cases
}

fn fill(folder: &Path, files: &Files) {
    for (file, text) in files {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("folders can be made");
        match text.strip_prefix("-> ") {
            Some(target) => symlink(target, path).expect("links can be made"),
            None if file.ends_with('/') => fs::create_dir_all(path).expect("folders can be made"),
            None => fs::write(path, text).expect("files can be written"),
        }
    }
}

/// What is in a folder, links and empty folders too.
fn contents(folder: &Path) -> Files {
    let (mut files, mut folders) = (Files::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("it can be listed") {
            let path = entry.expect("it can be listed").path();
            let name = path.strip_prefix(folder).expect("it is below").to_str().expect("it is text").to_owned();
            if path.is_symlink() {
                let target = fs::read_link(&path).expect("it is a link");
                files.insert(name, format!("-> {}", target.display()));
            } else if path.is_dir() {
                if fs::read_dir(&path).expect("it can be listed").next().is_none() {
                    files.insert(format!("{name}/"), String::new());
                }
                folders.push(path);
            } else {
                files.insert(name, String::from_utf8_lossy(&fs::read(&path).expect("it can be read")).into_owned());
            }
        }
    }
    files
}

fn localize(program: &Path, folder: &Path, arguments: &[String]) -> Output {
    let mut command = Command::new(program);
    if program == Path::new(OURS) {
        command.arg("kustomize");
    }
    command.arg("localize").args(arguments).current_dir(folder).env("XDG_CACHE_HOME", folder.join("../cache"));
    // Repositories of this machine may have submodules of this machine.
    let configuration = [("COUNT", "1"), ("KEY_0", "protocol.file.allow"), ("VALUE_0", "always")];
    command.envs(configuration.map(|(name, value)| (format!("GIT_CONFIG_{name}"), value))).env_remove("http_proxy");
    command.output().expect("it can be started")
}

/// What a program makes: whether it succeeded, what it said, and what is new.
fn made(program: &Path, files: &Files, arguments: &[String]) -> (bool, String, Files) {
    let temporary = tempfile::tempdir().expect("a temporary folder can be made");
    let folder = temporary.path().join("work");
    fs::create_dir(&folder).expect("folders can be made");
    fill(&folder, files);
    let before = contents(&folder);
    let output = localize(program, &folder, arguments);
    let mut after = contents(&folder);
    assert!(before.iter().all(|(path, text)| path.ends_with('/') || after.get(path) == Some(text)), "{arguments:?}");
    after.retain(|path, _| !before.contains_key(path));
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned(), after)
}

fn check(program: &Path, case: &Case) -> Result<(), String> {
    let (succeeded, said, copy) = made(program, &case.files, &case.arguments);
    let wanted = case.refused.as_deref();
    if succeeded == wanted.is_some() || !said.contains(wanted.unwrap_or_default()) {
        return Err(format!("{}: {}: {said}", program.display(), case.name));
    }
    if copy != case.copy {
        return Err(format!("{}: {}: {copy:#?} instead of {:#?}", program.display(), case.name, case.copy));
    }
    Ok(())
}

#[test]
fn copies_are_what_kustomize_makes() {
    let cases = cases();
    if std::env::var_os("ONEPANE_RECORD").is_some() {
        record(&cases);
        return;
    }
    let programs = [Some(PathBuf::from(OURS)), peer("kustomize")];
    let check = |program: &PathBuf| cases.iter().filter_map(|case| check(program, case).err()).collect::<Vec<_>>();
    let wrong: Vec<String> = programs.iter().flatten().flat_map(check).collect();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// Writes the cases anew from what we do.
fn record(cases: &[Case]) {
    let mut text = String::new();
    let write = |text: &mut String, side: &str, files: &Files| {
        for (path, contents) in files {
            let target = contents.strip_prefix("->").map(|target| format!(" ->{target}")).unwrap_or_default();
            _ = writeln!(text, "{side} {path}{target}");
            let lines = contents.lines().filter(|_| target.is_empty());
            lines.for_each(|line| _ = writeln!(text, "{}", format!("| {line}").trim_end()));
        }
    };
    for case in cases {
        let (succeeded, said, copy) = made(Path::new(OURS), &case.files, &case.arguments);
        _ = writeln!(text, "=== {}\n$ {}", case.name, case.arguments.join(" "));
        write(&mut text, "in", &case.files);
        if !succeeded {
            let said = said.lines().find(|line| line.starts_with("Error: ")).unwrap_or_default();
            let message = case.refused.as_deref().filter(|message| said.contains(*message)).unwrap_or(said);
            _ = writeln!(text, "refused: {message}");
        }
        write(&mut text, "out", &copy);
        text.push('\n');
    }
    fs::write(path(), text).expect("the cases can be written");
}

#[test]
fn only_a_copy_that_builds_to_the_same_is_called_so() {
    let files = |literal: &str| {
        let kustomization = format!("configMapGenerator:\n- name: g\n  files: [{literal}]\n");
        [("t/kustomization.yaml", kustomization.as_str()), ("t/d/file", "x\n"), ("t/link", "-> d/file")]
            .map(|(path, text)| (path.to_owned(), text.to_owned()))
            .into()
    };
    let arguments = ["t", "out"].map(str::to_owned);
    let (succeeded, said, _) = made(Path::new(OURS), &files("k=link"), &arguments);
    assert!(succeeded && said.contains("VERIFICATION SUCCESS: `kustomize build` for t and /"), "{said}");
    assert!(said.contains(" SUCCESS: localized \"t\" to directory /"), "{said}");
    // The key of the link's file is its own name.
    let (succeeded, said, copy) = made(Path::new(OURS), &files("link"), &arguments);
    assert!(succeeded && said.contains("VERIFICATION FAILED"), "{said}");
    assert!(said.contains("first in: ConfigMap.v1.[noGrp]/g-"), "{said}");
    assert!(copy.contains_key("out/kustomization.yaml"), "{copy:?}");
}

/// Two repositories, of which one names the other, and a server that has them and a few files.
struct Room {
    folder: tempfile::TempDir,
    server: GitServer,
}

impl Room {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let server = GitServer::start(folder.path().join("served"));
        let manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: NAME\n";
        let library = [
            ("base/kustomization.yaml", "resources: [cm.yaml]\nnamePrefix: lib-\n".to_owned()),
            ("base/cm.yaml", manifest.replace("NAME", "library")),
            ("secret/x", "never named\n".to_owned()),
        ];
        let url = &server.address;
        let shop = [
            ("kustomization.yaml", format!("resources: [base, '{url}/org/library.git//base?ref=v1']\n")),
            ("base/kustomization.yaml", "resources: [cm.yaml]\n".to_owned()),
            ("base/cm.yaml", manifest.replace("NAME", "shop")),
            ("over/kustomization.yaml", "resources: [../base]\nnameSuffix: -o\n".to_owned()),
            ("part/kustomization.yaml", "kind: Component\nconfigMapGenerator: [{name: g, files: [f]}]\n".to_owned()),
            ("part/f", "f\n".to_owned()),
            ("outside/kustomization.yaml", "resources: [../../elsewhere]\n".to_owned()),
        ];
        for (name, files) in [("library", &library[..]), ("shop", &shop[..])] {
            let repository = folder.path().join(name);
            let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.clone())).collect();
            fill(&repository, &files);
            git(&repository, &["init", "--quiet"]);
            git(&repository, &["add", "--all"]);
            git(&repository, &["commit", "--quiet", "--message", "all"]);
            git(&repository, &["tag", "v1"]);
            git(&repository, &["tag", "release/1"]);
            let served = format!("served/org/{name}{}", if name == "library" { ".git" } else { "" });
            git(folder.path(), &["clone", "--quiet", "--bare", name, &served]);
        }
        server.put("/files/web.yaml", manifest.replace("NAME", "web"));
        server.put("/files/a%20b.yaml", manifest.replace("NAME", "blank"));
        server.put("/files/patch.yaml", manifest.replace("NAME", "web") + "data: {patched: here}\n");
        Self { folder, server }
    }

    /// What a program makes of this kustomization in `t`, in which `URL` stands for a repository and `SERVER` for the
    /// server. Where there is none, `arguments` name what is localized.
    fn made(&self, program: &Path, kustomization: &str, arguments: &[&str]) -> (bool, String, Files) {
        let place = |text: &str| {
            let shop = format!("{}/org/shop", self.server.address);
            let folder = self.folder.path().to_str().expect("it is text");
            text.replace("URL", &shop).replace("SERVER", &self.server.address).replace("FOLDER", folder)
        };
        let arguments: Vec<String> = arguments.iter().map(|argument| place(argument)).collect();
        let mut files = Files::new();
        if !kustomization.is_empty() {
            files.insert("t/kustomization.yaml".to_owned(), place(kustomization));
        }
        made(program, &files, &arguments)
    }
}

#[test]
fn what_is_elsewhere_is_copied_too() {
    let room = Room::new();
    let to = ["t", "out", "--no-verify"];
    let cases: &[(&str, &[&str], &str)] = &[
        ("resources: ['URL//over?ref=v1']", &to, "out/localized-files/127.0.0.1/org/shop/v1/base/cm.yaml"),
        (
            "resources: ['URL?ref=release/1']",
            &to,
            "out/localized-files/127.0.0.1/org/shop/release/1/localized-files/127.0.0.1/org/library/v1/base/cm.yaml",
        ),
        ("components: ['URL/part?version=v1']", &to, "out/localized-files/127.0.0.1/org/shop/v1/part/f"),
        (
            "bases: ['URL//base?ref=v1', 'URL//over?ref=v1']",
            &to,
            "out/localized-files/127.0.0.1/org/shop/v1/base/cm.yaml",
        ),
        (
            "resources: ['file://FOLDER/shop//base?ref=v1']",
            &to,
            "out/localized-files/file-schemedFOLDER/shop/v1/base/cm.yaml",
        ),
        (
            "resources: ['SERVER/files/web.yaml', 'SERVER/files/a%20b.yaml']\npatches: [{path: 'SERVER/files/patch.yaml?a=b'}]",
            &to,
            "out/localized-files/127.0.0.1/files/a%20b.yaml",
        ),
        ("", &["URL//over?ref=v1", "--no-verify"], "localized-over-v1/over/kustomization.yaml"),
        ("", &["SERVER/org/library.git//base/?ref=release/1", "out", "--no-verify"], "out/base/cm.yaml"),
        (
            "",
            &["URL?ref=release/1", "--no-verify"],
            "localized-shop-release-1/localized-files/127.0.0.1/org/library/v1/base/cm.yaml",
        ),
        ("", &["URL?ref=v1"], "localized-shop-v1/base/cm.yaml"),
    ];
    let peer = peer("kustomize");
    for (kustomization, arguments, wanted) in cases {
        let (succeeded, said, copy) = room.made(Path::new(OURS), kustomization, arguments);
        assert!(succeeded, "{kustomization} {arguments:?}: {said}");
        let wanted = wanted.replace("FOLDER", room.folder.path().to_str().expect("it is text"));
        assert!(copy.contains_key(&wanted), "{kustomization} {arguments:?}: {copy:#?}");
        if let Some(peer) = &peer {
            let (succeeded, said, theirs) = room.made(peer, kustomization, arguments);
            assert!(succeeded, "{kustomization} {arguments:?}: {said}");
            assert_eq!(copy, theirs, "{kustomization} {arguments:?}");
        }
    }
    // Kustomize looks for the copy's kustomization in the wrong folder.
    let (succeeded, said, _) = room.made(Path::new(OURS), "", &["URL//over?ref=v1"]);
    assert!(succeeded && said.contains("VERIFICATION SUCCESS"), "{said}");
}

#[test]
fn what_is_elsewhere_has_a_revision_and_room() {
    let room = Room::new();
    let cases = [
        ("resources: ['URL//over']", "unable to localize resources entry: could not localize path"),
        ("components: ['URL//part']", "//part\" missing ref query string parameter"),
        (
            "resources: ['URL//outside?ref=v1']",
            "could not localize path \"../../elsewhere\" as file: invalid file reference",
        ),
        ("configurations: ['SERVER/files/none']", "unable to localize configurations entry: invalid file reference"),
    ];
    let programs = [Some(PathBuf::from(OURS)), peer("kustomize")];
    for program in programs.iter().flatten() {
        for (kustomization, wanted) in cases {
            let (succeeded, said, copy) = room.made(program, kustomization, &["t", "out"]);
            assert!(!succeeded && said.contains(wanted), "{program:?} {kustomization}: {said}");
            assert!(copy.is_empty(), "{program:?} {kustomization}: {copy:?}");
        }
        let scope = ["URL//over?ref=v1", "out", "--scope", "."];
        let (succeeded, said, _) = room.made(program, "", &scope);
        assert!(
            !succeeded && said.contains("invalid localize scope \".\": scope \".\" specified for remote"),
            "{said}"
        );
        let files = [
            ("t/localized-files/x", "x\n".to_owned()),
            ("t/kustomization.yaml", format!("crds: ['{}/files/web.yaml']\n", room.server.address)),
        ];
        let files = files.map(|(path, text)| (path.to_owned(), text)).into();
        let (succeeded, said, copy) = made(program, &files, &["t", "out"].map(str::to_owned));
        assert!(!succeeded && said.contains("already contains localized-files needed to store file"), "{said}");
        assert!(copy.is_empty(), "{copy:?}");
    }
}
