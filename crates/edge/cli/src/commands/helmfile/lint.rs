//! `helmfile lint`: the charts of releases, linted with their values.

use super::chartify::changed;
use super::charts::{Destination, TEMPLATE, prepare};
use super::flags::choice;
use super::helm_flags::HelmCall;
use super::hooks::{Event, trigger};
use super::session::Session;
use super::{Failure, write};
use crate::commands::helm::lint_for_helmfile;
use crate::commands::pflag::Parsed;
use crate::redaction::redacted;

pub(super) fn run(flags: &Parsed) -> Result<(), Failure> {
    let mut session = Session::open(flags)?;
    let (mut any, mut failed) = (false, None);
    // What is in an archive elsewhere can't be linted there.
    let folder = session.temporary_folder()?;
    let destination = Destination { folder, template: TEMPLATE.to_owned(), takes_all: false };
    for mut state in std::mem::take(&mut session.states) {
        prepare(&session, &mut state, flags, "lint", Some(&destination))?;
        let state = &state;
        any |= !state.chosen(false).is_empty();
        for release in state.planned(choice(flags))? {
            let mut call = HelmCall::with_values(Vec::new(), &session, state, release, flags)?;
            let with_chart = |chart: &str| [&[release.name.clone(), chart.to_owned()], &*call.arguments].concat();
            let chart = match changed(&session, state, release, &with_chart, &call.memory)? {
                Some(chart) => {
                    call.memory = chart.put(call.memory);
                    chart.path.to_string()
                }
                None => session.chart(release),
            };
            call.arguments.insert(0, chart);
            let (printed, outcome) = lint_for_helmfile(&call.arguments, &call.world(&session.world))?;
            // What it finds may quote values.
            write(redacted(&String::from_utf8_lossy(&printed)).as_bytes());
            // Helm's own lines are followed by an empty one.
            write(b"\n");
            failed = failed.or(outcome.err());
            trigger(&session, state, Some(release), Event::Cleanup, "lint")?;
        }
        trigger(&session, state, None, Event::Cleanup, "lint")?;
    }
    match failed {
        Some(failure) => Err(failure.into()),
        None => session.check_selected(any, flags),
    }
}
