//! Environments as folders describe them, and what becomes of them.

use super::*;

fn place() -> Place {
    Place { namespace: "ci-api-k3v9x2".to_owned(), expires: "2030-01-01T00:00:00Z".to_owned() }
}

/// What Kubernetes knows of its own kinds.
fn scope(api_version: &str, kind: &str) -> Option<bool> {
    let (group, version) = GroupVersionKind::split_api_version(api_version);
    match kind {
        "ClusterIssuer" => Some(false),
        _ => onepane_resource::scope_of(group, version, kind).map(|scope| scope == onepane_resource::Scope::Namespaced),
    }
}

fn rewritten(objects: &[Value]) -> Rewritten {
    let rewriting = Rewriting::new(place(), objects, &scope).expect("it can be");
    rewriting.rewritten(objects.to_vec()).expect("it can be")
}

fn object(api_version: &str, kind: &str, namespace: &str, name: &str, more: Value) -> Value {
    let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}});
    if !namespace.is_empty() {
        object["metadata"]["namespace"] = namespace.into();
    }
    for (key, value) in more.as_object().expect("it is one").clone() {
        match key.as_str() {
            "metadata" => object["metadata"]
                .as_object_mut()
                .expect("it is one")
                .extend(value.as_object().expect("it is one").clone()),
            _ => object[&key] = value,
        }
    }
    object
}

const RBAC: &str = "rbac.authorization.k8s.io/v1";

