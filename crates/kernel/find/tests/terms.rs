//! Terms over small manifests.

use onepane_diagnostics::FileId;
use onepane_find::{Found, Query};
use onepane_resource::Resource;

const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
  namespace: shop
  labels: {team: orders, helm.sh/chart: web-1.2.3}
  annotations: {example.com/on-call: nobody}
spec:
  replicas: 3
  template:
    spec:
      containers:
      - {name: api, image: 'r.example.com:5000/org/api:1.4.2', resources: {limits: {memory: 512Mi, cpu: 250m}}}
      - {name: proxy, image: envoy}
";
const INGRESS: &str = "apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {rules: [{host: Shop.example.com}], tls: [{hosts: ['*.example.com']}]}
";
const ROUTE: &str = "apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: web}
spec: {routes: [{match: 'Host(`a.example.com`, `b.example.com`) && PathPrefix(`/x`)'}]}
";
const SECRET: &str = "apiVersion: v1
kind: Secret
metadata:
  name: token
  annotations: {kubectl.kubernetes.io/last-applied-configuration: hunter2}
data: {password: aHVudGVyMg==}
stringData: {other: hunter2}
type: Opaque
";

fn matches(manifest: &str, terms: &[&str]) -> bool {
    let node = onepane_yaml::read(manifest, FileId::new("x")).expect("it is YAML").remove(0);
    let resource = Resource::new(node);
    let query = Query::parse(terms).expect("these are terms");
    query.matches(&Found {
        cluster: "prod-eu",
        resource: &resource,
        release: "api",
        chart: "helm-charts/web",
        file: Some("helm-charts/rendered/api/deployment-api.yaml".into()),
    })
}

#[test]
fn terms_ask_of_what_a_resource_is() {
    for term in [
        "kind=deployment",
        "kind=Deploy*",
        "api",
        "a*i",
        "!web",
        "name!=web",
        "name=api",
        "namespace=shop",
        "cluster=prod-*",
        "api=apps/*",
        "image=r.example.com:5000/org/api:1.4.2",
        "image=r.example.com:5000/*",
        "image=org/api:1.4.2",
        "image=api:1.4.*",
        "image=api",
        "image=envoy",
        "image=1.4.2",
        "image!=*:latest",
        "release=api",
        "chart=web-*",
        "chart=helm-charts/web",
        "file=*/deployment-*",
        "label:team",
        "label:team=orders",
        "!label:tier",
        "annotation:example.com/on-call=no*",
        "spec.replicas=3",
        "spec.replicas>2",
        "spec.replicas>=3",
        "spec.template.spec.containers.name=proxy",
        "spec.template.spec.containers[name=api].resources.limits.memory>500Mi",
        "spec.template.spec.containers.resources.limits.cpu<0.5",
        "spec.template",
        "!spec.strategy",
        ".kind=Deployment",
    ] {
        assert!(matches(DEPLOYMENT, &[term]), "{term}");
        let negated = term.strip_prefix('!').map_or_else(|| format!("!{term}"), str::to_owned);
        assert!(!matches(DEPLOYMENT, &[&negated]), "{negated}");
    }
    assert!(matches(DEPLOYMENT, &["api", "image=api"]) && !matches(DEPLOYMENT, &["api", "image=web"]));
}

#[test]
fn hosts_are_those_of_each_kind() {
    for (manifest, host) in
        [(INGRESS, "shop.example.com"), (INGRESS, "*.example.com"), (ROUTE, "b.example.com"), (ROUTE, "a.example.*")]
    {
        assert!(matches(manifest, &[&format!("host={host}")]), "{host}");
    }
    assert!(!matches(ROUTE, &["host=/x"]) && !matches(DEPLOYMENT, &["host=*"]));
}

#[test]
fn what_a_secret_holds_can_not_be_asked_for() {
    assert!(matches(SECRET, &["kind=Secret", "token", ".type=Opaque"]));
    for term in [
        "data",
        "data.password",
        "data.password=*",
        "stringData.other=hunter2",
        "annotation:kubectl.kubernetes.io/last-applied-configuration=*",
        "metadata.annotations[\"kubectl.kubernetes.io/last-applied-configuration\"]=*",
    ] {
        assert!(!matches(SECRET, &[term]), "{term}");
    }
}

#[test]
fn what_is_no_term_is_told_with_what_is() {
    for (term, said) in [
        ("", "is no term"),
        ("=x", "has no key"),
        ("nam=x", "did you mean `name`?"),
        ("spec.replicas>many", "is no number"),
        ("spec.a[b=1", "is not closed"),
    ] {
        let error = Query::parse(&[term]).expect_err(term);
        assert!(error.contains(said), "{error}");
    }
}
