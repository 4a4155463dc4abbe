//! `helm template` with a cluster: every command line through onepane and through the real Helm, against the API server
//! that `ONEPANE_TEST_KUBECONFIG` names. Compared are stdout, stderr and exit codes, to the byte. `.ci/run` starts one.
//! What needs no cluster is in `helm_api.rs`.

mod side_by_side;

use base64::Engine;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};
use side_by_side::pair::{Line, Pair, printing};
use side_by_side::support::{stderr, stdout};
use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// An API server, and a namespace in it that is one test's alone.
struct Api {
    runtime: tokio::runtime::Runtime,
    client: kube::Client,
    kubeconfig: String,
    server: String,
    /// The certificate that the server is checked with, as PEM.
    authority: Vec<u8>,
    namespace: String,
    /// The group of the CRD that is made.
    group: String,
}

impl Api {
    /// The one that is named; `None`, and a line that says so, where none is.
    fn named() -> Option<Self> {
        let Ok(kubeconfig) = std::env::var("ONEPANE_TEST_KUBECONFIG") else {
            assert!(
                std::env::var_os("ONEPANE_REQUIRE_CLUSTER").is_none(),
                "a cluster is required here and none is named"
            );
            println!("SKIPPED: ONEPANE_TEST_KUBECONFIG names no kubeconfig of a cluster to test against");
            return None;
        };
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let file = Kubeconfig::read_from(&kubeconfig).expect("it is a kubeconfig");
        let cluster = file.clusters[0].cluster.clone().expect("it has a cluster");
        let authority = cluster.certificate_authority_data.expect("it has its certificate inside");
        let authority = base64::engine::general_purpose::STANDARD.decode(authority).expect("it is base64");
        let client = runtime.block_on(async {
            let config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
            kube::Client::try_from(config.expect("it can be used")).expect("it can be used")
        });
        // The tests of this file run at once, and each removes what it made.
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let namespace = format!("onepane-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let group = format!("{namespace}.example");
        let server = cluster.server.expect("it has a server");
        let api = Self { runtime, client, kubeconfig, server, authority, namespace, group };
        api.fill();
        Some(api)
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Value {
        let request = http::Request::builder().method(method).uri(path).header("content-type", "application/json");
        let request = request.body(body.to_string().into_bytes()).expect("it is a request");
        self.runtime.block_on(self.client.request(request)).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// Makes what the charts look up and collide with.
    fn fill(&self) {
        let Self { namespace, group, .. } = self;
        self.send("POST", "/api/v1/namespaces", &json!({"metadata": {"name": namespace}}));
        let maps = format!("/api/v1/namespaces/{namespace}/configmaps");
        let owned_by = |release: &str| {
            json!({
                "labels": {"app.kubernetes.io/managed-by": "Helm", "of": "tests"},
                "annotations": {"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": namespace},
            })
        };
        for (name, mut metadata) in [("plain", json!({})), ("others", owned_by("others")), ("own", owned_by("r"))] {
            metadata["name"] = name.into();
            self.send("POST", &maps, &json!({"metadata": metadata, "data": {"key": "value"}}));
        }
        let deployments = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
        let template =
            json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
        let spec = json!({"replicas": 3, "selector": {"matchLabels": {"a": "b"}}, "template": template});
        self.send("POST", &deployments, &json!({"metadata": {"name": "web"}, "spec": spec}));
        let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let version = json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}});
        let names = json!({"plural": "widgets", "singular": "widget", "kind": "Widget"});
        let spec = json!({"group": group, "scope": "Namespaced", "names": names, "versions": [version]});
        let crd = json!({"metadata": {"name": format!("widgets.{group}")}, "spec": spec});
        self.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &crd);
        let start = Instant::now();
        let is_served = || {
            let request = http::Request::get(format!("/apis/{group}/v1/widgets")).body(Vec::new()).expect("a request");
            self.runtime.block_on(self.client.request_text(request)).is_ok()
        };
        while !is_served() {
            assert!(start.elapsed() < Duration::from_secs(30), "the CRD is never served");
            std::thread::sleep(Duration::from_millis(100));
        }
        // Served is not yet announced; a group is announced to everyone a moment later.
        std::thread::sleep(Duration::from_secs(2));
    }

    /// A token of the namespace's own account, which may read the namespace and nothing else.
    fn token(&self) -> String {
        let path = format!("/api/v1/namespaces/{}/serviceaccounts", self.namespace);
        self.send("POST", &path, &json!({"metadata": {"name": "tester"}}));
        let roles = "/apis/rbac.authorization.k8s.io/v1/namespaces";
        let subject = json!({"kind": "ServiceAccount", "name": "tester", "namespace": self.namespace});
        let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"});
        let binding = json!({"metadata": {"name": "tester"}, "subjects": [subject], "roleRef": role});
        self.send("POST", &format!("{roles}/{}/rolebindings", self.namespace), &binding);
        let token = self.send("POST", &format!("{path}/tester/token"), &json!({"spec": {}}));
        token["status"]["token"].as_str().expect("there is a token").to_owned()
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        for path in [
            format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.{}", self.group),
            format!("/api/v1/namespaces/{}", self.namespace),
        ] {
            let request = http::Request::delete(path).body(Vec::new()).expect("it is a request");
            let _ = self.runtime.block_on(self.client.request_text(request));
        }
    }
}

