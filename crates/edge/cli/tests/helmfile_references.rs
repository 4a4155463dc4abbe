//! References to secrets in the values of states. What those that need no network become was read off Helmfile 1.8.0; the
//! services are stand-ins on this machine, whose finer points the tests of `onepane-keys` know.

#[path = "../../fetch/tests/support/mod.rs"]
mod support;

use serde_json::{Value, json};
use std::fs;
use std::process::{Command, Output};
use support::{Answer, Site, stderr, stdout};
use tempfile::TempDir;

/// A folder with a chart that prints its values.
struct Repository(TempDir);

impl Repository {
    fn new() -> Self {
        let repository = Self(tempfile::tempdir().expect("a temporary folder can be made"));
        repository.write("chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 1.0.0\n");
        repository.write("chart/templates/a.yaml", "kind: A\nvalues: {{ .Values | toJson }}\n");
        repository
            .write("d.yaml", "a: {b: hush, n: 12345678, y: yes, t: 2020-01-01, l: [x, y], z: null, \"1\": one}\n");
        repository
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("folders can be made");
        fs::write(path, text).expect("files can be written");
    }

    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onepane"));
        command.args(arguments).current_dir(self.0.path());
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.0.path()).envs(variables.iter().copied());
        command.output().expect("it can be started")
    }

    /// Renders with an entry of `values`, which is line 5 of the state.
    fn rendered(&self, entry: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        self.write("helmfile.yaml", &format!("releases:\n- name: r\n  chart: ./chart\n  values:\n  - {entry}\n"));
        self.run(&[&["helmfile", "template"], arguments].concat(), variables)
    }

    /// The values that an entry gives.
    fn values(&self, entry: &str, variables: &[(&str, &str)]) -> Value {
        let output = self.rendered(entry, &[], variables);
        assert!(output.status.success(), "{entry}: {output:?}");
        let printed = stdout(&output);
        let line = printed.lines().find_map(|line| line.strip_prefix("values: ")).expect("the chart prints them");
        serde_json::from_str(line).expect("it is JSON")
    }

    /// What is said of an entry that can't be resolved: one error, at its line, without what is secret.
    fn refused(&self, entry: &str, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let output = self.rendered(entry, arguments, variables);
        let said = stderr(&output);
        assert!(!output.status.success() && output.stdout.is_empty(), "{entry}: {output:?}");
        assert!(!said.contains("hush"), "{said}");
        assert!(said.contains("helmfile.yaml:5:") && said.matches("error[").count() == 1, "{said}");
        said
    }
}

#[test]
fn references_on_this_machine_are_what_helmfile_makes_of_them() {
    let repository = Repository::new();
    let variables = [("FOO", "bar")];
    for (entry, wanted) in [
        (
            "{x: ref+file://d.yaml#/a/b, n: ref+file://d.yaml#/a/n, y: ref+file://d.yaml#/a/y, l: ref+file://d.yaml#/a/l}",
            json!({"x": "hush", "n": 12345678, "y": "yes", "l": ["x", "y"]}),
        ),
        (
            "{t: secretref+file://d.yaml#/a/t, o: ref+file://d.yaml#/a/1}",
            json!({"t": "2020-01-01T00:00:00Z", "o": "one"}),
        ),
        ("{z: ref+file://d.yaml#/a/z, none: ref+file://d.yaml#/a/none/x}", json!({"z": null, "none": null})),
        ("{x: 'a ref+envsubst://$FOO+ b', y: 'ref+envsubst:///${NONE:-d}/x'}", json!({"x": "a bar b", "y": "/d/x"})),
        ("{x: 'ref+echo://foo/bar#/foo', y: 'ref+echo://ref+envsubst://$FOO/x'}", json!({"x": "bar", "y": "bar/x"})),
        ("{x: 'ref+file://c.txt?encode=base64'}", json!({"x": "aHVzaA=="})),
        ("{ref+file://m.yaml: {y: 1}, k: 2}", json!({"m": {"1": "one"}, "k": 2})),
        ("ref+echo://m.yaml", json!({"m": {"1": "one"}})),
    ] {
        repository.write("c.txt", "hush");
        repository.write("m.yaml", "m: {\"1\": one}\n");
        assert_eq!(repository.values(entry, &variables), wanted, "{entry}");
    }
    repository.write("c.txt", "hush");
    assert_eq!(repository.values("{x: ref+file://c.txt}", &[("VALS_ENCODE", "base64")]), json!({"x": "aHVzaA=="}));
}

