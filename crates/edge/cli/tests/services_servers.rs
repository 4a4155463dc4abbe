//! `onepane src sync` from servers: over HTTP with passwords, over ssh, and with parts of the history left there.

mod services_lab;

use onepane_testkit::{GitServer, Mood, git};
use services_lab::{Lab, SERVICES, facts};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn http_with_a_password_works_by_gits_helpers() {
    let lab = Lab::new("../");
    let server = GitServer::start(lab.folder.path());
    server.behave(Mood::WantsPassword);
    git(&lab.root, &["remote", "set-url", "origin", &format!("{}/company", server.address)]);
    // Nobody is asked, and the address is told.
    let finished = lab.onepane(&["src", "sync", "api"]);
    let told = &finished.stderr;
    assert!(finished.code == Some(1) && told.contains("`src/api` (../api)") | told.contains("/api)"), "{told}");
    assert!(told.contains("could not read Username") || told.contains("terminal prompts disabled"), "{told}");
    let helper = |password: &str| {
        let script = lab.folder.path().join("helper");
        let text = format!("#!/bin/sh\ntest \"$1\" = get && echo username=u && echo password={password}\nexit 0\n");
        fs::write(&script, text).expect("it can be written");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&script, mode).expect("it is ours");
        let (file, script) = (lab.folder.path().join(".gitconfig"), script.display().to_string());
        git(&lab.root, &["config", "--file", &file.display().to_string(), "credential.helper", &script]);
    };
    helper("wrongsecret");
    let finished = lab.onepane(&["src", "sync"]);
    assert!(finished.code == Some(1) && finished.stderr.contains("Authentication failed"), "{}", finished.stderr);
    assert!(!finished.stderr.contains("wrongsecret"));
    helper("p");
    lab.synced(&[]);
    lab.is_clean();
    // A password in the URL is not shown.
    let address = server.address.replace("http://", "http://u:topsecret@");
    git(&lab.root, &["config", "--file", ".gitmodules", "submodule.src/api.url", &format!("{address}/nowhere")]);
    fs::remove_dir_all(lab.service("api")).expect("it is there");
    fs::remove_dir_all(lab.root.join(".git/modules/src/api")).expect("it is there");
    let finished = lab.onepane(&["src", "sync", "api"]);
    assert!(finished.code == Some(1) && finished.stderr.contains("***@127.0.0.1"), "{}", finished.stderr);
    assert!(!finished.stderr.contains("topsecret"), "{}", finished.stderr);
}

#[test]
fn a_proxy_of_gits_configuration_is_followed() {
    let lab = Lab::new("../");
    let server = GitServer::start(lab.folder.path());
    git(&lab.root, &["remote", "set-url", "origin", &format!("{}/company", server.address)]);
    let file = lab.folder.path().join(".gitconfig").display().to_string();
    // Where nobody is.
    git(&lab.root, &["config", "--file", &file, "http.proxy", "http://127.0.0.1:1"]);
    let finished = lab.onepane(&["src", "sync", "api"]);
    assert!(finished.code == Some(1) && finished.stderr.contains("127.0.0.1 port 1"), "{}", finished.stderr);
    assert_eq!(server.requests(), 0);
    git(&lab.root, &["config", "--file", &file, "--unset", "http.proxy"]);
    lab.synced(&[]);
    lab.is_clean();
}

/// A server of ssh that this user may run, with keys of its own.
struct Ssh {
    process: std::process::Child,
    port: u16,
    command: String,
}

