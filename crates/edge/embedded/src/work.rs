//! What the controllers have to look at, now and later.

use crate::store::Key;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Notify;

/// Keys of objects that changed, each once, and appointments.
#[derive(Debug, Default)]
pub(crate) struct Work {
    queue: VecDeque<Key>,
    queued: HashSet<Key>,
    appointments: BTreeMap<(Instant, u64), Key>,
    count: u64,
    /// By uid: what is known of an object and stands in none of its fields.
    pub(crate) progress: HashMap<String, Progress>,
    /// Told of whatever there is to do.
    pub(crate) bell: Arc<Notify>,
    /// Told of every change, for watches.
    pub(crate) news: Arc<Notify>,
}

/// Where something that takes time has got to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    pub(crate) step: u32,
    /// When the next step is due.
    pub(crate) due: Instant,
}

impl Work {
    /// An object changed.
    pub(crate) fn note(&mut self, key: Key) {
        if self.queued.insert(key.clone()) {
            self.queue.push_back(key);
        }
        self.bell.notify_one();
        self.news.notify_waiters();
    }

    /// An object is to be looked at later.
    pub(crate) fn appoint(&mut self, key: Key, at: Instant) {
        self.count += 1;
        self.appointments.insert((at, self.count), key);
        self.bell.notify_one();
    }

    /// An object is no more.
    pub(crate) fn forget(&mut self, uid: &str) {
        self.progress.remove(uid);
        self.news.notify_waiters();
    }

    /// The next object to look at.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Key> {
        while let Some(first) = self.appointments.first_entry() {
            if first.key().0 > now {
                break;
            }
            let key = first.remove();
            if self.queued.insert(key.clone()) {
                self.queue.push_back(key);
            }
        }
        let key = self.queue.pop_front()?;
        self.queued.remove(&key);
        Some(key)
    }

    /// When there is something to do at the latest.
    pub(crate) fn next_appointment(&self) -> Option<Instant> {
        self.appointments.first_key_value().map(|((at, _), _)| *at)
    }
}
