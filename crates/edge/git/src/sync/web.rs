//! Servers behind HTTP: [`Web`].
//!
//! All services of a run share one client, and so its connections and what it knows of certificates; gix would make one for each.
//! What a server says of itself when it is greeted is kept: it says the same of the next of its repositories, so that those are
//! asked for their references at once, without a greeting. Whoever is refused what he asks for then greets it after all.
//!
//! Redirects are followed for the greeting alone, as Git does it, and never to less safe a place. Of the user's configuration,
//! `http.extraHeader` and `http.followRedirects` are followed here; a proxy is the environment's. Git asks where it has another
//! one, and where a certificate or a password is needed that is not known here.

use super::beat::Beat;
use gix::Count as _;
use gix::protocol::transport::client::AuthenticationRequired;
use gix::protocol::transport::client::blocking_io::http::options::FollowRedirects;
use gix::protocol::transport::client::blocking_io::http::{GetResponse, Http, Options, PostBodyDataKind, PostResponse};
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use reqwest::{StatusCode, Url};
use std::any::Any;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Cursor, Error, ErrorKind, Read, Result, Write};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// What follows the address of a repository where its server is greeted.
const GREETING: &str = "/info/refs?service=git-upload-pack";
/// What is longer than that says more than who the server is.
const LONGEST_GREETING: u64 = 1 << 16;
const MOST_REDIRECTS: usize = 20;