#[test]
fn what_lives_in_namespaces_moves_and_what_does_not_is_renamed() {
    let objects = [
        object(
            "v1",
            "Namespace",
            "",
            "shop",
            json!({"metadata": {"labels": {"team": "a", "kubernetes.io/metadata.name": "shop"}}}),
        ),
        object("v1", "ConfigMap", "shop", "a", json!({"data": {"namespace": "shop"}})),
        object("v1", "ConfigMap", "", "b", json!({})),
        object(
            RBAC,
            "ClusterRole",
            "",
            "reader",
            json!({"rules": [
            {"apiGroups": [""], "resources": ["namespaces"], "resourceNames": ["shop", "other"], "verbs": ["get"]},
            {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"], "resourceNames": ["reader"], "verbs": ["get"]}]}),
        ),
        object(
            RBAC,
            "ClusterRoleBinding",
            "",
            "reader",
            json!({
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reader"},
            "subjects": [
                {"kind": "ServiceAccount", "name": "api", "namespace": "shop"},
                {"kind": "User", "name": "system:serviceaccount:shop:api"},
                {"kind": "Group", "name": "system:serviceaccounts:shop"},
                {"kind": "Group", "name": "system:masters"}]}),
        ),
        object(
            RBAC,
            "RoleBinding",
            "shop",
            "view",
            json!({
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}, "subjects": []}),
        ),
    ];
    let Rewritten { objects, definitions, notes } = rewritten(&objects);
    assert!(definitions.is_empty() && notes.is_empty(), "{notes:?}");
    let names: Vec<String> = objects.iter().map(called).collect();
    assert_eq!(
        names,
        [
            "ConfigMap/ci-api-k3v9x2/a",
            "ConfigMap/ci-api-k3v9x2/b",
            "ClusterRole/reader-ci-api-k3v9x2",
            "ClusterRoleBinding/reader-ci-api-k3v9x2",
            "RoleBinding/ci-api-k3v9x2/view",
        ]
    );
    // What a ConfigMap holds is text.
    assert_eq!(objects[0]["data"]["namespace"], "shop");
    assert_eq!(objects[2]["rules"][0]["resourceNames"], json!(["ci-api-k3v9x2", "other"]));
    assert_eq!(objects[2]["rules"][1]["resourceNames"], json!(["reader-ci-api-k3v9x2"]));
    assert_eq!(objects[3]["roleRef"]["name"], "reader-ci-api-k3v9x2");
    let subjects: Vec<&str> =
        objects[3]["subjects"].as_array().expect("it is one").iter().map(|one| text(one, "/name")).collect();
    assert_eq!(
        subjects,
        ["api", "system:serviceaccount:ci-api-k3v9x2:api", "system:serviceaccounts:ci-api-k3v9x2", "system:masters",]
    );
    assert_eq!(objects[3]["subjects"][0]["namespace"], "ci-api-k3v9x2");
    assert_eq!(objects[4]["roleRef"]["name"], "view", "what is the cluster's keeps its name");
    for object in &objects {
        assert_eq!(object["metadata"]["labels"][RUN], "ci-api-k3v9x2");
        assert_eq!(object["metadata"]["annotations"][EXPIRES], "2030-01-01T00:00:00Z");
    }
}

#[test]
fn classes_policies_and_whatever_names_a_kind_are_told() {
    let pod = json!({"spec": {"priorityClassName": "high", "runtimeClassName": "gvisor", "containers": []}});
    let objects = [
        object("scheduling.k8s.io/v1", "PriorityClass", "", "high", json!({"value": 1, "globalDefault": true})),
        object(
            "storage.k8s.io/v1",
            "StorageClass",
            "",
            "fast",
            json!({"metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}}),
        ),
        object("networking.k8s.io/v1", "IngressClass", "", "web", json!({})),
        object("cert-manager.io/v1", "ClusterIssuer", "", "ca", json!({})),
        object(
            "apps/v1",
            "StatefulSet",
            "shop",
            "db",
            json!({"spec": {"template": pod, "volumeClaimTemplates": [
            {"metadata": {"name": "data"}, "spec": {"storageClassName": "fast"}}]}}),
        ),
        object(
            "networking.k8s.io/v1",
            "Ingress",
            "shop",
            "web",
            json!({
            "metadata": {"annotations": {"kubernetes.io/ingress.class": "web", "cert-manager.io/cluster-issuer": "ca"}},
            "spec": {"ingressClassName": "web"}}),
        ),
        object(
            "cert-manager.io/v1",
            "Certificate",
            "shop",
            "web",
            json!({"spec": {"issuerRef": {"kind": "ClusterIssuer", "name": "ca", "group": "cert-manager.io"}}}),
        ),
        object(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            "shop",
            "a",
            json!({"spec": {"ingress": [{"from": [
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}},
            {"namespaceSelector": {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["shop", "kube-system"]}]}}]}]}}),
        ),
    ];
    let objects = rewritten(&objects).objects;
    let suffixed = |name: &str| format!("{name}-ci-api-k3v9x2");
    let spec = &objects[4]["spec"];
    assert_eq!(spec["template"]["spec"]["priorityClassName"], suffixed("high"));
    assert_eq!(spec["template"]["spec"]["runtimeClassName"], "gvisor");
    assert_eq!(spec["volumeClaimTemplates"][0]["spec"]["storageClassName"], suffixed("fast"));
    assert_eq!(objects[5]["spec"]["ingressClassName"], suffixed("web"));
    assert_eq!(objects[5]["metadata"]["annotations"]["kubernetes.io/ingress.class"], suffixed("web"));
    assert_eq!(objects[5]["metadata"]["annotations"]["cert-manager.io/cluster-issuer"], suffixed("ca"));
    assert_eq!(objects[6]["spec"]["issuerRef"]["name"], suffixed("ca"));
    let from = &objects[7]["spec"]["ingress"][0]["from"];
    assert_eq!(from[0]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"], "ci-api-k3v9x2");
    assert_eq!(from[1]["namespaceSelector"]["matchExpressions"][0]["values"], json!(["ci-api-k3v9x2", "kube-system"]));
    // Nothing is a default of the whole cluster.
    assert_eq!(objects[0].get("globalDefault"), None);
    assert_eq!(objects[1]["metadata"]["annotations"].as_object().map(Map::len), Some(1));
}

#[test]
fn nothing_reaches_beyond_the_namespace() {
    let service = json!({"service": {"name": "hook", "namespace": "shop"}});
    let objects = [
        object(
            "admissionregistration.k8s.io/v1",
            "ValidatingWebhookConfiguration",
            "",
            "hook",
            json!({
            "metadata": {"annotations": {"cert-manager.io/inject-ca-from": "shop/hook"}},
            "webhooks": [
                {"name": "a.example.com", "clientConfig": service, "rules": [{"resources": ["pods"]}, {"resources": ["nodes"], "scope": "Cluster"}]},
                {"name": "b.example.com", "clientConfig": service, "rules": [{"resources": ["nodes"], "scope": "Cluster"}]}]}),
        ),
        object(
            "admissionregistration.k8s.io/v1",
            "ValidatingAdmissionPolicyBinding",
            "",
            "p",
            json!({"spec": {"policyName": "p"}}),
        ),
        object(
            "admissionregistration.k8s.io/v1",
            "ValidatingAdmissionPolicy",
            "",
            "p",
            json!({"spec": {"matchConstraints": {"resourceRules": [{"resources": ["pods"]}]}}}),
        ),
        object(
            "v1",
            "Service",
            "shop",
            "web",
            json!({"spec": {"type": "NodePort", "clusterIP": "10.0.0.7", "ports": [{"port": 80, "nodePort": 30080}]}}),
        ),
        object("v1", "Service", "shop", "headless", json!({"spec": {"clusterIP": "None"}})),
        object(
            RBAC,
            "ClusterRole",
            "",
            "more-view",
            json!({"metadata": {"labels": {"rbac.authorization.k8s.io/aggregate-to-view": "true"}}}),
        ),
        object(
            "v1",
            "PersistentVolumeClaim",
            "shop",
            "data",
            json!({"metadata": {"annotations": {"helm.sh/resource-policy": "keep"}}}),
        ),
    ];
    let Rewritten { objects, notes, .. } = rewritten(&objects);
    let webhooks = objects[0]["webhooks"].as_array().expect("it is one");
    assert_eq!(webhooks.len(), 1);
    assert_eq!(webhooks[0]["clientConfig"]["service"]["namespace"], "ci-api-k3v9x2");
    assert_eq!(webhooks[0]["rules"], json!([{"resources": ["pods"], "scope": "Namespaced"}]));
    let selector = json!({"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["ci-api-k3v9x2"]}]});
    assert_eq!(webhooks[0]["namespaceSelector"], selector);
    assert_eq!(objects[0]["metadata"]["annotations"]["cert-manager.io/inject-ca-from"], "ci-api-k3v9x2/hook");
    assert_eq!(
        objects[1]["spec"],
        json!({"policyName": "p-ci-api-k3v9x2", "matchResources": {"namespaceSelector": selector}})
    );
    assert_eq!(objects[2]["spec"]["matchConstraints"]["resourceRules"][0]["scope"], "Namespaced");
    assert_eq!(objects[3]["spec"], json!({"type": "NodePort", "ports": [{"port": 80}]}));
    assert_eq!(objects[4]["spec"], json!({"clusterIP": "None"}));
    assert_eq!(objects[5]["metadata"]["labels"], json!({RUN: "ci-api-k3v9x2"}));
    // Nothing stays when its environment goes.
    assert_eq!(objects[6]["metadata"]["annotations"], json!({EXPIRES: "2030-01-01T00:00:00Z"}));
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains("b.example.com is about what lives in no namespace"), "{notes:?}");
}

#[test]
fn what_can_not_be_temporary_is_refused() {
    let refused = |objects: &[Value]| match Rewriting::new(place(), objects, &scope) {
        Err(refused) => refused.to_string(),
        Ok(rewriting) => rewriting.rewritten(objects.to_vec()).expect_err("it can't be").to_string(),
    };
    let said = refused(&[object(RBAC, "RoleBinding", "kube-system", "a", json!({}))]);
    assert!(said.starts_with("RoleBinding/kube-system/a lives in kube-system"), "{said}");
    let said = refused(&[object("apiregistration.k8s.io/v1", "APIService", "", "v1.a.b", json!({}))]);
    assert!(said.starts_with("APIService/v1.a.b is served to the whole cluster"), "{said}");
    let said =
        refused(&[object("v1", "ConfigMap", "a", "x", json!({})), object("v1", "ConfigMap", "b", "x", json!({}))]);
    assert!(said.starts_with("ConfigMap/b/x and ConfigMap/a/x would be one"), "{said}");
}

#[test]
fn definitions_keep_their_names_and_say_where_their_kinds_live() {
    let definition = |plural: &str, kind: &str, scope: &str| {
        let spec = json!({"spec": {"group": "example.com", "scope": scope, "names": {"kind": kind, "plural": plural}}});
        object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", &format!("{plural}.example.com"), spec)
    };
    let objects = [
        definition("tenants", "Tenant", "Cluster"),
        definition("queues", "Queue", "Namespaced"),
        object("example.com/v1", "Tenant", "", "a", json!({})),
        object("example.com/v1", "Queue", "shop", "q", json!({"spec": {"tenantRef": {"kind": "Tenant", "name": "a"}}})),
    ];
    let rewriting = Rewriting::new(place(), &objects, &scope).expect("it can be");
    assert_eq!(rewriting.cluster_kinds(), BTreeSet::from(["Tenant.example.com".to_owned()]));
    let done = rewriting.rewritten(objects.to_vec()).expect("it can be");
    assert_eq!(done.definitions, objects[..2]);
    assert_eq!(called(&done.objects[0]), "Tenant/a-ci-api-k3v9x2");
    assert_eq!(done.objects[1]["spec"]["tenantRef"]["name"], "a-ci-api-k3v9x2");
    let namespace = rewriting.namespace();
    assert_eq!(namespace["metadata"]["labels"][RUN], "ci-api-k3v9x2");
}

#[test]
fn names_in_dns_are_noted() {
    let objects = [
        object("v1", "ConfigMap", "shop", "a", json!({"data": {"url": "http://api.shop.svc:80/"}})),
        object("v1", "ConfigMap", "shop", "b", json!({"data": {"url": "http://api.shop.svcs"}})),
    ];
    let notes = rewritten(&objects).notes;
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].starts_with("ConfigMap/shop/a names a service in shop by DNS"), "{notes:?}");
}

#[test]
fn a_services_images_are_found_by_name_or_by_workload() {
    let workload = |name: &str, image: &str| {
        object(
            "apps/v1",
            "Deployment",
            "shop",
            name,
            json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}}),
        )
    };
    let mut objects = vec![
        workload("api", "registry.example.com/api:1"),
        workload("web", "registry.example.com/shop-frontend@sha256:ab"),
        object(
            "batch/v1",
            "Job",
            "shop",
            "t",
            json!({"spec": {"template": {"spec": {"initContainers": [{"image": "registry.example.com/api:2"}]}}}}),
        ),
    ];
    assert_eq!(images::of_service(&objects, "api"), BTreeSet::from(["registry.example.com/api".to_owned()]));
    assert_eq!(images::of_service(&objects, "web"), BTreeSet::from(["registry.example.com/shop-frontend".to_owned()]));
    assert_eq!(images::of_service(&objects, "worker"), BTreeSet::new());
    let replaced =
        images::replace(&mut objects, &|image| (image.base() == "api").then(|| "localhost/api:new".to_owned()));
    let wanted = ["registry.example.com/api:1", "registry.example.com/api:2"]
        .map(|was| (was.to_owned(), "localhost/api:new".to_owned()));
    assert_eq!(replaced, BTreeMap::from(wanted));
    assert_eq!(
        images::all(&objects),
        BTreeSet::from(["localhost/api:new", "registry.example.com/shop-frontend@sha256:ab"])
    );
}
