//! What goes wrong on purpose, and what was asked: [`Faults`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Which requests a fault is for. What is not said is not looked at.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The verb: `get`, `list`, `watch`, `create`, `update`, `patch`, `apply`, `delete`, `deletecollection`.
    pub verb: Option<String>,
    /// The resource, and its subresource after a slash: `deployments`, `deployments/status`.
    pub resource: Option<String>,
    /// The name of the object.
    pub name: Option<String>,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is refused with 409.
    Conflict,
    /// It is refused with 429, and the header `Retry-After` says for how many seconds.
    TooManyRequests {
        /// How many seconds.
        retry_after: u64,
    },
    /// It is refused with 500.
    InternalError,
    /// It is answered later.
    Delay(Duration),
    /// Its connection is cut before it is looked at.
    CutBefore,
    /// It is done, and its connection cut before the answer.
    CutAfter,
    /// It is done, and its connection cut in the middle of the answer.
    CutMidway,
    /// All watches of what it asks for are told that their version is too old, and the history is forgotten.
    ForgetHistory,
}

/// When a fault strikes.
#[derive(Clone, Debug)]
pub enum When {
    /// With the n-th request that fits, counted from 1 and from when the fault is injected.
    Nth(u64),
    /// With the first so many.
    First(u64),
    /// With each.
    Always,
    /// With so many of a hundred, by chance; the same seed makes the same faults.
    Percent {
        /// How many of a hundred.
        of_hundred: u8,
        /// What chance begins with.
        seed: u64,
    },
}

/// What goes wrong, and which requests there were. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    injected: Vec<Injected>,
    counts: BTreeMap<(String, String), u64>,
}

#[derive(Debug)]
struct Injected {
    filter: Filter,
    when: When,
    effect: Effect,
    seen: u64,
    struck: u64,
    random: fastrand::Rng,
}

impl Faults {
    /// Adds a fault.
    pub fn inject(&self, filter: Filter, when: When, effect: Effect) {
        let seed = if let When::Percent { seed, .. } = when { seed } else { 0 };
        let random = fastrand::Rng::with_seed(seed);
        self.state().injected.push(Injected { filter, when, effect, seen: 0, struck: 0, random });
    }

    /// Removes all faults.
    pub fn clear(&self) {
        self.state().injected.clear();
    }

    /// How often any fault struck since the last [`Faults::clear`].
    pub fn struck(&self) -> u64 {
        self.state().injected.iter().map(|injected| injected.struck).sum()
    }

    /// How many requests there were with a verb for a resource, as [`Filter`] names them, since the last
    /// [`Faults::reset_counts`]. Requests of the controllers are none.
    pub fn count(&self, verb: &str, resource: &str) -> u64 {
        self.state().counts.get(&(verb.to_owned(), resource.to_owned())).copied().unwrap_or(0)
    }

    /// All counts, by verb and resource.
    pub fn counts(&self) -> BTreeMap<(String, String), u64> {
        self.state().counts.clone()
    }

    /// Counts from nothing again.
    pub fn reset_counts(&self) {
        self.state().counts.clear();
    }

    /// Notes a request; what becomes of it, in the order of injection.
    pub(crate) fn strike(&self, verb: &str, resource: &str, name: &str) -> Vec<Effect> {
        let mut state = self.state();
        *state.counts.entry((verb.to_owned(), resource.to_owned())).or_default() += 1;
        let mut effects = Vec::new();
        for injected in &mut state.injected {
            let is = |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|wanted| wanted == value);
            let filter = &injected.filter;
            if !(is(&filter.verb, verb) && is(&filter.resource, resource) && is(&filter.name, name)) {
                continue;
            }
            injected.seen += 1;
            let strikes = match injected.when {
                When::Nth(nth) => injected.seen == nth,
                When::First(first) => injected.seen <= first,
                When::Always => true,
                When::Percent { of_hundred, .. } => injected.random.u8(0..100) < of_hundred,
            };
            if strikes {
                injected.struck += 1;
                effects.push(injected.effect.clone());
            }
        }
        effects
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
