//! Charts rendered for releases: [`Preparation`].

use super::Failure;
use super::cluster::Remembering;
use super::dry_run::DryRun;
use super::flags::Parsed;
use super::location::locate;
use super::output::release as manifest_stream;
use super::post_renderer::{PostRenderer, post_renderer};
use super::release_chart::{as_json, stored};
use super::template::{compat, explained, is_debug, load};
use super::values::{capabilities, given_values};
use super::{log, log_once};
use camino::Utf8PathBuf;
use onepane_chart::{Chart, Compat, Origins, process_dependencies};
use onepane_cluster::Cluster;
use onepane_diagnostics::Severity;
use onepane_helm::{
    Action, Capabilities, Early, Hook, Manifest, RenderOptions, Schemas, Surroundings, TEMPLATE_FAILED, render_within,
};
use onepane_release::{Info, LastRun, Release, Time};
use onepane_template::{Host, Offline};
use onepane_value::{Map, Text, Value};
use onepane_world::World;
use std::io::IsTerminal;

/// A chart and values, about to be rendered.
pub(super) struct Preparation {
    path: Utf8PathBuf,
    chart: Chart,
    early: Early,
    compat: Compat,
    post_renderer: Option<PostRenderer>,
    values: Map,
}

/// What a release is rendered as.
pub(super) struct Target<'t> {
    pub(super) name: &'t str,
    pub(super) namespace: &'t str,
    pub(super) action: Action,
    pub(super) revision: i64,
    /// What is asked; none for a dry run on the client.
    pub(super) cluster: Option<&'t Cluster>,
    /// Whether the user is warned of definitions that the cluster may not have yet.
    pub(super) warns_of_crds: bool,
    /// Whether Secrets are left out of what is printed.
    pub(super) hides_secrets: bool,
}

impl Preparation {
    /// Finds and reads the chart that `reference` names, and the values that flags give.
    pub(super) fn new(flags: &Parsed, reference: &str, world: &dyn World) -> Result<Self, Failure> {
        let compat = compat(flags)?;
        let post_renderer = post_renderer(flags, compat, world)?;
        let path = locate(flags, reference, world)?;
        let values = given_values(flags, compat, world)?;
        let mut warn = log_once();
        let (early, chart) = load(flags, &path, compat, world, &mut warn)?;
        Ok(Self { path, chart, early, compat, post_renderer, values })
    }

    /// The values that the user gave.
    pub(super) fn values(&self) -> &Map {
        &self.values
    }

    /// Takes others for those that the user gave and, where there are any, for those of the chart.
    pub(super) fn take_values(&mut self, given: Map, defaults: Option<Map>) {
        self.values = given;
        if let Some(defaults) = defaults {
            self.chart.values = defaults;
        }
    }

    /// The chart with the dependencies that its values switch on.
    fn processed(&self) -> Result<Chart, Failure> {
        let mut chart = self.chart.clone();
        process_dependencies(&mut chart, &self.values, self.compat, &mut |_| {})
            .map_err(|error| Failure::from(error).after("chart dependencies processing failed: "))?;
        Ok(chart)
    }

    /// The files of the charts' `crds/`, by their names.
    pub(super) fn definitions(&self) -> Result<Vec<(String, Vec<u8>)>, Failure> {
        let files = self.processed()?.crds().into_iter();
        Ok(files.map(|(_, file)| (file.name.to_string(), file.bytes().to_vec())).collect())
    }

    /// The same for an upgrade, which asks the cluster what it is in every case, and `lookup` only where it is no dry run on
    /// the client.
    pub(super) fn rendered_for_upgrade(
        self,
        flags: &Parsed,
        target: &Target<'_>,
        dry_run: Option<DryRun>,
        world: &dyn World,
    ) -> Result<Release, Failure> {
        self.rendered_with(flags, target, dry_run != Some(DryRun::Client), world)
    }

    /// Renders the chart; gives the release, without a status, as it is to be stored.
    pub(super) fn rendered(self, flags: &Parsed, target: &Target<'_>, world: &dyn World) -> Result<Release, Failure> {
        self.rendered_with(flags, target, true, world)
    }

