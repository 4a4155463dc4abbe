//! Folders to manifests: [`Repository::build`].

use crate::layout::Follow;
use crate::{LocalCharts, Repository};
use camino::Utf8Path;
use onepane_diagnostics::{Diagnostic, Result};
use onepane_gitops::{Followed, Input, follow};
use onepane_kustomize::{Built, ImageOverride, Options, Tools, build_with};

/// What a build may be asked for.
#[derive(Clone, Debug, Default)]
pub struct BuildOptions {
    /// Whether every value keeps its history. The output is the same.
    pub origins: bool,
    /// Images to preview, each as `kustomize edit set image` takes it: `NAME=NEW[:TAG|@DIGEST]`, `NAME:TAG` or
    /// `NAME@DIGEST`.
    pub set_images: Vec<String>,
    /// Whether a patch or replacement that selects nothing is an error.
    pub strict: bool,
}

impl Repository<'_> {
    /// The manifests of the folder `unit`, from what is on disk.
    pub fn build(&self, unit: &Utf8Path, options: &BuildOptions) -> Result<Built> {
        let set_images = options.set_images.iter().map(|text| image(text)).collect::<Result<_>>()?;
        // Charts are rendered here, so that nothing has to be allowed.
        let BuildOptions { origins, strict, .. } = *options;
        let options = Options { origins, strict, set_images, enable_helm: true, ..Options::default() };
        if self.is_followed(unit) {
            return self.follow_with(unit, &options).map(|followed| followed.built);
        }
        // Functions run for nobody but `kustomize build`.
        let tools =
            Tools { cache: Some(&self.cache), charts: Some(&LocalCharts), remotes: self.remotes, functions: None };
        build_with(self.world, unit, &options, tools)
    }

    /// The manifests of a cluster's folder and of all that objects of Flux and Argo CD in it deliver, with these.
    pub fn follow(&self, unit: &Utf8Path) -> Result<Followed> {
        self.follow_with(unit, &Options { enable_helm: true, ..Options::default() })
    }

    fn follow_with(&self, unit: &Utf8Path, options: &Options) -> Result<Followed> {
        let input = Input {
            world: self.world,
            addresses: &self.addresses,
            charts: &LocalCharts,
            sources: self.charts,
            cache: Some(&self.cache),
            remotes: self.remotes,
            options,
            flux: self.layout.follow.contains(&Follow::Flux),
            argocd: self.layout.follow.contains(&Follow::ArgoCd),
        };
        follow(input, unit)
    }
}

fn image(text: &str) -> Result<ImageOverride> {
    let (name, new) = match text.split_once('=') {
        Some((name, new)) => (name, new),
        None => (split_image(text).0, text),
    };
    let (new_name, new_tag, digest) = split_image(new);
    let new_name = if new_name == name { "" } else { new_name };
    if name.is_empty() || (new_name.is_empty() && new_tag.is_empty() && digest.is_empty()) {
        return Err(Diagnostic::error("build-set-image", format!("`{text}` names no image to set"))
            .hint("write NAME=NEW:TAG, NAME=NEW@DIGEST, NAME:TAG or NAME@DIGEST"));
    }
    let [name, new_name, new_tag, digest] = [name, new_name, new_tag, digest].map(str::to_owned);
    Ok(ImageOverride { name, new_name, new_tag, digest })
}

/// Name, tag and digest. A colon before a slash belongs to a registry's port.
fn split_image(image: &str) -> (&str, &str, &str) {
    let (image, digest) = image.split_once('@').unwrap_or((image, ""));
    let after_slash = image.rfind('/').map_or(0, |slash| slash + 1);
    match image[after_slash..].rfind(':') {
        Some(colon) => (&image[..after_slash + colon], &image[after_slash + colon + 1..], digest),
        None => (image, "", digest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_read_as_kustomize_edit_reads_them() {
        let parts = |text: &str| image(text).map(|image| [image.name, image.new_name, image.new_tag, image.digest]);
        let cases = [
            ("api:1.2", ["api", "", "1.2", ""]),
            ("api=localhost:5000/api:1.2", ["api", "localhost:5000/api", "1.2", ""]),
            ("localhost:5000/api@sha256:ab", ["localhost:5000/api", "", "", "sha256:ab"]),
            ("a=b", ["a", "b", "", ""]),
        ];
        for (text, expected) in cases {
            assert_eq!(parts(text).expect(text), expected.map(str::to_owned), "{text}");
        }
        for wrong in ["api", "=b:1", "a=a"] {
            assert!(image(wrong).is_err(), "{wrong}");
        }
    }
}
