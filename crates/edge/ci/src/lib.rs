//! Temporary test environments on a cluster: [`run`].
//!
//! A run reads as a story. A namespace is made whose name nobody else has (`namespace`), with a quota and limits; the
//! environment, moved there (`onepane-temporary`), is applied and waited for until every pod is ready (`ready`); its tests
//! are applied, their Jobs and logs are followed to their end (`tests`, `follow`); what there is to be seen is collected
//! (`collect`); and all of it is removed (`removal`), whatever happened. What came of it is a [`Report`], which
//! [`Report::files`] writes down for people and for programs.
//!
//! Nothing is left behind by a run that is killed, either, once [`reap`] has come by: the namespace is made first and says
//! how long it may live, and whatever lives in no namespace carries its name and the same date. Nothing else is ever
//! deleted: not what lacks that label, nor what has not expired.
//!
//! Files leave a container without any tool in its image: it prints them between two lines (`artifacts`).
//!
//! It knows objects as JSON, and neither repositories nor the terminal.

mod artifacts;
mod collect;
mod definitions;
mod follow;
mod image;
mod junit;
mod logs;
mod namespace;
mod ready;
mod reap;
mod reaper;
mod removal;
mod report;
mod run;
mod tests;

pub use image::{Build, build};
pub use junit::{Case, CaseResult, Suite};
pub use reap::{Reaped, Reaping, reap};
pub use reaper::{Reaper, reaper};
pub use report::{Phase, Pod, Problem, Report, Test, Verdict};
pub use run::{Request, Stop, run};

use onepane_deploy::{Event, Failure};
use serde_json::Value;

/// What is told on the way.
#[derive(Clone, Copy, Debug)]
pub enum Told<'t> {
    /// Something begins, or is to be known.
    Note(&'t str),
    /// Something happened to an object.
    Object(&'t Event),
    /// A test has ended.
    Test {
        /// Its Job.
        name: &'t str,
        /// What came of it.
        said: &'t str,
    },
    /// A container printed a line.
    Log {
        /// Its pod.
        pod: &'t str,
        /// Its name.
        container: &'t str,
        /// The line, without its end.
        line: &'t str,
    },
}

fn text<'o>(object: &'o Value, pointer: &str) -> &'o str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn items<'o>(object: &'o Value, pointer: &str) -> impl Iterator<Item = &'o Value> {
    object.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

/// Whether an answer says that there is one of that name already.
fn is_there(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused { code: 409, .. })
}
