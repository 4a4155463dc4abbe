//! `onepane src sync`, `checkout`, `add`, `remove`: against Git's own servers over files, HTTP and ssh, beside what Git itself
//! leaves, with hostile `.gitmodules`, and killed at any moment.

use onepane_testkit::{Finished, GitServer, Mood, Random, git, run_with};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SERVICES: [&str; 3] = ["api", "web", "db"];

/// Repositories of services, and one that pins them, which Git has cloned without its submodules.
struct Lab {
    folder: TempDir,
    root: PathBuf,
}

impl Lab {
    /// `url` is what `.gitmodules` has before the names.
    fn new(url: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let lab = Self { root: folder.path().join("here"), folder };
        for name in SERVICES {
            let origin = lab.origin(name);
            fs::create_dir_all(&origin).expect("nothing is there yet");
            git(&origin, &["init", "--quiet"]);
            git(&origin, &["config", "uploadpack.allowFilter", "true"]);
            for number in 1..=3 {
                fs::create_dir_all(origin.join("deep/er")).expect("it can be made");
                fs::write(origin.join("deep/er/file"), format!("{name} {number}\n").repeat(500))
                    .expect("it can be written");
                fs::write(origin.join(format!("only-{number}")), "x").expect("it can be written");
                commit(&origin, &format!("{name} {number}"));
                git(&origin, &["tag", &format!("v{number}")]);
            }
        }
        let company = lab.folder.path().join("company");
        fs::create_dir_all(company.join("clusters")).expect("nothing is there yet");
        fs::write(company.join("clusters/.keep"), "").expect("it can be written");
        git(&company, &["init", "--quiet"]);
        let modules: String = SERVICES
            .iter()
            .map(|name| format!("[submodule \"src/{name}\"]\n\tpath = src/{name}\n\turl = {url}{name}\n"))
            .collect();
        fs::write(company.join(".gitmodules"), modules).expect("it can be written");
        git(&company, &["add", "--all"]);
        for name in SERVICES {
            lab.pin_in(&company, name, &git(&lab.origin(name), &["rev-parse", "HEAD"]));
        }
        git(&company, &["commit", "--quiet", "--message", "all"]);
        git(lab.folder.path(), &["clone", "--quiet", "company", "here"]);
        fs::write(
            lab.folder.path().join(".gitconfig"),
            "[protocol \"file\"]\n\tallow = always\n[user]\n\tname = t\n\temail = t@example.com\n",
        )
        .expect("it can be written");
        lab
    }

