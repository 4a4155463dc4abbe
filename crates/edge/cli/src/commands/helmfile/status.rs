//! `helmfile status` and `helmfile test`: how releases are, and what their tests say.

use super::Failure;
use super::at_work::Work;
use super::charts::prepare;
use super::helm_flags::{connection_arguments, extra_arguments};
use super::hooks::{Event, trigger};
use super::live::{Failed, Live, Why};
use super::session::Session;
use crate::commands::helm::{Printed, status_for_helmfile, test_for_helmfile};
use crate::commands::pflag::{Flag, Kind, Parsed, flag};
use onepane_helmfile::Release;
use onepane_world::World;

pub(super) const TEST_FLAGS: &[Flag] = &[
    flag("cleanup", Kind::Bool, "no effect since Helm 3: hooks say themselves when they are deleted"),
    flag("logs", Kind::Bool, "print what the tests' pods have printed"),
    flag("timeout", Kind::Integer, "how many seconds each test is waited for; 300 by default"),
];

pub(super) fn run(flags: &Parsed) -> Result<(), Failure> {
    let arguments = |_: &Live<'_>, _: &Release| Vec::new();
    each(flags, "status", "Getting status", &arguments, |arguments, world| status_for_helmfile(arguments, world))
}

pub(super) fn run_test(flags: &Parsed) -> Result<(), Failure> {
    let seconds: i64 = flags.text("timeout").and_then(|text| text.parse().ok()).unwrap_or(300);
    let arguments = |_: &Live<'_>, _: &Release| {
        let mut arguments = vec!["--timeout".to_owned(), format!("{seconds}s")];
        if flags.is_set("logs") {
            arguments.push("--logs".to_owned());
        }
        arguments
    };
    each(flags, "test", "Testing", &arguments, |arguments, world| test_for_helmfile(arguments, world))
}

/// Does something with each chosen release: those of a state at once.
fn each(
    flags: &Parsed,
    command: &str,
    doing: &str,
    own: &dyn Fn(&Live<'_>, &Release) -> Vec<String>,
    helm: impl Fn(&[String], &dyn World) -> Printed + Sync,
) -> Result<(), Failure> {
    let mut session = Session::open(flags)?;
    if flags.is_set("cleanup") {
        session.warn(
            "warn: requested cleanup will not be applied. To clean up test resources with Helm 3, you have to remove them \
             manually or set helm.sh/hook-delete-policy\n",
        );
    }
    let work = Work::new(flags.text("concurrency"));
    let mut any = false;
    for mut state in std::mem::take(&mut session.states) {
        prepare(&session, &mut state, flags, command, None)?;
        let live = Live::new(&session, &state, flags, &work);
        let chosen = state.chosen(false);
        any |= !chosen.is_empty();
        let desired: Vec<&Release> = chosen.into_iter().filter(|release| release.desired).collect();
        let mut failed = Vec::new();
        for wave in state.waves(&desired)? {
            let start = |at: usize| {
                let release = wave[at];
                session.say(&format!("{doing} {}", release.name));
                let mut arguments = vec![release.name.clone()];
                arguments.extend(connection_arguments(&state, release, flags));
                arguments.extend(own(&live, release));
                arguments.extend(extra_arguments(&state, flags));
                Some(arguments)
            };
            let world = &session.world;
            let finish = |at: usize, printed: Option<Printed>| {
                let Some(printed) = printed else { return };
                live.say_printed(&printed.text);
                failed.extend(printed.outcome.err().map(|failure| Failed::of(wave[at], Why::Helm(failure))));
            };
            work.each(wave.len(), start, |arguments: Vec<String>, _: &_| helm(&arguments, world), finish);
            if !failed.is_empty() {
                break;
            }
        }
        trigger(&session, &state, None, Event::Cleanup, command)?;
        live.outcome(failed)?;
    }
    session.check_selected(any, flags)
}
