//! Docker's own registry on this machine: [`Registry`].

use sha2::{Digest, Sha256};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The password of the user `v`.
pub const LONG_PASSWORD: &str = "correct-horse-battery";

/// How a registry lets people in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Doors<'d> {
    /// Whether it wants the user `u` with the password `p`, or `v` with [`LONG_PASSWORD`].
    pub are_locked: bool,
    /// The certificate and the key, PEM files, with which it speaks TLS.
    pub tls: Option<(&'d Path, &'d Path)>,
}

/// A registry on a free port; it is ended with its value.
pub struct Registry {
    child: Child,
    /// `127.0.0.1:PORT`
    pub host: String,
    folder: TempDir,
    /// Where it keeps what it has; another one may serve the same.
    pub data: PathBuf,
}

impl Registry {
    /// An empty one; `None`, and a line that says so, where there is no `docker-registry`.
    pub fn start(doors: Doors<'_>) -> Option<Self> {
        Self::serve(doors, None)
    }

    /// Another one with what this one has.
    pub fn beside(&self, doors: Doors<'_>) -> Self {
        Self::serve(doors, Some(&self.data)).expect("there is one already")
    }

    fn serve(doors: Doors<'_>, data: Option<&Path>) -> Option<Self> {
        let program = ["/usr/bin/docker-registry", "/usr/local/bin/docker-registry"];
        let Some(program) = program.into_iter().find(|path| Path::new(path).is_file()) else {
            println!("SKIPPED tests against a registry: there is no docker-registry (apt-get install docker-registry)");
            return None;
        };
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let data = data.map_or_else(|| folder.path().join("data"), Path::to_owned);
        let host = {
            let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
            listener.local_addr().expect("it is bound").to_string()
        };
        let mut config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp:\n  addr: '{host}'\n",
            data.display()
        );
        if let Some((certificate, key)) = doors.tls {
            config += &format!("  tls: {{certificate: {}, key: {}}}\n", certificate.display(), key.display());
        }
        if doors.are_locked {
            let path = folder.path().join("htpasswd");
            fs::write(&path, HTPASSWD).expect("it can be written");
            config += &format!("auth: {{htpasswd: {{realm: r, path: {}}}}}\n", path.display());
        }
        fs::write(folder.path().join("config.yml"), config).expect("it can be written");
        let mut command = Command::new(program);
        command.arg("serve").arg(folder.path().join("config.yml"));
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it can be run");
        let registry = Self { child, host, folder, data };
        let start = Instant::now();
        while TcpStream::connect(&registry.host).is_err() {
            assert!(start.elapsed() < Duration::from_secs(30), "the registry does not come up");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(registry)
    }

    /// A folder that ends with it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it answers by HTTP without TLS: status, headers, body.
    ///
    /// # Panics
    /// Where it does not answer.
    pub fn ask(&self, method: &str, path: &str, kind: &str, body: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.host).expect("it is there");
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: Basic dTpw\r\nContent-Type: \
             {kind}\r\nContent-Length: {length}\r\n\r\n",
            self.host
        );
        stream.write_all(format!("{head}{body}").as_bytes()).expect("it listens");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("it has an end");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("it says a status");
        (status, head.to_owned(), body.to_owned())
    }

    /// Puts an image without layers there that was made of a commit, and gives its digest.
    ///
    /// # Panics
    /// Where it does not take it.
    pub fn push_image(&self, repository: &str, tag: &str, revision: &str) -> String {
        let labels = format!("{{\"org.opencontainers.image.revision\":\"{revision}\"}}");
        let config = format!(
            "{{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{{\"Labels\":{labels}}},\"rootfs\":{{\"type\":\"layers\",\"diff_ids\":[]}},\"t\":\"{tag}\"}}"
        );
        let digest = digest_of(&config);
        let (status, head, _) = self.ask("POST", &format!("/v2/{repository}/blobs/uploads/"), "", "");
        assert_eq!(status, 202, "{head}");
        let location = head.lines().find_map(|line| line.strip_prefix("Location: ")).expect("it says where").trim();
        let path = location.split_once(&self.host).map_or(location, |(_, path)| path);
        let (status, _, answer) =
            self.ask("PUT", &format!("{path}&digest={digest}"), "application/octet-stream", &config);
        assert_eq!(status, 201, "{answer}");
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let manifest = format!(
            "{{\"schemaVersion\":2,\"mediaType\":\"{kind}\",\"config\":{{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"{digest}\",\"size\":{}}},\"layers\":[]}}",
            config.len()
        );
        let (status, _, answer) = self.ask("PUT", &format!("/v2/{repository}/manifests/{tag}"), kind, &manifest);
        assert_eq!(status, 201, "{answer}");
        digest_of(&manifest)
    }
}

fn digest_of(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    format!("sha256:{}", digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `u` with `p`, and `v` with a password that is long enough to be looked for, as `htpasswd -B` writes them.
const HTPASSWD: &str = "u:$2y$05$YbDLgeLN6DYGSxLJbGpReuYS9z0OKNi7mvbXj93u.WaO8Gr7mYD0y\n\
                        v:$2y$05$YbDLgeLN6DYGSxLJbGpReu3cGNGx5S9FrD5KiJfY0ilWva5csObbO\n";
