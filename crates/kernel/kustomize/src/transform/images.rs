//! `images:`.

use crate::accumulate::located;
use crate::config::FieldSpec;
use crate::kustomization::Image;
use crate::scalar::NodeExt;
use crate::select::compile;
use crate::stamp::Stamp;
use crate::walk::{Create, Path};
use onepane_diagnostics::{Diagnostic, Result};
use onepane_resource::ResourceSet;
use onepane_yaml::{Content, Node};
use regex::Regex;

/// Changes the images of that name wherever containers are, and where `fields` lead to.
///
/// Containers are found at any depth, in custom resources too; custom resource definitions are left alone.
pub(crate) fn set_image(resources: &mut ResourceSet, image: &Image, fields: &[FieldSpec], stamp: &Stamp) -> Result<()> {
    let change = Change { image, name: Name::new(&image.name), stamp };
    let paths = Path::all(fields);
    for position in 0..resources.len() {
        let outcome = resources.update(position, |resource| {
            if resource.kind() == "CustomResourceDefinition" {
                return Ok(());
            }
            change.containers(resource.node_mut())?;
            paths.iter().try_for_each(|path| path.apply(resource, Create::Nothing, &mut |node| change.set(node)))
        });
        outcome.unwrap_or(Ok(()))?;
    }
    Ok(())
}

struct Change<'a> {
    image: &'a Image,
    name: Name<'a>,
    stamp: &'a Stamp,
}

impl Change<'_> {
    /// Looks for lists of containers at any depth.
    fn containers(&self, node: &mut Node) -> Result<()> {
        match &mut node.content {
            Content::Mapping(entries) => entries.iter_mut().try_for_each(|(key, value)| {
                if matches!(value.content, Content::Scalar(_)) {
                    return Ok(());
                }
                self.containers(value)?;
                if !matches!(key.as_str(), Some("containers" | "initContainers")) {
                    return Ok(());
                }
                let items = value.items_mut().map(Vec::as_mut_slice).unwrap_or_default();
                items.iter_mut().try_for_each(|container| match (&container.content, container.is_null()) {
                    (Content::Mapping(_), _) => container.get_mut("image").map_or(Ok(()), |image| self.set(image)),
                    (_, true) => Ok(()),
                    _ => Err(misplaced(container, "a container must be a mapping")),
                })
            }),
            Content::Sequence(items) => items.iter_mut().try_for_each(|item| self.containers(item)),
            _ => Ok(()),
        }
    }

    fn set(&self, node: &mut Node) -> Result<()> {
        if node.is_null() {
            return Ok(());
        }
        let Some(old) = node.as_str() else { return Err(misplaced(node, "an image must be a text")) };
        if !self.name.matches(old) {
            return Ok(());
        }
        let new = self.rename(old);
        self.stamp.set_scalar(node, new, None);
        Ok(())
    }

    fn rename(&self, old: &str) -> String {
        let Image { new_name, new_tag, tag_suffix, digest: new_digest, .. } = self.image;
        let (name, tag, digest) = split_image(old);
        let name = if new_name.is_empty() { name } else { new_name };
        let (tag, digest) = match (new_tag.as_str(), new_digest.as_str()) {
            ("", "") if !tag_suffix.is_empty() => (format!("{tag}{tag_suffix}"), ""),
            ("", "") => (tag.to_owned(), digest),
            (new_tag, new_digest) => (new_tag.to_owned(), new_digest),
        };
        let mut result = name.to_owned();
        for (separator, part) in [(':', tag.as_str()), ('@', digest)] {
            if !part.is_empty() {
                result.push(separator);
                result.push_str(part);
            }
        }
        result
    }
}

fn misplaced(node: &Node, message: &str) -> Box<Diagnostic> {
    let error = Diagnostic::error("kustomize-image", format!("wrong node kind: {message}"));
    located(error, node.span).hint("containers are found at any depth: call the list by another name if it holds none")
}

/// The name of an entry of `images:`: a regular expression that Kustomize does not escape.
enum Name<'a> {
    /// Without special characters but `.`, which matches any character.
    Plain(&'a str),
    /// With others.
    Expression(Option<Regex>),
}