#[test]
fn templates_see_the_cluster() {
    let Some(api) = Api::named() else { return };
    let mut pair = Pair::new();
    let Api { namespace, group, kubeconfig, .. } = &api;
    let seen = |pair: &mut Pair, expression: &str| {
        pair.chart("c", &printing(expression));
        let arguments = vec!["template", "r", "c", "--dry-run=server", "-n", namespace];
        pair.compare(Line { arguments, variables: vec![("KUBECONFIG", kubeconfig)] })
    };
    let plain = seen(&mut pair, &format!("lookup \"v1\" \"ConfigMap\" \"{namespace}\" \"plain\""));
    assert!(stdout(&plain).contains("\\\"data\\\":{\\\"key\\\":\\\"value\\\"}"), "{plain:?}");
    let absent = seen(&mut pair, &format!("lookup \"v1\" \"ConfigMap\" \"{namespace}\" \"absent\""));
    assert!(stdout(&absent).contains("it: \"{}\""), "{absent:?}");
    let list = format!("(lookup \"v1\" \"ConfigMap\" \"{namespace}\" \"\").items");
    let kinds = seen(
        &mut pair,
        &format!(
            "$l := list }}}}{{{{ range {list} }}}}{{{{ $l = append $l (list .kind .metadata.name) }}}}{{{{ end }}}}{{{{ $l"
        ),
    );
    assert!(stdout(&kinds).contains("[\\\"ConfigMap\\\",\\\"plain\\\"]"), "{kinds:?}");
    let replicas =
        seen(&mut pair, &format!("(lookup \"apps/v1\" \"Deployment\" \"{namespace}\" \"web\").spec.replicas | typeOf"));
    assert!(stdout(&replicas).contains("int64"), "{replicas:?}");
    let known = seen(&mut pair, &format!(".Capabilities.APIVersions.Has \"{group}/v1/Widget\""));
    assert!(stdout(&known).contains("it: \"true\""), "{known:?}");
    for expression in [
        &format!("lookup \"v1\" \"Namespace\" \"\" \"{namespace}\""),
        &format!("lookup \"v1\" \"Namespace\" \"ignored\" \"{namespace}\""),
        &format!("lookup \"{group}/v1\" \"Widget\" \"{namespace}\" \"\""),
        &format!("(lookup \"apps/v1\" \"Deployment\" \"{namespace}\" \"\").kind"),
        "lookup \"v1\" \"ConfigMap\" \"no-such-namespace\" \"a\"",
        "lookup \"v1\" \"ConfigMap\" \"no/namespace\" \"a\"",
        "lookup \"v1\" \"ConfigMap\" \"a\" \"no%name\"",
        "lookup \"v1\" \"Nonsense\" \"\" \"a\"",
        "lookup \"v1\" \"Nonsense\" \"\" \"\"",
        "lookup \"nonsense/v1\" \"Nonsense\" \"\" \"a\"",
        "lookup \"a/b/c\" \"Nonsense\" \"\" \"a\"",
        ".Capabilities.KubeVersion",
        ".Capabilities.KubeVersion.String",
        ".Capabilities.HelmVersion.Version",
        "sortAlpha .Capabilities.APIVersions",
        ".Capabilities.APIVersions.Has \"apps/v1/Scale\"",
        ".Capabilities.APIVersions.Has \"extensions/v1beta1\"",
    ] {
        seen(&mut pair, expression);
    }
    // What Helm has flags for is the cluster's to say, once there is one.
    pair.chart("c", &printing("list .Capabilities.KubeVersion.Version (.Capabilities.APIVersions.Has \"my/v1\")"));
    let arguments = vec!["template", "c", "--dry-run=server", "--kube-version", "1.20", "-a", "my/v1"];
    let said = pair.compare(Line { arguments, variables: vec![("KUBECONFIG", kubeconfig)] });
    assert!(!stdout(&said).contains("1.20") && stdout(&said).contains("false"), "{said:?}");
    pair.finish();
}

