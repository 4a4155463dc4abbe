//! [`Ahead`]: work that another thread may begin with while its owner is still busy with what comes before.
//!
//! The thread lives as long as its owner's work. A pool such as rayon's would start a thread for each core of the machine
//! first, which takes longer than most charts take to render, and its threads have too small a stack for what nests.

use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Bytes of text. For fewer it takes longer to start a thread than to do its work.
const WORTH_A_THREAD: usize = 256 << 10;

/// Templates and YAML nest, and are read by recursion. The memory is only reserved.
const STACK_BYTES: usize = 64 << 20;

/// How often somebody looks again before going to sleep, a few tens of microseconds long. Pieces of work are not much
/// longer, and to fall asleep and be woken takes as much time.
const LOOKS: usize = 1000;

/// Waits for something that may come true soon.
fn look_out_for(event: &AtomicBool) {
    for _ in 0..LOOKS {
        if event.load(Ordering::Acquire) {
            return;
        }
        std::hint::spin_loop();
    }
}

/// A thread that works off what it is given, the latest first: its owner needs the earliest first, so that they meet
/// once and don't wait for each other at each piece.
///
/// The thread starts once there is enough work to be worth it. Whoever waits for a piece of work that was not begun does
/// it itself, so that nothing is lost where no thread is to be had.
#[derive(Debug, Default)]
pub struct Ahead {
    queue: Arc<Queue>,
    /// How many bytes of text were given away before the thread started.
    given: Cell<usize>,
}

type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    /// There is something new in the queue, or nothing will come.
    changed: Condvar,
    /// The same, for who looks before the lock is taken.
    is_changed: AtomicBool,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    closed: bool,
    /// The thread waits for something to do. Waking it otherwise would ask the system each time, for nothing.
    idle: bool,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("jobs", &lock(&self.state).jobs.len()).finish_non_exhaustive()
    }
}

/// Work that was given away, and what comes of it.
#[derive(Debug)]
pub struct Pending<T> {
    place: Arc<Place<T>>,
}

#[derive(Debug)]
struct Place<T> {
    state: Mutex<Progress<T>>,
    done: Condvar,
    /// For who looks before the lock is taken.
    is_done: AtomicBool,
}

enum Progress<T> {
    /// Nobody has begun.
    Given(Box<dyn FnOnce() -> T + Send>),
    Begun,
    /// Somebody has begun, and whoever needs it waits.
    Awaited,
    Done(thread::Result<T>),
}

impl<T> std::fmt::Debug for Progress<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Given(_) => "Given",
            Self::Begun => "Begun",
            Self::Awaited => "Awaited",
            Self::Done(_) => "Done",
        })
    }
}

/// No lock is held while work is done, so what it guards is whole even after a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ahead {
    /// Gives work away, as much as `bytes` of text take.
    pub fn give<T: Send + 'static>(&self, bytes: usize, work: impl FnOnce() -> T + Send + 'static) -> Pending<T> {
        let given = self.given.get();
        self.given.set(given.saturating_add(bytes));
        if given < WORTH_A_THREAD && self.given.get() >= WORTH_A_THREAD {
            self.start();
        }
        let state = Mutex::new(Progress::Given(Box::new(work) as Box<_>));
        let place = Arc::new(Place { state, done: Condvar::new(), is_done: AtomicBool::new(false) });
        let theirs = place.clone();
        let mut state = lock(&self.queue.state);
        state.jobs.push_back(Box::new(move || theirs.begin()));
        self.queue.is_changed.store(true, Ordering::Release);
        if state.idle {
            self.queue.changed.notify_one();
        }
        drop(state);
        Pending { place }
    }

    /// What a thread that had to start for something else may do afterwards: work off what was given, until nothing
    /// more comes. Nothing, where there already is a thread for that.
    pub fn helper(&self) -> impl FnOnce() + Send + 'static {
        let queue = (self.given.get() < WORTH_A_THREAD).then(|| self.queue.clone());
        move || queue.iter().for_each(|queue| queue.work_off())
    }

    fn start(&self) {
        if thread::available_parallelism().is_ok_and(|cores| cores.get() > 1) {
            let queue = self.queue.clone();
            let builder = thread::Builder::new().stack_size(STACK_BYTES);
            // It ends when the queue is closed; nobody has to wait for that.
            drop(builder.spawn(move || queue.work_off()));
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        let mut state = lock(&self.queue.state);
        state.closed = true;
        state.jobs.clear();
        self.queue.is_changed.store(true, Ordering::Release);
        self.queue.changed.notify_one();
    }
}