/// What Helmfile doesn't have.
#[test]
fn variables_are_named_without_a_dollar_too() {
    let repository = Repository::new();
    let wanted = json!({"x": "bar", "y": "a bar"});
    assert_eq!(repository.values("{x: ref+env://FOO, y: 'a ref+env://FOO+'}", &[("FOO", "bar")]), wanted);
}

/// Relative paths start where the state is.
#[test]
fn paths_are_those_of_the_state() {
    let repository = Repository::new();
    repository.write("sub/s.yaml", "b: of sub\n");
    repository.write("s.yaml", "b: of top\n");
    let release = |chart: &str, name: &str| {
        format!("releases:\n- name: {name}\n  chart: {chart}\n  values:\n  - {{x: ref+file://s.yaml#/b}}\n")
    };
    repository.write("sub/helmfile.yaml", &release("../chart", "a"));
    repository.write("helmfile.yaml", &(release("./chart", "b") + "helmfiles: [sub/helmfile.yaml]\n"));
    let output = repository.run(&["helmfile", "template"], &[]);
    let printed = stdout(&output);
    let values: Vec<&str> = printed.lines().filter(|line| line.starts_with("values: ")).collect();
    assert_eq!(values, [r#"values: {"x":"of sub"}"#, r#"values: {"x":"of top"}"#], "{output:?}");
}

#[test]
fn functions_of_templates_resolve_them_too() {
    let repository = Repository::new();
    let state = "releases:\n- name: r\n  chart: ./chart\n  values:\n  - x: {{ fetchSecretValue \"ref+file://d.yaml#/a/b\" }}\n    y: {{ (expandSecretRefs (dict \"k\" \"ref+envsubst://$FOO\")).k }}\n";
    repository.write("helmfile.yaml.gotmpl", state);
    let output = repository.run(&["helmfile", "template"], &[("FOO", "bar")]);
    assert!(stdout(&output).contains(r#"values: {"x":"hush","y":"bar"}"#), "{output:?}");
    // What was found is not told where it is no YAML, or lacks a key.
    for (from, to, wanted) in [
        ("\"ref+file://d.yaml#/a/b\"", "\"ref+file://d.yaml#/a/b/c\"", "file://d.yaml#/a/b/c"),
        ("\"ref+file://d.yaml#/a/b\"", "\"ref+file://bad.yaml\" | fromYaml", "yaml: "),
        (
            "fetchSecretValue \"ref+file://d.yaml#/a/b\"",
            "get \"no.key\" (expandSecretRefs (dict \"no\" (dict \"k\" \"ref+file://bad.yaml\")))",
            "no value exist for key",
        ),
    ] {
        repository.write("bad.yaml", "[hush");
        repository.write("helmfile.yaml.gotmpl", &state.replace(from, to));
        let said = stderr(&repository.run(&["helmfile", "template"], &[]));
        assert!(said.contains("helmfile.yaml.gotmpl:5:") && said.contains(wanted), "{said}");
        assert!(!said.contains("hush"), "{said}");
    }
}

#[test]
fn what_can_t_be_resolved_is_said_without_what_is_secret() {
    let repository = Repository::new();
    repository.write("c.txt", "hush");
    repository.write("n.yaml", "n: 5\nh: hush\n");
    let variables = [("HUSH", "hush/hush"), ("SHORT", "hush")];
    for (entry, wanted) in [
        ("{x: ref+file://none.yaml#/a}", "expand file://none.yaml#/a: "),
        ("{x: ref+file://d.yaml#/a/b/c}", "`b` in `a/b/c` is no mapping"),
        ("{x: ref+file://c.txt#/a}", "what it stands for is no mapping"),
        ("{x: 'ref+file://c.txt?encode=hex'}", "`encode` is to be `raw` or `base64`"),
        ("{x: 'ref+vault://a/b?secret_id=sesame&auth_method=ldap'}", "expand vault://a/b: `auth_method` is to be"),
        // The inner one becomes a part of what the outer one asks for.
        ("{x: 'ref+file://ref+envsubst://$HUSH'}", "expand a reference that holds another: why would tell"),
        ("{x: 'ref+echo://ref+file://d.yaml#/a/l'}", "it stands within another and is no scalar"),
        // What stands for a file of values is no path here.
        ("ref+file://c.txt", "what this reference stands for is no file of values"),
        ("ref+file://n.yaml#/n", "what this reference stands for is no file of values"),
        ("{ref+file://c.txt: {}}", "what `ref+file://c.txt` stands for is no mapping"),
        ("{x: ref+env://NONE}", "there is no variable `NONE`"),
        ("{x: 'ref+envsubst://${FOO}'}", "`{` can't stand in a host; begin the path with three slashes"),
        ("{x: ref+tfstate://a/b}", "`tfstate` is a provider of Helmfile's that onepane does not have yet"),
        ("{x: ref+nothing://a/b}", "no provider registered for scheme \"nothing\""),
    ] {
        let said = repository.refused(entry, &[], &variables);
        assert!(said.contains(wanted), "{entry}: {said}");
        // The line of the file is shown as it stands there; what is said of it has no parameters.
        assert!(!said.lines().next().unwrap_or_default().contains("sesame"), "{said}");
    }
    let strict = [("HELMFILE_VALS_FAIL_ON_MISSING_KEY_IN_MAP", "true")];
    assert!(repository.refused("{x: ref+file://d.yaml#/none}", &[], &strict).contains("it has no `none`"));
    // In a file of values, it is the line there.
    repository.write("v.yaml", "a: 1\nb:\n  c: ref+file://d.yaml#/a/b/c\n");
    let said = stderr(&repository.rendered("v.yaml", &[], &[]));
    assert!(said.contains("v.yaml:3:") && !said.contains("hush"), "{said}");
}

/// A Vault with `secret/db`.
fn vault() -> Site {
    let site = Site::start();
    let put = |path: &str, answer: Value| site.bytes(path, answer.to_string());
    let mount = json!({"data": {"path": "secret/", "options": {"version": "2"}}});
    for name in ["db", "none", "odd"] {
        put(&format!("/v1/sys/internal/ui/mounts/secret/{name}"), mount.clone());
    }
    put("/v1/secret/data/db", json!({"data": {"data": {"password": "hush", "port": 5432}}}));
    put("/v1/secret/data/odd", json!({"data": {"data": "hush"}}));
    site
}

#[test]
fn secrets_of_a_vault_become_values_and_are_asked_for_once() {
    let (repository, site) = (Repository::new(), vault());
    let variables = [("VAULT_ADDR", site.address.as_str()), ("VAULT_TOKEN", "hush token")];
    let entry =
        "{p: ref+vault://secret/db#/password, n: ref+vault://secret/db#/port, again: ref+vault://secret/db#/port}";
    assert_eq!(repository.values(entry, &variables), json!({"p": "hush", "n": "5432", "again": "5432"}));
    let seen: Vec<String> = site.seen().into_iter().map(|(path, _)| path).collect();
    assert_eq!(seen, ["/v1/sys/internal/ui/mounts/secret/db", "/v1/secret/data/db"]);
    // Nor does anybody log in twice.
    site.bytes("/v1/auth/approle/login", json!({"auth": {"client_token": "hush"}}).to_string());
    let entry = "{p: ref+vault://secret/db/password, n: ref+vault://secret/db/port}";
    repository.values(entry, &[("VAULT_ADDR", &site.address), ("VAULT_AUTH_METHOD", "approle")]);
    let logins = site.seen().into_iter().filter(|(path, _)| path.contains("login")).count();
    assert_eq!(logins, 1);
    assert_eq!(repository.values("{p: 'x=ref+vault://secret/db/password'}", &variables), json!({"p": "x=hush"}));
    for (entry, wanted) in [
        ("{p: ref+vault://secret/none#/password}", "Vault has no secret `secret/none`"),
        ("{p: ref+vault://secret/odd#/password}", "Vault answers without the fields of `secret/odd`"),
        ("{p: 'ref+vault://secret/db#/p?address=https://evil.example'}", "expand vault://secret/db"),
        ("{p: 'ref+vault://secret/db/password?address=https://evil.example'}", "to which no token is sent"),
    ] {
        if entry.contains("#/p?") {
            // What stands behind the keys belongs to them: nobody else is asked, and there is no such key.
            assert_eq!(repository.values(entry, &variables), json!({"p": null}));
            continue;
        }
        let said = repository.refused(entry, &[], &variables);
        assert!(said.contains(wanted), "{entry}: {said}");
    }
}

/// An API server with a Secret and a ConfigMap.
fn cluster(repository: &Repository) -> Site {
    let site = Site::start();
    let put = |path: &str, answer: Value| {
        let path = format!("/api/v1/namespaces/n/{path}");
        site.put(&path, Answer::With("Content-Type", "application/json".to_owned(), answer.to_string().into_bytes()));
    };
    put("secrets/db", json!({"kind": "Secret", "data": {"password": "aHVzaA==", "user": "bWU="}}));
    put("secrets/empty", json!({"kind": "Secret"}));
    put("secrets/odd", json!({"kind": "Secret", "data": {"password": "hush!"}}));
    put("configmaps/c", json!({"kind": "ConfigMap", "data": {"k": "v"}}));
    let context = |name: &str, cluster: &str| format!("- {{name: {name}, context: {{cluster: {cluster}}}}}\n");
    let clusters = format!(
        "clusters:\n- {{name: a, cluster: {{server: '{}'}}}}\n- {{name: b, cluster: {{server: 'http://127.0.0.1:1'}}}}\n",
        site.address
    );
    let contexts = format!("contexts:\n{}{}", context("a", "a"), context("b", "b"));
    repository
        .write(".kube/config", &format!("apiVersion: v1\nkind: Config\ncurrent-context: a\n{clusters}{contexts}"));
    repository.write("other", &format!("apiVersion: v1\nkind: Config\ncurrent-context: b\n{clusters}{contexts}"));
    site
}

#[test]
fn what_a_cluster_holds_becomes_values() {
    let repository = Repository::new();
    let site = cluster(&repository);
    for (entry, wanted) in [
        ("{x: ref+k8s://v1/Secret/n/db/password}", json!({"x": "hush"})),
        ("{x: ref+k8s://v1/Secret/n/db#/user}", json!({"x": "me"})),
        ("{x: ref+k8s://v1/Secret/n/db}", json!({"x": "{\"password\":\"hush\",\"user\":\"me\"}"})),
        ("{x: ref+k8s://v1/Secret/n/empty}", json!({"x": "{}"})),
        ("{x: ref+k8s://v1/ConfigMap/n/c/k}", json!({"x": "v"})),
        ("{x: 'ref+k8s://v1/ConfigMap/n/c/k?kubeConfigPath=other&kubeContext=a'}", json!({"x": "v"})),
    ] {
        // What only Helm reads does not count.
        assert_eq!(repository.values(entry, &[("HELM_KUBECONTEXT", "b")]), wanted, "{entry}");
    }
    assert!(site.seen().iter().all(|(path, _)| path.starts_with("/api/v1/namespaces/n/")), "{:?}", site.seen());
    for (entry, wanted) in [
        ("{x: ref+k8s://v1/Secret/n/none/k}", "could not find the requested resource (get secrets none)"),
        ("{x: ref+k8s://v1/Secret/n/db/none}", "Secret n/db has no `none`"),
        ("{x: ref+k8s://v1/Secret/n/odd/password}", "the server answers with something else than what was asked for"),
        ("{x: ref+k8s://v1/Pod/n/db/k}", "its kind is to be Secret or ConfigMap"),
        ("{x: ref+k8s://apps/v1/Secret/n/db}", "its path is to be v1/Secret/NAMESPACE/NAME"),
        ("{x: 'ref+k8s://v1/Secret/n/a%2f..%2fb'}", "its path is to be v1/Secret/NAMESPACE/NAME"),
        ("{x: 'ref+k8s://v1/Secret/../db'}", "invalid namespace"),
        ("{x: 'ref+k8s://v1/Secret/n/db?kubeContext=none'}", "context \"none\" does not exist"),
        ("{x: 'ref+k8s://v1/Secret/n/db?kubeContext=b'}", "connection refused"),
        ("{x: 'ref+k8s://v1/Secret/n/db?inCluster'}", "it asks the cluster around, and there is none"),
    ] {
        let said = repository.refused(entry, &[], &[]);
        assert!(said.contains(wanted), "{entry}: {said}");
    }
    fs::remove_file(repository.0.path().join(".kube/config")).expect("it is there");
    assert!(repository.refused("{x: ref+k8s://v1/Secret/n/db}", &[], &[]).contains("there is no kubeconfig"));
}

#[test]
fn in_a_sandbox_nobody_is_asked() {
    let (repository, site) = (Repository::new(), vault());
    let api = cluster(&repository);
    let variables = [
        ("VAULT_ADDR", site.address.as_str()),
        ("VAULT_TOKEN", "hush"),
        ("AWS_ENDPOINT_URL", site.address.as_str()),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", "hush"),
    ];
    for reference in [
        "vault://secret/db/password",
        "awssecrets://db",
        "awsssm://db",
        "gcpsecrets://p/db",
        "azurekeyvault://v/db",
        "k8s://v1/Secret/n/db",
    ] {
        let said = repository.refused(&format!("{{x: ref+{reference}}}"), &["--sandbox"], &variables);
        let provider = reference.split(':').next().unwrap_or_default();
        let wanted = format!("expand {reference}: `{provider}` is asked over the network: not with --sandbox");
        assert!(said.contains(&wanted), "{said}");
    }
    // Nor for a file's key.
    let key = format!("{}/v1/transit/keys/k", site.address);
    repository.write("s.yaml", &encrypted_for(&key, &site.address));
    let said = repository.refused("{x: ref+sops://s.yaml#/a}", &["--sandbox"], &variables);
    assert!(said.contains("s.yaml"), "{said}");
    assert_eq!((site.seen().len(), api.seen().len()), (0, 0));
    // Without one, the same is asked.
    repository.refused("{x: ref+sops://s.yaml#/a}", &[], &variables);
    assert!(site.seen().iter().any(|(path, _)| path == "/v1/transit/decrypt/k"), "{:?}", site.seen());
    let output = repository.rendered("{x: ref+file://d.yaml#/a/n}", &["--sandbox"], &[]);
    assert!(stdout(&output).contains("{\"x\":12345678}"), "{output:?}");
}

/// A file that is encrypted for a key of Vault; nobody has to be able to read it.
fn encrypted_for(key: &str, address: &str) -> String {
    let (_, name) = key.rsplit_once('/').expect("it has one");
    format!(
        "a: ENC[AES256_GCM,data:AAAA,iv:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]\n\
         sops:\n    hc_vault:\n        - vault_address: {address}\n          engine_path: transit\n          key_name: {name}\n          \
         created_at: \"2026-01-01T00:00:00Z\"\n          enc: vault:v1:AAAA\n    lastmodified: \"2026-01-01T00:00:00Z\"\n    \
         mac: ENC[AES256_GCM,data:AAAA,iv:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]\n    \
         version: 3.9.0\n"
    )
}

/// `onepane render` reads no references at all.
#[test]
fn a_render_to_disk_refuses_references() {
    let (repository, site) = (Repository::new(), vault());
    for (name, text) in [
        ("helmfile.yaml", "- x: ref+vault://secret/db/password\n"),
        ("helmfile.yaml.gotmpl", "- x: {{ fetchSecretValue \"ref+vault://secret/db/password\" }}\n"),
    ] {
        let state = format!("releases:\n- name: r\n  chart: ./chart\n  values:\n  {text}");
        repository.write("clusters/README.md", "");
        repository.write(&format!("helm-charts/{name}"), &state.replace("./chart", "../chart"));
        let variables = [("VAULT_ADDR", site.address.as_str()), ("VAULT_TOKEN", "hush")];
        let output = repository.run(&["render"], &variables);
        let said = stderr(&output);
        assert!(!output.status.success() && said.contains(&format!("{name}:5:")) && said.contains("ref"), "{said}");
        fs::remove_file(repository.0.path().join("helm-charts").join(name)).expect("it is there");
    }
    assert_eq!(site.seen().len(), 0);
}
