//! `helm template --dry-run=server` without a cluster: kubeconfigs and plugins that are bad, servers that only seem to
//! be API servers. Compared with the real Helm where there is one, but for what is secret, large or late.

mod side_by_side;

use serde_json::{Value, json};
use side_by_side::pair::{Line, Pair, printing};
use side_by_side::support::{Answer, Site, stderr, stdout};
use std::process::Output;

/// A server that has one ConfigMap and describes itself in the old way.
fn api() -> Site {
    let site = Site::start();
    let put = |path: &str, json: Value| {
        site.put(path, Answer::With("Content-Type", "application/json".to_owned(), json.to_string().into_bytes()));
    };
    put("/version", json!({"major": "1", "minor": "34", "gitVersion": "v1.34.2+canned"}));
    put("/api", json!({"kind": "APIVersions", "versions": ["v1"]}));
    put("/apis", json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": []}));
    let maps =
        json!({"name": "configmaps", "kind": "ConfigMap", "namespaced": true, "verbs": ["get", "list", "patch"]});
    put("/api/v1", json!({"kind": "APIResourceList", "groupVersion": "v1", "resources": [maps]}));
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"key": "hidden"}});
    put("/api/v1/namespaces/n/configmaps/a", map);
    site
}

fn asked(site: &Site, path: &str) -> usize {
    site.seen().iter().filter(|(seen, _)| seen == path).count()
}

fn with_server<'a>(flags: &[&'a str]) -> Line<'a> {
    let arguments = [["template", "r", "c", "-n", "n", "--dry-run=server"].as_slice(), flags].concat();
    Line { arguments, variables: vec![] }
}

#[test]
fn a_server_is_asked_and_believed() {
    let (site, mut pair) = (api(), Pair::new());
    // It has no schemas, and whether it checks fields Helm asks its schemas.
    let flags = ["--kube-apiserver", &site.address, "--disable-openapi-validation"];
    for expression in [
        "(lookup \"v1\" \"ConfigMap\" \"n\" \"a\").data.key",
        "lookup \"v1\" \"ConfigMap\" \"n\" \"b\"",
        "lookup \"v1\" \"Nonsense\" \"n\" \"b\"",
        "lookup \"apps/v1\" \"Deployment\" \"n\" \"b\"",
        ".Capabilities.KubeVersion.Version",
        ".Capabilities.APIVersions.Has \"v1/ConfigMap\"",
        ".Capabilities.APIVersions.Has \"apps/v1\"",
    ] {
        pair.chart("c", &printing(expression));
        pair.compare(with_server(&flags));
    }
    let exists = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    for template in [exists, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n"] {
        pair.chart("c", template);
        let output = pair.compare(with_server(&flags));
        assert!(stderr(&output).contains("Error: unable to "), "{output:?}");
    }
    pair.finish();
}

/// As in Helm, which logs it in another form.
#[test]
fn a_group_that_is_announced_and_not_there_is_warned_of() {
    let (site, pair) = (api(), Pair::new());
    let gone = json!({"groupVersion": "gone.example/v1", "version": "v1"});
    let gone = json!({"name": "gone.example", "versions": [gone.clone()], "preferredVersion": gone});
    let groups = json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": [gone]});
    site.put("/apis", Answer::With("Content-Type", "application/json".to_owned(), groups.to_string().into_bytes()));
    pair.chart("c", &printing(".Capabilities.APIVersions.Has \"gone.example/v1\""));
    let output = pair.ours(&with_server(&["--kube-apiserver", &site.address]));
    assert!(stdout(&output).contains("it: \"true\""), "{output:?}");
    let warning = "level=WARN msg=\"Couldn't get resource list\" groupVersion=gone.example/v1 error=\"the server could \
                   not find the requested resource\"\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), warning);
}