    fn origin(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn service(&self, name: &str) -> PathBuf {
        self.root.join("src").join(name)
    }

    fn pin_in(&self, top: &Path, name: &str, commit: &str) {
        git(top, &["update-index", "--add", "--cacheinfo", &format!("160000,{commit},src/{name}")]);
    }

    fn pin(&self, name: &str, revision: &str) -> String {
        let commit = git(&self.origin(name), &["rev-parse", revision]);
        self.pin_in(&self.root, name, &commit);
        commit
    }

    fn head(&self, name: &str) -> String {
        git(&self.service(name), &["rev-parse", "HEAD"])
    }

    fn onepane(&self, arguments: &[&str]) -> Finished {
        self.onepane_with(arguments, &[])
    }

    fn onepane_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Finished {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let variables: Vec<_> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let program = Path::new(env!("CARGO_BIN_EXE_onepane"));
        run_with(program, &arguments, &self.root, self.folder.path(), &variables).expect("it ends in time")
    }

    /// Syncs, and everything is at its pin.
    fn synced(&self, more: &[&str]) -> String {
        let finished = self.onepane(&[&["src", "sync"], more].concat());
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        String::from_utf8_lossy(&finished.stdout).into_owned()
    }

    /// How many objects of the history of a service are on its server only.
    fn missing(&self, name: &str) -> usize {
        let listed = git(&self.service(name), &["rev-list", "--objects", "--missing=print", "HEAD"]);
        listed.lines().filter(|line| line.starts_with('?')).count()
    }

    fn setting(&self, name: &str, key: &str) -> String {
        let listed = git(&self.service(name), &["config", "--local", "--list"]);
        let value = listed.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        value.unwrap_or_default().to_owned()
    }

    /// Starts it, kills it with all that it has started after a random part of `whole`, and says whether it was still there.
    fn killed(&self, arguments: &[&str], whole: Duration, random: &mut Random) -> bool {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onepane"));
        command.args(arguments).current_dir(&self.root).env("HOME", self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().expect("it can be started");
        let after = whole.as_micros() as usize * (random.below(1000) + 1) / 1000;
        std::thread::sleep(Duration::from_micros(after as u64));
        let was_there = child.try_wait().expect("it is ours").is_none();
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).stderr(Stdio::null()).status();
        child.wait().expect("it is ours");
        was_there
    }

    /// Git finds nothing odd.
    fn is_clean(&self) {
        let status = git(&self.root, &["submodule", "status", "--recursive"]);
        // Its output is trimmed, so that the blank before the first is gone.
        assert!(
            status.lines().all(|line| !line.starts_with(['+', '-', 'U'])) && status.lines().count() == 3,
            "{status}"
        );
        for name in SERVICES {
            let service = self.service(name);
            assert_eq!(git(&service, &["status", "--porcelain"]), "", "{name}");
            git(&service, &["fsck", "--strict", "--no-dangling"]);
        }
    }
}

fn commit(folder: &Path, message: &str) {
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--message", message]);
}

/// The files below a folder of Git's that say what it is, with what is in them.
fn facts(git_dir: &Path) -> Vec<(String, String)> {
    let names = ["HEAD", "packed-refs", "refs/heads/main", "refs/remotes/origin/HEAD", "info/exclude", "description"];
    let text = |name: &str| fs::read_to_string(git_dir.join(name)).unwrap_or_default();
    let mut facts: Vec<_> = names.iter().map(|name| ((*name).to_owned(), text(name))).collect();
    let mut settings: Vec<String> =
        git(git_dir, &["config", "--file", "config", "--list"]).lines().map(str::to_owned).collect();
    settings.sort();
    facts.push(("config".to_owned(), settings.join("\n")));
    let hooks = fs::read_dir(git_dir.join("hooks")).expect("it has some").count();
    facts.push(("hooks".to_owned(), hooks.to_string()));
    facts
}

#[test]
fn a_sync_leaves_what_git_leaves() {
    let lab = Lab::new("../");
    let text = lab.synced(&["--full"]);
    assert_eq!(text.lines().count(), 3, "{text}");
    lab.is_clean();
    git(lab.folder.path(), &["clone", "--quiet", "company", "theirs"]);
    let theirs = lab.folder.path().join("theirs");
    git(&theirs, &["submodule", "--quiet", "update", "--init"]);
    for name in SERVICES {
        let place = format!(".git/modules/src/{name}");
        assert_eq!(facts(&lab.root.join(&place)), facts(&theirs.join(&place)), "{name}");
        let link = |top: &Path| fs::read_to_string(top.join("src").join(name).join(".git")).expect("it is there");
        assert_eq!(link(&lab.root), link(&theirs));
        let entries = |top: &Path| git(&top.join("src").join(name), &["ls-files", "--stage"]);
        assert_eq!(entries(&lab.root), entries(&theirs));
        let log = |top: &Path| git(&top.join("src").join(name), &["log", "--walk-reflogs", "--format=%gs"]);
        assert_eq!(log(&lab.root), log(&theirs));
    }
    let settings = |top: &Path| git(top, &["config", "--local", "--get-regexp", "^submodule"]);
    assert_eq!(settings(&lab.root), settings(&theirs));
    // Nothing more is left than the lock, and a second sync does nothing.
    assert!(!lab.root.join(".git/onepane/sync").exists());
    assert_eq!(lab.synced(&[]), "");
}

#[test]
fn services_move_with_their_pins_and_come_back() {
    let lab = Lab::new("../");
    lab.synced(&[]);
    let old = lab.pin("api", "v1");
    assert!(lab.synced(&["api"]).starts_with("src/api  "));
    assert_eq!(lab.head("api"), old);
    assert!(!lab.service("api").join("only-2").exists());
    // A commit that came later, on a branch, and one that is on no branch at all.
    let origin = lab.origin("api");
    git(&origin, &["checkout", "--quiet", "-b", "feature"]);
    fs::write(origin.join("new"), "new").expect("it can be written");
    commit(&origin, "new");
    let new = lab.pin("api", "feature");
    lab.synced(&[]);
    assert_eq!(lab.head("api"), new);
    fs::write(origin.join("new"), "newer").expect("it can be written");
    commit(&origin, "newer");
    let nowhere = git(&origin, &["rev-parse", "HEAD"]);
    git(&origin, &["reset", "--quiet", "--hard", "HEAD~1"]);
    lab.pin_in(&lab.root, "api", &nowhere);
    lab.synced(&[]);
    assert_eq!(lab.head("api"), nowhere);
    // And away from it: the server has it, though none of its branches does.
    lab.pin("api", "v3");
    lab.synced(&[]);
    lab.is_clean();
    // Files that are gone come back without a server, and so does a service of which nothing is left.
    git(&lab.root, &["submodule", "--quiet", "deinit", "--force", "src/web"]);
    fs::rename(lab.origin("web"), lab.origin("moved")).expect("it can be moved");
    lab.synced(&[]);
    fs::rename(lab.origin("moved"), lab.origin("web")).expect("it can be moved");
    fs::remove_dir_all(lab.service("db")).expect("it can be removed");
    fs::remove_dir_all(lab.root.join(".git/modules/src/db")).expect("it can be removed");
    lab.synced(&["--jobs", "1"]);
    lab.is_clean();
    // The URL follows `.gitmodules`.
    git(&lab.service("db"), &["remote", "set-url", "origin", "https://example.com/old"]);
    lab.synced(&[]);
    assert!(git(&lab.service("db"), &["remote", "get-url", "origin"]).ends_with("/db"));
}

#[test]
fn what_is_not_pushed_or_not_committed_stays() {
    let lab = Lab::new("../");
    lab.synced(&[]);
    lab.pin("api", "v1");
    lab.pin("web", "v1");
    let db = lab.pin("db", "v1");
    fs::write(lab.service("api").join("only-1"), "mine").expect("it can be written");
    fs::write(lab.service("web").join("mine"), "mine").expect("it can be written");
    commit(&lab.service("web"), "mine");
    let web = lab.head("web");
    let finished = lab.onepane(&["src", "sync"]);
    assert_eq!(finished.code, Some(1));
    let told = &finished.stderr;
    assert!(told.contains("`src/api`") && told.contains("`only-1` among them"), "{told}");
    assert!(
        told.contains("`src/web`") && told.contains(&format!("its commit {} is on no remote branch", &web[..8])),
        "{told}"
    );
    assert_eq!((lab.head("web"), lab.head("db")), (web.clone(), db));
    assert_eq!(fs::read_to_string(lab.service("api").join("only-1")).expect("it is there"), "mine");
    // One that is at its pin may be changed.
    fs::write(lab.service("db").join("only-1"), "mine").expect("it can be written");
    assert_eq!(lab.onepane(&["src", "sync", "db"]).code, Some(0));
    // An untracked file in the way is Git's to refuse.
    git(&lab.service("db"), &["checkout", "--quiet", "--force", "HEAD"]);
    fs::write(lab.service("db").join("only-3"), "mine").expect("it can be written");
    lab.pin("db", "v3");
    let finished = lab.onepane(&["src", "sync", "db"]);
    assert!(finished.code == Some(1) && finished.stderr.contains("only-3"), "{}", finished.stderr);
    fs::remove_file(lab.service("db").join("only-3")).expect("it is there");
    lab.synced(&["--force"]);
    lab.is_clean();
    // What is there and no repository is not ours.
    git(&lab.root, &["submodule", "--quiet", "deinit", "--force", "src/api"]);
    fs::write(lab.service("api").join("notes"), "mine").expect("it can be written");
    let finished = lab.onepane(&["src", "sync"]);
    assert!(finished.code == Some(1) && finished.stderr.contains("move them away"), "{}", finished.stderr);
}

#[test]
fn a_pin_that_was_not_pushed_is_told_by_name() {
    let lab = Lab::new("../");
    let missing = "1234567890123456789012345678901234567890";
    lab.pin_in(&lab.root, "web", missing);
    let finished = lab.onepane(&["src", "sync"]);
    let told = &finished.stderr;
    assert!(
        told.contains("`src/web`") && told.contains(&format!("commit {missing} is not on the server: was it pushed?")),
        "{told}"
    );
    assert_eq!((finished.code, lab.service("api").join("only-1").exists()), (Some(1), true));
    assert!(!lab.root.join(".git/modules/src/web").exists() && !lab.service("web").join(".git").exists());
    lab.pin("web", "v2");
    lab.synced(&[]);
    lab.is_clean();
    lab.pin_in(&lab.root, "web", missing);
    assert!(lab.onepane(&["src", "sync"]).stderr.contains("was it pushed?"));
}

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
fn submodules_of_services_come_with_them() {
    let lab = Lab::new("../");
    let api = lab.origin("api");
    git(&api, &["submodule", "--quiet", "add", "../db", "vendor/db"]);
    commit(&api, "nested");
    lab.pin("api", "HEAD");
    lab.synced(&["--recursive"]);
    let nested = lab.service("api").join("vendor/db");
    assert_eq!(git(&nested, &["rev-parse", "HEAD"]), git(&lab.origin("db"), &["rev-parse", "HEAD"]));
    assert!(lab.root.join(".git/modules/src/api/modules/vendor/db/HEAD").exists());
    assert!(git(&lab.root, &["submodule", "status", "--recursive"]).lines().all(|line| !line.starts_with(['+', '-'])));
}

#[test]
fn hostile_declarations_are_refused_and_the_others_go_on() {
    let lab = Lab::new("../");
    let outside = lab.folder.path().join("outside");
    fs::create_dir(&outside).expect("nothing is there yet");
    let cases: [(&str, &str, &str, &str); 8] = [
        ("../../../evil", "src/api", "../api", "its name leads out"),
        ("src/web/hooks", "src/api", "../api", "its name puts it into the Git folder"),
        ("src/api", "src/api", "ext::sh -c touch% pwned", "names a program to be run"),
        ("src/api", "src/api", "-u./pwn", "its URL is none"),
        ("src/api", "src/api", "../../../../../../../../x", "leads out"),
        ("src/api", "src/api", "gopher://h/x", "is not asked for submodules"),
        ("src/api", "../outside/x", "../api", ""),
        ("src/api", "link/x", "../api", "is a link"),
    ];
    std::os::unix::fs::symlink("../outside", lab.root.join("link")).expect("nothing is there yet");
    for (name, path, url, wanted) in cases {
        let text = format!(
            "[submodule \"{name}\"]\n\tpath = {path}\n\turl = \"{url}\"\n[submodule \"src/web\"]\n\tpath = src/web\n\turl = ../web\n"
        );
        fs::write(lab.root.join(".gitmodules"), text).expect("it can be written");
        if path == "link/x" {
            // As somebody has it who made the index by hand.
            git(&lab.root, &["update-index", "--force-remove", "link"]);
            let entry = format!("160000,{},link/x", git(&lab.origin("api"), &["rev-parse", "HEAD"]));
            git(&lab.root, &["update-index", "--add", "--cacheinfo", &entry]);
        }
        let finished = lab.onepane(&["src", "sync"]);
        assert_eq!(finished.code, Some(1), "{name} {path} {url}: {}", finished.stderr);
        assert!(finished.stderr.contains(wanted), "{name} {path} {url}: {}", finished.stderr);
        assert!(!lab.service("api").join("only-1").exists(), "{name} {path} {url}");
        assert!(lab.service("web").join("only-1").exists(), "{}", finished.stderr);
    }
    assert_eq!(fs::read_dir(&outside).expect("it is there").count(), 0);
    assert!(!lab.root.join("pwned").exists() && !lab.folder.path().join("evil").exists());
    // Folders of this machine are asked where the user has allowed it, as in Git.
    fs::write(lab.folder.path().join(".gitconfig"), "").expect("it can be written");
    fs::write(lab.root.join(".gitmodules"), "[submodule \"src/db\"]\n\tpath = src/db\n\turl = ../db\n")
        .expect("it can be written");
    let finished = lab.onepane(&["src", "sync", "db"]);
    assert!(finished.stderr.contains("protocol.file.allow"), "{}", finished.stderr);
    fs::write(lab.root.join(".gitmodules"), "[submodule").expect("it can be written");
    assert!(lab.onepane(&["src", "sync"]).stderr.contains("can't be read"));
}

/// Fifty times at a random moment, and the next one completes: services that come, and services that move.
#[test]
fn one_that_is_killed_is_completed_by_the_next() {
    let lab = Lab::new("../");
    let mut random = Random(7);
    let command = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onepane"));
        command.args(["src", "sync"]).current_dir(&lab.root).env("HOME", lab.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
    };
    let begin = Instant::now();
    assert!(command().status().expect("it can be started").success());
    let whole = begin.elapsed();
    let mut interrupted = 0;
    for round in 0..50 {
        if round % 2 == 0 {
            for name in SERVICES {
                let _ = fs::remove_dir_all(lab.service(name));
                let _ = fs::remove_dir_all(lab.root.join(".git/modules/src").join(name));
            }
        }
        for name in SERVICES {
            lab.pin(name, ["v1", "v2", "v3"][random.below(3)]);
        }
        let mut child = command().spawn().expect("it can be started");
        let after = whole.as_micros() as usize * (random.below(1000) + 1) / 1000;
        std::thread::sleep(Duration::from_micros(after as u64));
        if child.try_wait().expect("it is ours").is_none() {
            interrupted += 1;
        }
        // With all that it has started.
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).stderr(Stdio::null()).status();
        child.wait().expect("it is ours");
        lab.synced(&[]);
        lab.is_clean();
        assert!(!lab.root.join(".git/config.lock").exists());
    }
    assert!(interrupted > 10, "only {interrupted} were interrupted");
}

