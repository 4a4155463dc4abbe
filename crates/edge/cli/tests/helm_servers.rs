//! Servers that want to be known, or to know: TLS, tokens, proxies, hubs. All of them stand-ins on this machine; where the
//! real Helm is there, it asks them the same.

mod side_by_side;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use side_by_side::support::{Room, chart, index, sha256, stderr, stdout};
use side_by_side::{compare, ours};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex};

/// A request: what stands in its first line, and its `Authorization`.
#[derive(Clone, Debug, PartialEq)]
struct Asked {
    target: String,
    authorization: Option<String>,
}

/// Status line, further headers, body.
type Answer = (&'static str, String, Vec<u8>);

type Answers = dyn Fn(&Asked) -> Answer + Send + Sync;

/// A server on a free port; it ends with the test program.
struct Server {
    host: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    fn start(tls: Option<ServerConfig>, answers: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let host = listener.local_addr().expect("it is bound").to_string();
        let server = Self { host, asked: Arc::default() };
        let (asked, tls, answers) = (server.asked.clone(), tls.map(Arc::new), Arc::new(answers));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (asked, tls, answers) = (asked.clone(), tls.clone(), answers.clone());
                std::thread::spawn(move || match tls {
                    None => serve(stream, &asked, &*answers),
                    Some(tls) => {
                        let connection = ServerConnection::new(tls).expect("the configuration is good");
                        serve(StreamOwned::new(connection, stream), &asked, &*answers)
                    }
                });
            }
        });
        server
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no panic before").clone()
    }
}

fn serve(stream: impl Read + Write, asked: &Mutex<Vec<Asked>>, answers: &Answers) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let is_head = line.starts_with("HEAD");
    let target = line.split(' ').nth(1)?.to_owned();
    let mut authorization = None;
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        if name.eq_ignore_ascii_case("authorization") {
            authorization = Some(value.trim().to_owned());
        }
    }
    let request = Asked { target, authorization };
    asked.lock().ok()?.push(request.clone());
    let (status, headers, body) = answers(&request);
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n");
    let stream = reader.get_mut();
    stream.write_all(head.as_bytes()).ok()?;
    if !is_head {
        stream.write_all(&body).ok()?;
    }
    stream.flush().ok()
}

fn good(body: impl Into<Vec<u8>>) -> Answer {
    ("200 OK", String::new(), body.into())
}

fn missing() -> Answer {
    ("404 Not Found", String::new(), Vec::new())
}

/// The index and the archive of the chart `a`.
fn repository(asked: &Asked) -> Answer {
    let archive = chart("a", "1.0.0");
    match asked.target.as_str() {
        "/index.yaml" => good(index("a", "1.0.0", "a-1.0.0.tgz", &sha256(&archive))),
        "/a-1.0.0.tgz" => good(archive),
        _ => missing(),
    }
}

/// A certificate authority, and what it vouches for.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).expect("no names are good names");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key can be made");
        Self { issuer: CertifiedIssuer::self_signed(parameters, key).expect("it can sign itself") }
    }

    /// A certificate for this machine, and its key.
    fn issue(&self) -> (rcgen::Certificate, KeyPair) {
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let parameters = CertificateParams::new(names).expect("the names are good");
        let key = KeyPair::generate().expect("a key can be made");
        (parameters.signed_by(&key, &self.issuer).expect("it can sign"), key)
    }

    fn server(&self, wants_clients: bool) -> ServerConfig {
        let (certificate, key) = self.issue();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .expect("the provider has them");
        let builder = if wants_clients {
            let mut roots = RootCertStore::empty();
            roots.add(self.issuer.der().clone()).expect("it is a certificate");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.expect("there is a root"))
        } else {
            builder.with_no_client_auth()
        };
        let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone()];
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("it is a key");
        builder.with_single_cert(chain, key).expect("they belong together")
    }
}

