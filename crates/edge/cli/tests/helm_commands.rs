//! Helm's commands besides `template`, on a chart that `helm create` makes. What the real Helm prints for the same is
//! compared by `scripts/compare-helm-commands`.

use std::path::Path;
use std::process::{Command, Output};

fn helm(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_onepane"))
        .arg("helm")
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .output()
        .expect("the binary starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let output = helm(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn fails(folder: &Path, arguments: &[&str]) -> String {
    let output = helm(folder, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    text(&output.stderr)
}

#[test]
fn a_new_chart_renders_and_packs() {
    let folder = tempfile::tempdir().expect("there is room");
    let folder = folder.path();
    assert_eq!(succeeds(folder, &["create", "web"]), "Creating web\n");
    let everything = ["ingress.enabled=true", "autoscaling.enabled=true", "httpRoute.enabled=true"].join(",");
    let manifests = succeeds(folder, &["template", "r", "web", "--set", &everything]);
    for kind in ["Deployment", "Service", "ServiceAccount", "Ingress", "HorizontalPodAutoscaler", "HTTPRoute", "Pod"] {
        assert!(manifests.contains(&format!("\nkind: {kind}\n")), "{kind}");
    }
    assert!(manifests.contains("name: r-web\n") && !manifests.contains("<CHARTNAME>"));

    let packed = succeeds(folder, &["package", "web", "-d", "out", "--version", "1.2.3", "--app-version", "9"]);
    assert!(packed.ends_with("out/web-1.2.3.tgz\n"), "{packed}");
    let archive = folder.join("out/web-1.2.3.tgz");
    let first = std::fs::read(&archive).expect("the archive is there");
    succeeds(folder, &["package", "web", "-d", "again", "--version", "1.2.3", "--app-version", "9"]);
    assert_eq!(std::fs::read(folder.join("again/web-1.2.3.tgz")).expect("it is there"), first, "the same bytes");

    let definition = succeeds(folder, &["show", "chart", "out/web-1.2.3.tgz"]);
    assert!(definition.contains("appVersion: \"9\"\n") && definition.contains("version: 1.2.3\n"), "{definition}");
    let values = std::fs::read_to_string(folder.join("web/values.yaml")).expect("values are there");
    assert_eq!(succeeds(folder, &["inspect", "values", "out/web-1.2.3.tgz"]), values + "\n");
    assert_eq!(
        succeeds(
            folder,
            &["template", "r", "out/web-1.2.3.tgz", "--set", "image.tag=9", "-s", "templates/service.yaml"]
        )
        .replace("1.2.3", "0.1.0")
        .replace("version: \"9\"", "version: \"1.16.0\""),
        succeeds(folder, &["template", "r", "web", "-s", "templates/service.yaml"])
    );
}

#[test]
fn dependencies_are_listed_with_their_state() {
    let folder = tempfile::tempdir().expect("there is room");
    let folder = folder.path();
    for name in ["parent", "there", "other"] {
        succeeds(folder, &["create", name]);
    }
    succeeds(folder, &["package", "there", "-d", "parent/charts"]);
    succeeds(folder, &["package", "other", "-d", "parent/charts"]);
    assert_eq!(succeeds(folder, &["dep", "ls", "there"]), "WARNING: no dependencies at there/charts\n");
    let definition = "apiVersion: v2\nname: parent\nversion: 1.0.0\ndependencies:\n- {name: there, version: ~0.1}\n\
                      - {name: absent, version: 1.x, repository: 'https://charts.example.com'}\n";
    std::fs::write(folder.join("parent/Chart.yaml"), definition).expect("it can be written");
    assert_eq!(
        succeeds(folder, &["dependency", "list", "parent"]),
        "NAME  \tVERSION\tREPOSITORY                \tSTATUS \n\
         there \t~0.1   \t                          \tok     \n\
         absent\t1.x    \thttps://charts.example.com\tmissing\n\
         \n\
         WARNING: \"parent/charts/other-0.1.0.tgz\" is not in Chart.yaml.\n"
    );
    let error = fails(folder, &["package", "parent"]);
    assert_eq!(error, "Error: found in Chart.yaml, but missing in charts/ directory: absent\n");
    assert!(!folder.join("parent-1.0.0.tgz").exists());
}

#[test]
fn mistakes_get_helms_words() {
    let folder = tempfile::tempdir().expect("there is room");
    let folder = folder.path();
    let cases: [(&[&str], &str); 6] = [
        (
            &["shw"],
            "Error: unknown command \"shw\" for \"helm\"\n\nDid you mean this?\n\tshow\n\nRun 'helm --help' for usage.\n",
        ),
        (
            &["show", "chart"],
            "Error: \"helm show chart\" requires 1 argument\n\nUsage:  helm show chart [CHART] [flags]\n",
        ),
        (
            &["show", "chart", "nowhere"],
            "Error: non-absolute URLs should be in form of repo_name/path_to_chart, got: nowhere\n",
        ),
        (&["package"], "Error: need at least one argument, the path to the chart\n"),
        (&["version", "x"], "Error: \"helm version\" accepts no arguments\n\nUsage:  helm version [flags]\n"),
        (&["env", "--nosuch"], "Error: unknown flag: --nosuch\n"),
    ];
    for (arguments, wanted) in cases {
        assert_eq!(fails(folder, arguments), wanted, "{arguments:?}");
    }
    assert_eq!(succeeds(folder, &["version", "--short"]), "v4.3.1\n");
    assert_eq!(succeeds(folder, &["version", "--template", "{{ .Version }}"]), "v4.3.1");
    let config = format!("{}/.config/helm/repositories.yaml\n", folder.display());
    assert_eq!(succeeds(folder, &["env", "HELM_REPOSITORY_CONFIG"]), config);
}