#[test]
fn a_branch_is_checked_out_where_it_exists() {
    let lab = Lab::new("../");
    lab.synced(&[]);
    git(&lab.origin("api"), &["branch", "feature", "v2"]);
    git(&lab.service("web"), &["branch", "feature", "v1"]);
    let pin = lab.head("db");
    fs::write(lab.service("web").join("only-3"), "mine").expect("it can be written");
    let finished = lab.onepane(&["src", "checkout", "feature"]);
    assert!(finished.code == Some(1) && finished.stderr.contains("`src/web`"), "{}", finished.stderr);
    assert_ne!(lab.head("api"), git(&lab.origin("api"), &["rev-parse", "v2"]), "nothing was touched");
    git(&lab.service("web"), &["checkout", "--quiet", "--force", "HEAD"]);
    let finished = lab.onepane(&["src", "checkout", "feature"]);
    let text = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert_eq!(text, "src/api  on feature, which is new here and follows origin/feature\nsrc/web  on feature\n");
    assert_eq!(git(&lab.service("api"), &["rev-parse", "--abbrev-ref", "feature@{upstream}"]), "origin/feature");
    assert_eq!(lab.head("db"), pin);
    // One that is begun needs no move, so that changes stay.
    fs::write(lab.service("db").join("only-3"), "mine").expect("it can be written");
    assert_eq!(lab.onepane(&["src", "checkout", "feature", "--create"]).code, Some(2));
    let finished = lab.onepane(&["src", "checkout", "feature", "db", "--create"]);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert_eq!(git(&lab.service("db"), &["branch", "--show-current"]), "feature");
    // Back, with a commit that only the branch has.
    fs::write(lab.service("api").join("more"), "more").expect("it can be written");
    commit(&lab.service("api"), "more");
    let mine = lab.head("api");
    fs::write(lab.service("web").join("only-1"), "mine").expect("it can be written");
    let finished = lab.onepane(&["src", "checkout", "--pinned"]);
    assert!(finished.code == Some(1) && finished.stderr.contains("nothing was changed"), "{}", finished.stderr);
    assert_eq!(lab.head("api"), mine);
    for name in ["web", "db"] {
        git(&lab.service(name), &["checkout", "--quiet", "--force", "HEAD"]);
    }
    assert_eq!(lab.onepane(&["src", "checkout", "--pinned"]).code, Some(0));
    lab.is_clean();
    assert_eq!(git(&lab.service("api"), &["rev-parse", "feature"]), mine);
    assert_eq!(lab.onepane(&["src", "checkout", "nowhere"]).code, Some(1));
    assert!(lab.onepane(&["src", "checkout", "--", "-x"]).stderr.contains("no name of a branch"));
}

