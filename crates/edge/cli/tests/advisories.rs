//! What Helm's published security advisories were about, where onepane has the like: each must find nothing here.
//! Archives that climb out, links in them, bombs and `getHostByName` are in `sandbox.rs`; credentials that follow a
//! redirect are in the tests of `edge/fetch`. Onepane has no plugins.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("there is room")
}

fn write(path: &Path, contents: &str) {
    std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("the folder can be made");
    std::fs::write(path, contents).expect("it can be written");
}

fn helm(folder: &Path, arguments: &[&str]) -> Output {
    let start = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_onepane"))
        .arg("helm")
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .output()
        .expect("it starts");
    assert!(matches!(output.status.code(), Some(0 | 1)), "{arguments:?}: {output:?}");
    assert!(start.elapsed() < Duration::from_secs(60), "{arguments:?} took {:?}", start.elapsed());
    output
}

/// Fails, and says so.
fn refused(folder: &Path, arguments: &[&str], says: &str) {
    let output = helm(folder, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {error}");
    assert!(error.contains(says), "{arguments:?}: {error}");
}

const CHART: &str = "apiVersion: v2\nname: c\nversion: 1.0.0\n";

/// CVE-2022-36055: a large index of `--set` took all memory.
#[test]
fn indices_of_flags_are_bounded() {
    let folder = folder();
    write(&folder.path().join("c/Chart.yaml"), CHART);
    for flag in ["--set", "--set-string", "--set-json", "--set-literal"] {
        refused(folder.path(), &["template", "r", "c", flag, "a[999999999]=1"], "failed parsing");
    }
    refused(folder.path(), &["template", "r", "c", "--set", &format!("a{}=1", ".b".repeat(40_000))], "nested level");
}

/// CVE-2025-32387, CVE-2025-55199: schemas that nest without end, or lead to a file without end.
#[test]
fn schemas_use_neither_stack_nor_files() {
    let folder = folder();
    write(&folder.path().join("c/Chart.yaml"), CHART);
    write(&folder.path().join("c/values.yaml"), "a: 1\n");
    let schema = |text: &str| write(&folder.path().join("c/values.schema.json"), text);
    let template = ["template", "r", "c"];
    schema(&(r#"{"items":"#.repeat(100_000) + "{}" + &"}".repeat(100_000)));
    refused(folder.path(), &template, "max depth");
    for itself in [r##"{"$ref": "#"}"##, r##"{"properties": {"a": {"$ref": "#"}}, "anyOf": [{"$ref": "#"}]}"##] {
        schema(itself);
        helm(folder.path(), &template);
    }
    // Anything that Helm would read or ask for.
    std::fs::write(folder.path().join("other.json"), "{}").expect("it can be written");
    let other = format!("file://{}", folder.path().join("other.json").display());
    let elsewhere =
        [&*other, "file:///dev/zero", "other.json", "../other.json", "/etc/hostname", "http://127.0.0.1:9/x"];
    for address in elsewhere {
        for field in ["$ref", "$schema"] {
            schema(&format!(r#"{{"{field}": "{address}"}}"#));
            let says =
                if field == "$schema" && !address.contains(':') { "failing loading" } else { "and nowhere else" };
            refused(folder.path(), &template, says);
        }
    }
}

/// CVE-2022-23524, CVE-2022-23525, CVE-2022-23526, CVE-2024-26147, CVE-2025-55198: files with nothing where something
/// was expected crashed it.
#[test]
fn malformed_files_are_errors_and_no_crashes() {
    let folder = folder();
    let root = folder.path();
    for text in [
        "",
        "null\n",
        "[]\n",
        "- null\n",
        "apiVersion: v2\nname: c\nversion: 1.0.0\nmaintainers: [null]\n",
        "apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies: [null]\n",
        "name: [\n",
        "\u{0}",
        "dependencies: {a: 1}\n",
    ] {
        write(&root.join("c/Chart.yaml"), text);
        for arguments in [
            &["template", "r", "c"][..],
            &["lint", "c"],
            &["show", "all", "c"],
            &["package", "c"],
            &["dependency", "list", "c"],
            &["dependency", "update", "c"],
        ] {
            assert_eq!(helm(root, arguments).status.code(), Some(1), "{arguments:?}: {text:?}");
        }
    }
    write(&root.join(".config/helm/repositories.yaml"), "repositories: [{name: r, url: 'http://127.0.0.1:9'}]\n");
    for text in [
        "",
        "null\n",
        "entries: null\n",
        "entries: {a: null}\n",
        "entries: {a: [null]}\n",
        "entries: [a]\n",
        "apiVersion: v1\nentries: {a: [null, {name: a, version: 1.0.0}, {}, {version: x}]}\n",
        "a: [\n",
        "apiVersion: v1\nentries: {'': [{name: '', version: ''}]}\n",
    ] {
        write(&root.join(".cache/helm/repository/r-index.yaml"), text);
        write(&root.join("r/index.yaml"), text);
        for arguments in [
            &["search", "repo"][..],
            &["search", "repo", "a", "-l"],
            &["pull", "r/a"],
            &["show", "chart", "r/a"],
            &["repo", "index", "r", "--merge", "r/index.yaml"],
        ] {
            helm(root, arguments);
        }
    }
    for text in ["null\n", "repositories: null\n", "repositories: [null]\n", "repositories: a\n", "[\n", ""] {
        write(&root.join(".config/helm/repositories.yaml"), text);
        for arguments in [&["repo", "list"][..], &["search", "repo"], &["repo", "remove", "r"], &["repo", "update"]] {
            helm(root, arguments);
        }
    }
}

/// CVE-2024-25620, CVE-2020-15184: names and aliases with a path in them put files elsewhere.
#[test]
fn names_lead_nowhere() {
    let folder = folder();
    let root = folder.path().join("in/here");
    for name in ["../evil", "/tmp/onepane-evil", "a/../../evil", "..", "."] {
        write(&root.join("c/Chart.yaml"), &format!("apiVersion: v2\nname: '{name}'\nversion: 1.0.0\n"));
        refused(&root, &["package", "c"], "chart.metadata.name");
        refused(&root, &["template", "r", "c"], "chart.metadata.name");
    }
    write(&root.join("c/Chart.yaml"), "apiVersion: v2\nname: c\nversion: ../../1.0.0\n");
    refused(&root, &["package", "c"], "chart.metadata.version");
    refused(&root, &["package", "c", "--version", "../1.0.0"], "");
    write(&root.join("c/Chart.yaml"), &(CHART.to_owned() + "dependencies: [{name: a, alias: ../../evil}]\n"));
    refused(&root, &["template", "r", "c"], "disallowed characters in the alias");
    refused(&root, &["create", ".."], "chart name");
    let above = std::fs::read_dir(folder.path()).expect("it is there").count();
    assert_eq!(above, 1, "nothing but `in` is there");
}

/// CVE-2025-53547: a lock file that is a link was written through, into a shell's start file for one.
#[test]
fn locks_are_not_written_through_links() {
    let folder = folder();
    let root = folder.path();
    write(&root.join("profile"), "mine\n");
    write(&root.join("d/Chart.yaml"), "apiVersion: v2\nname: d\nversion: 1.0.0\n");
    let dependency = "dependencies: [{name: d, version: 1.0.0, repository: 'file://../d'}]\n";
    for (lock, version) in [("Chart.lock", "v2"), ("requirements.lock", "v1")] {
        let chart = root.join(version);
        let definition = CHART.replace("v2", version);
        if version == "v2" {
            write(&chart.join("Chart.yaml"), &(definition + dependency));
        } else {
            write(&chart.join("Chart.yaml"), &definition);
            write(&chart.join("requirements.yaml"), dependency);
        }
        std::os::unix::fs::symlink("../profile", chart.join(lock)).expect("the link can be made");
        helm(root, &["dependency", "update", version]);
        assert_eq!(std::fs::read_to_string(root.join("profile")).expect("it is there"), "mine\n", "{lock}");
    }
}

/// CVE-2021-21303: what a repository says of its charts could hold sequences that a terminal obeys.
#[test]
fn terminals_get_no_orders_from_charts() {
    let folder = folder();
    let root = folder.path();
    let definition = "apiVersion: v2\nname: c\nversion: 1.0.0\ndescription: \"\\e[31mred\\a\"\nicon: \"\\e]0;x\\a\"\n";
    write(&root.join("c/Chart.yaml"), definition);
    write(&root.join(".config/helm/repositories.yaml"), "repositories: [{name: r, url: 'http://127.0.0.1:9'}]\n");
    let index = "apiVersion: v1\nentries: {c: [{apiVersion: v2, name: c, version: 1.0.0, urls: [c.tgz], appVersion: \
                 \"\\e[1m\", description: \"\\e[31mred\\a\"}]}\n";
    write(&root.join(".cache/helm/repository/r-index.yaml"), index);
    for arguments in [&["show", "chart", "c"][..], &["search", "repo", "c"]] {
        let output = helm(root, arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("red"), "{arguments:?}: {output:?}");
        assert!(!output.stdout.contains(&0x1B), "{arguments:?}: {output:?}");
    }
}