#[test]
fn tls_is_checked_as_the_flags_say() {
    let (authority, other) = (Authority::new(), Authority::new());
    let open = Server::start(Some(authority.server(false)), repository);
    let closed = Server::start(Some(authority.server(true)), repository);
    let (room, peer) = (Room::new(), Room::new());
    let (certificate, key) = authority.issue();
    for room in [&room, &peer] {
        room.write("ca.pem", authority.issuer.pem());
        room.write("other.pem", other.issuer.pem());
        room.write("cert.pem", certificate.pem());
        room.write("key.pem", key.serialize_pem());
    }
    let open_url = format!("https://{}", open.host);
    let closed_url = format!("https://{}", closed.host);
    let mine = "--ca-file ca.pem --cert-file cert.pem --key-file key.pem";
    let lines = [
        format!("pull a --repo {open_url} --ca-file ca.pem -d out"),
        format!("pull a --repo {open_url} --insecure-skip-tls-verify -d out"),
        format!("show chart a --repo {open_url} --ca-file ca.pem"),
        format!("template x a --repo {open_url} --ca-file ca.pem"),
        format!("show values a --repo {closed_url} {mine}"),
        format!("repo add open {open_url} --ca-file ca.pem"),
        format!("repo add closed {closed_url} {mine}"),
        // One at a time: Helm says what it has updated in the order that the answers come in.
        "repo update open".to_owned(),
        "repo update closed".to_owned(),
        "show chart closed/a".to_owned(),
        "pull open/a -d out".to_owned(),
    ];
    if compare(&room, &peer, &lines).is_some() {
        assert_eq!(room.files("out"), peer.files("out"));
    }
    // The words about what is wrong with a certificate are the TLS library's.
    for (url, more) in [(&open_url, "--ca-file other.pem"), (&open_url, ""), (&closed_url, "--ca-file ca.pem")] {
        let line = format!("pull a --repo {url} -d out {more}");
        let words: Vec<&str> = line.split_whitespace().collect();
        let error = stderr(&ours(&room, &words));
        assert!(error.contains("looks like \"https://127.0.0.1") && error.contains("is not a valid chart"), "{error}");
        if let Some(theirs) = peer.helm(&words) {
            assert!(!theirs.status.success(), "{line}");
        }
    }
}

#[test]
fn credentials_stay_with_their_host() {
    let elsewhere = Server::start(None, repository);
    let archive = format!("http://{}/a-1.0.0.tgz", elsewhere.host);
    let listed = archive.clone();
    let digest = sha256(&chart("a", "1.0.0"));
    let home = Server::start(None, move |asked| match asked.target.as_str() {
        "/index.yaml" => good(index("a", "1.0.0", &listed, &digest)),
        "/moved/index.yaml" => good(index("a", "1.0.0", "a-1.0.0.tgz", "")),
        "/moved/a-1.0.0.tgz" => ("302 Found", format!("Location: {archive}\r\n"), Vec::new()),
        _ => missing(),
    });
    let secret = Some("Basic dTpw".to_owned());
    for (path, more, passed) in [
        ("", "", None),
        ("", "--pass-credentials", secret.clone()),
        ("/moved", "", None),
        ("/moved", "--pass-credentials", None),
    ] {
        for helm in [false, true] {
            // A room each: what is cached is not asked for again.
            let room = Room::new();
            // Not `pull`, with which Helm sends them wherever the index points.
            let line = format!("show chart a --repo http://{}{path} --username u --password p {more}", home.host);
            let words: Vec<&str> = line.split_whitespace().collect();
            let before = (home.asked().len(), elsewhere.asked().len());
            let output = if helm { room.helm(&words) } else { Some(ours(&room, &words)) };
            let Some(output) = output else { continue };
            stdout(&output);
            assert!(home.asked()[before.0..].iter().all(|asked| asked.authorization == secret), "{line} {helm}");
            let seen: Vec<_> = elsewhere.asked()[before.1..].iter().map(|asked| asked.authorization.clone()).collect();
            // The other server has another port, which is another host to Helm; to Go's redirects it is the same one.
            let passed =
                if path.is_empty() { passed.clone() } else { seen.first().cloned().flatten().filter(|_| helm) };
            assert_eq!(seen, [passed], "{line} {helm}");
        }
    }
}