#[test]
fn a_failure_is_explained_without_asking_again() {
    let (site, pair) = (api(), Pair::new());
    let explained = |template: &str| -> Output {
        pair.chart("c", template);
        pair.room.write("c/values.yaml", "port: 80\n");
        pair.ours(&with_server(&["--kube-apiserver", &site.address, "--debug"]))
    };
    // What the cluster has, a value and the failure on one line: the value is told, that of the cluster is not.
    let found =
        "{{ $m := lookup \"v1\" \"ConfigMap\" \"n\" \"a\" }}{{ if $m.data.key }}{{ .Values.prot.name }}{{ end }}";
    let said = stderr(&explained(found));
    assert!(said.contains("nil pointer evaluating interface {}.name"), "{said}");
    assert!(said.contains(".Values.prot") && said.contains("port"), "it is explained as without a cluster: {said}");
    assert!(!said.contains("hidden"), "{said}");
    assert_eq!(asked(&site, "/api/v1/namespaces/n/configmaps/a"), 1);
    // It fails only because of what the cluster has; a render without it would pass.
    let only = "{{ if (lookup \"v1\" \"ConfigMap\" \"n\" \"a\") }}{{ fail \"taken\" }}{{ end }}";
    let said = stderr(&explained(only));
    assert!(said.contains("execution error at (c/templates/a.yaml:1:45): taken"), "{said}");
    assert_eq!(asked(&site, "/api/v1/namespaces/n/configmaps/a"), 2);
    // And what fails is the lookup itself.
    let said = stderr(&explained("{{ lookup \"apps/v1\" \"Deployment\" \"n\" \"a\" }}"));
    assert!(said.contains("error calling lookup: unable to get apiresource from unstructured"), "{said}");
    assert_eq!(asked(&site, "/apis/apps/v1"), 1);
}

/// Helm follows, with all that it shows the API server.
#[test]
fn nobody_is_sent_elsewhere() {
    let (site, elsewhere, pair) = (api(), api(), Pair::new());
    pair.chart("c", &printing("lookup \"v1\" \"ConfigMap\" \"n\" \"a\""));
    let path = "/api/v1/namespaces/n/configmaps/a";
    site.put(path, Answer::Redirect(format!("{}{path}", elsewhere.address)));
    let flags = ["--kube-apiserver", &site.address, "--kube-as-user", "somebody"];
    let said = stderr(&pair.ours(&with_server(&flags)));
    assert!(said.contains("status code 302"), "{said}");
    assert!(elsewhere.seen().is_empty(), "{:?}", elsewhere.seen());
}

#[test]
fn answers_have_limits() {
    let (site, pair) = (api(), Pair::new());
    pair.chart("c", &printing("lookup \"v1\" \"ConfigMap\" \"n\" \"a\""));
    let path = "/api/v1/namespaces/n/configmaps/a";
    for (answer, wanted) in [
        (Answer::Endless, "the answer is larger than 128 MiB"),
        (Answer::Cut { announced: 1000, bytes: b"{\"a\":".to_vec() }, "unexpected error when reading response body"),
        (Answer::Bytes(b"<html>no API server</html>".to_vec()), "error calling lookup"),
        (Answer::Bytes(vec![b'['; 100_000]), "error calling lookup"),
    ] {
        site.put(path, answer);
        let said = stderr(&pair.ours(&with_server(&["--kube-apiserver", &site.address])));
        assert!(said.contains(wanted), "{said}");
    }
}

const TOKEN: &str = "very-secret";

/// A kubeconfig whose user is `user`.
fn with_user(user: &str) -> String {
    let cluster = "clusters: [{name: a, cluster: {server: 'https://127.0.0.1:1'}}]\n";
    let context = "current-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\n";
    format!("{context}{cluster}users: [{{name: a, user: {{{user}}}}}]\n")
}

