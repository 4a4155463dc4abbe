//! HTTP on loopback: connections, limits, faults, and the thread that serves them and runs the controllers.

use crate::api::{self, Path};
use crate::cluster::Cluster;
use crate::controllers;
use crate::failure::Failure;
use crate::faults::{Effect, Faults};
use crate::reply::{Body, Reply};
use crate::request::Request;
use crate::watch::{News, Watch};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Frame, Incoming};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore, mpsc, watch};

/// What connections and controllers share.
#[derive(Debug)]
pub(crate) struct Shared {
    cluster: Mutex<Cluster>,
    pub(crate) faults: Faults,
    pub(crate) token: String,
    address: SocketAddr,
}

impl Shared {
    pub(crate) fn new(cluster: Cluster, token: String, address: SocketAddr) -> Self {
        Self { cluster: Mutex::new(cluster), faults: Faults::default(), token, address }
    }

    /// The state. Nobody waits for anything while it is held.
    pub(crate) fn cluster(&self) -> MutexGuard<'_, Cluster> {
        self.cluster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves until told to stop.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    let limit = shared.cluster().options.connection_limit;
    let room = Arc::new(Semaphore::new(limit));
    let mut own_stop = stop.clone();
    let work = run_controllers(shared.clone());
    tokio::pin!(work);
    loop {
        let accepted = async {
            // Never closed, so there will be room.
            let place = room.clone().acquire_owned().await.ok();
            listener.accept().await.map(|(stream, _)| (stream, place))
        };
        tokio::select! {
            () = &mut work => return,
            _ = own_stop.changed() => return,
            accepted = accepted => {
                let Ok((stream, place)) = accepted else {
                    // Out of descriptors, for one: others will be closed.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                };
                let shared = shared.clone();
                let mut stop = stop.clone();
                tokio::spawn(async move {
                    let service = service_fn(|request| answer(shared.clone(), request));
                    let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                    tokio::select! {
                        // A connection that breaks is its client's affair.
                        _ = connection => {}
                        _ = stop.changed() => {}
                    }
                    drop(place);
                });
            }
        }
        if *stop.borrow_and_update() {
            return;
        }
    }
}

/// So many steps are done before others have their turn.
const STEPS: usize = 64;

async fn run_controllers(shared: Arc<Shared>) {
    let bell = shared.cluster().work.bell.clone();
    loop {
        let (is_idle, next) = {
            let mut cluster = shared.cluster();
            let mut is_idle = false;
            for _ in 0..STEPS {
                match cluster.work.take(Instant::now()) {
                    Some(key) => controllers::reconcile(&mut cluster, &key),
                    None => {
                        is_idle = true;
                        break;
                    }
                }
            }
            (is_idle, cluster.work.next_appointment())
        };
        if !is_idle {
            tokio::task::yield_now().await;
            continue;
        }
        match next {
            Some(at) => tokio::select! {
                () = bell.notified() => {}
                () = tokio::time::sleep_until(at.into()) => {}
            },
            None => bell.notified().await,
        }
    }
}

/// A connection that is cut on purpose.
#[derive(Debug)]
pub(crate) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is cut, as a fault asks")
    }
}

impl std::error::Error for Cut {}

/// The body of an answer: at once, or as it comes.
pub(crate) enum Answer {
    Whole(Option<Bytes>),
    Stream(mpsc::Receiver<Result<Bytes, Cut>>),
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Stream(receiver) => receiver.poll_recv(context).map(|part| part.map(|part| part.map(Frame::data))),
        }
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        match self {
            Self::Whole(bytes) => {
                hyper::body::SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Stream(_) => hyper::body::SizeHint::default(),
        }
    }
}

type Response = hyper::Response<Answer>;

