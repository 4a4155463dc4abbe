//! How `onepane check` reports, what it lets pass, and what it mends.

#[allow(dead_code, reason = "the faults are for another test")]
mod seeded;

use seeded::{base, checked, copy, onepane};
use std::path::Path;

const WEB: &str = "clusters/dev/web.yaml";
const SECRET: &str = "hunter2";

/// A copy of the clean repository.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    copy(&base(), folder.path());
    folder
}

fn edit(folder: &Path, file: &str, from: &str, to: &str) {
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text.contains(from), "{from} is not in {file}");
    std::fs::write(&path, text.replacen(from, to, 1)).expect("it can be written");
}

fn read(folder: &Path, file: &str) -> String {
    std::fs::read_to_string(folder.join(file)).expect("it can be read")
}

/// The one fault that most of these tests look at.
fn with_fault() -> tempfile::TempDir {
    let folder = repository();
    edit(folder.path(), WEB, "imagePullPolicy: IfNotPresent", "imagePullPolicy: always");
    folder
}

#[test]
fn a_finding_has_its_line_a_hint_and_its_clusters() {
    let folder = with_fault();
    let (finished, said) = onepane(folder.path(), &["check"]);
    let wanted = "clusters/dev/web.yaml:26:26: error[schema-value]: Deployment shop/web: \
                  spec.template.spec.containers[name=web].imagePullPolicy has to be one of Always, IfNotPresent, Never\n    \
                  did you mean `Always`?\n    in dev\n1 build of clusters, 26 resources, 1 error\n0 charts, 0 values files, \
                  everything is read\n";
    assert_eq!((finished.code, said.as_str()), (Some(1), wanted));
}

#[test]
fn what_several_clusters_have_is_told_once() {
    let folder = with_fault();
    copy(&folder.path().join("clusters/dev"), &folder.path().join("clusters/two"));
    let base = "kind: Kustomization\nresources: [../dev]\n";
    std::fs::remove_dir_all(folder.path().join("clusters/two")).expect("it can be removed");
    std::fs::create_dir_all(folder.path().join("clusters/two")).expect("it can be made");
    std::fs::write(folder.path().join("clusters/two/kustomization.yaml"), base).expect("it can be written");
    let (found, said) = checked(folder.path(), &[]);
    assert_eq!(found.len(), 1, "{said}");
    let report: serde_json::Value = serde_json::from_str(&said).expect("it is JSON");
    assert_eq!(report["findings"][0]["clusters"], serde_json::json!(["dev", "two"]));
}

#[test]
fn formats_are_what_their_readers_take() {
    let folder = with_fault();
    let printed = |format: &str| onepane(folder.path(), &["check", "--output", format]).1;
    let sarif: serde_json::Value = serde_json::from_str(&printed("sarif")).expect("it is JSON");
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let result = &run["results"][0];
    assert_eq!((result["ruleId"].as_str(), result["level"].as_str()), (Some("schema-value"), Some("error")));
    let index = result["ruleIndex"].as_u64().expect("it is a number") as usize;
    assert_eq!(run["tool"]["driver"]["rules"][index]["id"], "schema-value");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], WEB);
    assert_eq!(place["region"], serde_json::json!({"startLine": 26, "startColumn": 26, "endColumn": 32}));
    let github = printed("github");
    assert!(
        github.starts_with("::error file=clusters/dev/web.yaml,line=26,col=26,title=schema-value::Deployment"),
        "{github}"
    );
    assert_eq!(github.lines().count(), 1, "{github}");
    let junit = printed("junit");
    assert!(
        junit.contains("failures=\"1\"") && junit.contains("file=\"clusters/dev/web.yaml\" line=\"26\""),
        "{junit}"
    );
    assert!(junit.contains("<testcase classname=\"rules\" name=\"image-latest\"/>"), "{junit}");
}

#[test]
fn rules_are_chosen_by_code() {
    let folder = with_fault();
    let code = |arguments: &[&str]| onepane(folder.path(), &[&["check"], arguments].concat()).0.code;
    assert_eq!(code(&["--rule", "schema-*"]), Some(1));
    assert_eq!(code(&["--rule", "image-latest,missing-secret"]), Some(0));
    assert_eq!(code(&["--skip", "schema-value"]), Some(0));
    assert_eq!(code(&["--fail-on", "never"]), Some(0));
    let (finished, _) = onepane(folder.path(), &["check", "--rule", "schema-valeu"]);
    assert!(
        finished.code == Some(1) && finished.stderr.contains("did you mean `schema-value`?"),
        "{}",
        finished.stderr
    );
    let (_, rules) = onepane(folder.path(), &["check", "--list-rules"]);
    assert!(rules.lines().count() > 60 && rules.contains("opinion-probes") && rules.contains("(off by default)"));
    // Opinions are notes, and only told to who asks.
    let clean = repository();
    let (opinions, _) = checked(clean.path(), &["--with", "opinion-*"]);
    assert!(opinions.iter().any(|(code, file, _)| code == "opinion-memory-limit" && file == "clusters/dev/db.yaml"));
    assert_eq!(onepane(clean.path(), &["check", "--with", "opinion-*"]).0.code, Some(0));
    assert_eq!(onepane(clean.path(), &["check", "--with", "opinion-*", "--fail-on", "note"]).0.code, Some(1));
}