/// What all services share.
#[derive(Default)]
pub(super) struct Web {
    client: OnceLock<std::result::Result<Client, String>>,
    /// What servers say of themselves.
    greetings: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Web {
    /// A way to ask a server, which is alive as long as `beat` is heard; whether and what it said of itself is in `greeted`.
    pub(super) fn requests(self: &Arc<Self>, beat: Beat, greeted: &Arc<Mutex<Greeted>>) -> Requests {
        Requests { web: self.clone(), beat, greeted: greeted.clone(), options: Options::default(), base: None }
    }

    /// Keeps what a server has said of itself.
    pub(super) fn keep(&self, greeted: &Mutex<Greeted>) {
        if let Greeted::Said { server, words } = &*locked(greeted) {
            locked(&self.greetings).insert(server.clone(), words.clone());
        }
    }

    /// Forgets it where it was wrong; whether it had been kept.
    pub(super) fn forget(&self, greeted: &Mutex<Greeted>) -> bool {
        match &*locked(greeted) {
            Greeted::Known { server } => {
                locked(&self.greetings).remove(server);
                true
            }
            _ => false,
        }
    }

    fn client(&self) -> Result<&Client> {
        let build = || {
            let builder = Client::builder().connect_timeout(Duration::from_secs(20)).timeout(None);
            let builder = builder.redirect(reqwest::redirect::Policy::none()).http1_title_case_headers();
            builder.build().map_err(|error| error.to_string())
        };
        self.client.get_or_init(build).as_ref().map_err(|why| Error::other(format!("there is no HTTP client: {why}")))
    }
}

/// How a server came to be known.
#[derive(Default)]
pub(super) enum Greeted {
    /// It did not, or not by something that would hold for its other repositories.
    #[default]
    Not,
    /// It said this of itself.
    Said { server: String, words: Vec<u8> },
    /// It was asked before.
    Known { server: String },
}

/// Asks one repository's server.
pub(super) struct Requests {
    web: Arc<Web>,
    beat: Beat,
    greeted: Arc<Mutex<Greeted>>,
    options: Options,
    /// Where the repository is after all.
    base: Option<String>,
}

impl Requests {
    fn headers<'h>(&'h self, given: impl Iterator<Item = &'h str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in given.chain(self.options.extra_headers.iter().map(String::as_str)) {
            let parsed = line.split_once(':').and_then(|(name, value)| {
                Some((name.parse::<HeaderName>().ok()?, value.trim().parse::<HeaderValue>().ok()?))
            });
            if let Some((name, value)) = parsed {
                headers.append(name, value);
            }
        }
        headers
    }

    /// Where to ask for `url`, which is below `base`.
    fn address(&self, url: &str, base: &str) -> String {
        match (&self.base, url.strip_prefix(base)) {
            (Some(moved), Some(tail)) => format!("{moved}{tail}"),
            _ => url.to_owned(),
        }
    }

    fn greet(&mut self, url: &str, base: &str, headers: &HeaderMap) -> Result<Answer> {
        let server = base.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        let tail = url.strip_prefix(base).unwrap_or_default();
        if let Some(words) = locked(&self.web.greetings).get(&server)
            && url.ends_with(GREETING)
        {
            *locked(&self.greeted) = Greeted::Known { server };
            let kind = "application/x-git-upload-pack-advertisement".to_owned();
            return Ok(Answer { kind, body: Box::new(Cursor::new(words.clone())) });
        }
        let (mut address, mut headers) = (self.address(url, base), headers.clone());
        let mut redirects = 0;
        let response = loop {
            let client = self.web.client()?;
            let response = client.get(&address).headers(headers.clone()).send().map_err(failed)?;
            if !response.status().is_redirection() {
                break response;
            }
            let to = self.redirected(&response, tail)?;
            redirects += 1;
            if redirects > MOST_REDIRECTS {
                return Err(Error::other("the server sends from one place to the next without end"));
            }
            // Another server is told nothing by which the user was let in at this one.
            if to.origin() != response.url().origin() {
                headers.remove(AUTHORIZATION);
            }
            address = to.into();
            self.base = address.strip_suffix(tail).map(str::to_owned);
        };
        let mut answer = answer(response, self.beat.child())?;
        let mut words = Vec::new();
        (&mut answer.body).take(LONGEST_GREETING).read_to_end(&mut words)?;
        // Where it has to be said who asks, that is for each repository to find out.
        let is_anybody = !headers.contains_key(AUTHORIZATION);
        if self.base.is_none() && is_anybody && (words.len() as u64) < LONGEST_GREETING {
            *locked(&self.greeted) = Greeted::Said { server, words: words.clone() };
        }
        answer.body = Box::new(Cursor::new(words).chain(answer.body));
        Ok(answer)
    }

    /// Where a greeting is sent to.
    fn redirected(&self, response: &Response, tail: &str) -> Result<Url> {
        let refused = |why: &str| Error::other(format!("the server sends elsewhere ({}), {why}", response.status()));
        if self.options.follow_redirects == FollowRedirects::None {
            return Err(refused("which `http.followRedirects` does not allow"));
        }
        // They may be secrets of the server that they were meant for.
        if !self.options.extra_headers.is_empty() {
            return Err(refused("and there are headers that are for this one alone"));
        }
        let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
        let to = location.and_then(|location| response.url().join(location).ok());
        let to = to.ok_or_else(|| refused("but not where"))?;
        let is_safe = to.scheme() == "https" || to.scheme() == "http" && response.url().scheme() == "http";
        if !is_safe || tail.is_empty() || !to.as_str().ends_with(tail) {
            return Err(refused("which is followed to no such place"));
        }
        Ok(to)
    }
}

impl Http for Requests {
    type Headers = Headers;
    type ResponseBody = Body;
    type PostBody = Sent;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix::Result<GetResponse<Headers, Body>> {
        let headers: Vec<_> = headers.into_iter().collect();
        let headers = self.headers(headers.iter().map(AsRef::as_ref));
        // Who must say who he is learns that from the headers.
        let state = self.greet(url, base_url, &headers).map_or_else(State::Failed, State::Answered);
        let exchange = Arc::new(Mutex::new(state));
        Ok(GetResponse { headers: Headers::of(&exchange), body: Body::of(&exchange) })
    }