#[test]
fn services_come_and_go_as_with_git() {
    let lab = Lab::new("../");
    lab.synced(&[]);
    let origin = lab.folder.path().join("cache");
    git(lab.folder.path(), &["clone", "--quiet", "--bare", "db", "cache"]);
    let modules = lab.root.join(".gitmodules");
    let before = format!("# ours\n{}", fs::read_to_string(&modules).expect("it is there"));
    fs::write(&modules, &before).expect("it can be written");
    commit(&lab.root, "with a comment");
    let finished = lab.onepane(&["src", "add", "../cache", "--branch", "main"]);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let after = fs::read_to_string(&modules).expect("it is there");
    let section = "[submodule \"src/cache\"]\n\tpath = src/cache\n\turl = ../cache\n\tbranch = main\n";
    assert_eq!(after, format!("{before}{section}"));
    assert_eq!(git(&lab.root, &["status", "--porcelain"]), "M  .gitmodules\nA  src/cache");
    assert_eq!(lab.head("cache"), git(&origin, &["rev-parse", "HEAD"]));
    assert!(lab.onepane(&["src", "add", "../cache"]).stderr.contains("already"));
    for (url, path) in [("../cache", "../x"), ("ext::sh -c id", "x"), ("--upload-pack=x", "x"), ("../cache", ".git/x")]
    {
        let finished = lab.onepane(&["src", "add", "--", url, path]);
        assert_eq!(finished.code, Some(1), "{url} {path}");
    }
    // What is only here is kept.
    fs::write(lab.service("cache").join("untracked"), "mine").expect("it can be written");
    let finished = lab.onepane(&["src", "remove", "cache"]);
    assert!(
        finished.code == Some(1) && finished.stderr.contains("`untracked` is not committed"),
        "{}",
        finished.stderr
    );
    commit(&lab.service("cache"), "mine");
    git(&lab.service("cache"), &["checkout", "--quiet", "origin/main"]);
    let finished = lab.onepane(&["src", "remove", "cache"]);
    assert!(finished.code == Some(1) && finished.stderr.contains("on no remote branch"), "{}", finished.stderr);
    assert_eq!(lab.onepane(&["src", "remove", "cache", "--force"]).code, Some(0));
    assert_eq!(fs::read_to_string(&modules).expect("it is there"), before);
    assert_eq!(git(&lab.root, &["status", "--porcelain"]), "");
    assert!(!lab.root.join(".git/modules/src/cache").exists() && !lab.service("cache").exists());
    assert!(!git(&lab.root, &["config", "--local", "--list"]).contains("src/cache"));
    assert_eq!(lab.onepane(&["src", "add", "../cache", "src/again"]).code, Some(0));
    assert_eq!(lab.onepane(&["src", "remove", "again"]).code, Some(0));
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

#[test]
fn a_branch_that_one_service_can_not_take_leaves_all_where_they_were() {
    let lab = Lab::new("../");
    lab.synced(&[]);
    for name in ["api", "web", "db"] {
        git(&lab.origin(name), &["branch", "feature", "v1"]);
    }
    git(&lab.service("api"), &["checkout", "--quiet", "-b", "mine"]);
    let before: Vec<String> = SERVICES.map(|name| lab.head(name)).to_vec();
    // Somebody else is at work there.
    let lock = lab.root.join(".git/modules/src/web/index.lock");
    fs::write(&lock, "").expect("it can be written");
    let finished = lab.onepane(&["src", "checkout", "feature"]);
    assert!(finished.code == Some(1) && finished.stderr.contains("`src/web`"), "{}", finished.stderr);
    assert!(finished.stderr.contains("index.lock") && !finished.stderr.contains("--force"), "{}", finished.stderr);
    assert_eq!(SERVICES.map(|name| lab.head(name)).to_vec(), before);
    assert_eq!(git(&lab.service("api"), &["branch", "--show-current"]), "mine");
    for name in SERVICES {
        assert_eq!(git(&lab.service(name), &["branch", "--list", "feature"]), "", "{name}");
        assert_eq!(git(&lab.service(name), &["status", "--porcelain"]), "", "{name}");
    }
    fs::remove_file(&lock).expect("it is there");
    // What would be lost is told without an option that is not there.
    fs::write(lab.service("db").join("only-3"), "mine").expect("it can be written");
    let finished = lab.onepane(&["src", "checkout", "feature"]);
    assert!(finished.code == Some(1) && finished.stderr.contains("commit or stash them"), "{}", finished.stderr);
    assert!(!finished.stderr.contains("--force"), "{}", finished.stderr);
    git(&lab.service("db"), &["checkout", "--quiet", "--force", "HEAD"]);
    // No file may be as large as those that are to be written, not even on the way back: it is told, and the next run ends it.
    let limited = format!("ulimit -f 1; exec {} src checkout --offline feature", env!("CARGO_BIN_EXE_onepane"));
    let mut command = Command::new("bash");
    command.args(["-c", &limited]).current_dir(&lab.root).env("HOME", lab.folder.path()).env("LC_ALL", "C");
    let told = command.output().expect("it can be started");
    let text = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.status.code() == Some(1) && text.contains("could not be taken back to"), "{text}");
    assert_eq!(lab.onepane(&["src", "checkout", "feature"]).code, Some(0));
    for name in SERVICES {
        assert_eq!(lab.head(name), git(&lab.origin(name), &["rev-parse", "v1"]), "{name}");
        assert_eq!(git(&lab.service(name), &["status", "--porcelain"]), "", "{name}");
        git(&lab.service(name), &["checkout", "--quiet", "--detach", "v3"]);
        git(&lab.service(name), &["branch", "--quiet", "-D", "feature"]);
    }
    // Killed at any moment, the next run brings all of them there.
    let mut random = Random(3);
    let mut interrupted = 0;
    let mut whole = Duration::ZERO;
    for round in 0..24 {
        for name in SERVICES.iter().filter(|_| round > 0) {
            git(&lab.service(name), &["checkout", "--quiet", "--detach", "v3"]);
            git(&lab.service(name), &["branch", "--quiet", "-D", "feature"]);
        }
        if round < 3 {
            // It takes longer where all of it is new.
            let begin = Instant::now();
            assert_eq!(lab.onepane(&["src", "checkout", "feature"]).code, Some(0));
            whole = begin.elapsed();
            continue;
        }
        interrupted += usize::from(lab.killed(&["src", "checkout", "feature"], whole, &mut random));
        let finished = lab.onepane(&["src", "checkout", "feature"]);
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        for name in SERVICES {
            assert_eq!(git(&lab.service(name), &["branch", "--show-current"]), "feature", "{name}");
            assert_eq!(git(&lab.service(name), &["status", "--porcelain"]), "", "{name}");
            assert_eq!(lab.head(name), git(&lab.origin(name), &["rev-parse", "v1"]), "{name}");
        }
    }
    assert!(interrupted > 3, "only {interrupted} were interrupted");
}

