//! What the tests of this crate share: a web server that misbehaves on purpose, a registry, the real Helm, archives.
#![allow(dead_code, reason = "each test program uses a part of it")]

use camino::{Utf8Path, Utf8PathBuf};
use onepane_fetch::{Fetcher, Said, Settings};
use onepane_testkit::{Doors, Registry};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

/// What a server answers for a path.
#[derive(Clone)]
pub(crate) enum Answer {
    /// 200 with these bytes.
    Bytes(Vec<u8>),
    /// 200, and then the connection ends before as many bytes came as were announced.
    Cut { announced: usize, bytes: Vec<u8> },
    /// 200 with more bytes than anybody wants to have.
    Endless,
    /// 302 to an address.
    Redirect(String),
    /// 200 with a header more.
    With(&'static str, String, Vec<u8>),
    /// Nothing at all.
    Silence,
}

/// A request that came: its path and its `Authorization`.
type Seen = (String, Option<String>);

/// A server on a free port of this machine; it ends with the test program.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) address: String,
    answers: Arc<Mutex<HashMap<String, Answer>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// `Basic …` that must be shown.
    password: Arc<Mutex<Option<String>>>,
}

impl Site {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = format!("http://{}", listener.local_addr().expect("it is bound"));
        let site = Self { address, answers: Arc::default(), seen: Arc::default(), password: Arc::default() };
        let served = site.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let site = served.clone();
                std::thread::spawn(move || site.serve(stream));
            }
        });
        site
    }

    pub(crate) fn put(&self, path: &str, answer: Answer) {
        self.answers.lock().expect("no panic before").insert(path.to_owned(), answer);
    }

    pub(crate) fn bytes(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.put(path, Answer::Bytes(bytes.into()));
    }

    /// From now on the user `u` with the password `p` is asked for.
    pub(crate) fn lock(&self) {
        *self.password.lock().expect("no panic before") = Some("Basic dTpw".to_owned());
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic before").clone()
    }

    fn serve(&self, mut stream: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let path = line.split(' ').nth(1)?.split('?').next()?.to_owned();
        let mut authorization = None;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            if line.trim().is_empty() {
                break;
            }
            let (name, value) = line.split_once(':')?;
            if name.eq_ignore_ascii_case("authorization") {
                authorization = Some(value.trim().to_owned());
            }
        }
        self.seen.lock().ok()?.push((path.clone(), authorization.clone()));
        let wanted = self.password.lock().ok()?.clone();
        let answer = self.answers.lock().ok()?.get(&path).cloned();
        let head = |status: &str, length: usize, more: &str| {
            format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{more}\r\n")
        };
        let refused = wanted.is_some() && wanted != authorization;
        match answer {
            _ if refused => {
                stream.write_all(head("401 Unauthorized", 0, "WWW-Authenticate: Basic realm=\"r\"\r\n").as_bytes()).ok()
            }
            None => stream.write_all(head("404 Not Found", 0, "").as_bytes()).ok(),
            Some(Answer::Bytes(bytes)) => {
                stream.write_all(head("200 OK", bytes.len(), "").as_bytes()).ok()?;
                stream.write_all(&bytes).ok()
            }
            Some(Answer::With(name, value, bytes)) => {
                stream.write_all(head("200 OK", bytes.len(), &format!("{name}: {value}\r\n")).as_bytes()).ok()?;
                stream.write_all(&bytes).ok()
            }
            Some(Answer::Cut { announced, bytes }) => {
                stream.write_all(head("200 OK", announced, "").as_bytes()).ok()?;
                stream.write_all(&bytes).ok()
            }
            Some(Answer::Redirect(to)) => {
                stream.write_all(head("302 Found", 0, &format!("Location: {to}\r\n")).as_bytes()).ok()
            }
            Some(Answer::Endless) => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").ok()?;
                let block = vec![b'#'; 1 << 16];
                while stream.write_all(&block).is_ok() {}
                None
            }
            Some(Answer::Silence) => {
                // Until whoever asks has had enough.
                let _ = stream.read(&mut [0; 1]);
                None
            }
        }
    }
}

/// A folder of its own for a test, with Helm's homes in it.
pub(crate) struct Room {
    _folder: tempfile::TempDir,
    pub(crate) path: Utf8PathBuf,
}

