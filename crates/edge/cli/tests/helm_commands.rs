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

#[test]
fn the_linter_says_what_helms_says() {
    let folder = tempfile::tempdir().expect("there is room");
    let folder = folder.path();
    succeeds(folder, &["create", "web"]);
    let linted = "==> Linting web\n[INFO] Chart.yaml: icon is recommended\n\n1 chart(s) linted, 0 chart(s) failed\n";
    assert_eq!(succeeds(folder, &["lint", "web"]), linted);
    assert_eq!(succeeds(folder, &["lint", "web", "--quiet"]), "");
    succeeds(folder, &["package", "web"]);
    assert_eq!(succeeds(folder, &["lint", "web-0.1.0.tgz"]), linted.replace("web\n", "web-0.1.0.tgz\n"));

    let manifest = "apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: Web}\n\
                    x: {{ required \"no x\" .Values.x }}{{ fail \"never\" }}\n";
    std::fs::write(folder.join("web/templates/old.yaml"), manifest).expect("it can be written");
    std::fs::write(folder.join("web/templates/notes.md"), "text").expect("it can be written");
    std::fs::write(folder.join("web/Chart.yaml"), "name: web\nversion: 1\nnosuch: 1\n").expect("it can be written");
    let output = helm(folder, &["lint", "web", "nowhere"]);
    assert_eq!(output.status.code(), Some(1));
    let logged =
        "level=WARN msg=\"missing required value\" message=\"no x\"\nlevel=INFO msg=\"funcMap fail\" message=never\n";
    assert_eq!(text(&output.stderr), format!("{logged}Error: 2 chart(s) linted, 2 chart(s) failed\n"));
    let printed = text(&output.stdout);
    for wanted in [
        "[WARNING] Chart.yaml: failed to strictly parse chart metadata file\n\terror unmarshaling JSON: while decoding \
         JSON: json: unknown field \"nosuch\"\n",
        "[ERROR] Chart.yaml: apiVersion is required. The value must be either \"v1\" or \"v2\"\n",
        "[ERROR] Chart.yaml: version should be of type string but it's of type float64\n",
        "[WARNING] Chart.yaml: version '1' is not a valid SemVerV2\n",
        "[ERROR] templates/notes.md: file extension '.md' not valid. Valid extensions are .yaml, .yml, .tpl, or .txt\n",
        "[WARNING] templates/old.yaml: object name does not conform to Kubernetes naming requirements: \"Web\": ",
        "[WARNING] templates/old.yaml: extensions/v1beta1 Deployment is deprecated in v1.8+, unavailable in v1.16+; use \
         apps/v1 Deployment\n",
        "[ERROR] templates/old.yaml: a Deployment must contain matchLabels or matchExpressions, and \"Web\" does not\n",
        "==> Linting nowhere\nError unable to check Chart.yaml file in chart: stat nowhere/Chart.yaml: no such file or \
         directory\n",
    ] {
        assert!(printed.contains(wanted), "{wanted}\n{printed}");
    }
}
