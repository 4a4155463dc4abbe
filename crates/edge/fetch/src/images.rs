//! Images of containers in registries: their tags, and what one of them is.

use crate::Fetcher;
use crate::failure::damaged;
use crate::reference::Reference;
use crate::registry::{MANIFEST, Registry, RegistryAccess};
use oci_client::manifest::OciDescriptor;
use onepane_diagnostics::Result;
use serde_json::Value;

/// What a registry says of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageFacts {
    /// `sha256:…`: of the manifest, or of the list of manifests for several platforms.
    pub digest: String,
    /// The commit that it was made of, by `org.opencontainers.image.revision`.
    pub revision: Option<String>,
}

const REVISION: &str = "org.opencontainers.image.revision";

/// What describes an image for several platforms, and for one.
const KINDS: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    MANIFEST,
    "application/vnd.docker.distribution.manifest.v2+json",
];

/// No image's configuration is larger.
const LARGEST_CONFIG: u64 = 4 << 20;

impl Fetcher {
    /// The tags of an image, named as Docker has it and without a tag.
    ///
    /// # Errors
    /// `fetch-unreachable`, `fetch-refused`.
    pub fn image_tags(&self, image: &str, access: &RegistryAccess) -> Result<Vec<String>> {
        let (reference, access) = reached(image, access)?;
        Registry::new(&self.session, &access).tags(&reference)
    }

    /// What is there under an image's tag or digest.
    ///
    /// # Errors
    /// `fetch-unreachable` where there is none, `fetch-damaged` for what is no image.
    pub fn image(&self, image: &str, access: &RegistryAccess) -> Result<ImageFacts> {
        let (reference, access) = reached(image, access)?;
        let registry = Registry::new(&self.session, &access);
        let read = |bytes: &[u8]| -> Result<Value> {
            serde_json::from_slice(bytes).map_err(|_| damaged(format!("{reference}: its manifest is not JSON")))
        };
        let (bytes, digest) = registry.manifest_of(&reference, &KINDS)?;
        let mut manifest = read(&bytes)?;
        let annotated = |manifest: &Value| manifest["annotations"][REVISION].as_str().map(str::to_owned);
        let mut revision = annotated(&manifest);
        if let (None, Some(manifests)) = (&revision, manifest["manifests"].as_array()) {
            // All platforms are made of the same; what is for none is a signature or the like.
            let is_image = |manifest: &&Value| manifest["platform"]["architecture"].as_str() != Some("unknown");
            let first = manifests.iter().find(is_image).and_then(|manifest| manifest["digest"].as_str());
            let Some(first) = first else { return Ok(ImageFacts { digest, revision }) };
            let of_platform = Reference::parse(&format!("{}/{}@{first}", reference.registry, reference.repository))?;
            manifest = read(&registry.manifest_of(&of_platform, &KINDS)?.0)?;
            revision = annotated(&manifest);
        }
        let config = &manifest["config"];
        if let (None, Some(of_config), Some(size)) = (&revision, config["digest"].as_str(), config["size"].as_i64()) {
            let descriptor = OciDescriptor { digest: of_config.to_owned(), size, ..OciDescriptor::default() };
            let config = read(&registry.blob(&reference, &descriptor, LARGEST_CONFIG)?)?;
            revision = config["config"]["Labels"][REVISION].as_str().map(str::to_owned);
        }
        Ok(ImageFacts { digest, revision })
    }
}

/// An image's reference in full.
pub(crate) fn reference_of(image: &str) -> Result<Reference> {
    let (first, rest) = image.split_once('/').unwrap_or(("", image));
    let is_host = first.contains(['.', ':']) || first == "localhost";
    let whole = match (is_host, first) {
        (true, _) => image.to_owned(),
        (false, "") => format!("docker.io/library/{rest}"),
        (false, _) => format!("docker.io/{image}"),
    };
    Reference::parse(&whole)
}

/// An image's reference in full, and how its registry is reached: on this machine without TLS, as Docker does, unless it is
/// said who vouches for it.
fn reached(image: &str, access: &RegistryAccess) -> Result<(Reference, RegistryAccess)> {
    let reference = reference_of(image)?;
    let host = reference.registry.rsplit_once(':').map_or(reference.registry.as_str(), |(host, _)| host);
    let is_here = host == "localhost" || host.starts_with("127.") || host == "[::1]";
    let is_vouched_for = !access.authorities.is_empty();
    let plain_http = access.plain_http || is_here && !is_vouched_for;
    Ok((reference, RegistryAccess { plain_http, ..access.clone() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_named_as_docker_has_it() {
        let of = |image: &str| {
            let (reference, access) = reached(image, &RegistryAccess::default()).expect(image);
            (reference.to_string(), access.plain_http)
        };
        assert_eq!(of("nginx"), ("docker.io/library/nginx".to_owned(), false));
        assert_eq!(of("acme/api:1"), ("docker.io/acme/api:1".to_owned(), false));
        assert_eq!(of("r.example.com/api"), ("r.example.com/api".to_owned(), false));
        assert_eq!(of("localhost:5000/api"), ("localhost:5000/api".to_owned(), true));
        assert_eq!(of("127.0.0.1:5000/a/b:x"), ("127.0.0.1:5000/a/b:x".to_owned(), true));
    }
}
