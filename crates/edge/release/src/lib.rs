//! Releases of Helm on a cluster: [`Session`] keeps them where Helm keeps them, and does with them what Helm does, so that
//! either goes on where the other has stopped.
//!
//! [`Release`] is a revision as it is stored (`storage`, `encoding`): a Secret or ConfigMap for each, with Helm's names, labels
//! and bytes. [`Session::install`], [`Session::upgrade`], [`Session::rollback`], [`Session::uninstall`] and [`Session::test`] are
//! Helm's actions, each in a file of its name: they write a revision that says what is about to happen, run hooks (`hooks`),
//! bring resources to the cluster (`apply`, where it merges itself with `merge`), wait (`wait`, which judges by `verdict`), and
//! write what became of it. Errors and what is told on the way ([`Said`]) are Helm's texts.
//!
//! # A release is never stuck
//! Helm refuses to upgrade a release that is `pending-…`, and a process that is killed leaves it so for ever. Here, whoever is at
//! work on a revision says so beside it (`writer`), and the next one who finds such a revision can tell whether anybody still
//! is. If not, the revision is marked as failed, and what failed revisions have begun is taken into account:
//!
//! - An upgrade or rollback compares with what the cluster had been told to have *and* with what was begun since: what the new
//!   revision does not have is deleted, if it is the release's. Hooks that were running or should have gone are deleted.
//! - An install whose first attempt was cut short goes on as revision 2, though Helm would say that the name is in use. So
//!   does one after an uninstall that was cut short.
//! - An uninstall removes what was begun as well, and what the cluster had before.
//!
//! If somebody is at work on it, the answer is Helm's: another operation is in progress, or the name is in use. `rollback` and
//! `uninstall`, which ask nothing in Helm, then refuse as well. Revisions that Helm's own binary has left are not touched:
//! there is no telling whether it still runs.
//!
//! It knows objects and texts, and neither charts nor the terminal: who calls has rendered the manifests.

mod apply;
mod encoding;
mod failure;
mod go_json;
mod hooks;
mod install;
mod merge;
mod owned_fields;
mod release;
mod rollback;
mod session;
mod status;
mod storage;
mod testing;
mod time;
mod uninstall;
mod upgrade;
mod verdict;
mod wait;
mod writer;

pub use failure::Failure;
pub use go_json::go_json;
pub use install::{Available, Install};
pub use release::{Hook, Info, LastRun, Release, Status};
pub use rollback::Rollback;
pub use session::{Said, Session};
pub use status::Format;
pub use storage::{Driver, SYSTEM_LABELS};
pub use testing::{Test, Tested};
pub use time::Time;
pub use uninstall::Uninstall;
pub use upgrade::{Upgrade, Upgraded};
pub use wait::{Strategy, Wait};
