//! [`map`]: work on many texts at once, on as many threads as it is worth.
//!
//! Threads live as long as the call. A pool such as rayon's would start a thread for each core of the machine first,
//! which takes longer than most charts take to render, and its threads have too small a stack for what nests.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of text. For fewer it takes longer to start a thread than to do its work.
const WORTH_A_THREAD: usize = 256 << 10;

/// Templates and YAML nest, and are read by recursion. The memory is only reserved.
const STACK_BYTES: usize = 64 << 20;

/// What `work` makes of each item, in their order. `weigh` tells how many bytes an item has.
///
/// A panic in `work` goes on in the caller.
pub fn map<T: Sync, R: Send>(items: &[T], weigh: impl Fn(&T) -> usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let helpers = helpers(items.len(), items.iter().map(weigh).sum());
    if helpers == 0 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let share = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return done };
            done.push((index, work(item)));
        }
    };
    let mut results: Vec<(usize, R)> = std::thread::scope(|scope| {
        let builder = || std::thread::Builder::new().stack_size(STACK_BYTES);
        // Where no thread is to be had, the others do its work.
        let threads: Vec<_> = (0..helpers).filter_map(|_| builder().spawn_scoped(scope, share).ok()).collect();
        let mut results = share();
        for thread in threads {
            results.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        results
    });
    results.sort_unstable_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// How many threads are to help.
fn helpers(items: usize, bytes: usize) -> usize {
    let wanted = (bytes / WORTH_A_THREAD).min(items.saturating_sub(1));
    // To ask how many cores there are takes a while too.
    if wanted == 0 { 0 } else { wanted.min(std::thread::available_parallelism().map_or(0, |cores| cores.get() - 1)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..1000).collect();
        for weight in [0, WORTH_A_THREAD] {
            let doubled = map(&items, |_| weight, |item| item * 2);
            assert!(doubled.iter().enumerate().all(|(index, value)| *value == 2 * index), "{weight}");
        }
        assert!(map(&[] as &[u8], |_| WORTH_A_THREAD, |item| *item).is_empty());
    }

    #[test]
    fn little_work_gets_no_thread() {
        assert_eq!(helpers(100, WORTH_A_THREAD - 1), 0);
        assert_eq!(helpers(1, 100 * WORTH_A_THREAD), 0);
    }

    #[test]
    fn a_panic_goes_on_in_the_caller() {
        let outcome = std::panic::catch_unwind(|| map(&[1, 2, 3], |_| WORTH_A_THREAD, |item| assert_ne!(*item, 2)));
        assert!(outcome.is_err());
    }
}