#[test]
fn registries_that_want_tokens_get_them() {
    let archive = chart("a", "1.0.0");
    let config = br#"{"name":"a","version":"1.0.0"}"#.to_vec();
    let layer = format!(
        r#"{{"mediaType":"application/vnd.cncf.helm.chart.content.v1.tar+gzip","digest":"sha256:{}","size":{}}}"#,
        sha256(&archive),
        archive.len()
    );
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"sha256:{}","size":{}}},"layers":[{layer}]}}"#,
        sha256(&config),
        config.len()
    );
    let own = Arc::new(Mutex::new(String::new()));
    let host = own.clone();
    let server = Server::start(None, move |asked| {
        let host = host.lock().expect("no panic before").clone();
        let may = asked.authorization.as_deref();
        if asked.target.starts_with("/token") {
            return match may {
                Some("Basic dTpw") => good(r#"{"token":"let-me-in","expires_in":300}"#),
                _ => ("401 Unauthorized", String::new(), Vec::new()),
            };
        }
        if may != Some("Bearer let-me-in") {
            let scope = if asked.target == "/v2/" { "" } else { ",scope=\"repository:c/a:pull\"" };
            let challenge = format!("WWW-Authenticate: Bearer realm=\"http://{host}/token\",service=\"s\"{scope}\r\n");
            return ("401 Unauthorized", challenge, Vec::new());
        }
        let kind = |kind: &str, bytes: &[u8]| {
            let headers = format!("Content-Type: {kind}\r\nDocker-Content-Digest: sha256:{}\r\n", sha256(bytes));
            ("200 OK", headers, bytes.to_vec())
        };
        match asked.target.as_str() {
            "/v2/" => good("{}"),
            path if path.starts_with("/v2/c/a/manifests/") => {
                kind("application/vnd.oci.image.manifest.v1+json", manifest.as_bytes())
            }
            path if path.ends_with(&sha256(&config)) => kind("application/octet-stream", &config),
            path if path.ends_with(&sha256(&archive)) => kind("application/octet-stream", &archive),
            _ => missing(),
        }
    });
    own.lock().expect("no panic before").clone_from(&server.host);
    let (room, peer) = (Room::new(), Room::new());
    let lines = [
        "pull oci://HOST/c/a --version 1.0.0 --plain-http --username u --password p -d out",
        "registry login HOST -u u -p p --plain-http",
        "show chart oci://HOST/c/a --version 1.0.0 --plain-http",
    ]
    .map(|line| line.replace("HOST", &server.host));
    if compare(&room, &peer, &lines).is_some() {
        assert_eq!(room.files("out"), peer.files("out"));
    }
    let reference = format!("oci://{}/c/a", server.host);
    let stranger = Room::new();
    let pull = ["pull", &reference, "--version", "1.0.0", "--plain-http", "--username", "u", "--password", "hush-hush"];
    let error = stderr(&ours(&stranger, &pull));
    assert!(!error.contains("hush-hush") && !error.contains("let-me-in"), "{error}");
    assert_eq!(stranger.files("."), [""; 0]);
}

