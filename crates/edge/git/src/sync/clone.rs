//! A whole repository from a server, without a process of Git's for it: [`fetch_all`].

use gix::bstr::{BString, ByteSlice};
use gix::progress::{Id, MessageLevel, Step, StepShared, Unit};
use gix::protocol::handshake::Ref;
use gix::remote::Direction;
use gix::remote::fetch::Tags;
use gix::{Count, NestedProgress, ObjectId, Progress};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A server that says nothing for so long is left.
const SILENCE: Duration = Duration::from_secs(60);

/// What the server calls its own branch, and where that is.
pub(crate) type Head = Option<(String, ObjectId)>;

/// Why nothing was fetched.
pub(crate) enum Unfetched {
    /// It said nothing any more.
    Silent,
    /// Anything else, which Git itself may know better how to do.
    Failed(String),
}

/// Fetches all branches and tags of the repository at `url` into an empty one, whose Git folder is `into`: branches as those of
/// `origin`.
pub(crate) fn fetch_all(into: &str, url: &str) -> Result<Head, Unfetched> {
    // It fails if there is a provider already, and then that one serves.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let beat = Beat::default();
    let interrupted = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = channel();
    let work = {
        let (into, url) = (PathBuf::from(into), url.to_owned());
        let (beat, interrupted) = (beat.clone(), interrupted.clone());
        move || {
            let fetched = receive(into, &url, beat, &interrupted);
            // The receiver is gone where nobody waits any more.
            let _ = sender.send(fetched.map_err(in_words));
        }
    };
    // Reads of a server that falls silent don't end: the thread is left to itself then.
    let thread = std::thread::Builder::new().spawn(work);
    thread.map_err(|error| Unfetched::Failed(format!("no thread could be started: {error}")))?;
    let (mut seen, mut since) = (0, Instant::now());
    loop {
        match receiver.recv_timeout(Duration::from_millis(500)) {
            Ok(outcome) => return outcome.map_err(Unfetched::Failed),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Unfetched::Failed("fetching it failed inside".to_owned()));
            }
            Err(RecvTimeoutError::Timeout) => {
                let now = beat.sum();
                if now != seen {
                    (seen, since) = (now, Instant::now());
                } else if since.elapsed() > SILENCE {
                    interrupted.store(true, Ordering::Relaxed);
                    return Err(Unfetched::Silent);
                }
            }
        }
    }
}

fn receive(into: PathBuf, url: &str, beat: Beat, interrupted: &AtomicBool) -> gix::Result<Head> {
    // Several repositories are fetched at once, so that each has a thread. Who would be asked on a terminal could not tell
    // for which.
    let overrides = ["pack.threads=1", "gitoxide.credentials.terminalPrompt=false"];
    let mut repository = gix::open_opts(into, gix::open::Options::default().config_overrides(overrides))?;
    // Names are noted with who did it, and a clone notes none.
    repository.committer_or_set_generic_fallback()?;
    repository.refs.write_reflog = gix::refs::store::WriteReflog::Disable;
    let remote = repository.remote_at(url)?.with_fetch_tags(Tags::All);
    let remote = remote.with_refspecs(["+refs/heads/*:refs/remotes/origin/*"], Direction::Fetch)?;
    let connection = remote.connect(Direction::Fetch)?;
    let head = gix::refspec::parse("HEAD".into(), gix::refspec::parse::Operation::Fetch)?.to_owned();
    let options = gix::remote::ref_map::Options { extra_refspecs: vec![head], ..Default::default() };
    let prepared = connection.prepare_fetch(beat.child(), options)?.with_write_packed_refs_only(true);
    let outcome = prepared.receive(beat.child(), interrupted)?;
    Ok(head_of(&outcome.ref_map.remote_refs))
}

/// The branch that the server's `HEAD` is on; where it does not say so, one that is at the same commit.
fn head_of(references: &[Ref]) -> Head {
    let is_head = |name: &BString| name.as_bytes() == b"HEAD";
    let branch = |name: &BString| Some(name.to_str().ok()?.strip_prefix("refs/heads/")?.to_owned());
    references.iter().find_map(|reference| match reference {
        Ref::Symbolic { full_ref_name, target, object, .. } if is_head(full_ref_name) => {
            Some((branch(target)?, *object))
        }
        Ref::Direct { full_ref_name, object: head } if is_head(full_ref_name) => {
            let mut same = references.iter().filter_map(|reference| match reference {
                Ref::Direct { full_ref_name, object } if object == head => branch(full_ref_name),
                _ => None,
            });
            same.next().map(|name| (name, *head))
        }
        _ => None,
    })
}

fn in_words(error: gix::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    for error in error.iter_errors() {
        let text = error.to_string();
        if !texts.iter().any(|before| before.contains(&text)) {
            texts.push(text);
        }
    }
    texts.join(": ")
}

/// Counts whatever happens, so that it is seen that something does. Each part has a counter of its own: how far they are is
/// asked by those who count.
#[derive(Clone, Default)]
struct Beat {
    own: StepShared,
    all: Arc<Mutex<Vec<StepShared>>>,
}

impl Beat {
    fn sum(&self) -> usize {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|counter| counter.load(Ordering::Relaxed)).fold(0, usize::wrapping_add)
    }

    fn child(&self) -> Self {
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
