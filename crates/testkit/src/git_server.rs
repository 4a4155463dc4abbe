//! A real Git server on this machine: [`GitServer`].

use crate::forge::{Asked, Forge, PostedStatus};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How a server behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    /// As it should.
    #[default]
    Well,
    /// It announces its whole pack, sends half of it and closes the connection.
    StopsMidway,
    /// It takes a request for a pack and says nothing more.
    FallsSilent,
    /// It wants the user `u` with the password `p`.
    WantsPassword,
    /// It wants the password `t0ken`, as forges do of whoever has a token: `oauth2`, `robot`, `gitlab-ci-token` or
    /// `x-access-token`.
    WantsToken,
}

/// Git's own `http-backend` behind HTTP on a free port; it ends with the test program.
#[derive(Clone)]
pub struct GitServer {
    /// `http://127.0.0.1:PORT`
    pub address: String,
    folder: Arc<Path>,
    mood: Arc<Mutex<Mood>>,
    files: Arc<Mutex<HashMap<String, Vec<u8>>>>,
    forge: Arc<Mutex<Option<Forge>>>,
    requests: Arc<AtomicUsize>,
}

impl GitServer {
    /// Serves the repositories in `folder`.
    pub fn start(folder: impl Into<PathBuf>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = format!("http://{}", listener.local_addr().expect("it is bound"));
        let folder = folder.into().into();
        let server = Self {
            address,
            folder,
            mood: Arc::default(),
            files: Arc::default(),
            forge: Arc::default(),
            requests: Arc::default(),
        };
        let served = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = served.clone();
                std::thread::spawn(move || server.serve(stream));
            }
        });
        server
    }

    /// It behaves like this from now on.
    pub fn behave(&self, mood: Mood) {
        *self.mood.lock().unwrap_or_else(PoisonError::into_inner) = mood;
    }

    /// It has a file besides, at this path.
    pub fn put(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), bytes.into());
    }

    /// It is a forge from now on.
    pub fn be(&self, forge: Forge) {
        *self.forge.lock().unwrap_or_else(PoisonError::into_inner) = Some(forge);
    }

    /// The pull requests that were opened.
    pub fn pull_requests(&self) -> Vec<serde_json::Value> {
        let forge = self.forge.lock().unwrap_or_else(PoisonError::into_inner);
        forge.as_ref().map(|forge| forge.pulls.clone()).unwrap_or_default()
    }

    /// The statuses of commits that were posted.
    pub fn statuses(&self) -> Vec<PostedStatus> {
        let forge = self.forge.lock().unwrap_or_else(PoisonError::into_inner);
        forge.as_ref().map(|forge| forge.statuses.clone()).unwrap_or_default()
    }

    /// How many requests came.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    fn serve(&self, mut stream: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        self.requests.fetch_add(1, Ordering::Relaxed);
        let (method, rest) = line.split_once(' ')?;
        let target = rest.split(' ').next()?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim().split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let header = |name: &str| headers.get(name).map_or("", String::as_str);
        let body = match header("transfer-encoding") {
            "chunked" => chunks(&mut reader)?,
            _ => {
                let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
                reader.read_exact(&mut body).ok()?;
                body
            }
        };
        let mood = *self.mood.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(forge) = &mut *self.forge.lock().unwrap_or_else(PoisonError::into_inner)
            && let Some((status, answer)) =
                forge.answer(&Asked { method, path, query, authorization: header("authorization"), body: &body })
        {
            let head = format!("HTTP/1.1 {status} S\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", answer.len());
            return stream.write_all(format!("{head}{answer}").as_bytes()).ok();
        }
        let wanted: &[&str] = match mood {
            Mood::WantsPassword => &["Basic dTpw"],
            Mood::WantsToken => &[
                "Basic b2F1dGgyOnQwa2Vu",
                "Basic cm9ib3Q6dDBrZW4=",
                "Basic Z2l0bGFiLWNpLXRva2VuOnQwa2Vu",
                "Basic eC1hY2Nlc3MtdG9rZW46dDBrZW4=",
            ],
            Mood::Well | Mood::StopsMidway | Mood::FallsSilent => &[],
        };
        if !wanted.is_empty() && !wanted.contains(&header("authorization")) {
            let refusal = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"r\"\r\nContent-Length: 0\r\n";
            return stream.write_all(format!("{refusal}Connection: close\r\n\r\n").as_bytes()).ok();
        }
        if let Some(bytes) = self.files.lock().unwrap_or_else(PoisonError::into_inner).get(path) {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", bytes.len());
            stream.write_all(head.as_bytes()).ok()?;
            return stream.write_all(bytes).ok();
        }
        let is_pack = path.ends_with("/git-upload-pack") && body.windows(5).any(|word| word == b"fetch");
        if mood == Mood::FallsSilent && is_pack {
            // Until whoever asks has had enough.
            let _ = stream.read(&mut [0; 1]);
            return None;
        }
        let (head, answer) = self.backend(method, path, query, &header, &body)?;
        let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
        let kept: String =
            head.lines().filter(|line| !line.starts_with("Status: ")).map(|line| format!("{line}\r\n")).collect();
        let length = answer.len();
        let sent = if mood == Mood::StopsMidway && is_pack { length / 2 } else { length };
        let head = format!("HTTP/1.1 {status}\r\n{kept}Content-Length: {length}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(&answer[..sent]).ok()
    }

    /// What Git's CGI program answers: headers and body.
    fn backend<'h>(
        &self,
        method: &str,
        path: &str,
        query: &str,
        header: &impl Fn(&'static str) -> &'h str,
        body: &[u8],
    ) -> Option<(String, Vec<u8>)> {
        let mut child = Command::new("git")
            .arg("http-backend")
            .env("GIT_PROJECT_ROOT", &*self.folder)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("REQUEST_METHOD", method)
            .env("PATH_INFO", path)
            .env("QUERY_STRING", query)
            .env("CONTENT_TYPE", header("content-type"))
            .env("CONTENT_LENGTH", body.len().to_string())
            .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
            .env("GIT_PROTOCOL", header("git-protocol"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        child.stdin.take()?.write_all(body).ok()?;
        let output = child.wait_with_output().ok()?.stdout;
        let end = output.windows(4).position(|window| window == b"\r\n\r\n")?;
        Some((String::from_utf8_lossy(&output[..end]).into_owned(), output[end + 4..].to_vec()))
    }
}

fn chunks(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let length = usize::from_str_radix(line.trim(), 16).ok()?;
        let start = body.len();
        body.resize(start + length, 0);
        reader.read_exact(&mut body[start..]).ok()?;
        reader.read_line(&mut line).ok()?;
        if length == 0 {
            return Some(body);
        }
    }
}

/// Runs Git in `folder`, with a user and no configuration of the machine's, and gives what it prints.
///
/// # Panics
/// When Git fails: the test can't go on then.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"])
        .args(["-c", "protocol.file.allow=always"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git is installed");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