#[test]
fn a_suppression_with_a_reason_lets_pass() {
    for (from, to) in [
        ("imagePullPolicy: always", "imagePullPolicy: always # onepane:ignore schema-value a test"),
        (
            "        imagePullPolicy: always",
            "        # onepane:ignore schema-* a test\n        imagePullPolicy: always",
        ),
        (
            "apiVersion: apps/v1\nkind: Deployment",
            "# onepane:ignore-file schema-value a test\napiVersion: apps/v1\nkind: Deployment",
        ),
    ] {
        let folder = with_fault();
        edit(folder.path(), WEB, from, to);
        let (found, said) = checked(folder.path(), &[]);
        assert_eq!(found, [], "{said}");
        let report: serde_json::Value = serde_json::from_str(&said).expect("it is JSON");
        assert_eq!(report["suppressed"][0]["reason"], "a test");
        let (finished, said) = onepane(folder.path(), &["check"]);
        assert!(finished.code == Some(0) && said.contains("1 suppressed"), "{said}");
        let sarif: serde_json::Value =
            serde_json::from_str(&onepane(folder.path(), &["check", "--output", "sarif"]).1).expect("it is JSON");
        assert_eq!(sarif["runs"][0]["results"][0]["suppressions"][0]["justification"], "a test");
    }
    let folder = with_fault();
    edit(folder.path(), WEB, "imagePullPolicy: always", "imagePullPolicy: always # onepane:ignore schema-value");
    let codes: Vec<String> = checked(folder.path(), &[]).0.into_iter().map(|(code, _, _)| code).collect();
    assert_eq!(codes, ["schema-value", "suppression-invalid"]);
}

#[test]
fn a_baseline_lets_pass_what_was_there() {
    let folder = with_fault();
    let write = ["check", "--baseline", "baseline.json", "--write-baseline"];
    assert_eq!(onepane(folder.path(), &write).0.code, Some(0));
    let list: serde_json::Value = serde_json::from_str(&read(folder.path(), "baseline.json")).expect("it is JSON");
    assert_eq!(list["findings"][0]["code"], "schema-value");
    // Lines may move.
    edit(folder.path(), WEB, "apiVersion: apps/v1\n", "# moved\napiVersion: apps/v1\n");
    let (finished, said) = onepane(folder.path(), &["check", "--baseline", "baseline.json"]);
    assert!(finished.code == Some(0) && said.contains("1 in the baseline"), "{said}");
    // What is new is told, and what is mended.
    edit(folder.path(), WEB, "imagePullPolicy: always", "imagePullPolicy: Always");
    edit(folder.path(), WEB, "protocol: TCP", "protocol: tcp");
    let codes: Vec<String> =
        checked(folder.path(), &["--baseline", "baseline.json"]).0.into_iter().map(|(code, _, _)| code).collect();
    assert_eq!(codes, ["baseline-stale", "schema-value"]);
    std::fs::write(folder.path().join("baseline.json"), "[]").expect("it can be written");
    let (finished, _) = onepane(folder.path(), &["check", "--baseline", "baseline.json"]);
    assert!(finished.code == Some(1) && finished.stderr.contains("is no baseline"), "{}", finished.stderr);
}

#[test]
fn what_is_certain_is_mended_and_nothing_else() {
    let folder = with_fault();
    edit(folder.path(), WEB, "  replicas: 3", "  replica: 3 # as many as zones");
    edit(folder.path(), WEB, "policy/v1\n", "policy/v1beta1\n");
    edit(folder.path(), WEB, "  policyTypes: [Ingress]", "  policyTypes: [ingress]");
    edit(
        folder.path(),
        WEB,
        "            path: /ready\n            port: http",
        "            path: /ready\n            port: web",
    );
    let before = read(folder.path(), WEB);
    let (finished, said) = onepane(folder.path(), &["check", "--fix"]);
    assert_eq!(finished.code, Some(1), "one is not certain: {said}");
    assert!(
        said.contains("4 fixed")
            && said.contains("clusters/dev/web.yaml:11:3: fixed[schema-unknown-field]: `replica` is now `replicas`"),
        "{said}"
    );
    let mended = before
        .replace("replica: 3", "replicas: 3")
        .replace("policy/v1beta1", "policy/v1")
        .replace("[ingress]", "[Ingress]")
        .replace("imagePullPolicy: always", "imagePullPolicy: Always");
    assert_eq!(read(folder.path(), WEB), mended);
    let codes: Vec<String> = checked(folder.path(), &[]).0.into_iter().map(|(code, _, _)| code).collect();
    assert_eq!(codes, ["port-missing"]);
}

