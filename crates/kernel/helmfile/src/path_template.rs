//! Paths of what is written for a release, as templates: `--output-dir-template` and `--output-file-template`.

use crate::outside::Sandbox;
use crate::release::Release;
use crate::state::State;
use camino::Utf8Path;
use onepane_diagnostics::{FileId, Result};
use onepane_value::{Map, Value};
use onepane_world::{World, normalize};
use sha1::{Digest, Sha1};
use std::fmt::Write as _;

/// A template for a path.
#[derive(Clone, Copy, Debug)]
pub struct PathTemplate<'a> {
    /// Its text.
    pub text: &'a str,
    /// What `.OutputDir` is in it.
    pub output_dir: &'a str,
    /// What `.ChartName` is in it.
    pub chart_name: &'a str,
}

impl State {
    /// What a template for the path of something of `release` gives. `start` is the folder that paths are relative to.
    ///
    /// # Errors
    /// For a template that fails.
    pub fn path_for(
        &self,
        release: &Release,
        template: PathTemplate<'_>,
        start: &Utf8Path,
        world: &dyn World,
    ) -> Result<String> {
        let file = self.path.file_name().unwrap_or_default();
        let absolute = normalize(&start.join(&self.path));
        let mut digits = String::new();
        for byte in &Sha1::digest(absolute.as_str())[..4] {
            _ = write!(digits, "{byte:02x}");
        }
        let state = Map::from_iter([
            ("BaseName", Value::from(file.rsplit_once('.').map_or(file, |(name, _)| name))),
            ("Path", file.into()),
            ("AbsPath", absolute.as_str().into()),
            ("AbsPathSHA1", digits.into()),
        ]);
        let data = Map::from_iter([
            ("OutputDir", Value::from(template.output_dir)),
            ("ChartName", template.chart_name.into()),
            ("State", state.into()),
            ("Release", described(release).into()),
            ("Environment", self.environment.described().into()),
        ]);
        crate::template::render(world, &Sandbox, self.folder(), FileId::new("output"), 0, template.text, &data)
    }
}

/// A release as templates outside of its own fields see it: its fields, in Go's spelling.
pub(crate) fn described(release: &Release) -> Map {
    let map = Map::new();
    release.spec.for_each(|key, value| {
        let mut name = key.to_string();
        if let Some(first) = name.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        map.insert(name, value.clone());
    });
    for key in ["Name", "Namespace", "Chart", "Version", "KubeContext"] {
        if !map.contains(key) {
            map.insert(key, "".into());
        }
    }
    map
}
