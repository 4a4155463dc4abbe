//! Folders to manifests: [`Repository::build`].

use crate::kept_warning::KeptWarning;
use crate::layout::Follow;
use crate::memo::{Kept, ResultName, key};
use crate::{LocalCharts, Repository};
use camino::Utf8Path;
use onepane_diagnostics::{Diagnostic, Result};
use onepane_gitops::{Followed, Input, follow};
use onepane_kustomize::{Built, ImageOverride, Options, Tools, build_with};
use onepane_resource::{ImageName, Manifest};
use onepane_world::{Recorded, Trace, World};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

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

/// What a build gives away.
#[derive(Clone, Debug, Default)]
pub struct Manifests {
    /// The resources in the order of the output.
    pub manifests: Vec<Manifest>,
    /// What is deprecated or has no effect.
    pub warnings: Vec<Diagnostic>,
}

impl Manifests {
    /// As `kustomize build` prints them.
    pub fn to_yaml(&self) -> String {
        self.manifests.iter().map(|manifest| manifest.yaml.as_str()).collect::<Vec<_>>().join("---\n")
    }
}

impl Repository<'_> {
    /// As [`Self::build`], as text; what was built of the same files before is not built once more.
    pub fn manifests(&self, unit: &Utf8Path, options: &BuildOptions) -> Result<Manifests> {
        match self.kept(unit, options).and_then(|kept| self.load(&kept)) {
            Some(manifests) => Ok(manifests),
            None => Ok(self.build_and_keep(unit, options)?.0),
        }
    }

    /// What was kept, if it is still there.
    pub fn load(&self, kept: &Kept) -> Option<Manifests> {
        let memo = self.memo?;
        let manifests = memo.load::<KeptManifests>(kept)?;
        memo.count_kept();
        Some(manifests.into())
    }

    /// What is kept of the folder `unit` for the files as they are.
    pub fn kept(&self, unit: &Utf8Path, options: &BuildOptions) -> Option<Kept> {
        // What is followed leads to servers, and through worlds that are made up on the way.
        let memo = self.memo.filter(|_| !self.is_followed(unit))?;
        self.find_kept(memo, &key_of(unit, options))
    }

    /// Whether something that is kept is what these files are built to as well.
    pub fn holds(&self, kept: &Kept) -> bool {
        self.memo.is_some_and(|memo| {
            let holds = self.verified.holds(memo, kept, self.world);
            if holds {
                memo.count_kept();
            }
            holds
        })
    }

    /// Builds, and keeps the result where the same will come of the same files.
    pub fn build_and_keep(&self, unit: &Utf8Path, options: &BuildOptions) -> Result<(Manifests, Option<Kept>)> {
        let told = |built: Built| -> Result<Manifests> {
            let manifests = built.to_manifests()?;
            Ok(Manifests { manifests, warnings: built.warnings })
        };
        let Some(memo) = self.memo.filter(|_| !options.origins && !self.is_followed(unit)) else {
            return Ok((told(self.build(unit, options)?)?, None));
        };
        memo.count_made();
        let recorded = Recorded::new(self.world);
        let manifests = told(self.build_in(&recorded, unit, options)?)?;
        let keep = |trace: Arc<Trace>| {
            // Traces of bases are many and small.
            memo.keep(&key_of(unit, options), &trace.merged(), &KeptManifests::from(&manifests))
        };
        let kept = recorded.into_trace().and_then(keep);
        Ok((manifests, kept))
    }

    /// The manifests of the folder `unit`, from what is on disk.
    pub fn build(&self, unit: &Utf8Path, options: &BuildOptions) -> Result<Built> {
        // What is followed leads to servers.
        let is_kept = options.origins && !options.strict && options.set_images.is_empty() && !self.is_followed(unit);
        match self.kept_builds.filter(|_| is_kept) {
            Some(kept) => kept.get_or_build(self.world, unit, |world| self.build_in(world, unit, options)),
            None => self.build_in(self.world, unit, options),
        }
    }

    fn build_in(&self, world: &dyn World, unit: &Utf8Path, options: &BuildOptions) -> Result<Built> {
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
        build_with(world, unit, &options, tools)
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

/// What a build is kept under: what it was asked, and not what it read.
fn key_of(unit: &Utf8Path, options: &BuildOptions) -> ResultName {
    let BuildOptions { origins, set_images, strict } = options;
    let images = set_images.join("\0");
    key(&[b"build", unit.as_str().as_bytes(), &[u8::from(*origins), u8::from(*strict)], images.as_bytes()])
}

/// Manifests as they are kept.
#[derive(Serialize, Deserialize)]
struct KeptManifests {
    manifests: Vec<Manifest>,
    warnings: Vec<KeptWarning>,
}

impl From<&Manifests> for KeptManifests {
    fn from(manifests: &Manifests) -> Self {
        let warnings = manifests.warnings.iter().map(KeptWarning::from).collect();
        Self { manifests: manifests.manifests.clone(), warnings }
    }
}

impl From<KeptManifests> for Manifests {
    fn from(kept: KeptManifests) -> Self {
        Self { manifests: kept.manifests, warnings: kept.warnings.into_iter().map(Diagnostic::from).collect() }
    }
}

fn image(text: &str) -> Result<ImageOverride> {
    let (name, new) = match text.split_once('=') {
        Some((name, new)) => (name, new),
        None => (ImageName::parse(text).name, text),
    };
    let ImageName { name: new_name, tag: new_tag, digest, .. } = ImageName::parse(new);
    let new_name = if new_name == name { "" } else { new_name };
    if name.is_empty() || (new_name.is_empty() && new_tag.is_empty() && digest.is_empty()) {
        return Err(Diagnostic::error("build-set-image", format!("`{text}` names no image to set"))
            .hint("write NAME=NEW:TAG, NAME=NEW@DIGEST, NAME:TAG or NAME@DIGEST"));
    }
    let [name, new_name, new_tag, digest] = [name, new_name, new_tag, digest].map(str::to_owned);
    Ok(ImageOverride { name, new_name, new_tag, digest })
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
