//! Copies of kustomizations, as they are before anything is written.

use onepane_diagnostics::{Diagnostic, Result};
use onepane_kustomize::{
    LocalizeRequest, Localized, LocalizedEntry, RemoteFile, RemoteTree, Remotes, RepositoryUrl, localize,
};
use onepane_world::MemoryWorld;
use std::fmt::Write;

/// A server of files, and no repositories.
struct Server;

impl Remotes for Server {
    fn repository(&self, url: &RepositoryUrl) -> Result<RemoteTree> {
        Err(Diagnostic::error("test", format!("nothing is fetched from {}", url.folder)))
    }

    fn file(&self, url: &str) -> Result<RemoteFile> {
        Ok(RemoteFile { bytes: url.as_bytes().into(), warning: None })
    }
}

fn copied(world: &MemoryWorld, target: &str, scope: &str) -> Result<Localized> {
    localize(world, &Server, LocalizeRequest { target, scope, destination: "/new" })
}

fn files(localized: &Localized) -> Vec<(&str, &str)> {
    let files = localized.tree.entries().filter_map(|(path, entry)| match entry {
        LocalizedEntry::File(contents) => Some((path.as_str(), std::str::from_utf8(contents).expect("it is text"))),
        LocalizedEntry::Folder => None,
    });
    files.collect()
}

#[test]
fn a_copy_has_what_is_named_and_nothing_else() {
    let world = MemoryWorld::new()
        .with("/s/t/kustomization.yaml", "crds: [a/../crd.json, 'http://host:80/x?y=z']\nresources: [../base]\n")
        .with("/s/t/crd.json", "{}")
        .with("/s/t/unnamed", "")
        .with("/s/base/kustomization.yaml", "namePrefix: x-\n");
    let localized = copied(&world, "/s/t", "/s").expect("everything is there");
    assert_eq!(localized.kustomization, "t");
    assert_eq!(
        files(&localized),
        [
            ("base/kustomization.yaml", "namePrefix: x-\n"),
            ("t/crd.json", "{}"),
            ("t/kustomization.yaml", "crds:\n- crd.json\n- localized-files/host/x\nresources:\n- ../base\n"),
            ("t/localized-files/host/x", "http://host:80/x?y=z"),
        ]
    );
    let error = copied(&world, "/s/t", "").expect_err("the base is outside");
    assert!(error.message.contains("root \"/s/base\" outside localize scope \"/s/t\""), "{}", error.message);
    assert!(error.primary.as_ref().is_some_and(|label| label.span.line == 2), "{:?}", error.primary);
}

#[test]
fn what_many_name_is_copied_once() {
    let mut world = MemoryWorld::new().with("/s/60/kustomization.yaml", "namePrefix: x-\n");
    for level in 0..60 {
        let next = format!("resources: [../{0}, ../{0}]\n", level + 1);
        world = world.with(format!("/s/{level}/kustomization.yaml"), next);
    }
    // Kustomize would need 2^60 steps.
    let localized = copied(&world, "/s/0", "/s").expect("everything is there");
    assert_eq!(files(&localized).len(), 61);
}

#[test]
fn kustomizations_that_refer_without_end_are_refused() {
    let mut world = MemoryWorld::new();
    for level in 0..300 {
        world = world.with(format!("/s/{level}/kustomization.yaml"), format!("resources: [../{}]\n", level + 1));
    }
    let error = copied(&world, "/s/0", "/s").expect_err("there are too many");
    assert!(error.message.contains("more than 256 kustomizations refer to one another"), "{}", error.message);
}

#[test]
fn no_error_shows_what_stands_in_a_secret_or_a_url() {
    let generator =
        "apiVersion: builtin\nkind: SecretGenerator\nmetadata: {name: s}\nliterals: [pass=hunter2]\n: broken";
    let mut inline = "generators:\n- |\n".to_owned();
    generator.lines().for_each(|line| _ = writeln!(inline, "  {line}"));
    for kustomization in [inline.as_str(), "components: ['https://me:hunter2@host/org/repo?ref=v1']\n"] {
        let world = MemoryWorld::new().with("/t/kustomization.yaml", kustomization);
        let error = copied(&world, "/t", "").expect_err("it can't be localized");
        assert!(!error.message.contains("hunter2"), "{}", error.message);
    }
}