impl Drop for Ssh {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Ssh {
    fn start(folder: &Path) -> Option<Self> {
        let program = ["/usr/sbin/sshd", "/usr/local/sbin/sshd"].into_iter().find(|path| Path::new(path).exists())?;
        let at = |name: &str| folder.join(name).display().to_string();
        for key in ["host-key", "user-key"] {
            let made =
                Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &at(key)]).status().ok()?;
            assert!(made.success(), "a key can be made");
        }
        fs::copy(at("user-key.pub"), at("authorized")).expect("it is there");
        let port = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let text = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\n\
             UsePAM no\nPasswordAuthentication no\nMaxStartups 100\n",
            at("host-key"),
            at("authorized")
        );
        fs::write(at("sshd"), text).expect("it can be written");
        // It wants a folder that only the system's own service makes.
        let _ = fs::create_dir_all("/run/sshd");
        let mut command = Command::new(program);
        command.args(["-D", "-f", &at("sshd"), "-E", &at("sshd-log")]).stdin(Stdio::null());
        let process = command.spawn().ok()?;
        let command = format!(
            "ssh -F /dev/null -i {} -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile={} -o BatchMode=yes",
            at("user-key"),
            at("known-hosts")
        );
        let ssh = Self { process, port, command };
        let begin = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if begin.elapsed() > Duration::from_secs(10) {
                println!("sshd: {}", fs::read_to_string(at("sshd-log")).unwrap_or_default());
                return None;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(ssh)
    }
}

#[test]
fn ssh_works_as_it_does_for_git() {
    let lab = Lab::new("../");
    let Some(ssh) = Ssh::start(lab.folder.path()) else {
        println!("SKIPPED ssh: there is no sshd that can be run here");
        return;
    };
    let user = Command::new("id").arg("-un").output().expect("it can be asked").stdout;
    let user = String::from_utf8_lossy(&user).trim().to_owned();
    let base = format!("ssh://{user}@127.0.0.1:{}{}/company", ssh.port, lab.folder.path().display());
    git(&lab.root, &["remote", "set-url", "origin", &base]);
    let finished = lab.onepane_with(&["src", "sync"], &[("GIT_SSH_COMMAND", &ssh.command)]);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    lab.is_clean();
    lab.pin("api", "v1");
    let wrong = ssh.command.replace("user-key", "no-key");
    git(&lab.origin("web"), &["commit", "--quiet", "--allow-empty", "--message", "later"]);
    lab.pin("web", "HEAD");
    let finished = lab.onepane_with(&["src", "sync"], &[("GIT_SSH_COMMAND", &wrong)]);
    assert!(finished.code == Some(1) && finished.stderr.contains("Permission denied"), "{}", finished.stderr);
    assert!(finished.stderr.contains("`src/web`") && !finished.stderr.contains("`src/api`"), "{}", finished.stderr);
}

#[test]
fn history_and_contents_may_be_left_where_they_are() {
    let lab = Lab::new("../");
    let server = GitServer::start(lab.folder.path());
    git(&lab.root, &["remote", "set-url", "origin", &format!("{}/company", server.address)]);
    git(&lab.root, &["config", "--file", ".gitmodules", "submodule.src/api.shallow", "true"]);
    lab.pin("api", "v2");
    lab.synced(&["api"]);
    lab.synced(&["--depth", "2", "web"]);
    lab.synced(&["--filter", "blob:none", "db"]);
    let count = |name: &str| git(&lab.service(name), &["rev-list", "--count", "HEAD"]);
    assert_eq!((count("api"), count("web"), count("db")), ("1".to_owned(), "2".to_owned(), "3".to_owned()));
    fs::remove_dir_all(lab.service("web")).expect("it is there");
    fs::remove_dir_all(lab.root.join(".git/modules/src/web")).expect("it is there");
    lab.synced(&["--depth", "2", "--filter", "blob:none", "web"]);
    assert_eq!((count("web"), lab.missing("web") > 0), ("2".to_owned(), true));
    let missing = git(&lab.service("db"), &["rev-list", "--objects", "--missing=print", "HEAD"]);
    assert!(missing.lines().any(|line| line.starts_with('?')), "{missing}");
    lab.is_clean();
    for name in SERVICES {
        lab.pin(name, "v1");
    }
    lab.synced(&[]);
    assert_eq!(count("api"), "1");
    lab.is_clean();
}

