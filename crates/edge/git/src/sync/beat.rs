//! Whether anything happens: [`Beat`].

use gix::progress::{Id, MessageLevel, Step, StepShared, Unit};
use gix::{Count, NestedProgress, Progress};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts whatever happens, so that it is seen that something does. Each part has a counter of its own: how far they are is
/// asked by those who count.
#[derive(Clone, Default)]
pub(crate) struct Beat {
    own: StepShared,
    all: Arc<Mutex<Vec<StepShared>>>,
}

impl Beat {
    pub(crate) fn sum(&self) -> usize {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|counter| counter.load(Ordering::Relaxed)).fold(0, usize::wrapping_add)
    }

    pub(crate) fn child(&self) -> Self {
        let own = StepShared::default();
        self.all.lock().unwrap_or_else(PoisonError::into_inner).push(own.clone());
        Self { own, all: self.all.clone() }
    }
}

impl Count for Beat {
    fn set(&self, step: Step) {
        self.own.store(step, Ordering::Relaxed);
    }

    fn step(&self) -> Step {
        self.own.load(Ordering::Relaxed)
    }

    fn inc_by(&self, step: Step) {
        self.own.fetch_add(step, Ordering::Relaxed);
    }

    fn counter(&self) -> StepShared {
        self.own.clone()
    }
}

impl Progress for Beat {
    fn init(&mut self, _: Option<Step>, _: Option<Unit>) {}

    fn set_name(&mut self, _: String) {}

    fn name(&self) -> Option<String> {
        None
    }

    fn id(&self) -> Id {
        gix::progress::UNKNOWN
    }

    fn message(&self, _: MessageLevel, _: String) {}
}

impl NestedProgress for Beat {
    type SubProgress = Self;

    fn add_child(&mut self, _: impl Into<String>) -> Self {
        self.child()
    }

    fn add_child_with_id(&mut self, _: impl Into<String>, _: Id) -> Self {
        self.child()
    }
}
