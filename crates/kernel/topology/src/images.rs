//! Images, and the submodules that they are built from.
//!
//! An image belongs to the submodule whose folder is called like the last part of its name: `registry/org/api` to
//! `src/api`. That is how the pattern's Tiltfile builds them, and nothing else in a repository says it.

use crate::folders::unread;
use crate::graph::{EdgeKind, Node, NodeKind};
use crate::mapper::{Key, Mapper};
use camino::Utf8Path;
use onepane_diagnostics::Span;
use onepane_kustomize::read_resources;
use onepane_resource::{ImageName, images};

/// What people write of a commit.
const SHORT: usize = 8;

impl Mapper<'_> {
    /// The images that a file of manifests runs.
    pub(crate) fn manifests(&mut self, from: &Key, path: &Utf8Path, span: Option<Span>) {
        match read_resources(self.repository.world, path) {
            Ok(resources) => {
                for resource in &resources {
                    images(resource.node()).iter().for_each(|image| self.runs(from, image, resource.node().span));
                }
            }
            Err(error) => self.findings.push(match span {
                Some(span) => unread(path, error.trace("named here", Some(span))),
                None => unread(path, error),
            }),
        }
    }

    /// An image that something runs.
    pub(crate) fn runs(&mut self, from: &Key, image: &str, span: Option<Span>) {
        let image = ImageName::parse(image);
        if image.name.is_empty() {
            return;
        }
        let node = Node { kind: NodeKind::Image, name: image.name.to_owned(), path: None, detail: String::new() };
        let (key, is_new) = self.add(node);
        self.connect(from, &key, EdgeKind::Runs, span);
        if !is_new {
            return;
        }
        let services = self.services.iter().filter(|service| service.path.file_name() == Some(image.base()));
        let paths: Vec<_> = services.map(|service| service.path.clone()).collect();
        for path in paths {
            let to = self.service(&path);
            self.connect(&key, &to, EdgeKind::BuiltFrom, None);
        }
    }

    /// The submodules, whoever runs what is built from them.
    pub(crate) fn all_services(&mut self) {
        for service in self.services {
            let key = self.service(&service.path);
            self.tell(&key, service.commit.get(..SHORT).unwrap_or(&service.commit));
        }
    }

    fn service(&mut self, path: &Utf8Path) -> Key {
        let name = path.strip_prefix(&self.repository.layout.src).unwrap_or(path).to_string();
        self.add(Node { kind: NodeKind::Service, name, path: Some(path.to_owned()), detail: String::new() }).0
    }
}