#[cfg(unix)]
#[test]
fn credential_plugins_run_once_and_show_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let mut pair = Pair::new();
    pair.chart("c", &printing(".Release.Name"));
    let answer = |status: &str, version: &str| {
        format!(
            "echo '{{\"apiVersion\":\"client.authentication.k8s.io/{version}\",\"kind\":\"ExecCredential\"{status}}}'"
        )
    };
    let token = format!(",\"status\":{{\"token\":\"{TOKEN}\"}}");
    let info = format!("echo x >> ran; echo $KUBERNETES_EXEC_INFO >&2; {}", answer(&token, "v1"));
    let certificate = format!(",\"status\":{{\"clientCertificateData\":\"{TOKEN}\",\"clientKeyData\":\"{TOKEN}\"}}");
    for (name, script) in [
        ("good", answer(&token, "v1")),
        ("info", info),
        ("fails", format!("echo oops >&2; echo {TOKEN}; exit 3")),
        ("killed", "kill -9 $$".to_owned()),
        ("text", format!("echo {TOKEN}")),
        ("yaml", format!("echo 'a: b: {TOKEN}'")),
        ("silent", "exit 0".to_owned()),
        ("old", answer(&token, "v1beta1")),
        ("no-status", answer("", "v1")),
        ("nothing", answer(",\"status\":{}", "v1")),
        ("half", answer(&format!(",\"status\":{{\"clientKeyData\":\"{TOKEN}\"}}"), "v1")),
        ("certificate", answer(&certificate, "v1")),
        ("number", answer(",\"status\":{\"token\":12}", "v1")),
    ] {
        let path = pair.room.write(name, format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).expect("it is ours");
        for more in ["interactiveMode: Never", "interactiveMode: IfAvailable, provideClusterInfo: true"] {
            let user = format!("exec: {{apiVersion: client.authentication.k8s.io/v1, {more}, command: ./{name}}}");
            pair.room.write("k.yaml", with_user(&user));
            let output = pair.compare(with_server(&["--kubeconfig", "k.yaml"]));
            assert!(!stderr(&output).contains(TOKEN), "{output:?}");
        }
    }
    pair.room.write("ran", "");
    pair.room.write(
        "k.yaml",
        with_user("exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: ./info}"),
    );
    pair.ours(&with_server(&["--kubeconfig", "k.yaml"]));
    assert_eq!(pair.room.read("ran"), "x\n");
    for user in [
        "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Always, command: ./good}",
        "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: no-such-plugin}",
        "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: no-such-plugin, installHint: get it}",
        "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: ./nope}",
        "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: ./k.yaml}",
        "exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: ./good}",
        "exec: {apiVersion: nonsense, command: ./good}",
        "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: nope}, token: a",
        "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: x}, auth-provider: {name: gcp}",
    ] {
        pair.room.write("k.yaml", with_user(user));
        stderr(&pair.compare(with_server(&["--kubeconfig", "k.yaml"])));
    }
    pair.finish();
}

#[test]
fn users_that_cannot_be_are_refused_in_helms_words() {
    let mut pair = Pair::new();
    pair.chart("c", &printing(".Release.Name"));
    pair.room.write("token", format!("{TOKEN}\n"));
    pair.room.write("pem", "PEM");
    for user in [
        "auth-provider: {name: oidc}",
        "auth-provider: {name: gcp}",
        "auth-provider: {name: azure}",
        "auth-provider: {name: foo}",
        "tokenFile: nowhere",
        "tokenFile: token",
        "tokenFile: nowhere, token: very-secret",
        "token: \"a\\nvery-secret\"",
        "token: 12345",
        "token: [very-secret]",
        "very-secret: a",
        "client-key-data: very-secret",
        "as: \"a\\nb\"",
        "as: a, as-groups: [\"b\\nc\"]",
        "as: a, as-user-extra: {x: [\"b\\nc\"]}",
        "as: a, as-uid: \"b\\nc\"",
        "username: a",
        "password: very-secret",
        "username: a, password: very-secret",
        "client-certificate-data: UEVN, client-key-data: UEVN",
        "token: ''",
        "username: [a]",
    ] {
        pair.room.write("k.yaml", with_user(user));
        let output = pair.compare(with_server(&["--kubeconfig", "k.yaml"]));
        assert!(!stderr(&output).contains(TOKEN) && !stderr(&output).contains("12345"), "{output:?}");
    }
    let elsewhere = |cluster: &str| with_user("token: very-secret").replace("server: 'https://127.0.0.1:1'", cluster);
    for cluster in [
        "server: 'https://u:very-secret@127.0.0.1:1/x'",
        "server: '127.0.0.1:1', insecure-skip-tls-verify: true",
        "server: 'https://127.0.0.1:1', certificate-authority: pem",
        "server: 'https://127.0.0.1:1', certificate-authority-data: UEVN",
        "server: 'https://127.0.0.1:1', certificate-authority-data: 'U!'",
        "server: 'https://127.0.0.1:1', certificate-authority: pem, insecure-skip-tls-verify: true",
        "server: 'https://127.0.0.1:1', insecure-skip-tls-verify: 'yes'",
        "server: 'https://127.0.0.1:1', proxy-url: 'ftp://127.0.0.1:2'",
        "server: 'https://k.invalid:1', proxy-url: 'http://u:very-secret@127.0.0.1:2'",
    ] {
        pair.room.write("k.yaml", elsewhere(cluster));
        let output = pair.compare(with_server(&["--kubeconfig", "k.yaml"]));
        assert!(!stderr(&output).contains(TOKEN), "{output:?}");
    }
    // Here Helm shows what is secret.
    for kubeconfig in [
        elsewhere("server: 'https://k', proxy-url: 'ftp://u:very-secret@127.0.0.1:2'"),
        elsewhere("server: 'https://k', proxy-url: 'socks5://u:very-secret@127.0.0.1:2'"),
        elsewhere("server: 'https://u:very-secret@k:port'"),
        format!(
            "{}- {{name: a}}\n",
            with_user("token: very-secret").replace("users: [{", "users:\n- {").replace("}}]", "}}")
        ),
    ] {
        pair.room.write("k.yaml", kubeconfig);
        let said = stderr(&pair.ours(&with_server(&["--kubeconfig", "k.yaml"])));
        assert!(said.contains("kubernetes cluster unreachable") && !said.contains(TOKEN), "{said}");
    }
    pair.finish();
}