async fn answer(shared: Arc<Shared>, request: hyper::Request<Incoming>) -> Result<Response, Cut> {
    let (parts, body) = request.into_parts();
    let header = |name| {
        parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    if let Some(refusal) = refused(&shared, &header(HOST), &header(AUTHORIZATION)) {
        return Ok(whole(refusal.into()));
    }
    let limit = shared.cluster().options.body_limit;
    let body = match Limited::new(body, limit).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Ok(whole(Failure::too_large(limit).into())),
        Err(error) => return Ok(whole(Failure::bad_request(format!("the body can't be read: {error}")).into())),
    };
    let mut request =
        Request::new(parts.method.as_str(), parts.uri.path(), parts.uri.query().unwrap_or_default(), body);
    // Clients may send several.
    let accepts: Vec<&str> = parts.headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    request.accept = accepts.join(",");
    request.content_type = header(CONTENT_TYPE);
    request.user_agent = header(USER_AGENT);
    let path = api::path(&shared.cluster(), &request, &shared.address.to_string());
    let target = match path {
        Path::Other(reply) => return Ok(whole(reply)),
        Path::Resource(target) => target,
    };
    let effects = shared.faults.strike(api::verb(&request, &target), &target.shown(), &target.name);
    for effect in &effects {
        let failure = match effect {
            Effect::Delay(delay) => {
                tokio::time::sleep(*delay).await;
                continue;
            }
            Effect::CutBefore => return Err(Cut),
            Effect::Conflict => Failure::conflict(&target.kind, &target.name),
            Effect::TooManyRequests { retry_after } => {
                Failure::too_many_requests("too many requests, as a fault asks", *retry_after)
            }
            Effect::InternalError => Failure::internal("a fault asks for it"),
            Effect::ForgetHistory => {
                let mut cluster = shared.cluster();
                cluster.store.compact();
                cluster.work.news.notify_waiters();
                continue;
            }
            Effect::CutAfter | Effect::CutMidway => continue,
        };
        return Ok(whole(failure.into()));
    }
    let (reply, news) = {
        let mut cluster = shared.cluster();
        (api::answer(&mut cluster, &request, &target), cluster.work.news.clone())
    };
    if effects.contains(&Effect::CutAfter) {
        return Err(Cut);
    }
    let cuts = effects.contains(&Effect::CutMidway);
    match reply.body {
        Body::Watch(watch) => Ok(stream(shared, *watch, news, cuts)),
        _ if cuts => Ok(half(reply)),
        _ => Ok(whole(reply)),
    }
}

/// Only who means this machine is served, as a page in a browser might reach it by another name; and a token that is
/// given has to be the right one. None need be: kubectl and Helm send none without TLS.
fn refused(shared: &Shared, host: &str, authorization: &str) -> Option<Failure> {
    let host = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if !matches!(host, "127.0.0.1" | "localhost" | "") {
        return Some(Failure::unauthorized());
    }
    let given = authorization.strip_prefix("Bearer ").unwrap_or(authorization);
    (!given.is_empty() && given != shared.token).then(Failure::unauthorized)
}

fn response(status: u16, headers: Vec<(&'static str, String)>, content_type: &'static str, body: Answer) -> Response {
    let mut response = hyper::Response::new(body);
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            match name {
                "Content-Type" => _ = response.headers_mut().insert(CONTENT_TYPE, value),
                name => _ = response.headers_mut().append(name, value),
            }
        }
    }
    response
}

fn encoded(body: Body) -> (Bytes, &'static str) {
    match body {
        Body::Json(value) => {
            let mut text = value.to_string();
            text.push('\n');
            (text.into(), "application/json")
        }
        Body::Text(text) => (text.into(), "text/plain"),
        Body::Watch(_) => (Bytes::new(), "application/json"),
    }
}

fn whole(reply: Reply) -> Response {
    let (bytes, content_type) = encoded(reply.body);
    response(reply.status, reply.headers, content_type, Answer::Whole(Some(bytes)))
}

/// An answer that breaks off.
fn half(reply: Reply) -> Response {
    let (bytes, content_type) = encoded(reply.body);
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        // Nobody there to hear it is as good as cut.
        let _ = sender.send(Ok(bytes.slice(..bytes.len() / 2))).await;
        cut(&sender).await;
    });
    response(reply.status, reply.headers, content_type, Answer::Stream(receiver))
}

/// Cuts a connection once what was sent before has left.
async fn cut(sender: &mpsc::Sender<Result<Bytes, Cut>>) {
    tokio::time::sleep(Duration::from_millis(20)).await;
    let _ = sender.send(Err(Cut)).await;
}

/// So many events wait for a client that is slow; then the watch waits, and is told later that it is too late.
const EVENTS: usize = 64;

fn stream(shared: Arc<Shared>, mut watch: Watch, news: Arc<Notify>, cuts: bool) -> Response {
    let (sender, receiver) = mpsc::channel(EVENTS);
    tokio::spawn(async move {
        loop {
            let changed = news.notified();
            tokio::pin!(changed);
            // From here on changes are heard of, also those before anybody waits.
            changed.as_mut().enable();
            let told = watch.news(&shared.cluster());
            let (events, is_end) = match told {
                News::Events(events) => (events, false),
                News::End(event) => (event.into_iter().collect(), true),
            };
            for event in events {
                let mut line = event.to_string();
                line.push('\n');
                let mut line = Bytes::from(line);
                if cuts {
                    line.truncate(line.len() / 2);
                }
                if sender.send(Ok(line)).await.is_err() {
                    return;
                }
                if cuts {
                    return cut(&sender).await;
                }
            }
            if is_end {
                return;
            }
            tokio::select! {
                () = &mut changed => {}
                () = tokio::time::sleep_until(watch.wakes_at().into()) => {}
                () = sender.closed() => return,
            }
        }
    });
    response(200, Vec::new(), "application/json", Answer::Stream(receiver))
}
