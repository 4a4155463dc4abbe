//! `onepane audit`: who changed what of a cluster and when.

use onepane_testkit::{git, run_with};
use serde_json::Value;
use std::fs;
use std::path::Path;

#[test]
fn each_change_of_a_cluster_is_told_with_who_made_it() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let root = folder.path().join("shop");
    let run = |arguments: &[&str]| {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let finished = run_with(Path::new(env!("CARGO_BIN_EXE_onepane")), &arguments, &root, folder.path(), &[]);
        let finished = finished.expect("it ends in time");
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        (String::from_utf8_lossy(&finished.stdout).into_owned(), finished.stderr)
    };
    fs::create_dir_all(root.join("groups/all")).expect("nothing is there yet");
    git(&root, &["init", "--quiet"]);
    let write = |path: &str, text: &str| {
        fs::create_dir_all(root.join(path).parent().expect("it is in a folder")).expect("it can be made");
        fs::write(root.join(path), text).expect("it can be written");
    };
    let commit = |who: &str, day: &str, message: &str| {
        git(&root, &["add", "--all"]);
        let (author, date) = (format!("{who} <{who}@example.com>"), format!("2026-11-{day}T10:00:00Z"));
        let date = date.as_str();
        // The committer's time is what counts: when it came to be there.
        let output = std::process::Command::new("git")
            .args([
                "-c",
                "user.name=c",
                "-c",
                "user.email=c@example.com",
                "commit",
                "--quiet",
                "--author",
                &author,
                "--message",
                message,
            ])
            .envs([("GIT_COMMITTER_DATE", date), ("GIT_AUTHOR_DATE", date)])
            .current_dir(&root)
            .status();
        assert!(output.is_ok_and(|status| status.success()));
    };
    let pod = |image: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: api}}\nspec: {{containers: [{{name: a, image: '{image}'}}]}}\n"
        )
    };
    write("groups/all/kustomization.yaml", "resources: [pod.yaml]\n");
    write("groups/all/pod.yaml", &pod("r/api:1"));
    write("clusters/other/kustomization.yaml", "resources: []\n");
    commit("ann", "01", "begin");
    write("clusters/dev/kustomization.yaml", "resources: [../../groups/all]\n");
    commit("ben", "02", "a cluster");
    write("README.md", "hello\n");
    commit("ann", "03", "words only");
    write("groups/all/pod.yaml", &pod("r/api:2"));
    commit("cleo", "04", "newer\n\napi: 1 → 2");
    write("groups/all/pod.yaml", "{");
    commit("dan", "05", "broken <b>");
    write("groups/all/pod.yaml", &pod("r/api:2"));
    commit("ann", "06", "mended");

    let (text, _) = run(&["audit", "dev"]);
    let titles: Vec<&str> = text.lines().filter(|line| line.starts_with("2026")).collect();
    assert_eq!(titles.len(), 4, "{text}");
    assert!(titles[0].starts_with("2026-11-06 10:00") && titles[0].ends_with("ann  mended"), "{text}");
    assert!(titles[1].ends_with("dan  broken <b>") && text.contains("what it changed can't be told"), "{text}");
    assert!(titles[2].ends_with("cleo  newer") && titles[3].ends_with("ben  a cluster"), "{text}");
    assert!(text.contains("    changed v1 Pod api") || text.contains("changed"), "{text}");
    assert!(text.contains("r/api:1") && text.contains("r/api:2"), "{text}");

    let (text, _) = run(&["audit", "dev", "--output", "json", "--since", "2026-11-04", "-n", "9"]);
    let entries: Value = serde_json::from_str(&text).expect("it is JSON");
    let entries = entries.as_array().expect("a list");
    assert_eq!(entries.len(), 3, "{text}");
    assert_eq!((&entries[2]["author"], &entries[2]["message"]), (&"cleo".into(), &"api: 1 → 2".into()));
    assert_eq!(entries[2]["changes"][0]["fields"][0]["after"], "r/api:2");
    assert!(entries[1]["error"].is_string());

    let (text, _) = run(&["audit", "dev", "--since", "HEAD~2"]);
    assert_eq!(text.lines().filter(|line| line.starts_with("2026")).count(), 2, "{text}");
    let (page, _) = run(&["audit", "dev", "--output", "html"]);
    assert!(page.contains("broken &lt;b&gt;") && !page.contains("broken <b>") && page.contains("</html>"), "{page}");
    // All that the first commit has is new.
    let (text, _) = run(&["audit", "other"]);
    assert!(text.is_empty(), "it has nothing: {text}");
    let (text, _) = run(&["audit", "groups/all"]);
    assert!(text.contains("ann  begin") && text.trim_end().ends_with("Pod api"), "{text}");
    let (text, _) = run(&["audit", "groups/all", "--output", "json", "-n", "9"]);
    let entries: Value = serde_json::from_str(&text).expect("it is JSON");
    let first = entries.as_array().and_then(|entries| entries.last()).expect("there are some");
    assert_eq!((&first["title"], &first["changes"][0]["action"]), (&"begin".into(), &"added".into()), "{first}");
    // Where a shallow clone ends, nothing begins.
    git(folder.path(), &["clone", "--quiet", "--depth", "2", &format!("file://{}", root.display()), "shallow"]);
    let arguments = ["-C", "../shallow", "audit", "groups/all"];
    let (text, said) = run(&arguments);
    assert!(!text.contains("begin") && said.contains("this clone is shallow and ends at"), "{text}{said}");

    // Back for a time, as Git has it.
    let (text, _) = run(&["audit", "dev", "--since", "1 second ago"]);
    assert!(text.is_empty(), "{text}");
    let (text, _) = run(&["audit", "dev", "--since", "200 years ago"]);
    assert_eq!(text.lines().filter(|line| line.starts_with("2026")).count(), 4, "{text}");
    for (arguments, code, words) in [
        (&["audit", "nowhere"][..], 1, "there is no cluster or folder `nowhere`"),
        (&["audit", "dev", "--since", "2026-13-01"], 1, "is no day such as 2026-11-30"),
        (&["audit", "dev", "--at", "nowhere"], 1, "`nowhere` is no revision of the repository\n"),
        (&["-C", "../shallow", "audit", "dev", "--at", "HEAD~5"], 1, "this clone is shallow"),
        (&["audit", "dev", "-n", "0"], 2, "invalid value"),
    ] {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let finished = run_with(Path::new(env!("CARGO_BIN_EXE_onepane")), &arguments, &root, folder.path(), &[]);
        let finished = finished.expect("it ends in time");
        assert!(finished.code == Some(code) && finished.stderr.contains(words), "{words}: {}", finished.stderr);
        assert!(finished.stdout.is_empty());
    }
    // One that was removed is told of as well.
    fs::remove_dir_all(root.join("clusters/dev")).expect("it is there");
    commit("eve", "07", "gone");
    let (text, _) = run(&["audit", "dev", "-n", "1"]);
    assert!(text.contains("eve  gone") && text.contains("removed"), "{text}");
    let (_, said) = run(&["audit", "dev"]);
    assert!(said.contains("there is no `dev` at HEAD"), "{said}");
}