    fn rendered_with(
        self,
        flags: &Parsed,
        target: &Target<'_>,
        looks_up: bool,
        world: &dyn World,
    ) -> Result<Release, Failure> {
        let chart = stored(&self.processed()?)?;
        let Self { path, chart: own, early, compat, post_renderer, values } = self;
        let config = as_json(&Value::from(values.clone()))?;
        let capabilities = match target.cluster {
            None => capabilities(flags, compat)?,
            Some(cluster) => Capabilities::of_cluster(compat, cluster.capabilities()?),
        };
        let options = RenderOptions {
            release: onepane_helm::Release {
                name: target.name.to_owned(),
                namespace: target.namespace.to_owned(),
                action: target.action,
                revision: target.revision,
                ..onepane_helm::Release::default()
            },
            capabilities,
            schemas: if flags.is_set("skip-schema-validation") { Schemas::Skipped } else { Schemas::Checked },
            origins: Origins::Untracked,
            compat,
            explain: None,
        };
        let through = |stream: String| match &post_renderer {
            Some(PostRenderer::Plugin(plugin, arguments)) => PostRenderer::run_plugin(plugin, arguments, stream),
            _ => Ok(stream.into_bytes()),
        };
        let mut surroundings = Surroundings { warns_of_crds: target.warns_of_crds, ..Surroundings::default() };
        if let Some(PostRenderer::Plugin(..)) = &post_renderer {
            surroundings.post_render = Some(&through);
        }
        let is_shown = is_debug(flags, world) || std::io::stderr().is_terminal();
        let asked = target.cluster.filter(|_| looks_up);
        let remembering = asked.filter(|_| is_shown).map(Remembering::new);
        match (&remembering, asked) {
            (Some(remembering), _) => surroundings.host = remembering,
            (None, Some(cluster)) => surroundings.host = cluster,
            (None, None) => {}
        }
        let mut warn = log_once();
        let rendered = render_within(own, &values, &options, surroundings, world, early, &mut warn);
        let rendered = match rendered {
            Ok(rendered) => rendered,
            Err(error) => {
                let replay = remembering.map(Remembering::replay);
                let host = replay.as_ref().map_or(&Offline as &dyn Host, |replay| replay);
                let finding = match error.diagnostic.code {
                    TEMPLATE_FAILED if is_shown => explained(flags, error.diagnostic, options, &path, host, world),
                    _ => error.diagnostic,
                };
                return Err(Failure { is_shown, ..Failure::from(finding) });
            }
        };
        let manifests: Vec<Manifest> = rendered.manifests.iter().map(|one| shown(one, target.hides_secrets)).collect();
        let mut manifest = manifest_stream(&[], &manifests);
        if let Some(PostRenderer::Program(program, arguments)) = &post_renderer {
            manifest = PostRenderer::run_program(program, arguments, manifest)
                .map_err(|error| format!("error while running post render on files: {error}"))?;
        }
        let notes = if flags.is_set("render-subchart-notes") {
            rendered.all_notes.iter().map(|notes| notes.to_str().into_owned()).collect::<Vec<_>>().join("\n")
        } else {
            rendered.notes.map(|notes| notes.to_str().into_owned()).unwrap_or_default()
        };
        let now = Some(Time::now());
        Ok(Release {
            name: target.name.to_owned(),
            namespace: target.namespace.to_owned(),
            version: target.revision,
            info: Info { first_deployed: now.clone(), last_deployed: now, notes, ..Info::default() },
            chart,
            config,
            manifest: String::from_utf8_lossy(&manifest).into_owned(),
            hooks: rendered.hooks.iter().map(hook).collect(),
            ..Release::default()
        })
    }
}

/// A manifest, but of a Secret that is to be hidden only that it is there.
fn shown(manifest: &Manifest, hides_secrets: bool) -> Manifest {
    let mut manifest = manifest.clone();
    if hides_secrets && manifest.kind == "Secret" && manifest.api_version == "v1" {
        manifest.text = Text::from("# HIDDEN: The Secret output has been suppressed");
    }
    manifest
}

fn hook(hook: &Hook) -> onepane_release::Hook {
    onepane_release::Hook {
        name: hook.manifest.name.clone(),
        kind: hook.manifest.kind.clone(),
        path: hook.manifest.source.to_string(),
        manifest: hook.manifest.text.to_str().into_owned(),
        events: hook.events.iter().map(|event| (*event).to_owned()).collect(),
        last_run: LastRun::default(),
        weight: hook.weight,
        delete_policies: hook.delete_policies.clone(),
        output_log_policies: hook.output_log_policies.clone(),
    }
}

/// `--hide-secret`, which only a dry run has.
pub(super) fn hides_secrets(flags: &Parsed, is_dry: bool) -> Result<bool, Failure> {
    let hides = flags.is_set("hide-secret");
    if hides && !is_dry {
        return Err("hiding Kubernetes secrets requires a dry-run mode".to_owned().into());
    }
    Ok(hides)
}

/// What Helm logs of an error besides saying it.
pub(super) fn logged(failure: Failure) -> Failure {
    log(Severity::Error, &failure.message);
    failure
}
