//! `helmfile write-values`: the values of each release, merged, in a file.

use super::Failure;
use super::flags::choice;
use super::hooks::{Event, trigger};
use super::repositories::{Which, skips_refresh, sync};
use super::session::Session;
use crate::atomic;
use crate::commands::pflag::{Flag, Kind, Parsed, flag};
use onepane_helmfile::PathTemplate;

pub(super) const FLAGS: &[Flag] = &[flag("output-file-template", Kind::Text, "the file of a release, as a template")];

pub(super) fn run(flags: &Parsed) -> Result<(), Failure> {
    let session = Session::open(flags)?;
    let template = flags.text("output-file-template").filter(|template| !template.is_empty());
    let template = template.unwrap_or("{{ .State.BaseName }}-{{ .State.AbsPathSHA1 }}/{{ .Release.Name }}.yaml");
    let mut any = false;
    for state in &session.states {
        // No chart is fetched, so registries need no password.
        if Which::of(state, skips_refresh(flags)) == Which::All {
            sync(&session, state, Which::All, flags)?;
        }
        trigger(&session, state, None, Event::Prepare, "write-values")?;
        any |= !state.chosen(false).is_empty();
        for release in state.planned(choice(flags))? {
            let mut files = release.values_files(state, &session.world, &session.system)?;
            for path in flags.all("values") {
                let path = session.folder.join(path);
                let bytes = std::fs::read(&path).map_err(|error| Failure::text(format!("{path}: {error}")))?;
                files.push(bytes.into());
            }
            let text = onepane_helmfile::merged_values(&files)?;
            let template = PathTemplate { text: template, output_dir: "", chart_name: &release.chart_name };
            let path = state.path_for(release, template, &session.folder, &session.world)?;
            eprintln!("Writing values file {path}");
            atomic::write(&session.folder.join(path), text.as_bytes())?;
            trigger(&session, state, Some(release), Event::Cleanup, "write-values")?;
        }
        trigger(&session, state, None, Event::Cleanup, "write-values")?;
    }
    session.check_selected(any, flags)
}