#[test]
fn what_a_partial_clone_leaves_out_comes_when_it_is_needed() {
    let lab = Lab::new("../");
    git(&lab.root, &["remote", "set-url", "origin", &format!("file://{}/company", lab.folder.path().display())]);
    git(&lab.origin("db"), &["config", "uploadpack.allowFilter", "false"]);
    lab.synced(&[]);
    lab.is_clean();
    for name in ["api", "web"] {
        let settings = ["core.repositoryformatversion", "remote.origin.promisor", "remote.origin.partialclonefilter"];
        assert_eq!(settings.map(|key| lab.setting(name, key)), ["1", "true", "tree:0"], "{name}");
        assert!(lab.missing(name) > 0, "{name}");
    }
    // One that does not know filters gives all there is, and nothing is said of filters.
    assert_eq!((lab.missing("db"), lab.setting("db", "remote.origin.promisor")), (0, String::new()));
    // As Git's own leaves it.
    git(lab.folder.path(), &["clone", "--quiet", &format!("file://{}/company", lab.folder.path().display()), "theirs"]);
    let theirs = lab.folder.path().join("theirs");
    git(&theirs, &["-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init", "--filter=tree:0"]);
    for name in ["api", "web"] {
        let place = format!(".git/modules/src/{name}");
        assert_eq!(facts(&lab.root.join(&place)), facts(&theirs.join(&place)), "{name}");
    }
    // Commits are there, so that distances and logs are, without the server.
    fs::rename(lab.origin("api"), lab.origin("away")).expect("it can be moved");
    let old = git(&lab.service("api"), &["rev-parse", "v1"]);
    lab.pin_in(&lab.root, "api", &old);
    let told = lab.onepane(&["src", "status", "--output", "json", "api"]);
    let told: String = String::from_utf8_lossy(&told.stdout).split_whitespace().collect();
    for fact in [r#""fromPin":{"ahead":2,"behind":0}"#, r#""pushed":true"#, r#""dirty":false"#] {
        assert!(told.contains(fact), "{fact}: {told}");
    }
    let found = lab.onepane(&["src", "grep", "-l", "api 3"]);
    assert_eq!(String::from_utf8_lossy(&found.stdout), "src/api/deep/er/file\n");
    // What is not there can't be had, and is told; nothing is half done.
    let finished = lab.onepane(&["src", "sync", "api"]);
    assert!(finished.code == Some(1) && finished.stderr.contains("`src/api`"), "{}", finished.stderr);
    fs::rename(lab.origin("away"), lab.origin("api")).expect("it can be moved");
    lab.synced(&[]);
    assert_eq!(lab.head("api"), old);
    git(&lab.root, &["commit", "--quiet", "--message", "back"]);
    let log = lab.onepane(&["src", "log", "HEAD~1..HEAD"]);
    assert!(String::from_utf8_lossy(&log.stdout).contains("src/api"), "{}", log.stderr);
    // Of the pins before as well, for what compares them.
    let finished = lab.onepane(&["src", "log", "HEAD..HEAD~1"]);
    assert!(String::from_utf8_lossy(&finished.stdout).contains("api 3"), "{}", finished.stderr);
    // Git works in it.
    let api = lab.service("api");
    git(&api, &["gc", "--quiet"]);
    git(&api, &["fsck", "--strict"]);
    assert!(git(&api, &["-c", "protocol.file.allow=always", "log", "-p", "v3"]).contains("+api 2"));
    git(&lab.root, &["-c", "protocol.file.allow=always", "submodule", "--quiet", "update"]);
    // It stays one.
    lab.pin("web", "v2");
    lab.synced(&[]);
    assert_eq!(lab.setting("web", "remote.origin.partialclonefilter"), "tree:0");
    lab.is_clean();
    // Who begins to work on it has its folders.
    git(&lab.origin("web"), &["branch", "feature"]);
    assert_eq!(lab.onepane(&["src", "checkout", "feature"]).code, Some(0));
    assert_eq!(lab.setting("web", "remote.origin.partialclonefilter"), "blob:none");
    // And who wants all gets it.
    lab.onepane(&["src", "checkout", "--pinned"]);
    lab.synced(&["--full"]);
    for name in SERVICES {
        assert_eq!((lab.missing(name), lab.setting(name, "remote.origin.promisor")), (0, String::new()), "{name}");
    }
    lab.is_clean();
}
