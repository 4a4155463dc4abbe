//! Releases worked on side by side, and an end to it: [`Work`].

use super::Failure;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;

/// Templates nest as deep as on the main thread. The memory is only reserved.
const STACK_BYTES: usize = 256 << 20;
/// Where no number is said, no more than this: each has a connection of its own.
const MOST: usize = 64;

/// How many work at once, and whether they are to end.
pub(super) struct Work {
    most: usize,
    /// The signal that asked for the end; 0 for none.
    signal: Arc<AtomicI32>,
    ends: Arc<Mutex<Vec<Arc<AtomicBool>>>>,
}

impl Work {
    /// `concurrency` is that of the command line, 0 for as many as there are.
    pub(super) fn new(concurrency: Option<&str>) -> Self {
        let most = concurrency.and_then(|text| text.parse().ok()).filter(|most| *most > 0).unwrap_or(MOST);
        Self { most: most.min(MOST), signal: Arc::default(), ends: Arc::default() }
    }

    /// Ctrl-C and requests to terminate end what is done from now on, so that releases are left with a word about why. A
    /// second one ends at once.
    pub(super) fn until_interrupted(self) -> Self {
        #[cfg(unix)]
        {
            use signal_hook::consts::{SIGINT, SIGTERM};
            use signal_hook::iterator::Signals;
            // Where they can't be had, they end the process, and the next command finds out.
            if let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) {
                let (asked, ends) = (self.signal.clone(), self.ends.clone());
                std::thread::spawn(move || {
                    for signal in signals.forever() {
                        if asked.swap(signal, Ordering::SeqCst) != 0 {
                            std::process::exit(128 + signal);
                        }
                        let ends = ends.lock().unwrap_or_else(PoisonError::into_inner);
                        ends.iter().for_each(|end| end.store(true, Ordering::SeqCst));
                    }
                });
            }
        }
        self
    }

    /// Fails once somebody has asked for the end.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match self.signal.load(Ordering::SeqCst) {
            0 => Ok(()),
            signal => {
                let code = u8::try_from(128 + signal).unwrap_or(1);
                Err(Failure::Exit(code, "interrupted: what was being done is ended".to_owned()))
            }
        }
    }

    /// Does `work` with each of `jobs` on threads of their own. On this one, `start` is called before each, and says what is
    /// to be done if anything, and `finish` when it has been.
    pub(super) fn each<J: Send, R: Send>(
        &self,
        count: usize,
        mut start: impl FnMut(usize) -> Option<J>,
        work: impl Fn(J, &Arc<AtomicBool>) -> R + Sync,
        mut finish: impl FnMut(usize, Option<R>),
    ) {
        let (done, results) = channel::<(usize, Option<R>)>();
        let work = &work;
        std::thread::scope(|scope| {
            let mut running = 0;
            for at in 0..count {
                while running >= self.most {
                    let Ok((at, result)) = results.recv() else { break };
                    running -= 1;
                    finish(at, result);
                }
                while let Ok((at, result)) = results.try_recv() {
                    running -= 1;
                    finish(at, result);
                }
                let Some(job) = self.check().ok().and_then(|()| start(at)) else {
                    finish(at, None);
                    continue;
                };
                let end = Arc::new(AtomicBool::new(false));
                self.ends.lock().unwrap_or_else(PoisonError::into_inner).push(end.clone());
                // It may have come in between.
                end.store(self.signal.load(Ordering::SeqCst) != 0, Ordering::SeqCst);
                let done = done.clone();
                let run = move || {
                    // Whoever waits for it must not do so for ever.
                    let result = catch_unwind(AssertUnwindSafe(|| work(job, &end)));
                    let _ = done.send((at, result.ok()));
                };
                match Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, run) {
                    Ok(_) => running += 1,
                    Err(_) => finish(at, None),
                }
            }
            while running > 0 {
                let Ok((at, result)) = results.recv() else { break };
                running -= 1;
                finish(at, result);
            }
        });
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_work_at_once_than_is_allowed() {
        let running = Mutex::new((0, 0));
        let mut finished = Vec::new();
        let work = |job: usize, _: &Arc<AtomicBool>| {
            let now = |change: i32| {
                let mut running = running.lock().expect("nobody panics");
                running.0 += change;
                running.1 = running.1.max(running.0);
            };
            now(1);
            std::thread::sleep(std::time::Duration::from_millis(10));
            now(-1);
            job * 2
        };
        let start = |at: usize| (at != 3).then_some(at);
        Work::new(Some("2")).each(8, start, work, |at, result| finished.push((at, result)));
        finished.sort_unstable();
        let wanted: Vec<_> = (0..8).map(|at| (at, (at != 3).then_some(at * 2))).collect();
        assert_eq!(finished, wanted);
        assert_eq!(running.into_inner().expect("nobody panics"), (0, 2));
    }
}
