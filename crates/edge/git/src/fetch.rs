//! Asking a server for one commit: [`fetch`].

use gix::ObjectId;
use gix::remote::Direction;
use gix::remote::fetch::refmap::Source;
use gix::remote::fetch::{Shallow, Tags};
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// Why nothing could be fetched.
#[derive(Debug)]
pub(crate) enum FetchError {
    /// The server has no such branch, tag or commit.
    Absent,
    /// There is no server to ask.
    Unreachable(String),
    /// It took longer than allowed.
    TimedOut,
    /// Whatever else it or Git says.
    Refused(String),
}

/// What a server has.
#[derive(Debug)]
pub(crate) enum Received {
    /// This commit, which is there already.
    Known(ObjectId),
    /// This commit, which is in the repository now, without what came before it.
    New(ObjectId),
}

/// Fetches `reference` of the repository at `url` into an empty one, unless its commit is one that `is_known`.
pub(crate) fn fetch(
    into: gix::ThreadSafeRepository,
    url: &str,
    reference: &str,
    timeout: Duration,
    is_known: impl Fn(ObjectId) -> bool + Send + 'static,
) -> Result<Received, FetchError> {
    // It fails if there is a provider already, and then that one serves.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let interrupted = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = channel();
    let work = {
        let (url, reference, interrupted) = (url.to_owned(), reference.to_owned(), interrupted.clone());
        move || {
            let into = into.to_thread_local();
            // The receiver is gone where nobody waits any more.
            let _ = sender.send(receive(&into, &url, &reference, &interrupted, &is_known));
        }
    };
    // A server may fall silent, and reads of it don't end then: the thread is left to itself.
    if let Err(error) = std::thread::Builder::new().spawn(work) {
        return Err(FetchError::Refused(format!("no thread could be started: {error}")));
    }
    match receiver.recv_timeout(timeout) {
        Ok(outcome) => outcome,
        Err(RecvTimeoutError::Timeout) => {
            interrupted.store(true, Ordering::Relaxed);
            Err(FetchError::TimedOut)
        }
        Err(RecvTimeoutError::Disconnected) => Err(FetchError::Refused("fetching it failed inside".to_owned())),
    }
}

fn receive(
    into: &gix::Repository,
    url: &str,
    reference: &str,
    interrupted: &AtomicBool,
    is_known: &dyn Fn(ObjectId) -> bool,
) -> Result<Received, FetchError> {
    let remote = into.remote_at(url).map_err(sorted)?.with_fetch_tags(Tags::None);
    let remote = remote.with_refspecs([reference], Direction::Fetch).map_err(sorted)?;
    let connection = remote.connect(Direction::Fetch).map_err(sorted)?;
    let options = gix::remote::ref_map::Options::default();
    let prepared = connection.prepare_fetch(gix::progress::Discard, options).map_err(sorted)?;
    // A tag comes before a branch of the same name.
    let name = |source: &Source| source.as_name().map(ToString::to_string).unwrap_or_default();
    let sources = prepared.ref_map().mappings.iter().map(|mapping| &mapping.remote);
    let source = sources.min_by_key(|source| name(source).starts_with("refs/heads/"));
    let object = source.and_then(Source::peeled_id).ok_or(FetchError::Absent)?.to_owned();
    if is_known(object) {
        return Ok(Received::Known(object));
    }
    let prepared = prepared.with_shallow(Shallow::DepthAtRemote(NonZero::<u32>::MIN));
    if let Err(error) = prepared.receive(gix::progress::Discard, interrupted) {
        let error = sorted(error);
        // A program that serves a folder ends as soon as it has read what it has not, and what is still to be written
        // to it then fails before its answer is read.
        return Err(if lacks(url, object) { FetchError::Absent } else { error });
    }
    Ok(Received::New(into.find_object(object).map_err(sorted)?.peel_to_commit().map_err(sorted)?.id))
}

/// Whether `url` is a repository on this machine in which `object` is not.
fn lacks(url: &str, object: ObjectId) -> bool {
    let Ok(url) = gix::Url::try_from(url) else { return false };
    let served = gix::path::from_bstr(&url.path).ok().and_then(|folder| gix::open(folder).ok());
    url.scheme == gix::url::Scheme::File && served.is_some_and(|served| !served.has_object(object))
}

fn sorted(error: impl Into<gix::Error>) -> FetchError {
    let error = error.into();
    let mut texts: Vec<String> = Vec::new();
    for error in error.iter_errors() {
        let text = error.to_string();
        if !texts.iter().any(|before| before.contains(&text)) {
            texts.push(text);
        }
    }
    let text = texts.join(": ");
    match () {
        () if error.can_retry_lenient() => FetchError::Unreachable(text),
        // What upload-pack says of a commit that it has not.
        () if text.contains("not our ref") => FetchError::Absent,
        () => FetchError::Refused(text),
    }
}