impl<'a> Name<'a> {
    fn new(name: &'a str) -> Self {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/' | b'.' | b':' | b'@');
        if name.bytes().all(plain) {
            return Self::Plain(name);
        }
        let expression = format!("^{name}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$");
        // What is no expression matches nothing, as in Kustomize.
        Self::Expression(compile(&expression, name).ok())
    }

    fn matches(&self, image: &str) -> bool {
        match self {
            Self::Expression(expression) => expression.as_ref().is_some_and(|expression| expression.is_match(image)),
            Self::Plain(name) => {
                let (name, bytes) = (name.as_bytes(), image.as_bytes());
                let starts = name.len() <= bytes.len()
                    && name.iter().zip(bytes).all(|(wanted, is)| wanted == is || (*wanted == b'.' && *is != b'\n'));
                starts && is_tag_and_digest(&bytes[name.len()..])
            }
        }
    }
}

/// Whether it is `(:tag)?(@sha256:digest)?`.
fn is_tag_and_digest(rest: &[u8]) -> bool {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.{}-".contains(byte);
    let rest = match rest.strip_prefix(b":") {
        Some(tag) => &tag[tag.iter().take_while(|byte| part(byte)).count()..],
        None => rest,
    };
    match rest.strip_prefix(b"@sha256:") {
        Some(digest) => digest.iter().all(part),
        None => rest.is_empty(),
    }
}

/// Name, tag and digest of an image; a port in the registry's name is not a tag.
pub(crate) fn split_image(image: &str) -> (&str, &str, &str) {
    let slash = image.find('/').filter(|at| *at > 0).unwrap_or(0);
    let search = &image[slash..];
    let at = search.find('@').map(|at| at + slash);
    let colon = search.find(':').map(|at| at + slash);
    match (colon, at) {
        (None, None) => (image, "", ""),
        (colon, Some(at)) if colon.is_none_or(|colon| at < colon) => (&image[..at], "", &image[at + 1..]),
        (Some(colon), Some(at)) => (&image[..colon], &image[colon + 1..at], &image[at + 1..]),
        (Some(colon), None) => (&image[..colon], &image[colon + 1..], ""),
        (None, Some(at)) => (&image[..at], "", &image[at + 1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_split_into_name_tag_and_digest() {
        for (image, wanted) in [
            ("nginx", ("nginx", "", "")),
            ("nginx:1.2", ("nginx", "1.2", "")),
            ("localhost:5000/nginx", ("localhost:5000/nginx", "", "")),
            ("localhost:5000/nginx:1@sha256:ab", ("localhost:5000/nginx", "1", "sha256:ab")),
            ("nginx@sha256:ab", ("nginx", "", "sha256:ab")),
        ] {
            assert_eq!(split_image(image), wanted, "{image}");
        }
    }

    #[test]
    fn names_match_whole_images_with_any_tag() {
        for (name, image, matches) in [
            ("nginx", "nginx", true),
            ("nginx", "nginx:1.2", true),
            ("nginx", "nginx:1.2@sha256:ab", true),
            ("nginx", "nginx2", false),
            ("nginx", "library/nginx", false),
            ("gcr.io/a", "gcrxio/a:v", true),
            ("ngi.*", "nginx:{TAG}", true),
            ("nginx", "nginx@sha1:ab", false),
        ] {
            assert_eq!(Name::new(name).matches(image), matches, "{name} {image}");
        }
    }

    #[test]
    fn a_new_tag_or_digest_replaces_both() {
        let image = |new_tag: &str, digest: &str, tag_suffix: &str| Image {
            new_tag: new_tag.into(),
            digest: digest.into(),
            tag_suffix: tag_suffix.into(),
            ..Image::default()
        };
        for (entry, old, new) in [
            (image("2", "", ""), "a:1@sha256:x", "a:2"),
            (image("", "sha256:y", ""), "a:1", "a@sha256:y"),
            (image("2", "sha256:y", ""), "a:1", "a:2@sha256:y"),
            (image("", "", "-x"), "a:1@sha256:x", "a:1-x"),
            (image("", "", ""), "a:1@sha256:x", "a:1@sha256:x"),
        ] {
            let change = Change { image: &entry, name: Name::Plain("a"), stamp: &Stamp::NONE };
            assert_eq!(change.rename(old), new, "{old}");
        }
    }
}
