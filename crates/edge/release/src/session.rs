//! What all that is done to releases shares: [`Session`].

use crate::failure::Failure;
use crate::release::{Release, Status};
use crate::storage::{Driver, Held, Kept, Storage, last_deployed};
use crate::writer::BEAT;
use futures::future::{Either, select};
use futures::lock::Mutex;
use onepane_cluster::Cluster;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often it is looked whether somebody wants it to end.
const GLANCE: Duration = Duration::from_millis(100);
/// How long requests may be on the way whose sender is gone.
const SETTLING: Duration = Duration::from_millis(250);

/// What is told while something is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A line of Helm's log at the level of warnings, and what it says besides, by name.
    Warning(String, Vec<(&'static str, String)>),
    /// The same at the level of errors.
    Error(String, Vec<(&'static str, String)>),
    /// A line of Go's `log`, without its time.
    Line(String),
    /// What a hook has printed.
    Log(Vec<u8>),
}

/// The releases of a namespace.
pub struct Session<'c> {
    pub(crate) cluster: &'c Cluster,
    pub(crate) namespace: String,
    pub(crate) storage: Storage<'c>,
    /// Whether somebody wants it to end.
    interrupted: Arc<AtomicBool>,
    tell: Box<dyn Fn(Said) + 'c>,
}

impl<'c> Session<'c> {
    /// For the releases of `namespace`. What happens on the way is told to `tell`.
    pub fn new(cluster: &'c Cluster, namespace: &str, driver: Driver, tell: impl Fn(Said) + 'c) -> Self {
        let storage = Storage::new(cluster, namespace, driver);
        let interrupted = Arc::default();
        Self { cluster, namespace: namespace.to_owned(), storage, interrupted, tell: Box::new(tell) }
    }

    /// Looks out for `interrupted` while a release is installed or upgraded: once it is set, that has failed.
    pub fn until(self, interrupted: Arc<AtomicBool>) -> Self {
        Self { interrupted, ..self }
    }

    pub(crate) fn tell(&self, said: Said) {
        (self.tell)(said);
    }

    pub(crate) fn warn(&self, message: impl Into<String>, fields: Vec<(&'static str, String)>) {
        self.tell(Said::Warning(message.into(), fields));
    }

    /// The revision with this number, or the last one for 0 and less.
    pub async fn revision(&self, name: &str, version: i64) -> Result<Release, Failure> {
        if version > 0 {
            return self.storage.get(name, version).await.map(|kept| kept.release);
        }
        self.last(name).await.map(|kept| kept.release)
    }

    /// All revisions of a release, by their numbers.
    pub async fn history(&self, name: &str) -> Result<Vec<Release>, Failure> {
        Ok(self.storage.history(name).await?.into_iter().map(|kept| kept.release).collect())
    }

    /// All revisions of all releases.
    pub async fn all(&self) -> Result<Vec<Release>, Failure> {
        self.storage.all().await
    }

    pub(crate) async fn last(&self, name: &str) -> Result<Kept, Failure> {
        self.storage.history(name).await?.pop().ok_or(Failure::NotFound)
    }

    /// The revisions of a release, those marked as failed that somebody was at work on who is gone.
    ///
    /// # Errors
    /// [`Failure::Busy`] if somebody of ours is at work on one.
    pub(crate) async fn recovered(&self, name: &str) -> Result<Vec<Kept>, Failure> {
        let mut history = self.storage.history(name).await?;
        let mut has_found = false;
        for kept in history.iter_mut().filter(|kept| kept.release.info.status.is_passing() && kept.writer.is_some()) {
            if !self.storage.is_left(kept).await? {
                return Err(Failure::Busy);
            }
            let doing = match kept.release.info.status {
                Status::PendingInstall => "Install",
                Status::PendingUpgrade => "Upgrade",
                Status::PendingRollback => "Rollback",
                _ => "Uninstall",
            };
            let description = format!("{doing} {name:?} failed: it was cut short, and nobody is at work on it");
            kept.release.set_status(Status::Failed, description);
            self.storage.abandon(kept).await?;
            kept.is_abandoned = true;
            kept.writer = None;
            has_found = true;
        }
        if has_found {
            self.cluster.pause(SETTLING).await;
        }
        Ok(history)
    }

    /// Does `work`, which is about the revision that is held, and says all the while that somebody is at work on it.
    pub(crate) async fn while_held<T>(
        &self,
        held: &Mutex<Held>,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let beats = async {
            let mut last = Instant::now();
            loop {
                self.cluster.pause(GLANCE).await;
                if self.interrupted.swap(false, Ordering::Relaxed) {
                    return Failure::Other("context canceled".to_owned());
                }
                if last.elapsed() < BEAT {
                    continue;
                }
                last = Instant::now();
                let mut held = held.lock().await;
                if held.is_passing() && self.storage.beat(&mut held).await == Err(Failure::Busy) {
                    return Failure::Busy;
                }
            }
        };
        match select(pin!(work), pin!(beats)).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right((failure, _)) => Err(failure),
        }
    }

    /// Writes the revision that is held. That it can't be written is warned of; that somebody else has taken it is an error.
    pub(crate) async fn record(&self, held: &Mutex<Held>, release: &Release) -> Result<(), Failure> {
        let outcome = self.storage.update(&mut *held.lock().await, release).await;
        self.warned(outcome, release)
    }

    /// Writes a revision that nobody is at work on. That it can't be written is warned of.
    pub(crate) async fn record_other(&self, release: &Release) {
        let outcome = self.storage.rewrite(release).await;
        let _ = self.warned(outcome, release);
    }

    fn warned(&self, outcome: Result<(), Failure>, release: &Release) -> Result<(), Failure> {
        match outcome {
            Ok(()) => Ok(()),
            Err(Failure::Busy) => Err(Failure::Busy),
            Err(failure) => {
                let fields = vec![
                    ("name", release.name.clone()),
                    ("revision", release.version.to_string()),
                    ("error", failure.to_string()),
                ];
                self.warn("failed to update release", fields);
                Ok(())
            }
        }
    }

    /// Says of all revisions that are what the cluster has that a later one took their place; `but` that later one.
    pub(crate) async fn supersede(&self, name: &str, but: i64) -> Result<(), Failure> {
        let history = match self.storage.history(name).await {
            Err(Failure::NotFound) => return Ok(()),
            history => history?,
        };
        for mut kept in history {
            if kept.release.info.status == Status::Deployed && kept.release.version != but {
                kept.release.info.status = Status::Superseded;
                self.record_other(&kept.release).await;
            }
        }
        Ok(())
    }
}

/// What the next revision is held against, and its number.
pub(crate) struct Before {
    /// The last revision.
    pub(crate) last: Kept,
    /// What the cluster has: the last that was deployed or, where none was, the last one.
    pub(crate) current: Kept,
    /// Those that were begun since and came to nothing, of which the cluster may have parts.
    pub(crate) unfinished: Vec<Kept>,
}

impl Before {
    /// Of these revisions; there is at least one.
    pub(crate) fn of(history: Vec<Kept>) -> Option<Self> {
        let last = history.last()?.clone();
        let deployed = last_deployed(&history).cloned();
        let since = deployed.as_ref().map_or(0, |kept| kept.release.version);
        let current = deployed.unwrap_or_else(|| last.clone());
        let has_failed = |kept: &Kept| kept.release.info.status == Status::Failed && kept.release.version > since;
        let unfinished = history.into_iter().filter(has_failed).collect();
        Some(Self { last, current, unfinished })
    }
}