#[test]
fn versions_of_kubernetes_are_those_of_the_cluster() {
    let folder = repository();
    std::fs::write(
        folder.path().join("clusters/dev/web.yaml"),
        read(folder.path(), WEB)
            .replace("        command: [web]\n", "        command: [web]\n        restartPolicyRules: []\n"),
    )
    .expect("it can be written");
    let codes = |arguments: &[&str]| -> Vec<String> {
        checked(folder.path(), arguments).0.into_iter().map(|(code, _, _)| code).collect()
    };
    assert_eq!(codes(&[]), Vec::<String>::new());
    assert_eq!(codes(&["--kubernetes-version", "v1.33.2"]), ["schema-unknown-field"]);
    std::fs::write(folder.path().join("onepane.yaml"), "clusters:\n  dev:\n    kubernetesVersion: '1.33'\n")
        .expect("it can be written");
    assert_eq!(codes(&[]), ["schema-unknown-field"]);
    assert_eq!(codes(&["--kubernetes-version", "1.36"]), Vec::<String>::new());
    std::fs::write(folder.path().join("onepane.yaml"), "kubernetesVersion: '1.12'\n").expect("it can be written");
    let (finished, _) = onepane(folder.path(), &["check"]);
    assert!(finished.code == Some(1) && finished.stderr.contains("onepane.yaml:1:20"), "{}", finished.stderr);
    let (finished, _) = onepane(folder.path(), &["check", "--kubernetes-version", "1.12"]);
    assert_eq!(finished.code, Some(2));
}

#[test]
fn what_secrets_hold_is_in_no_report() {
    let folder = repository();
    edit(folder.path(), WEB, "  password: aHVudGVyMg==", &format!("  password: {SECRET}"));
    edit(
        folder.path(),
        WEB,
        "type: Opaque\n",
        &format!("type: Opaque\nstringData:\n  other: [{SECRET}]\n  {SECRET}: 1\n")
            .replace(&format!("  {SECRET}: 1\n"), ""),
    );
    edit(
        folder.path(),
        "clusters/dev/policy.yaml",
        "- apiGroups: [apps]\n      apiVersions: [v1]\n      operations: [CREATE, UPDATE]\n      resources: [deployments]",
        "- apiGroups: [\"\"]\n      apiVersions: [v1]\n      operations: [CREATE]\n      resources: [secrets]",
    );
    edit(folder.path(), "clusters/dev/policy.yaml", "object.spec.replicas\n", "size(object.data)\n");
    edit(folder.path(), "clusters/dev/policy.yaml", "variables.replicas <= 5", "variables.replicas > 5");
    edit(folder.path(), "clusters/dev/policy.yaml", "string(variables.replicas)", "object.data.password");
    for format in ["text", "json", "sarif", "github", "junit"] {
        let (finished, said) = onepane(folder.path(), &["check", "--output", format]);
        assert_eq!(finished.code, Some(1), "{said}");
        assert!(said.contains("schema-value") && said.contains("policy-denied"), "{said}");
        assert!(!said.contains(SECRET) && !finished.stderr.contains(SECRET), "{said}");
    }
}

#[test]
fn a_submodule_has_to_be_pinned_to_what_others_can_get() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    assert_eq!(onepane(folder.path(), &["init", "--example", "shop"]).0.code, Some(0));
    let shop = folder.path().join("shop");
    let git = |folder: &Path, arguments: &[&str]| {
        let output = std::process::Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"])
            .args(arguments)
            .current_dir(folder)
            .output()
            .expect("the tests need git");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let code = |arguments: &[&str]| checked(&shop, arguments).0;
    git(&shop.join("src/api"), &["commit", "--allow-empty", "-m", "not pushed"]);
    assert_eq!(code(&[]), [], "the pin is still the pushed one");
    git(&shop, &["add", "src/api"]);
    let place = |code: &str, line: u64| (code.to_owned(), ".gitmodules".to_owned(), line);
    assert_eq!(code(&[]), [place("submodule-not-pushed", 6)]);
    git(&shop, &["rm", "--cached", "-q", "src/worker"]);
    assert_eq!(code(&[]), [place("submodule-not-pushed", 6), place("submodule-not-pinned", 10)]);
}