    fn post(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        _: PostBodyDataKind,
    ) -> gix::Result<PostResponse<Headers, Body, Sent>> {
        let headers: Vec<_> = headers.into_iter().collect();
        let headers = self.headers(headers.iter().map(AsRef::as_ref));
        let client = self.web.client().map_err(gix::Error::from_error)?;
        let request = Box::new(client.post(self.address(url, base_url)).headers(headers));
        let exchange = Arc::new(Mutex::new(State::Begun { request, body: Vec::new(), beat: self.beat.child() }));
        let (headers, body) = (Headers::of(&exchange), Body::of(&exchange));
        Ok(PostResponse { post_body: Sent(exchange), headers, body })
    }

    fn configure(&mut self, config: &dyn Any) -> gix::Result<()> {
        if let Some(options) = config.downcast_ref::<Options>() {
            self.options = options.clone();
        }
        Ok(())
    }

    fn redirected_base_url(&self) -> Option<String> {
        self.base.clone()
    }
}

/// What is asked and answered.
enum State {
    /// The question is being written.
    Begun {
        request: Box<RequestBuilder>,
        body: Vec<u8>,
        beat: Beat,
    },
    Answered(Answer),
    Failed(Error),
    /// It has been read.
    Done,
}

type Exchange = Arc<Mutex<State>>;

struct Answer {
    /// What kind of content it is.
    kind: String,
    body: Box<dyn BufRead + Send>,
}

/// The answer, for which is waited where it has not come yet.
fn answered(exchange: &Exchange) -> Result<Answer> {
    match std::mem::replace(&mut *locked(exchange), State::Done) {
        State::Begun { request, body, beat } => answer(request.body(body).send().map_err(failed)?, beat),
        State::Answered(answer) => Ok(answer),
        State::Failed(error) => Err(error),
        State::Done => Err(ErrorKind::UnexpectedEof.into()),
    }
}

fn answer(response: Response, beat: Beat) -> Result<Answer> {
    let status = response.status();
    if status == StatusCode::UNAUTHORIZED {
        let challenges = response.headers().get_all(WWW_AUTHENTICATE);
        let www_authenticate = challenges.iter().map(|challenge| challenge.as_bytes().into()).collect();
        return Err(Error::new(ErrorKind::PermissionDenied, AuthenticationRequired { www_authenticate }));
    }
    if !status.is_success() {
        return Err(Error::other(format!("the server answers {status}")));
    }
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.to_owned();
    let body = Box::new(BufReader::with_capacity(1 << 16, Heard { from: response, beat }));
    Ok(Answer { kind, body })
}

/// What is read, and heard of.
pub(super) struct Heard<R> {
    pub(super) from: R,
    pub(super) beat: Beat,
}

impl<R: Read> Read for Heard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let read = self.from.read(buffer)?;
        self.beat.inc_by(read);
        Ok(read)
    }
}

/// Takes what is asked.
pub(super) struct Sent(Exchange);

impl Write for Sent {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        match &mut *locked(&self.0) {
            State::Begun { body, .. } => body.write(bytes),
            _ => Err(ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// What an answer's head says, a line each.
pub(super) struct Headers {
    exchange: Exchange,
    lines: Option<Cursor<Vec<u8>>>,
}

impl Headers {
    fn of(exchange: &Exchange) -> Self {
        Self { exchange: exchange.clone(), lines: None }
    }

    fn lines(&mut self) -> Result<&mut Cursor<Vec<u8>>> {
        if self.lines.is_none() {
            let answer = answered(&self.exchange)?;
            self.lines = Some(Cursor::new(format!("{CONTENT_TYPE}:{}\n", answer.kind).into_bytes()));
            *locked(&self.exchange) = State::Answered(answer);
        }
        Ok(self.lines.get_or_insert_default())
    }
}

impl Read for Headers {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.lines()?.read(buffer)
    }
}

impl BufRead for Headers {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        self.lines()?.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        if let Some(lines) = &mut self.lines {
            lines.consume(count);
        }
    }
}

/// What follows the head.
pub(super) struct Body {
    exchange: Exchange,
    read: Option<Box<dyn BufRead + Send>>,
}

impl Body {
    fn of(exchange: &Exchange) -> Self {
        Self { exchange: exchange.clone(), read: None }
    }