/// Killed at any moment, a service that comes or goes is there or not, and not half of it.
#[test]
fn one_that_comes_or_goes_is_there_or_not() {
    let lab = Lab::new("../");
    lab.synced(&[]);
    git(lab.folder.path(), &["clone", "--quiet", "--bare", "db", "cache"]);
    let modules = lab.root.join(".gitmodules");
    let before = fs::read_to_string(&modules).expect("it is there");
    let config = git(&lab.root, &["config", "--local", "--list"]);
    let (add, remove) = (["src", "add", "../cache"], ["src", "remove", "cache", "--force"]);
    let timed = |arguments: &[&str]| {
        let begin = Instant::now();
        let finished = lab.onepane(arguments);
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        begin.elapsed()
    };
    let (adding, removing) = (timed(&add), timed(&remove));
    let mut random = Random(11);
    let mut outcomes = [0; 2];
    let mut interrupted = 0;
    let is_there = |what: &str| {
        let text = fs::read_to_string(&modules).expect("it is there");
        let status = git(&lab.root, &["status", "--porcelain"]);
        let facts = [
            text != before,
            lab.service("cache").exists(),
            lab.root.join(".git/modules/src/cache").exists(),
            git(&lab.root, &["config", "--local", "--list"]) != config,
            !status.is_empty(),
        ];
        assert!(facts == [true; 5] || facts == [false; 5], "{what}: {facts:?} {status}");
        assert!(!lab.root.join(".git/index.lock").exists() && !lab.root.join(".git/config.lock").exists(), "{what}");
        assert!(!lab.root.join(".git/onepane/membership").exists(), "{what}");
        if facts[0] {
            assert_eq!(status, "M  .gitmodules\nA  src/cache", "{what}");
        }
        facts[0]
    };
    for round in 0..40 {
        let (arguments, whole): (&[&str], _) = if round % 2 == 0 { (&add, adding) } else { (&remove, removing) };
        interrupted += usize::from(lab.killed(arguments, whole, &mut random));
        lab.synced(&[]);
        let there = is_there(&arguments.join(" "));
        outcomes[usize::from(there)] += 1;
        if (round % 2 == 0) != there {
            timed(if there { &remove } else { &add });
            assert_eq!(is_there("whole"), !there);
        }
    }
    lab.onepane(&remove);
    lab.is_clean();
    assert!(interrupted > 10, "only {interrupted} were interrupted: {outcomes:?}");
    // One that can't be had leaves nothing.
    let finished = lab.onepane(&["src", "add", "../nowhere"]);
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    assert_eq!(git(&lab.root, &["status", "--porcelain"]), "");
    assert!(!lab.root.join(".git/modules/src/nowhere").exists() && !lab.service("nowhere").exists());
}

