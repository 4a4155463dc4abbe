//! Maps of small repositories.

use onepane_repo::Repository;
use onepane_topology::{Direction, Graph, NodeKind, Service, map};
use onepane_world::MemoryWorld;

const POD: &str = "kind: Pod\napiVersion: v1\nmetadata: {name: p}\nspec: {containers: [{image: IMAGE}]}\n";

fn shop() -> MemoryWorld {
    MemoryWorld::new()
        .with("clusters/eu/kustomization.yaml", "resources: [shop, ../../groups/prod]\n")
        .with("clusters/eu/shop/kustomization.yaml", "resources: [../../../components/queue]\n")
        .with("clusters/eu/ci/kustomization.yaml", "resources: [../../../groups/dev]\n")
        .with("groups/dev/kustomization.yaml", "resources: [../../helm-charts/rendered/api]\n")
        .with("groups/prod/kustomization.yaml", "resources: [../dev]\ncomponents: [../../components/ha]\n")
        .with(
            "components/ha/kustomization.yaml",
            "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\nnameSuffix: -x\n",
        )
        .with("components/queue/kustomization.yaml", "resources: [pod.yaml]\n")
        .with("components/queue/pod.yaml", POD.replace("IMAGE", "host:5000/queue:1"))
        .with("helm-charts/helmfile.yaml", "releases: [{name: api, namespace: shop, chart: ./web}]\n")
        .with("helm-charts/rendered/api/kustomization.yaml", "resources: [pod.yaml]\n")
        .with("helm-charts/rendered/api/pod.yaml", POD.replace("IMAGE", "r.example.com/org/api:1@sha256:ab"))
        .with(
            "helm-charts/web/Chart.yaml",
            "name: web\nversion: 1.2.3\ndependencies:\n- {name: lib, version: 0.1.0, repository: 'file://../lib'}\n- \
             {name: redis, version: ^1, repository: 'oci://host/charts'}\n",
        )
        .with("helm-charts/lib/Chart.yaml", "name: lib\nversion: 0.1.0\n")
}

fn mapped(world: &MemoryWorld) -> Graph {
    let services = [Service { path: "src/api".into(), commit: "0123456789abcdef".to_owned() }];
    map(&Repository::open(world).expect("the layout is the pattern's own"), &services)
}

fn edges(graph: &Graph) -> Vec<String> {
    let text = |node: usize| graph.nodes[node].id();
    graph.edges.iter().map(|edge| format!("{} {} {}", text(edge.from), edge.kind.name(), text(edge.to))).collect()
}

#[test]
fn edges_are_what_the_files_say() {
    let graph = mapped(&shop());
    assert_eq!(
        edges(&graph),
        [
            "cluster:eu base group:prod",
            "cluster:eu base component:queue",
            "cluster:eu/ci base group:dev",
            "group:dev base release:api",
            "group:prod base group:dev",
            "group:prod component component:ha",
            "component:queue runs image:host:5000/queue",
            "release:api renders chart:web",
            "release:api runs image:r.example.com/org/api",
            "chart:web depends on chart:lib",
            "chart:web depends on chart:oci://host/charts/redis",
            "image:r.example.com/org/api built from service:api",
        ]
    );
    assert!(graph.findings.is_empty(), "{:?}", graph.findings);
    let detail = |id: &str| graph.nodes.iter().find(|node| node.id() == id).map(|node| node.detail.as_str());
    assert_eq!(detail("service:api"), Some("01234567"));
    assert_eq!(detail("chart:web"), Some("1.2.3"));
    assert_eq!(detail("release:api"), Some("in shop"));
}

#[test]
fn ways_are_followed_down_and_up() {
    let graph = mapped(&shop());
    let ids = |target: &str, direction| {
        let starts = graph.find(target);
        assert!(!starts.is_empty(), "{target}");
        graph.reached(&starts, direction).nodes.iter().map(onepane_topology::Node::id).collect::<Vec<_>>()
    };
    assert_eq!(
        ids("lib", Direction::Up),
        ["cluster:eu", "cluster:eu/ci", "group:dev", "group:prod", "release:api", "chart:lib", "chart:web"]
    );
    assert_eq!(ids("components/queue", Direction::Both), ["cluster:eu", "component:queue", "image:host:5000/queue"]);
    // A name may be that of several things.
    assert_eq!(graph.find("api").len(), 2);
    assert_eq!(graph.find("release:api").len(), 1);
    assert_eq!(ids("release:api", Direction::Down).len(), 6);
}

#[test]
fn circles_and_gaps_are_shown_at_their_lines() {
    let world = shop()
        .with("groups/dev/kustomization.yaml", "resources:\n- ../prod\n- ../none\n- host.yaml\n")
        .with("groups/dev/host.yaml", "no manifest\n")
        .with("groups/broken/kustomization.yaml", "resources: {}\n");
    let graph = mapped(&world);
    let circles: Vec<_> = graph.edges.iter().filter(|edge| edge.is_cycle).collect();
    assert_eq!(circles.len(), 1);
    let said: Vec<(&str, Option<String>)> = graph
        .findings
        .iter()
        .map(|finding| (finding.code, finding.primary.as_ref().map(|label| label.span.to_string())))
        .collect();
    let place = |text: &str| Some(text.to_owned());
    assert!(said.contains(&("graph-missing", place("groups/dev/kustomization.yaml:3:3"))), "{said:?}");
    assert!(said.contains(&("kustomize-manifest", place("groups/dev/host.yaml:1:1"))), "{said:?}");
    assert!(said.iter().any(|(code, _)| *code == "graph-cycle"), "{said:?}");
    assert!(
        graph.findings.iter().any(|finding| finding.message.contains("group:prod → group:dev → group:prod")),
        "{said:?}"
    );
    assert!(said.iter().any(|(_, place)| place.as_deref().is_some_and(|place| place.contains("broken"))), "{said:?}");
    assert!(graph.nodes.iter().any(|node| node.kind == NodeKind::Missing && node.name == "groups/none"));
    // A circle has no end, and is shown all the same.
    let only = graph.reached(&graph.find("group:dev"), Direction::Down);
    assert!(!only.roots(Direction::Down).is_empty());
}
