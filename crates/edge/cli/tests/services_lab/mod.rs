//! What the tests of services share: repositories of services, and one that pins them.
#![allow(dead_code, reason = "each test program uses a part of it")]

use onepane_testkit::{Finished, Random, git, run_with};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

pub(crate) const SERVICES: [&str; 3] = ["api", "web", "db"];

/// Repositories of services, and one that pins them, which Git has cloned without its submodules.
pub(crate) struct Lab {
    pub(crate) folder: TempDir,
    pub(crate) root: PathBuf,
}

impl Lab {
    /// `url` is what `.gitmodules` has before the names.
    pub(crate) fn new(url: &str) -> Self {
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

    pub(crate) fn origin(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn service(&self, name: &str) -> PathBuf {
        self.root.join("src").join(name)
    }

    pub(crate) fn pin_in(&self, top: &Path, name: &str, commit: &str) {
        git(top, &["update-index", "--add", "--cacheinfo", &format!("160000,{commit},src/{name}")]);
    }

    pub(crate) fn pin(&self, name: &str, revision: &str) -> String {
        let commit = git(&self.origin(name), &["rev-parse", revision]);
        self.pin_in(&self.root, name, &commit);
        commit
    }

    pub(crate) fn head(&self, name: &str) -> String {
        git(&self.service(name), &["rev-parse", "HEAD"])
    }

    pub(crate) fn onepane(&self, arguments: &[&str]) -> Finished {
        self.onepane_with(arguments, &[])
    }

    pub(crate) fn onepane_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Finished {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let variables: Vec<_> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let program = Path::new(env!("CARGO_BIN_EXE_onepane"));
        run_with(program, &arguments, &self.root, self.folder.path(), &variables).expect("it ends in time")
    }

    /// Syncs, and everything is at its pin.
    pub(crate) fn synced(&self, more: &[&str]) -> String {
        let finished = self.onepane(&[&["src", "sync"], more].concat());
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        String::from_utf8_lossy(&finished.stdout).into_owned()
    }

    /// How many objects of the history of a service are on its server only.
    pub(crate) fn missing(&self, name: &str) -> usize {
        let listed = git(&self.service(name), &["rev-list", "--objects", "--missing=print", "HEAD"]);
        listed.lines().filter(|line| line.starts_with('?')).count()
    }

    pub(crate) fn setting(&self, name: &str, key: &str) -> String {
        let listed = git(&self.service(name), &["config", "--local", "--list"]);
        let value = listed.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        value.unwrap_or_default().to_owned()
    }

    /// Starts it, kills it with all that it has started after a random part of `whole`, and says whether it was still there.
    pub(crate) fn killed(&self, arguments: &[&str], whole: Duration, random: &mut Random) -> bool {
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
    pub(crate) fn is_clean(&self) {
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

pub(crate) fn commit(folder: &Path, message: &str) {
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--message", message]);
}

/// The files below a folder of Git's that say what it is, with what is in them.
pub(crate) fn facts(git_dir: &Path) -> Vec<(String, String)> {
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