impl Room {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = Utf8Path::from_path(folder.path()).expect("it has a UTF-8 path").to_owned();
        std::fs::create_dir(path.join("out")).expect("it is empty");
        Self { _folder: folder, path }
    }

    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        let folder = match name {
            "HELM_CACHE_HOME" => "cache",
            "HELM_CONFIG_HOME" => "config",
            "HELM_DATA_HOME" => "data",
            "HOME" => "home",
            _ => return None,
        };
        Some(self.path.join(folder).into_string())
    }

    pub(crate) fn fetcher(&self) -> Fetcher {
        Fetcher::new(Settings::from_variables(&|name| self.variable(name)))
    }

    pub(crate) fn out(&self) -> Utf8PathBuf {
        self.path.join("out")
    }

    pub(crate) fn write(&self, path: &str, contents: impl AsRef<[u8]>) -> Utf8PathBuf {
        let path = self.path.join(path);
        std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it can be made");
        std::fs::write(&path, contents).expect("it can be written");
        path
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Every file below `folder`, sorted; hidden ones, which are what is half-written, included.
    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
        fn walk(path: &Utf8Path, root: &Utf8Path, found: &mut Vec<String>) {
            for entry in path.read_dir_utf8().into_iter().flatten().flatten() {
                if entry.path().is_dir() {
                    walk(entry.path(), root, found);
                } else {
                    found.push(entry.path().strip_prefix(root).unwrap_or(entry.path()).to_string());
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.path.join(folder), &self.path.join(folder), &mut found);
        found.sort();
        found
    }

    /// The real Helm with this room's homes; `None`, and a line that says so, where there is none.
    pub(crate) fn helm(&self, arguments: &[&str]) -> Option<Output> {
        let folder = std::env::var("ONEPANE_PEERS")
            .map(Utf8PathBuf::from)
            .or_else(|_| std::env::var("HOME").map(|home| Utf8PathBuf::from(home).join(".cache/onepane-peers")));
        let helm = folder.ok().map(|folder| folder.join("helm")).filter(|helm| helm.is_file());
        let Some(helm) = helm else {
            println!("SKIPPED comparison with Helm: there is no `helm` in $ONEPANE_PEERS or ~/.cache/onepane-peers");
            return None;
        };
        let mut command = Command::new(helm);
        command.args(arguments).current_dir(&self.path).stdin(Stdio::null());
        for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HOME"] {
            command.env(name, self.variable(name).expect("it is one of ours"));
        }
        Some(command.output().expect("it can be run"))
    }
}

pub(crate) fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Collects what is said.
#[derive(Default)]
pub(crate) struct Ears(pub(crate) Vec<String>);

impl Ears {
    pub(crate) fn hear(&mut self) -> impl FnMut(Said) + '_ {
        |said| {
            self.0.push(match said {
                Said::Line(line) => line,
                Said::Warning(warning) => format!("warning: {}", warning.message),
            });
        }
    }
}

pub(crate) fn silent(_: Said) {}

/// Docker's registry with the user `u` and the password `p`, on a free port.
pub(crate) fn registry() -> Option<Registry> {
    Registry::start(Doors { are_locked: true, ..Doors::default() })
}

/// A chart's archive.
pub(crate) fn chart(name: &str, version: &str) -> Vec<u8> {
    let metadata = format!("apiVersion: v2\nname: {name}\nversion: {version}\ndescription: A <chart> & more\n");
    packed(&[(&format!("{name}/Chart.yaml"), metadata.as_bytes()), (&format!("{name}/values.yaml"), b"a: 1\n")])
}

/// An archive of these entries, whatever their names.
pub(crate) fn packed(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(gzip);
    for (name, contents) in entries {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(contents.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append(&header, *contents).expect("memory takes everything");
    }
    archive.into_inner().and_then(|gzip| gzip.finish()).expect("memory takes everything")
}

/// An archive whose only file has 300 MB of nothing.
pub(crate) fn bomb() -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let mut header = tar::Header::new_gnu();
    header.set_path("a/Chart.yaml").expect("it is short");
    // It says that it is small, so that only reading on tells.
    header.set_size(0);
    header.set_cksum();
    gzip.write_all(header.as_bytes()).expect("memory takes everything");
    let nothing = vec![0_u8; 1 << 20];
    for at in 0_u64..300 {
        let mut header = tar::Header::new_gnu();
        header.set_path(format!("a/f{at}")).expect("it is short");
        header.set_size(nothing.len() as u64);
        header.set_cksum();
        gzip.write_all(header.as_bytes()).expect("memory takes everything");
        gzip.write_all(&nothing).expect("memory takes everything");
    }
    gzip.finish().expect("memory takes everything")
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An index with one version of one chart.
pub(crate) fn index(name: &str, version: &str, url: &str, digest: &str) -> String {
    format!(
        "apiVersion: v1\nentries:\n  {name}:\n  - name: {name}\n    version: {version}\n    apiVersion: v2\n    digest: \
         \"{digest}\"\n    urls:\n    - {url}\n"
    )
}