#[test]
fn manifests_are_checked_against_the_cluster() {
    let Some(api) = Api::named() else { return };
    let mut pair = Pair::new();
    let Api { namespace, group, kubeconfig, .. } = &api;
    let checked = |pair: &mut Pair, template: &str, flags: &[&str]| {
        pair.chart("c", template);
        let mut arguments = vec!["template", "r", "c", "--dry-run=server", "-n", namespace];
        arguments.extend(flags);
        pair.compare(Line { arguments, variables: vec![("KUBECONFIG", kubeconfig)] })
    };
    let named = |kind: &str, name: &str| format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}}}\n");

    let unknown = checked(&mut pair, &named("Nonsense", "a"), &[]);
    assert!(stderr(&unknown).contains("no matches for kind \"Nonsense\" in version \"v1\""), "{unknown:?}");
    let taken = checked(&mut pair, &named("ConfigMap", "plain"), &[]);
    assert!(stderr(&taken).contains("missing key \"app.kubernetes.io/managed-by\""), "{taken:?}");
    let others = checked(&mut pair, &named("ConfigMap", "others"), &[]);
    assert!(stderr(&others).contains("current value is \"others\""), "{others:?}");
    let own = checked(&mut pair, &named("ConfigMap", "own"), &[]);
    assert!(stdout(&own).contains("name: own"), "{own:?}");
    for flags in [["--take-ownership"], ["--is-upgrade"], ["--output-dir=out"], ["--no-hooks"], ["--debug=false"]] {
        checked(&mut pair, &named("ConfigMap", "plain"), &flags);
    }
    let list = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: plain}}\n";
    let field = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: q}, nope: 1}\n- \
                 {apiVersion: apps/v1, kind: Deployment, metadata: {name: q}, spec: {replicas: many, template: []}}\n";
    let in_list = checked(&mut pair, field, &[]);
    assert!(stderr(&in_list).contains("unknown field \"nope\" in io.k8s.api.core.v1.ConfigMap"), "{in_list:?}");
    let hooked =
        "apiVersion: nonsense/v1\nkind: Nonsense\nmetadata: {name: h, annotations: {helm.sh/hook: pre-install}}\n";
    let hooks = checked(&mut pair, &format!("{}---\n{hooked}", named("ConfigMap", "new")), &[]);
    assert!(stdout(&hooks).contains("kind: Nonsense"), "hooks are not looked at: {hooks:?}");
    for (template, flags) in [
        (list, [].as_slice()),
        (field, &["--disable-openapi-validation"]),
        (hooked, &[]),
        (&format!("apiVersion: {group}/v1\nkind: Widget\nmetadata: {{name: w}}\nanything: goes\n"), &[]),
        (&format!("apiVersion: {group}/v1\nkind: Gadget\nmetadata: {{name: w}}\n"), &[]),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new}\nnope: 1\n", &[]),
        (&format!("{}---\n{}", named("Nonsense", "a"), named("Rubbish", "b")), &[]),
        (&named("Nonsense", "a"), &["--disable-openapi-validation"]),
        ("kind: ConfigMap\nmetadata: {name: x}\n", &[]),
        ("a: b\n", &[]),
        ("a: '<b>'\n", &["--disable-openapi-validation"]),
        ("apiVersion: a/b/c\nkind: X\n", &[]),
        ("apiVersion: v1\nkind: List\n", &[]),
        ("apiVersion: v1\nkind: ConfigMapList\nmetadata: {name: a}\nitems: []\n", &[]),
        ("apiVersion: v1\nkind: ConfigMapList\nitems:\n- {metadata: {name: plain}}\n", &[]),
        ("apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: No, metadata: {name: q}}\n", &[]),
        ("apiVersion: authentication.k8s.io/v1\nkind: TokenReview\nmetadata: {name: t}\nnope: 1\n", &[]),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 12}\n", &[]),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {a: 1, b: true}}\n", &[]),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {a: true}}\n", &[]),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: [a]}\n", &[]),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: a}\n", &[]),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: a, name: b}\n", &[]),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n", &[]),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 'a/b'}\n", &[]),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 'a b'}\n", &[]),
        ("apiVersion: v1\nkind: configmap\nmetadata: {name: plain}\n", &[]),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain, namespace: default}\n", &[]),
        (&named("Namespace", namespace), &[]),
        ("{{ fail \"on purpose\" }}", &[]),
        ("a: b: c\n", &[]),
        (&named("ConfigMap", "new"), &["--show-only", "templates/a.yaml"]),
        (&named("ConfigMap", "new"), &["--show-only", "templates/b.yaml"]),
        (&named("ConfigMap", "plain"), &["--kube-as-user", "nobody"]),
        (&named("ConfigMap", "plain"), &["--kube-as-user", "nobody", "--kube-as-group", "system:masters"]),
        (&named("ConfigMap", "plain"), &["--kube-as-group", "system:masters"]),
        (&printing(&format!("lookup \"v1\" \"Secret\" \"{namespace}\" \"x\"")), &["--kube-as-user", "nobody"]),
        (&printing("lookup \"v1\" \"Secret\" \"\" \"\""), &["--kube-as-user", "nobody"]),
    ] {
        checked(&mut pair, template, flags);
    }

    // A chart that brings its CRDs is warned of, and they are checked only if they are printed.
    let crd = format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: widgets.{group}}}\nspec: {{}}\n"
    );
    pair.room.write("c/crds/crd.yaml", &crd);
    for flags in [[].as_slice(), &["--skip-crds"], &["--include-crds"]] {
        checked(&mut pair, &named("ConfigMap", "new"), flags);
    }
    std::fs::remove_dir_all(pair.room.path.join("c/crds")).expect("it is there");

    // The old name of the flag.
    pair.chart("c", &named("ConfigMap", "plain"));
    for arguments in [vec!["template", "c", "--validate"], vec!["template", "c", "--validate", "--dry-run=server"]] {
        pair.compare(Line { arguments, variables: vec![("KUBECONFIG", kubeconfig)] });
    }
    pair.finish();
}

