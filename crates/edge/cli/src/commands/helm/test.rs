//! `helm test`.

use super::command::{Arguments, Command};
use super::flags::{Flag, Kind, Parsed, flag};
use super::listing::Format;
use super::release_flags::{check_name, cluster, session, timeout};
use super::release_output::{Detail, text};
use super::template::is_debug;
use super::{Failure, print};
use onepane_release::Test;
use onepane_world::World;

pub(super) const COMMAND: Command = Command {
    path: &["test"],
    aliases: &[],
    usage: "[RELEASE]",
    about: "run the tests of a release",
    flags: &[FLAGS],
    arguments: Arguments::Exactly(1),
    run,
};

const FLAGS: &[Flag] = &[
    flag("filter", Kind::Slice, "run only the tests name=NAME,…; !name=NAME leaves one out"),
    flag("logs", Kind::Bool, "print what the tests' pods have printed"),
    flag("timeout", Kind::Duration, "how long each test is waited for; 5m0s by default"),
];

fn run(flags: &Parsed) -> Result<(), Failure> {
    test_release(flags, &super::world()?, &mut print)
}

/// The command, for whoever calls.
pub(super) fn test_release(flags: &Parsed, world: &dyn World, print: &mut dyn FnMut(&[u8])) -> Result<(), Failure> {
    let mut test = Test { timeout: timeout(flags)?, only: Vec::new(), without: Vec::new() };
    for filter in flags.all("filter") {
        if let Some(name) = filter.strip_prefix("name=") {
            test.only.push(name.to_owned());
        } else if let Some(filter) = filter.strip_prefix('!') {
            let filter = filter.strip_prefix([' ', '\t', '\n', '\u{c}', '\r']).unwrap_or(filter);
            test.without.extend(filter.strip_prefix("name=").map(str::to_owned));
        }
    }
    let cluster = cluster(flags, world)?;
    let session = session(flags, world, &cluster)?;
    let name = flags.arguments.first().map(String::as_str).unwrap_or_default();
    check_name(name, "releaseTest: Release name is invalid")?;
    let tested = cluster.run(session.test(name, &test))?;
    let detail = Detail { shows_all: is_debug(flags, world), hides_notes: true, ..Detail::default() };
    print(text(&tested.release, Format::Table, detail)?.as_bytes());
    let mut outcome = tested.outcome.clone();
    if flags.is_set("logs") {
        print(b"\n");
        let logs = cluster.run(session.test_logs(&tested.release, &test, print));
        if let Err(failure) = logs {
            let before = outcome.err().map(|failure| format!("{failure}\n")).unwrap_or_default();
            outcome = Err(onepane_release::Failure::Other(format!("{before}{failure}")));
        }
    }
    // What the tests came to is said first.
    let cleaned = cluster.run(session.clean_up_tests(&tested));
    Ok(outcome.and(cleaned)?)
}