#[test]
fn without_a_cluster_helms_words_are_said() {
    let mut pair = Pair::new();
    pair.chart("c", &printing(".Release.Name"));
    pair.room.write("bad.yaml", "nonsense: [");
    pair.room.write("other.yaml", "apiVersion: v2\nkind: Config\n");
    pair.room.write("empty.yaml", "");
    let context = "contexts: [{name: a, context: {cluster: a, user: a}}]\nclusters: [{name: a, cluster: {server: \
                   'https://127.0.0.1:1'}}]\n";
    pair.room.write("gone.yaml", format!("current-context: b\n{context}"));
    pair.room.write("good.yaml", format!("current-context: a\n{context}"));
    pair.room.write(
        "key.yaml",
        format!("current-context: a\n{context}users: [{{name: a, user: {{client-certificate: no.crt}}}}]\n"),
    );
    pair.room.write(
        "both.yaml",
        format!("current-context: a\n{context}users: [{{name: a, user: {{token: t, username: u, password: p}}}}]\n"),
    );
    for flags in [
        [].as_slice(),
        &["--kube-context", "nonsense"],
        &["--kubeconfig", "nowhere"],
        &["--kubeconfig", "bad.yaml"],
        &["--kubeconfig", "other.yaml"],
        &["--kubeconfig", "empty.yaml"],
        &["--kubeconfig", "gone.yaml"],
        &["--kubeconfig", "good.yaml"],
        &["--kubeconfig", "key.yaml"],
        &["--kubeconfig", "both.yaml"],
        &["--kubeconfig", "c"],
        &["--kubeconfig", "good.yaml", "--kube-ca-file", "nowhere"],
        &["--kubeconfig", "good.yaml", "--kube-context", "b"],
        &["--kube-apiserver", "https://127.0.0.1:1"],
        &["--kube-apiserver", "https://127.0.0.1:1/a/path"],
        &["--kube-apiserver", "127.0.0.1:1"],
        &["--kube-as-group", "g"],
    ] {
        let arguments = [["template", "c", "--dry-run=server"].as_slice(), flags].concat();
        let output = pair.compare(Line { arguments, variables: vec![] });
        let error = "Error: cluster reachability check failed: kubernetes cluster unreachable: ";
        assert!(stderr(&output).contains(error), "{flags:?}: {output:?}");
    }
    for variables in [vec![("KUBERNETES_MASTER", "http://127.0.0.1:1")], vec![("KUBECONFIG", "bad.yaml:other.yaml")]] {
        pair.compare(Line { arguments: vec!["template", "c", "--validate"], variables });
    }
    for value in ["--dry-run=none", "--dry-run=nonsense", "--dry-run=false", "--dry-run", "--dry-run=true"] {
        pair.compare(Line { arguments: vec!["template", "c", value], variables: vec![] });
    }
    pair.finish();
}
