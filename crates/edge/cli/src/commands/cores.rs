//! Work that all cores take from one list: [`on_cores`].

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// What `work` makes of each number below `count`, in their order. Each core has something of its own, which `begin` gives,
/// from one number to the next.
pub(crate) fn on_cores<S, T: Send>(
    count: usize,
    begin: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> T + Sync,
) -> Vec<T> {
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    rayon::broadcast(|_| {
        let mut own = begin();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                break;
            }
            let outcome = work(&mut own, at);
            outcomes.lock().unwrap_or_else(PoisonError::into_inner).insert(at, outcome);
        }
    });
    outcomes.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}