impl Queue {
    fn work_off(&self) {
        let mut state = lock(&self.state);
        loop {
            if let Some(job) = state.jobs.pop_back() {
                drop(state);
                job();
                state = lock(&self.state);
            } else if state.closed {
                return;
            } else {
                self.is_changed.store(false, Ordering::Release);
                drop(state);
                look_out_for(&self.is_changed);
                state = lock(&self.state);
                if state.jobs.is_empty() && !state.closed {
                    state.idle = true;
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                    state.idle = false;
                }
            }
        }
    }
}

impl<T> Place<T> {
    fn begin(&self) {
        let mut state = lock(&self.state);
        match std::mem::replace(&mut *state, Progress::Begun) {
            Progress::Given(work) => {
                drop(state);
                let outcome = catch_unwind(AssertUnwindSafe(work));
                self.is_done.store(true, Ordering::Release);
                if let Progress::Awaited = std::mem::replace(&mut *lock(&self.state), Progress::Done(outcome)) {
                    self.done.notify_one();
                }
            }
            other => *state = other,
        }
    }
}

impl<T> Pending<T> {
    /// What came of it. A panic in the work goes on here.
    pub fn wait(self) -> T {
        self.place.begin();
        look_out_for(&self.place.is_done);
        let mut state = lock(&self.place.state);
        loop {
            match std::mem::replace(&mut *state, Progress::Awaited) {
                Progress::Done(outcome) => return outcome.unwrap_or_else(|panic| resume_unwind(panic)),
                _ => state = self.place.done.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_away_comes_back_whoever_does_it() {
        let ahead = Ahead::default();
        let pending: Vec<_> = (0..1000).map(|number: u64| ahead.give(1 << 10, move || number * 2)).collect();
        // From behind, so that both do some of it.
        let sum: u64 = pending.into_iter().rev().map(Pending::wait).sum();
        assert_eq!(sum, 999_000);
    }

    #[test]
    fn a_thread_may_help_once_it_has_done_something_else() {
        let ahead = Ahead::default();
        let helper = ahead.helper();
        let pending: Vec<_> = (0..10).map(|_| ahead.give(1, || thread::current().id())).collect();
        let thread = thread::spawn(helper);
        while !lock(&ahead.queue.state).idle {
            thread::yield_now();
        }
        let helping = thread.thread().id();
        assert!(pending.into_iter().all(|pending| pending.wait() == helping));
        drop(ahead);
        thread.join().expect("it ends when nothing more comes");
    }

    #[test]
    fn work_outlives_the_thread_that_would_have_done_it() {
        let ahead = Ahead::default();
        let pending: Vec<_> = (0..100).map(|number| ahead.give(1 << 13, move || number)).collect();
        drop(ahead);
        assert!(pending.into_iter().map(Pending::wait).eq(0..100));
    }

    #[test]
    fn a_panic_goes_on_in_whoever_waits() {
        let ahead = Ahead::default();
        let pending = ahead.give(WORTH_A_THREAD, || assert_eq!(1, 2));
        assert!(catch_unwind(AssertUnwindSafe(|| pending.wait())).is_err());
        assert_eq!(ahead.give(1, || 3).wait(), 3);
    }
}
