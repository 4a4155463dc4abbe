//! Images that manifests run, and the parts of their names: [`images`], [`ImageName`].

use onepane_yaml::{Content, Node};

/// An image's name in its parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImageName<'a> {
    /// The host, with its port; empty for Docker's own.
    pub registry: &'a str,
    /// The path there: `org/app`.
    pub repository: &'a str,
    /// The tag; empty for none.
    pub tag: &'a str,
    /// The digest, as `sha256:…`; empty for none.
    pub digest: &'a str,
    /// Registry and repository as they were written.
    pub name: &'a str,
}

impl<'a> ImageName<'a> {
    /// Reads `[REGISTRY/]REPOSITORY[:TAG][@DIGEST]`.
    ///
    /// As for Docker, what stands before the first slash is a host only if it has a dot or a port, or is `localhost`.
    pub fn parse(image: &'a str) -> Self {
        let (rest, digest) = image.split_once('@').unwrap_or((image, ""));
        // A colon before a slash belongs to a registry's port.
        let last = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match rest[last..].rfind(':') {
            Some(colon) => (&rest[..last + colon], &rest[last + colon + 1..]),
            None => (rest, ""),
        };
        let is_host = |first: &str| first.contains(['.', ':']) || first == "localhost";
        let (registry, repository) = name.split_once('/').filter(|(first, _)| is_host(first)).unwrap_or(("", name));
        Self { registry, repository, tag, digest, name }
    }

    /// The last part of the repository: `app` of `org/app`.
    pub fn base(&self) -> &'a str {
        self.repository.rsplit('/').next().unwrap_or_default()
    }
}

/// The images of the containers in a manifest, at any depth, so that custom resources have theirs too; each once, in
/// their order. What a CustomResourceDefinition describes is no container.
pub fn images(manifest: &Node) -> Vec<&str> {
    let mut found = Vec::new();
    for image in image_nodes(manifest).into_iter().filter_map(Node::as_str) {
        if !found.contains(&image) {
            found.push(image);
        }
    }
    found
}

/// The same, each as often as it is there, as the nodes that say them.
pub fn image_nodes(manifest: &Node) -> Vec<&Node> {
    let mut found = Vec::new();
    if manifest.get("kind").and_then(Node::as_str) != Some("CustomResourceDefinition") {
        collect(manifest, &mut found);
    }
    found
}

fn collect<'n>(node: &'n Node, found: &mut Vec<&'n Node>) {
    match &node.content {
        Content::Mapping(entries) => {
            for (key, value) in entries {
                if matches!(key.as_str(), Some("containers" | "initContainers" | "ephemeralContainers")) {
                    let containers = value.items().unwrap_or_default();
                    let images = containers.iter().filter_map(|container| container.get("image"));
                    found.extend(images.filter(|image| image.as_str().is_some_and(|image| !image.is_empty())));
                }
                collect(value, found);
            }
        }
        Content::Sequence(items) => items.iter().for_each(|item| collect(item, found)),
        Content::Scalar(_) | Content::Alias(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_diagnostics::FileId;

    #[test]
    fn names_are_taken_apart_as_docker_does() {
        let parts = |image| {
            let ImageName { registry, repository, tag, digest, .. } = ImageName::parse(image);
            [registry, repository, tag, digest]
        };
        let cases = [
            ("nginx", ["", "nginx", "", ""]),
            ("org/app:1.2", ["", "org/app", "1.2", ""]),
            ("localhost/app", ["localhost", "app", "", ""]),
            ("host:5000/org/app", ["host:5000", "org/app", "", ""]),
            ("ghcr.io/org/app:1@sha256:ab", ["ghcr.io", "org/app", "1", "sha256:ab"]),
            ("", ["", "", "", ""]),
        ];
        for (image, wanted) in cases {
            assert_eq!(parts(image), wanted, "{image}");
        }
        assert_eq!(ImageName::parse("ghcr.io/org/app:1").base(), "app");
        assert_eq!(ImageName::parse("ghcr.io/org/app:1").name, "ghcr.io/org/app");
    }

    #[test]
    fn containers_are_found_at_any_depth_and_once() {
        let text =
            "kind: X\nspec:\n  initContainers: [{image: b}]\n  deep:\n  - containers: [{image: a}, {image: b}, {}]\n";
        let node = onepane_yaml::read(text, FileId::new("x")).expect("it is YAML").remove(0);
        assert_eq!(images(&node), ["b", "a"]);
        let definition = text.replace("kind: X", "kind: CustomResourceDefinition");
        let node = onepane_yaml::read(&definition, FileId::new("x")).expect("it is YAML").remove(0);
        assert_eq!(images(&node), [""; 0]);
    }
}