#[test]
fn the_cluster_is_found_as_helm_finds_it() {
    let Some(api) = Api::named() else { return };
    let mut pair = Pair::new();
    pair.chart("c", &printing(".Capabilities.KubeVersion.Major"));
    let authority = pair.room.write("ca.crt", &api.authority).into_string();
    let (server, kubeconfig, token) = (api.server.as_str(), api.kubeconfig.as_str(), api.token());
    let port = server.rsplit(':').next().expect("it has a port");
    let by_name = format!("https://localhost:{port}");
    let good = |output: Output| assert!(stdout(&output).contains("it: "), "{output:?}");

    // As an account with a token, by flags and by variables.
    let mut arguments = vec!["template", "c", "--dry-run=server", "-n", &api.namespace, "--kube-apiserver", server];
    arguments.extend(["--kube-ca-file", &authority, "--kube-token", &token]);
    good(pair.compare(Line { arguments, variables: vec![] }));
    let variables = vec![
        ("HELM_KUBEAPISERVER", server),
        ("HELM_KUBECAFILE", authority.as_str()),
        ("HELM_KUBETOKEN", token.as_str()),
    ];
    good(pair.compare(Line { arguments: vec!["template", "c", "--validate", "-n", &api.namespace], variables }));
    let mut insecure = vec![
        "template",
        "c",
        "--dry-run=server",
        "-n",
        &api.namespace,
        "--kube-apiserver",
        server,
        "--kube-token",
        &token,
    ];
    insecure.push("--kube-insecure-skip-tls-verify");
    good(pair.compare(Line { arguments: insecure, variables: vec![] }));
    let arguments =
        vec!["template", "c", "--dry-run=server", "--kubeconfig", kubeconfig, "--kube-context", "cluster-kit"];
    good(pair.compare(Line { arguments, variables: vec![("KUBECONFIG", "/nowhere")] }));
    let two = format!("/nowhere:{kubeconfig}");
    good(
        pair.compare(Line {
            arguments: vec!["template", "c", "--dry-run=server"],
            variables: vec![("KUBECONFIG", &two)],
        }),
    );
    let home = std::fs::read(kubeconfig).expect("it is there");
    pair.room.write("home/.kube/config", home);
    good(pair.compare(Line { arguments: vec!["template", "c", "--dry-run=server"], variables: vec![] }));
    std::fs::remove_file(pair.room.path.join("home/.kube/config")).expect("it is there");

    // A server that is not the certificate's, a certificate that is not the server's, and nobody's token.
    let base = ["template", "c", "--dry-run=server"];
    for flags in [
        ["--kube-apiserver", server, "--kube-token", "nonsense"].as_slice(),
        &["--kube-apiserver", server, "--kube-token", "nonsense", "--kube-insecure-skip-tls-verify"],
        &["--kube-apiserver", server, "--kube-ca-file", &authority],
        &["--kube-apiserver", server, "--kube-ca-file", &authority, "--kube-token", "nonsense"],
        &["--kube-apiserver", &by_name, "--kube-ca-file", &authority, "--kube-token", &token],
        &["--kubeconfig", kubeconfig, "--kube-tls-server-name", "elsewhere"],
        &["--kubeconfig", kubeconfig, "--kube-tls-server-name", "kubernetes.default"],
        &["--kubeconfig", kubeconfig, "--kube-insecure-skip-tls-verify"],
        &["--kubeconfig", kubeconfig, "--kube-context", "nonsense"],
        &["--kubeconfig", kubeconfig, "--burst-limit", "1", "--qps", "1"],
        &["--kubeconfig", kubeconfig, "--kube-as-user", "nobody"],
        &["--kubeconfig", kubeconfig, "--kube-as-group", "nobodies"],
    ] {
        let output = pair.compare(Line { arguments: [base.as_slice(), flags].concat(), variables: vec![] });
        let text = format!("{output:?}");
        assert!(!text.contains(&token), "a token is shown: {flags:?}");
    }

    // The same by variables, and flags that win over them.
    let own = ("KUBECONFIG", kubeconfig);
    for (variables, flags) in [
        (vec![own, ("HELM_KUBECONTEXT", "nonsense")], [].as_slice()),
        (vec![own, ("HELM_KUBECONTEXT", "nonsense")], &["--kube-context", "cluster-kit"]),
        (vec![own, ("HELM_KUBEASUSER", "nobody")], &[]),
        (vec![own, ("HELM_KUBEASUSER", "nobody"), ("HELM_KUBEASGROUPS", "a,system:masters")], &[]),
        (vec![own, ("HELM_KUBEASGROUPS", "nobodies")], &[]),
        (vec![own, ("HELM_KUBEASUSER", "nobody")], &["--kube-as-user", ""]),
        (vec![own, ("HELM_KUBETLS_SERVER_NAME", "elsewhere")], &[]),
        (vec![own, ("HELM_KUBETLS_SERVER_NAME", "kubernetes")], &[]),
        (vec![own, ("HELM_KUBEAPISERVER", "https://127.0.0.1:1")], &[]),
        (vec![own, ("HELM_KUBEAPISERVER", "https://127.0.0.1:1")], &["--kube-apiserver", server]),
        (vec![own, ("HELM_KUBECAFILE", "nowhere")], &[]),
        (vec![own, ("HELM_KUBECAFILE", &authority)], &[]),
        (vec![own, ("HELM_KUBETOKEN", "nonsense")], &[]),
        (vec![own, ("HELM_KUBEINSECURE_SKIP_TLS_VERIFY", "true"), ("HELM_KUBETLS_SERVER_NAME", "elsewhere")], &[]),
        (vec![own, ("HELM_KUBEINSECURE_SKIP_TLS_VERIFY", "yes"), ("HELM_KUBETLS_SERVER_NAME", "elsewhere")], &[]),
        (vec![own, ("HELM_NAMESPACE", &api.namespace)], &[]),
        (vec![own, ("HTTPS_PROXY", "http://127.0.0.1:1")], &[]),
    ] {
        pair.compare(Line { arguments: [base.as_slice(), flags].concat(), variables });
    }
    pair.finish();
}
