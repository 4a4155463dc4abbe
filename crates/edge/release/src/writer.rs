//! Who is at work on a revision, and whether still: [`Writer`].
//!
//! A revision that is `pending-…` or `uninstalling` is kept with the annotation [`ANNOTATION`], which says who made it so: a
//! token that nobody else has, the boot of the machine, the process and when that was started, and a count that grows every
//! few seconds, written by the writer itself ([`BEAT`]). Whoever finds such a revision asks:
//!
//! - Is it this machine, and this boot of it? Then the process is there, or it is not: known at once.
//! - Else it is watched for [`PATIENCE`]. If the object is written to in that time, somebody is at work; if not, whoever was
//!   is gone. No clocks are compared but one's own with itself.
//!
//! Revisions without the annotation are those of Helm's own binary, of which nobody can know; they are left alone, and the
//! error is Helm's.
//!
//! A writer that was taken for gone, and was only asleep, learns it with its next word: it writes only to the version of the
//! object that it knows (`storage`).

use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

/// Where it is noted.
pub(crate) const ANNOTATION: &str = "onepane.dev/writer";
/// How often a writer says that it is there.
pub(crate) const BEAT: Duration = Duration::from_secs(5);
/// How long a writer may be silent.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The tokens of this process' own writers that are at work.
static AT_WORK: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);

/// Who is at work on a revision, for as long as it lives.
pub(crate) struct Writer {
    token: String,
    place: Option<Place>,
}

/// A process, of all that there ever were.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    /// The boot of the machine, and the namespace that the process is counted in.
    machine: String,
    process: u32,
    started: u64,
}

/// Whether a writer is there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    AtWork,
    Gone,
    /// It is elsewhere, so that its beats have to be waited for.
    Elsewhere,
}

impl Writer {
    pub(crate) fn new() -> Self {
        let token = format!("{:032x}", fastrand::u128(..));
        AT_WORK.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone());
        Self { token, place: Place::here() }
    }

    /// What the annotation says at the given beat.
    pub(crate) fn note(&self, beat: u64) -> String {
        let mut note = json!({"token": self.token, "beat": beat});
        if let Some(Place { machine, process, started }) = &self.place {
            note["machine"] = json!(machine);
            note["process"] = json!(process);
            note["started"] = json!(started);
        }
        note.to_string()
    }

    /// Whether the annotation is this one's.
    pub(crate) fn is_own(&self, note: &str) -> bool {
        serde_json::from_str::<Value>(note).is_ok_and(|note| note["token"] == *self.token)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        AT_WORK.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.token);
    }
}

/// Whether who wrote the annotation is there.
pub(crate) fn presence(note: &str) -> Presence {
    let note: Value = serde_json::from_str(note).unwrap_or_default();
    let text = |name: &str| note[name].as_str().unwrap_or_default().to_owned();
    let place = note["process"].as_u64().and_then(|process| u32::try_from(process).ok()).map(|process| Place {
        machine: text("machine"),
        process,
        started: note["started"].as_u64().unwrap_or_default(),
    });
    let (Some(place), Some(here)) = (place, Place::here()) else { return Presence::Elsewhere };
    if place.machine != here.machine {
        return Presence::Elsewhere;
    }
    let is_there = if place == here {
        AT_WORK.lock().unwrap_or_else(PoisonError::into_inner).contains(&text("token"))
    } else {
        started(place.process) == Some(place.started)
    };
    if is_there { Presence::AtWork } else { Presence::Gone }
}

impl Place {
    /// This process; `None` where the system does not tell.
    fn here() -> Option<Self> {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
        let process = std::process::id();
        let machine = format!("{} {}", boot.trim(), namespace.display());
        Some(Self { machine, process, started: started(process)? })
    }
}

/// When a process was started, in the system's own count; `None` where there is none, or only what is left of it.
fn started(process: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name stands in brackets and may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X" | "x") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_is_there_as_long_as_it_lives() {
        let writer = Writer::new();
        let note = writer.note(3);
        assert!(writer.is_own(&note) && !Writer::new().is_own(&note));
        if Place::here().is_none() {
            println!("SKIPPED: this system tells nothing of processes");
            return;
        }
        assert_eq!(presence(&note), Presence::AtWork);
        drop(writer);
        assert_eq!(presence(&note), Presence::Gone);
        // The same number, another process.
        let mut other: Value = serde_json::from_str(&note).expect("it is JSON");
        other["started"] = json!(1);
        assert_eq!(presence(&other.to_string()), Presence::Gone);
        other["machine"] = json!("another");
        assert_eq!(presence(&other.to_string()), Presence::Elsewhere);
        assert_eq!(presence("nonsense"), Presence::Elsewhere);
    }

    #[test]
    fn a_process_that_ended_is_gone() {
        let Ok(mut child) = std::process::Command::new("sleep").arg("60").spawn() else { return };
        let before = started(child.id());
        if Place::here().is_some() {
            assert!(before.is_some());
        }
        child.kill().expect("it can be ended");
        // Ended, and not yet waited for.
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(started(child.id()), None);
        child.wait().expect("it has ended");
    }
}