/// Of an interrupted removal locks are left, which the next one removes, but not those of somebody else's Git.
#[test]
fn the_locks_of_others_are_left_to_them() {
    let lab = Lab::new("../");
    lab.synced(&[]);
    let note = serde_json::json!({"name": "src/db", "path": "src/db", "isRemoval": true, "hasFiles": true});
    let place = lab.root.join(".git/onepane/membership");
    fs::write(&place, note.to_string()).expect("it can be written");
    let lock = lab.root.join(".git/index.lock");
    fs::write(&lock, "").expect("it can be written");
    let other = lab.folder.path().join("git");
    fs::copy("/bin/sleep", &other).expect("it can be copied");
    let mut child = Command::new(&other).arg("60").current_dir(&lab.root).spawn().expect("it can be started");
    let finished = lab.onepane(&["src", "sync"]);
    child.kill().and_then(|()| child.wait()).expect("it is ours");
    assert!(finished.code == Some(1) && finished.stderr.contains("another Git is at work"), "{}", finished.stderr);
    assert!(lock.exists() && place.exists() && lab.service("db").exists());
    lab.synced(&[]);
    assert!(!lock.exists() && !place.exists() && !lab.service("db").exists());
    assert_eq!(git(&lab.root, &["status", "--porcelain"]), "M  .gitmodules\nD  src/db");
}
