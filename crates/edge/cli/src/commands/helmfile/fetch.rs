//! `helmfile fetch`: the charts of all releases, in a folder.

use super::charts::{Destination, TEMPLATE, prepare};
use super::hooks::{Event, trigger};
use super::session::Session;
use super::{Failure, print};
use crate::commands::pflag::{Flag, Kind, Parsed, flag};
use onepane_helmfile::YamlStyle;
use onepane_world::normalize;

pub(super) const FLAGS: &[Flag] = &[
    flag("concurrency", Kind::Integer, "no effect here"),
    flag("output-dir", Kind::Text, "the folder; by default charts are fetched and removed again"),
    flag("output-dir-template", Kind::Text, "the folder of a release's chart, as a template"),
    flag("write-output", Kind::Bool, "print the state with the charts' paths in it; one state only"),
];

pub(super) fn run(flags: &Parsed) -> Result<(), Failure> {
    let given = flags.text("output-dir").filter(|folder| !folder.is_empty());
    let writes = flags.is_set("write-output");
    if writes && given.is_none() {
        return Err(Failure::text("--output-dir is required when --write-output is set"));
    }
    let mut session = Session::open(flags)?;
    let states = std::mem::take(&mut session.states);
    if writes && states.len() > 1 {
        let message = "--write-output requires a single helmfile state file, but multiple were found; use -f to specify a \
                       single helmfile instead of a directory or a helmfile with nested helmfiles: entries";
        return Err(Failure::text(message));
    }
    let template = flags.text("output-dir-template").filter(|template| !template.is_empty()).unwrap_or(TEMPLATE);
    let folder = match given {
        Some(folder) => {
            session.say(&format!("Charts will be downloaded to: {folder}"));
            folder.into()
        }
        None => session.temporary_folder()?,
    };
    let destination = Destination { folder, template: template.to_owned(), takes_all: true };
    let (mut any, mut text) = (false, String::new());
    for mut state in states {
        prepare(&session, &mut state, flags, "pull", Some(&destination))?;
        let listed = state.listed()?;
        any |= !listed.is_empty();
        if writes {
            let mut written = Vec::new();
            for release in &listed {
                let spec = release.written(&state, None, None)?;
                if release.installed {
                    spec.insert("chart", release.chart.as_str().into());
                }
                written.push(spec);
            }
            let path = normalize(&session.folder.join(&state.path));
            text += &format!("---\n#  Source: {path}\n\n{}", state.written(&written, YamlStyle::V3)?);
        }
        trigger(&session, &state, None, Event::Cleanup, "pull")?;
    }
    session.check_selected(any, flags)?;
    print(&text)
}