    fn body(&mut self) -> Result<&mut Box<dyn BufRead + Send>> {
        match &mut self.read {
            Some(body) => Ok(body),
            none => Ok(none.insert(answered(&self.exchange)?.body)),
        }
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.body()?.read(buffer)
    }
}

impl BufRead for Body {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        self.body()?.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        if let Some(body) = &mut self.read {
            body.consume(count);
        }
    }
}

/// What is wrong, without the address, in which a password may be.
fn failed(error: reqwest::Error) -> Error {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(error) = source {
        words = format!("{words}: {error}");
        source = error.source();
    }
    Error::other(words)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::sync::mpsc::{Receiver, channel};

    /// A server that answers this, and what it is asked.
    fn server(answer: impl Into<String>) -> (String, Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = format!("http://{}", listener.local_addr().expect("it is bound"));
        let (sender, asked) = channel();
        let answer = answer.into();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let lines = BufReader::new(stream.try_clone().expect("it is open")).lines();
                let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
                let _ = sender.send(head.join("\n").to_ascii_lowercase());
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        (address, asked)
    }

    #[test]
    fn another_server_is_told_no_secret() {
        let (there, asked_there) = server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        let moved = format!("HTTP/1.1 302 Found\r\nLocation: {there}/moved{GREETING}\r\nContent-Length: 0\r\n");
        let (here, asked_here) = server(format!("{moved}Connection: close\r\n\r\n"));
        let _ = rustls::crypto::ring::default_provider().install_default();
        let web = Arc::new(Web::default());
        let mut requests = web.requests(Beat::default(), &Arc::default());
        let (base, secret) = (format!("{here}/one"), "Authorization: Basic c2VjcmV0");
        let get = |requests: &mut Requests| {
            let got = requests.get(&format!("{base}{GREETING}"), &base, [secret]).expect("it is told by the headers");
            std::io::read_to_string(got.headers)
        };
        get(&mut requests).expect("it answers");
        assert_eq!(requests.redirected_base_url(), Some(format!("{there}/moved")));
        let heads = [asked_here, asked_there].map(|asked| asked.recv().expect("it was asked"));
        assert!(heads[0].contains("c2vjcmv0") && heads[1].contains("/moved/info/refs"), "{heads:?}");
        assert!(!heads[1].contains("authorization"), "{heads:?}");
        // What the user has configured for one server may be a secret as well, and whoever wants no redirects has none.
        let refused = |options: Options| {
            let mut requests = web.requests(Beat::default(), &Arc::default());
            requests.configure(&options).expect("it takes it");
            get(&mut requests).expect_err("it is not followed").to_string()
        };
        let told = refused(Options { extra_headers: vec!["X-Token: 1".to_owned()], ..Options::default() });
        assert!(told.contains("headers that are for this one alone"), "{told}");
        let told = refused(Options { follow_redirects: FollowRedirects::None, ..Options::default() });
        assert!(told.contains("http.followRedirects"), "{told}");
    }

    #[test]
    fn who_must_say_who_he_is_learns_how() {
        let refusal = "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"r\"\r\nContent-Length: 0\r\n";
        let (address, _asked) = server(format!("{refusal}Connection: close\r\n\r\n"));
        let _ = rustls::crypto::ring::default_provider().install_default();
        let greeted = Arc::default();
        let mut requests = Arc::new(Web::default()).requests(Beat::default(), &greeted);
        let got = requests.get(&format!("{address}/one{GREETING}"), &format!("{address}/one"), [""; 0]);
        let error =
            std::io::read_to_string(got.expect("it is told by the headers").headers).expect_err("it is refused");
        let told = error.get_ref().and_then(|told| told.downcast_ref::<AuthenticationRequired>());
        assert_eq!(told.map(|told| told.www_authenticate.clone()), Some(vec!["Basic realm=\"r\"".into()]));
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        assert!(matches!(*locked(&greeted), Greeted::Not));
    }
}
