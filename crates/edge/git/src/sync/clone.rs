//! A repository from a server, without a process of Git's for it: [`fetch_new`].
//!
//! References, history and, of a partial clone, the files of the pin are asked for over one connection. What lies in the
//! repository then is what Git's own clone leaves: a pack for each answer, those of a partial clone marked as Git marks them.

use super::beat::Beat;
use super::web::{Greeted, Web};
use super::{local, pack};
use gix::Count as _;
use gix::ObjectId;
use gix::bstr::{BString, ByteSlice};
use gix::protocol::Handshake;
use gix::protocol::fetch::negotiate::{Action, Round, one_round};
use gix::protocol::fetch::{Arguments, Context, Negotiate, Options, Response, Shallow, Tags, refmap};
use gix::protocol::handshake::Ref;
use gix::protocol::transport::client::TransportWithoutIO;
use gix::protocol::transport::client::blocking_io::{Transport, http};
use gix::protocol::transport::{Protocol, Service};
use gix::remote::Direction;
use gix::url::Scheme;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A server that says nothing for so long is left.
const SILENCE: Duration = Duration::from_secs(60);

/// What the server calls its own branch, and where that is.
pub(crate) type Head = Option<(String, ObjectId)>;

/// What is wanted of a server.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) url: String,
    /// The commit whose files are going to be written.
    pub(crate) pin: ObjectId,
    /// Git's filter for the objects, where the server knows filters.
    pub(crate) filter: Option<String>,
    /// So many commits of the pin and of the server's own branch, and no others.
    pub(crate) depth: Option<NonZeroU32>,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cloned {
    pub(crate) head: Head,
    /// Whether the filter was used, so that the server is to be asked for what is missing.
    pub(crate) is_partial: bool,
}

/// Why nothing was fetched.
pub(crate) enum Unfetched {
    /// It said nothing any more.
    Silent,
    /// Anything else, which Git itself may know better how to do.
    Failed(String),
}

