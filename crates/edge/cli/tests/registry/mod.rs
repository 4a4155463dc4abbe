//! A real registry on this machine.

use sha2::{Digest, Sha256};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Docker's registry on a free port, with its files in a folder; it ends with this.
pub(crate) struct Registry {
    child: Child,
    /// `127.0.0.1:PORT`
    pub(crate) host: String,
}

impl Drop for Registry {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

impl Registry {
    /// `None`, and a line that says so, where there is no registry.
    pub(crate) fn start(folder: &Path) -> Option<Self> {
        let program = ["/usr/bin/docker-registry", "/usr/local/bin/docker-registry"];
        let Some(program) = program.into_iter().find(|path| Path::new(path).is_file()) else {
            println!("SKIPPED tests against a registry: there is no docker-registry (apt-get install docker-registry)");
            return None;
        };
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let host = listener.local_addr().expect("it is bound").to_string();
        drop(listener);
        let data = folder.join("data");
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '{host}'}}\n",
            data.display()
        );
        fs::write(folder.join("config.yml"), config).expect("it can be written");
        let mut command = Command::new(program);
        command.arg("serve").arg(folder.join("config.yml"));
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it can be run");
        let registry = Self { child, host };
        let start = Instant::now();
        while TcpStream::connect(&registry.host).is_err() {
            assert!(start.elapsed() < Duration::from_secs(30), "the registry does not come up");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(registry)
    }

    /// An image without layers, made of a commit; its digest.
    pub(crate) fn push_image(&self, path: &str, tag: &str, revision: &str) -> String {
        let labels = format!("{{\"org.opencontainers.image.revision\":\"{revision}\"}}");
        let config = format!(
            "{{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{{\"Labels\":{labels}}},\"rootfs\":{{\"type\":\"layers\",\"diff_ids\":[]}},\"t\":\"{tag}\"}}"
        );
        let digest = digest_of(&config);
        let (status, head, _) = self.ask("POST", &format!("/v2/{path}/blobs/uploads/"), "", "");
        assert_eq!(status, 202);
        let location = head.lines().find_map(|line| line.strip_prefix("Location: ")).expect("it says where").trim();
        let place = location.split_once(&self.host).map_or(location, |(_, place)| place);
        let (status, _, _) = self.ask("PUT", &format!("{place}&digest={digest}"), "application/octet-stream", &config);
        assert_eq!(status, 201);
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let manifest = format!(
            "{{\"schemaVersion\":2,\"mediaType\":\"{kind}\",\"config\":{{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"{digest}\",\"size\":{}}},\"layers\":[]}}",
            config.len()
        );
        let (status, _, answer) = self.ask("PUT", &format!("/v2/{path}/manifests/{tag}"), kind, &manifest);
        assert_eq!(status, 201, "{answer}");
        digest_of(&manifest)
    }

    /// The status, head and body of an answer.
    pub(crate) fn ask(&self, method: &str, path: &str, kind: &str, body: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.host).expect("it is there");
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n",
            self.host
        );
        stream.write_all(format!("{head}{body}").as_bytes()).expect("it listens");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("it has an end");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("it says a status");
        (status, head.to_owned(), body.to_owned())
    }
}

fn digest_of(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    format!("sha256:{}", digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}
