//! What the checks find, worked out on a thread of its own: [`Analysis`].

use crate::Found;
use crate::diagnostics::{ByFile, Shower};
use crate::overlay::{Turn, Unsaved};
use crate::snapshot::{Snapshot, Surroundings};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long nothing has to be typed before the checks begin.
const PAUSE: Duration = Duration::from_millis(120);

/// Templates and YAML nest as deep as Go's stacks let them; the memory is used only when something does.
pub(crate) const STACK_BYTES: usize = 256 << 20;

/// A state of the files to look at.
pub(crate) struct State {
    /// Counts the states.
    pub(crate) number: u64,
    pub(crate) unsaved: Unsaved,
}

/// What was found in one.
pub(crate) struct Outcome {
    pub(crate) number: u64,
    pub(crate) found: Vec<Found>,
    pub(crate) shown: ByFile,
    /// Whether the checks ended as they should.
    pub(crate) is_whole: bool,
}

/// The thread: of states that wait, only the newest is looked at. What it is at work on ends early once another one waits.
pub(crate) struct Analysis {
    states: Sender<State>,
    newest: Arc<AtomicU64>,
    pub(crate) outcomes: Receiver<Outcome>,
}

impl Analysis {
    /// Starts it; it ends when this is dropped.
    pub(crate) fn start(around: Surroundings) -> std::io::Result<Self> {
        let (states, waiting) = unbounded();
        let (done, outcomes) = bounded(8);
        let newest = Arc::new(AtomicU64::new(0));
        let newest_there = newest.clone();
        let work = move || {
            while let Some(state) = next(&waiting) {
                if done.send(look(&around, state, newest_there.clone())).is_err() {
                    break;
                }
            }
        };
        std::thread::Builder::new().name("checks".to_owned()).stack_size(STACK_BYTES).spawn(work)?;
        Ok(Self { states, newest, outcomes })
    }

    pub(crate) fn look_at(&self, state: State) {
        self.newest.store(state.number, Ordering::Relaxed);
        // The thread ends after us.
        let _ = self.states.send(state);
    }
}

/// The state to look at next, once no other one came for a while; `None` where nobody sends any.
fn next(waiting: &Receiver<State>) -> Option<State> {
    let mut state = waiting.recv().ok()?;
    loop {
        match waiting.recv_timeout(PAUSE) {
            Ok(newer) => state = newer,
            Err(RecvTimeoutError::Timeout) => return Some(state),
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
}

fn look(around: &Surroundings, State { number, unsaved }: State, newest: Arc<AtomicU64>) -> Outcome {
    // Whatever somebody types, the next state is looked at.
    let looked = catch_unwind(AssertUnwindSafe(|| {
        let snapshot = Snapshot::until_newer(around, unsaved, Turn { number, newest })?;
        let found = around.checks.findings(&around.roots.real, &snapshot.world, &around.kept_builds);
        let shown = Shower::new(&snapshot).all(&found);
        Some((found, shown))
    }));
    match looked {
        Ok(Some((found, shown))) => Outcome { number, found, shown, is_whole: true },
        _ => Outcome { number, found: Vec::new(), shown: ByFile::new(), is_whole: false },
    }
}