/// Fetches branches and tags of a repository into an empty one, whose Git folder is `into`: branches as those of `origin`.
pub(super) fn fetch_new(into: &str, wanted: &Wanted, web: &Arc<Web>) -> Result<Cloned, Unfetched> {
    // It fails if there is a provider already, and then that one serves.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let beat = Beat::default();
    let interrupted = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = channel();
    let work = {
        let (into, wanted) = (PathBuf::from(into), wanted.clone());
        let (web, beat, interrupted) = (web.clone(), beat.clone(), interrupted.clone());
        move || {
            let once = || {
                let greeted = Arc::default();
                receive(&into, &wanted, &web, &greeted, &beat, &interrupted).map_err(|error| (error, greeted))
            };
            let fetched = once().or_else(|(error, greeted)| match web.forget(&greeted) {
                true => clear(&into).map_err(gix::Error::from_error).and_then(|()| once().map_err(|(error, _)| error)),
                false => Err(error),
            });
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

/// Clears away what there is of packs, which may be half of them.
pub(super) fn clear(git: &Path) -> std::io::Result<()> {
    let packs = git.join("objects/pack");
    fs::remove_dir_all(&packs)?;
    fs::create_dir(&packs)?;
    match fs::remove_file(git.join("shallow")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn receive(
    into: &Path,
    wanted: &Wanted,
    web: &Arc<Web>,
    greeted: &Arc<Mutex<Greeted>>,
    beat: &Beat,
    interrupted: &AtomicBool,
) -> gix::Result<Cloned> {
    // Several repositories are fetched at once, so that each has a thread. Who would be asked on a terminal could not tell
    // for which.
    let overrides = ["gitoxide.credentials.terminalPrompt=false"];
    let repository = gix::open_opts(into, gix::open::Options::default().config_overrides(overrides))?;
    let remote = repository.remote_at(wanted.url.as_str())?;
    let (url, version) = remote.sanitized_url_and_version(Direction::Fetch)?;
    let heard: Option<Box<dyn Transport + Send>> = match url.scheme {
        Scheme::Http | Scheme::Https => {
            let config = repository.config_snapshot();
            let has_proxy = |section: gix::config::file::SectionRef<'_>| section.value("proxy").is_some();
            if config.plumbing().sections_by_name("http").is_some_and(|mut all| all.any(has_proxy)) {
                let why = std::io::Error::other("`http.proxy` is followed by Git alone");
                return Err(gix::Error::from_error(why));
            }
            let requests = web.requests(beat.clone(), greeted);
            Some(Box::new(http::Transport::new_http(requests, url, version, false)))
        }
        Scheme::File => local::connect(url.path.as_ref(), version, beat.child()),
        _ => None,
    };
    let is_heard = heard.is_some();
    let mut connection = match heard {
        Some(transport) => remote.to_connection_with_transport(transport),
        None => remote.connect(Direction::Fetch)?,
    };
    let credentials = connection.configured_credentials_for_current_url();
    let transport = connection.transport_mut();
    let url = transport.to_url().into_owned();
    if let Some(options) = repository.transport_options(url.as_bstr(), None)? {
        transport.configure(&*options)?;
    }
    let service = Service::UploadPack;
    let mut handshake = gix::protocol::handshake(&mut *transport, service, credentials, Vec::new(), &mut beat.child())?;
    let references = listed(&mut handshake, transport, beat)?;
    let (head, tips) = (head_of(&references), Tips::of(&references));
    let mut server = Server { repository: &repository, handshake, transport, beat, interrupted, is_heard };
    if server.knows_filters() {
        web.keep(greeted);
    }
    let mut wants: Vec<ObjectId> = match wanted.depth {
        None => tips.0.values().map(|tip| tip.id).collect(),
        Some(_) => head.iter().map(|(_, at)| *at).chain([wanted.pin]).collect(),
    };
    wants.sort_unstable();
    wants.dedup();
    // Whether filters are known is said by the second version of the protocol, which also takes more than one question.
    let is_partial = wanted.filter.is_some() && server.knows_filters();
    let filter = wanted.filter.clone().filter(|_| is_partial);
    let is_quiet = server.is_quiet();
    server.give(Ask { wants, filter, depth: wanted.depth, is_partial, is_quiet })?;
    if is_partial {
        // All that the files of the pin need, of which the filter may have left out some.
        let tree = repository.find_commit(wanted.pin).ok().and_then(|commit| Some(commit.tree_id().ok()?.detach()));
        if let Some(tree) = tree {
            server.give(Ask { wants: vec![tree], filter: None, depth: None, is_partial, is_quiet })?;
        }
    }
    tips.write(&repository, wanted.depth.and(head.as_ref()).map(|(branch, _)| branch.as_str()))?;
    Ok(Cloned { head, is_partial })
}

/// The references of a server.
fn listed(handshake: &mut Handshake, transport: &mut Box<dyn Transport + Send>, beat: &Beat) -> gix::Result<Vec<Ref>> {
    let spec = |text: &str| {
        let parsed = gix::refspec::parse(text.into(), gix::refspec::parse::Operation::Fetch);
        parsed.map(|spec| spec.to_owned())
    };
    let context = refmap::init::Context {
        fetch_refspecs: vec![spec("HEAD")?, spec("+refs/heads/*:refs/remotes/origin/*")?],
        extra_refspecs: vec![spec("refs/tags/*:refs/tags/*")?],
    };
    let question = handshake.prepare_lsrefs_or_extract_refmap(agent(), true, context)?;
    Ok(question.fetch_blocking(beat.child(), transport, false)?.remote_refs)
}

fn agent() -> (&'static str, Option<String>) {
    ("agent", Some(gix::protocol::agent(gix::env::agent())))
}

/// A server that has been greeted.
struct Server<'s> {
    repository: &'s gix::Repository,
    handshake: Handshake,
    transport: &'s mut Box<dyn Transport + Send>,
    beat: &'s Beat,
    interrupted: &'s AtomicBool,
    /// Whether any byte of it is heard, and not only what it tells.
    is_heard: bool,
}

impl Server<'_> {
    fn knows_filters(&self) -> bool {
        self.handshake.server_protocol_version == Protocol::V2
            && self
                .handshake
                .capabilities
                .capability("fetch")
                .is_some_and(|fetch| fetch.supports("filter") == Some(true))
    }

    /// Whether it need not tell how far it is: Git itself sends a byte now and then where it has nothing to say.
    fn is_quiet(&self) -> bool {
        let agent = self.handshake.capabilities.capability("agent");
        let is_git = agent.is_some_and(|agent| agent.value().is_some_and(|agent| agent.starts_with(b"git/")));
        self.is_heard && is_git && self.handshake.server_protocol_version == Protocol::V2
    }

    /// Asks for a pack, and keeps it.
    fn give(&mut self, mut ask: Ask) -> gix::Result<()> {
        let (repository, is_partial) = (self.repository, ask.is_partial);
        let shallow = ask.depth.map_or(Shallow::NoChange, Shallow::DepthAtRemote);
        let options = Options {
            shallow_file: repository.shallow_file()?,
            shallow: &shallow,
            // Without a limit, tags are among what is asked for.
            tags: if ask.depth.is_some() { Tags::Included } else { Tags::None },
            reject_shallow_remote: false,
        };
        let context = Context {
            handshake: &mut self.handshake,
            transport: &mut *self.transport,
            user_agent: agent(),
            trace_packetlines: false,
        };
        let folder = repository.objects.store_ref().path().join("pack");
        let names: String = ask.wants.iter().map(|id| format!("{id} {id}\n")).collect();
        let count = self.beat.child();
        let keep = |reader: &mut dyn std::io::BufRead, _: &mut dyn gix::DynNestedProgress, interrupted: &AtomicBool| {
            let beat = || {
                count.inc();
                match interrupted.load(Ordering::Relaxed) {
                    true => Err(std::io::Error::other("it is given up")),
                    false => Ok(()),
                }
            };
            let kept = pack::keep(reader, &folder, pack::Limits::default(), &beat);
            if let (Some(data), true) = (kept.map_err(gix::Error::from_error)?, is_partial) {
                fs::write(data.with_extension("promisor"), names).map_err(gix::Error::from_error)?;
            }
            Ok(true)
        };
        gix::protocol::fetch(&mut ask, keep, self.beat.child(), self.interrupted, context, options)?;
        Ok(())
    }
}

/// What is asked for in one go: nothing is there yet that could be told to the server.
struct Ask {
    wants: Vec<ObjectId>,
    filter: Option<String>,
    depth: Option<NonZeroU32>,
    /// Whether the server is counted on for what these objects need.
    is_partial: bool,
    /// Whether nothing is to be told of how far it is.
    is_quiet: bool,
}

impl Negotiate for Ask {
    fn mark_complete_and_common_ref(&mut self) -> gix::Result<Action> {
        Ok(Action::MustNegotiate { remote_ref_target_known: Vec::new() })
    }

    fn add_wants(&mut self, arguments: &mut Arguments, _: &[bool]) -> bool {
        if self.is_quiet {
            arguments.add_feature("no-progress");
        }
        if let Some(filter) = &self.filter {
            arguments.filter(filter);
        }
        self.wants.iter().for_each(|id| arguments.want(id));
        !self.wants.is_empty()
    }

    fn one_round(
        &mut self,
        _: &mut one_round::State,
        _: &mut Arguments,
        _: Option<&Response>,
    ) -> gix::Result<(Round, bool)> {
        let none =
            Round { haves_sent: 0, in_vain: 0, haves_to_send: 0, previous_response_had_at_least_one_in_common: false };
        Ok((none, true))
    }
}

/// The branches and tags of a server, by the names that they have here.
struct Tips(BTreeMap<String, Tip>);

struct Tip {
    id: ObjectId,
    /// What an annotated tag is of.
    peeled: Option<ObjectId>,
}

impl Tips {
    fn of(references: &[Ref]) -> Self {
        let here = |name: &BString| {
            let name = name.to_str().ok()?;
            let here = match name.strip_prefix("refs/heads/") {
                Some(branch) => format!("refs/remotes/origin/{branch}"),
                None => name.starts_with("refs/tags/").then(|| name.to_owned())?,
            };
            // What is no name here is left, as Git does.
            gix::refs::FullName::try_from(here.as_str()).ok().map(|_| here)
        };
        let tip = |reference: &Ref| match reference {
            Ref::Direct { full_ref_name, object } => Some((here(full_ref_name)?, Tip { id: *object, peeled: None })),
            Ref::Peeled { full_ref_name, tag, object } => {
                Some((here(full_ref_name)?, Tip { id: *tag, peeled: Some(*object) }))
            }
            Ref::Symbolic { full_ref_name, tag, object, .. } => {
                let id = tag.unwrap_or(*object);
                Some((here(full_ref_name)?, Tip { id, peeled: tag.map(|_| *object) }))
            }
            Ref::Unborn { .. } => None,
        };
        Self(references.iter().filter_map(tip).collect())
    }

    /// Writes them as Git packs references: those that are here, and of the branches only the one that is named, if one is.
    fn write(&self, repository: &gix::Repository, only: Option<&str>) -> gix::Result<()> {
        let only = only.map(|branch| format!("refs/remotes/origin/{branch}"));
        let is_wanted = |name: &str| only.as_deref().is_none_or(|only| name == only || name.starts_with("refs/tags/"));
        let mut text = "# pack-refs with: peeled fully-peeled sorted \n".to_owned();
        let begin = text.len();
        for (name, Tip { id, peeled }) in &self.0 {
            if is_wanted(name) && repository.has_object(*id) {
                let _ = writeln!(text, "{id} {name}");
                peeled.iter().for_each(|peeled| {
                    let _ = writeln!(text, "^{peeled}");
                });
            }
        }
        if text.len() > begin {
            fs::write(repository.common_dir().join("packed-refs"), text).map_err(gix::Error::from_error)?;
        }
        Ok(())
    }
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
