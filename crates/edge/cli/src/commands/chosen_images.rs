//! Which images of an environment are meant, and which service each of them is of: [`ChosenImages`], [`service_of`].

use crate::terminal::Failure;
use camino::Utf8Path;
use onepane_diagnostics::Diagnostic;
use onepane_git::Service;
use onepane_repo::{Running, Version};
use onepane_resource::ImageName;
use std::collections::{BTreeMap, BTreeSet};

/// Which images are meant.
#[derive(clap::Args)]
pub(crate) struct ChosenImages {
    /// Only these services [default: all that are built from submodules; all images where there are no submodules]
    pub(crate) services: Vec<String>,
    /// Also images that no submodule is for
    #[arg(long)]
    pub(crate) all_images: bool,
}

impl ChosenImages {
    /// Whether an image is meant.
    pub(crate) fn mean(&self, services: &[Service], image: &str) -> bool {
        match self.services.as_slice() {
            [] => self.all_images || services.is_empty() || service_of(services, image).is_some(),
            named => named.iter().any(|name| is_of(services, name, image)),
        }
    }

    /// Services that are named have to be run.
    pub(crate) fn check(&self, services: &[Service], running: &Running) -> Result<(), Failure> {
        let is_run = |name: &&String| running.wanted.keys().any(|image| is_of(services, name, image));
        let Some(unknown) = self.services.iter().find(|name| !is_run(name)) else { return Ok(()) };
        let error = Diagnostic::error("promote-no-such-service", format!("no image of `{unknown}` is run there"));
        let images: Vec<&str> = running.wanted.keys().chain(running.others.keys()).map(String::as_str).collect();
        let hint = match images.is_empty() {
            true => NO_IMAGES.to_owned(),
            false => format!(
                "the images there are: {}; a service's is called as its folder or its repository is",
                images.join(", ")
            ),
        };
        Err(error.hint(hint).into())
    }

    /// What is to be said of images that are not meant, unless somebody has chosen: `differing` are those that are another
    /// version elsewhere.
    pub(crate) fn left_out(
        &self,
        running: &Running,
        differing: &BTreeMap<String, BTreeSet<Version>>,
    ) -> Option<String> {
        if !self.services.is_empty() {
            return None;
        }
        if running.wanted.is_empty() {
            let names: Vec<&str> = running.others.keys().map(String::as_str).collect();
            return Some(match names.is_empty() {
                true => NO_IMAGES.to_owned(),
                false => format!("no image is called as a service is: {}; `--all-images` takes all", names.join(", ")),
            });
        }
        let is_other = |(name, version): &(&String, &Version)| {
            differing.get(*name).is_some_and(|there| there.iter().any(|other| other != *version))
        };
        let names: Vec<&str> = running.others.iter().filter(is_other).map(|(name, _)| name.as_str()).collect();
        let message =
            format!("left out, since no service is called so: {}; `--all-images` takes them, too", names.join(", "));
        (!names.is_empty()).then_some(message)
    }
}

/// What is said where there is nothing that could have a version.
const NO_IMAGES: &str = "no images are run there; those that objects of Flux and Argo CD deliver count where onepane.yaml says \
                         `follow: flux` or `argocd`";

/// The service that an image is of: the one whose folder it is called as, or else the only one that `.gitmodules` or its
/// repository calls so.
pub(crate) fn service_of<'s>(services: &'s [Service], image: &str) -> Option<&'s Service> {
    let base = ImageName::parse(image).base();
    let by_folder = services.iter().find(|service| service.path.file_name() == Some(base));
    by_folder.or_else(|| {
        let mut others = services.iter().filter(|service| other_names(service).contains(&Some(base)));
        let first = others.next();
        first.filter(|_| others.next().is_none())
    })
}

/// The last part of what `.gitmodules` calls a service, and that of the address of its repository.
fn other_names(service: &Service) -> [Option<&str>; 2] {
    let repository = service.url.as_deref().and_then(|url| {
        let url = url.trim_end_matches('/');
        url.strip_suffix(".git").unwrap_or(url).rsplit(['/', ':']).next()
    });
    [service.name.rsplit('/').next(), repository]
}

/// Whether an image is of the service that somebody calls `name`, or is called so itself.
fn is_of(services: &[Service], name: &str, image: &str) -> bool {
    let path = Utf8Path::new(name.trim_end_matches('/'));
    let last = path.file_name().unwrap_or(name);
    let is_it = |service: &Service| {
        service.name == name || service.path == path || service.path.file_name() == Some(path.as_str())
    };
    ImageName::parse(image).base() == last || service_of(services, image).is_some_and(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str, path: &str, url: &str) -> Service {
        Service {
            name: name.to_owned(),
            path: path.into(),
            url: Some(url.to_owned()),
            branch: None,
            committed: None,
            pinned: None,
            here: None,
        }
    }

    #[test]
    fn a_folder_counts_before_a_name_and_a_repository() {
        let services = [
            service("src/shop-web", "src/web", "git@git.example.com:acme/frontend.git"),
            service("src/frontend", "src/frontend", "../other/"),
            service("one", "src/one", "https://git.example.com/acme/mono.git"),
            service("two", "src/two", "https://git.example.com/acme/mono.git"),
        ];
        let of = |image: &str| service_of(&services, image).map(|service| service.path.as_str());
        assert_eq!(of("registry.example.com/acme/web:v1"), Some("src/web"));
        assert_eq!(of("registry.example.com/acme/frontend"), Some("src/frontend"));
        assert_eq!(of("registry.example.com/acme/shop-web@sha256:00"), Some("src/web"));
        assert_eq!(of("registry.example.com/acme/other:1"), Some("src/frontend"));
        // It may be of either.
        assert_eq!(of("registry.example.com/acme/mono:1"), None);
        assert_eq!(of("redis:8"), None);
        assert!(is_of(&services, "src/web/", "registry.example.com/acme/shop-web:1"));
        assert!(is_of(&services, "shop-web", "registry.example.com/acme/shop-web:1"));
        assert!(!is_of(&services, "one", "registry.example.com/acme/mono:1"));
    }
}
