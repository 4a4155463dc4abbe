//! Versions that manifests say: changed in their lines where nobody else is made of them.

mod edits;

use edits::changed;
use onepane_world::MemoryWorld;

/// The clusters `dev` and `prod`, each with these resources, and a component.
fn clusters(dev: &str, prod: &str, image: &str) -> MemoryWorld {
    let pod = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  containers:\n  - name: a\n    image: {image}\n"
        )
    };
    MemoryWorld::new()
        .with("components/web/kustomization.yaml", "resources: [web.yaml]\n")
        .with("components/web/web.yaml", pod("web"))
        .with("clusters/dev/own.yaml", pod("own"))
        .with("clusters/dev/kustomization.yaml", format!("resources: {dev}\n"))
        .with("clusters/prod/kustomization.yaml", format!("resources: {prod}\n"))
}

#[test]
fn a_manifest_that_nobody_else_is_made_of_is_changed_in_its_line() {
    let image = "r.example.com/web:v1 # ours";
    let line = |path: &str| vec![format!("{path}:     image: {image} →     image: r.example.com/web:v2 # ours")];
    // Its own, wherever that is.
    let world = clusters("[own.yaml]", "[]", image);
    assert_eq!(changed(&world, ":v2"), (line("clusters/dev/own.yaml"), None));
    let world = clusters("[../../components/web]", "[]", image);
    assert_eq!(changed(&world, ":v2"), (line("components/web/web.yaml"), None));
    let (lines, why) = changed(&world, ":v2@sha256:aa");
    assert!(lines[0].ends_with("image: r.example.com/web:v2@sha256:aa # ours") && why.is_none(), "{lines:?}");
    // Two of them.
    let world = clusters("[own.yaml, ../../components/web]", "[]", image);
    let both = [line("clusters/dev/own.yaml"), line("components/web/web.yaml")].concat();
    assert_eq!(changed(&world, ":v2"), (both, None));
}

#[test]
fn what_others_are_made_of_gets_an_entry() {
    let entry = |world: &MemoryWorld| {
        let (lines, _) = changed(world, ":v2");
        assert!(lines.iter().all(|line| line.starts_with("clusters/dev/kustomization.yaml: ")), "{lines:?}");
        assert!(lines.iter().any(|line| line.contains("newTag: v2")), "{lines:?}");
    };
    let image = "r.example.com/web:v1";
    entry(&clusters("[../../components/web]", "[../../components/web]", image));
    // One of two is somebody else's as well.
    entry(&clusters("[own.yaml, ../../components/web]", "[../../components/web]", image));
    // A line that says no version leaves it to kustomizations.
    entry(&clusters("[own.yaml]", "[]", "r.example.com/web"));
    // The way of templates is not known here.
    entry(&clusters("[own.yaml]", "[]", "r.example.com/web:v1 # {{ x }}"));
}
