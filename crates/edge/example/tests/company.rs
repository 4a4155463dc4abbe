//! The company as a Git repository, looked at with Git's own program.

use onepane_example::{Company, Error};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs `git`, without the settings of whoever runs the tests, and returns what it prints.
fn git(dir: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "protocol.file.allow=always"])
        .args(arguments)
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("LC_ALL", "C")
        .output()
        .expect("the tests need git");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?} in {}: {stderr}", dir.display());
    String::from_utf8(output.stdout).expect("git prints UTF-8 here")
}

/// The company in `name` below `folder`, with one rendered chart.
fn company(folder: &Path, name: &str) -> (PathBuf, Company) {
    let dir = folder.join(name);
    onepane_example::write_files(&dir).expect("the folder is free");
    let rendered = dir.join("helm-charts/rendered/api");
    fs::create_dir_all(&rendered).expect("the folder is ours");
    fs::write(rendered.join("kustomization.yaml"), "resources: []\n").expect("the folder is ours");
    let company = onepane_example::commit(&dir, "Everything that runs").expect("the files are there");
    (dir, company)
}

/// The names in a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn git_finds_nothing_to_complain_about() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (dir, company) = company(folder.path(), "shop");

    assert_eq!(names(folder.path()), ["shop", "shop.origins"], "nothing temporary is left");
    assert_eq!(git(&dir, &["status", "--porcelain"]), "");
    assert_eq!(git(&dir, &["rev-parse", "HEAD", "@{upstream}"]), format!("{0}\n{0}\n", company.commit));
    assert_eq!(
        git(&dir, &["log", "-1", "--format=%s by %an at %at"]),
        "Everything that runs by Shop Platform Team at 1767603600\n"
    );
    git(&dir, &["fsck", "--strict"]);
    assert!(git(&dir, &["ls-files", "helm-charts/rendered"]).contains("rendered/api/kustomization.yaml"));

    let status = git(&dir, &["submodule", "status"]);
    assert_eq!(status.lines().count(), company.services.len());
    for service in &company.services {
        // A space in front: checked out, and at the pin.
        assert!(status.contains(&format!(" {} {}", service.pin, service.path)), "{status}");
        let checkout = dir.join(&service.path);
        assert!(checkout.join("README.md").is_file());
        assert!(checkout.join(".git").is_file());
        assert!(dir.join(".git/modules").join(&service.path).join("HEAD").is_file());
        assert_eq!(git(&checkout, &["status", "--porcelain", "--branch"]), "## main...origin/main\n");
        assert!(git(&checkout, &["describe", "--tags"]).starts_with('v'));
    }
}

#[test]
fn a_clone_finds_the_services() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (_, company) = company(folder.path(), "shop");
    let origin = company.origins.join("shop.git");
    git(folder.path(), &["clone", origin.to_str().expect("UTF-8"), "clone"]);
    let clone = folder.path().join("clone");
    git(&clone, &["submodule", "update", "--init"]);
    assert_eq!(git(&clone, &["rev-parse", "HEAD"]).trim(), company.commit);
    for service in &company.services {
        assert_eq!(git(&clone.join(&service.path), &["rev-parse", "HEAD"]).trim(), service.pin);
    }
    assert_eq!(git(&clone, &["status", "--porcelain"]), "");
}

#[test]
fn submodules_can_be_taken_out_and_in_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (dir, _) = company(folder.path(), "shop");
    git(&dir, &["submodule", "deinit", "--all", "--force"]);
    git(&dir, &["submodule", "sync"]);
    git(&dir, &["submodule", "update", "--init"]);
    assert!(dir.join("src/api/go.mod").is_file());
    assert_eq!(git(&dir, &["status", "--porcelain"]), "");
}

#[test]
fn the_same_files_make_the_same_commits() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (_, one) = company(folder.path(), "one");
    let (_, two) = company(folder.path(), "two");
    assert_eq!(one.commit, two.commit);
    assert_eq!(one.services, two.services);
}

#[test]
fn an_empty_folder_is_filled_in_place() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = folder.path().join("empty");
    fs::create_dir(&dir).expect("a folder");
    let files = onepane_example::write_files(&dir).expect("an empty folder will do");
    assert!(files > 100, "{files} files");
    assert!(dir.join(".gitignore").is_file() && dir.join("clusters/dev/kustomization.yaml").is_file());
    assert_eq!(names(folder.path()), ["empty"]);
}

#[test]
fn a_folder_in_use_is_left_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = folder.path().join("mine");
    fs::create_dir(&dir).expect("a folder");
    fs::write(dir.join("thesis.txt"), "all my work").expect("a file");
    for write in [onepane_example::write_files, onepane_example::write_skeleton] {
        let error = write(&dir).expect_err("it has something in it");
        assert!(matches!(error, Error::NotEmpty(_)), "{error}");
        assert!(error.to_string().contains(dir.to_str().expect("UTF-8")), "{error}");
    }
    assert_eq!(names(&dir), ["thesis.txt"]);
    assert!(matches!(onepane_example::write_files(&dir.join("thesis.txt")), Err(Error::NotAFolder(_))));
    assert_eq!(names(folder.path()), ["mine"]);
}

#[test]
fn origins_in_use_are_left_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir_all(folder.path().join("shop.origins/api.git")).expect("a folder");
    let error = onepane_example::write_files(&folder.path().join("shop")).expect_err("the origins are in use");
    assert!(error.to_string().contains("shop.origins"), "{error}");
    assert_eq!(names(folder.path()), ["shop.origins"]);
}

#[test]
fn a_repository_is_committed_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (dir, _) = company(folder.path(), "shop");
    let error = onepane_example::commit(&dir, "Again").expect_err("it is a repository");
    assert!(matches!(error, Error::AlreadyCommitted(_)), "{error}");
    assert_eq!(git(&dir, &["status", "--porcelain"]), "");
}

#[test]
fn a_skeleton_is_a_repository_to_start_with() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = folder.path().join("new/company");
    onepane_example::write_skeleton(&dir).expect("the folder is free");
    assert_eq!(git(&dir, &["symbolic-ref", "HEAD"]), "refs/heads/main\n");
    git(&dir, &["add", "--all"]);
    let files = git(&dir, &["ls-files"]);
    for file in ["Tiltfile", "helm-charts/helmfile.yaml", "groups/default/kustomization.yaml", "src/README.md"] {
        assert!(files.contains(file), "{files}");
    }
}