#[test]
fn proxies_are_asked_as_go_does() {
    // A proxy gets the whole address in the first line.
    let proxy = Server::start(None, |asked| match asked.target.strip_prefix("http://charts.invalid") {
        Some(path) => repository(&Asked { target: path.to_owned(), authorization: None }),
        None => missing(),
    });
    let direct = Server::start(None, repository);
    let proxy_url = format!("http://{}", proxy.host);
    let direct_url = format!("http://{}", direct.host);
    let peers = std::env::var("HOME").map(|home| format!("{home}/.cache/onepane-peers/helm")).unwrap_or_default();
    for program in
        [env!("CARGO_BIN_EXE_onepane"), &peers].into_iter().filter(|path| std::path::Path::new(path).is_file())
    {
        let run = |url: &str, variables: &[(&str, &str)]| {
            let room = Room::new();
            let mut command = Command::new(program);
            if program != peers {
                command.arg("helm");
            }
            command.args(["show", "chart", "a", "--repo", url]).current_dir(&room.path).env_clear();
            for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HOME"] {
                command.env(name, room.variable(name).expect("it is one of the room's"));
            }
            command.envs(variables.iter().copied()).output().expect("it can be run").status.success()
        };
        for (variables, reached) in [
            (vec![("HTTP_PROXY", proxy_url.as_str())], true),
            (vec![("http_proxy", &proxy_url)], true),
            (vec![("HTTP_PROXY", &proxy_url), ("NO_PROXY", "example.com,charts.invalid")], false),
            (vec![("HTTP_PROXY", &proxy_url), ("no_proxy", ".invalid")], false),
            (vec![("HTTP_PROXY", &proxy_url), ("NO_PROXY", "*")], false),
            (vec![("HTTP_PROXY", &proxy_url), ("REQUEST_METHOD", "GET")], false),
            (vec![("HTTPS_PROXY", &proxy_url)], false),
        ] {
            assert_eq!(run("http://charts.invalid", &variables), reached, "{program} {variables:?}");
        }
        // This machine is never asked through a proxy.
        let before = proxy.asked().len();
        assert!(run(&direct_url, &[("HTTP_PROXY", &proxy_url)]), "{program}");
        assert_eq!(proxy.asked().len(), before, "{program}");
    }
}

#[test]
fn hubs_are_searched() {
    let hub = Server::start(None, |asked| match asked.target.as_str() {
        "/api/chartsvc/v1/charts/search?q=web+server" => good(
            r#"{"data":[{"id":"r/web","artifactHub":{"packageUrl":"https://hub.example/r/web"},"attributes":{"description":"A <web> server & more than fits into a column of fifty","repo":{"url":"https://charts.example","name":"r"}},"relationships":{"latestChartVersion":{"data":{"version":"1.2.3","app_version":"4.5"}}}},{"id":"s/web","attributes":{"repo":{}}}]}"#,
        ),
        target if target.starts_with("/api/chartsvc/v1/charts/search?q=") => good(r#"{"data":[]}"#),
        _ => missing(),
    });
    let (room, peer) = (Room::new(), Room::new());
    let lines = [
        "search hub web server --endpoint http://HOST",
        "search hub web server --endpoint http://HOST/ --list-repo-url --max-col-width 20",
        "search hub web server --endpoint http://HOST -o json",
        "search hub web server --endpoint http://HOST -o yaml",
        "search hub none --endpoint http://HOST",
        "search hub none --endpoint http://HOST -o json",
        "search hub none --endpoint http://HOST -o yaml",
        "search hub none --endpoint http://HOST --fail-on-no-result",
        "search hub none --endpoint http://HOST/elsewhere",
        "search hub none --endpoint http://HOST -o nonsense",
        "search hub x --endpoint nowhere",
    ]
    .map(|line| line.replace("HOST", &hub.host));
    compare(&room, &peer, &lines);
}

#[test]
fn completion_scripts_name_commands_and_flags() {
    let room = Room::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = stdout(&ours(&room, &["completion", shell]));
        for word in ["template", "dependency", "post-renderer", "kube-context"] {
            assert!(script.contains(word), "{shell} {word}");
        }
    }
    let script = room.write("helm.bash", stdout(&ours(&room, &["completion", "bash"])));
    let ask = format!(
        "source {script}; COMP_WORDS=(helm dep upd); COMP_CWORD=2; _helm helm upd dep; echo ${{COMPREPLY[@]}}; \
         COMP_WORDS=(helm template --post-renderer-); COMP_CWORD=2; _helm helm --post-renderer- template; \
         echo ${{COMPREPLY[@]}}"
    );
    let Ok(output) = Command::new("bash").args(["-c", &ask]).output() else {
        println!("SKIPPED: there is no bash");
        return;
    };
    assert_eq!(stdout(&output), "update\n--post-renderer-args\n");
}
