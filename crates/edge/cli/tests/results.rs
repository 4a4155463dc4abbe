//! Results that are kept from run to run: never another answer than without them, whatever is edited and whatever happens to
//! the folder that they are in.

use onepane_testkit::{Corpus, Finished, Random, corpus, git, run, run_once};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A copy of the example with one commit, and a home for results.
struct Shop {
    _folder: TempDir,
    path: PathBuf,
    home: PathBuf,
}

impl Shop {
    fn new() -> Self {
        Self::made(|shop| {
            let folder = shop.path.parent().expect("it has one");
            let made = onepane(folder, &shop.home, &["init", "--example", "shop"]);
            assert_eq!(made.code, Some(0), "{}", made.stderr);
        })
    }

    /// Twelve charts of the corpus on two clusters, rendered, and a cluster for each kustomization of the corpus that has
    /// bases and can be built by itself.
    fn of_corpus(kustomize: &Corpus) -> Self {
        Self::made(|shop| {
            let fleet = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../benches/fleet");
            let path = shop.path.to_str().expect("it is UTF-8");
            let made = run_once("python3", &[fleet, "--clusters=2", "--releases=12", "--make", path], &shop.home);
            assert_eq!(made.code, Some(0), "{}", made.stderr);
            let rendered = shop.run(&["render"]);
            assert_eq!(rendered.code, Some(0), "{}", rendered.stderr);
            for (name, case, about) in Corpus::cases(&kustomize.folder) {
                let names = run_once("find", &["in", "-name", "kustomization*"], &case);
                let is_layered = String::from_utf8_lossy(&names.stdout).lines().count() > 2;
                if !is_layered || about["outcome"] != "ok" {
                    continue;
                }
                let to = shop.path.join("components").join(&name);
                fs::create_dir_all(&to).expect("nothing is there");
                assert_eq!(run_once("cp", &["-r", "in/.", to.to_str().expect("it is UTF-8")], &case).code, Some(0));
                let cluster = shop.path.join("clusters").join(&name);
                fs::create_dir(&cluster).expect("nothing is there");
                let target = about["target"].as_str().expect("each has one");
                let text = format!("resources:\n  - ../../components/{name}/{target}\n");
                fs::write(cluster.join("kustomization.yaml"), text).expect("it can be written");
                if shop.run(&["build", &name]).code != Some(0) {
                    fs::remove_dir_all(cluster).expect("it is there");
                    fs::remove_dir_all(to).expect("it is there");
                }
            }
            git(&shop.path, &["init", "--quiet"]);
            shop.commit();
            let clusters = fs::read_dir(shop.path.join("clusters")).expect("it is there").count();
            assert!(clusters > 40, "{clusters} clusters");
        })
    }

    fn made(make: impl FnOnce(&Self)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let home = folder.path().join("home");
        fs::create_dir(&home).expect("the folder is empty");
        let shop = Self { path: folder.path().join("shop"), home, _folder: folder };
        make(&shop);
        shop
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        onepane(&self.path, &self.home, arguments)
    }

    /// The same with what is kept and without.
    fn assert_same(&self, arguments: &[&str], what: &str) -> Finished {
        let kept = self.run(arguments);
        let fresh = self.run(&[arguments, &["--no-cache"]].concat());
        let text = |finished: &Finished| without_times(&String::from_utf8_lossy(&finished.stdout));
        assert_eq!(
            (kept.code, text(&kept), &kept.stderr),
            (fresh.code, text(&fresh), &fresh.stderr),
            "{arguments:?} after {what}"
        );
        kept
    }

    fn counters(&self, arguments: &[&str]) -> (usize, usize) {
        let finished = self.run(&[arguments, &["--counters"]].concat());
        assert_eq!(finished.code, Some(0), "{arguments:?}: {}", finished.stderr);
        let line = finished.stderr.lines().find(|line| line.starts_with("results: ")).expect("it was asked for");
        let numbers: Vec<usize> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
        (numbers[0], numbers[1])
    }

    fn edit(&self, path: &str, from: &str, to: &str) {
        let path = self.path.join(path);
        let text = fs::read_to_string(&path).expect("it is there");
        assert!(text.contains(from), "{} lacks {from}", path.display());
        fs::write(path, text.replace(from, to)).expect("it can be written");
    }

    fn commit(&self) {
        git(&self.path, &["add", "--all"]);
        git(&self.path, &["commit", "--quiet", "--allow-empty", "--message", "An edit"]);
    }

    fn results(&self) -> PathBuf {
        self.home.join(".cache/onepane/results")
    }
}

fn onepane(folder: &Path, home: &Path, arguments: &[&str]) -> Finished {
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    run(Path::new(env!("CARGO_BIN_EXE_onepane")), &arguments, folder, home).expect("it ends in time")
}

/// Reports tell how long it took.
fn without_times(text: &str) -> String {
    let keep = |line: &&str| !line.contains("\"milliseconds\"");
    text.lines().filter(keep).collect::<Vec<_>>().join("\n")
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files.extend(files_below(&entry.path())),
            _ => files.push(entry.path()),
        }
    }
    files.sort();
    files
}

#[test]
fn only_what_depends_on_an_edit_is_made_again() {
    let shop = Shop::new();
    assert_eq!(shop.counters(&["build"]), (0, 4));
    assert_eq!(shop.counters(&["build"]), (4, 0));
    // What is on disk is what was committed.
    assert_eq!(shop.counters(&["plan"]), (4, 0));
    let releases = shop.counters(&["render"]).1;
    assert!(releases > 3);
    assert_eq!(shop.counters(&["render"]), (releases, 0));
    // A group that two clusters inherit; their builds of before are kept.
    shop.edit("groups/prod/kustomization.yaml", "newTag: 1.4.2", "newTag: 1.4.3");
    assert_eq!(shop.counters(&["plan"]), (4, 2));
    assert_eq!(shop.counters(&["plan"]), (6, 0));
    assert_eq!(shop.counters(&["build"]), (4, 0));
    shop.commit();
    assert_eq!(shop.counters(&["plan"]), (4, 0));
    assert_eq!(shop.counters(&["plan", "HEAD~1..HEAD"]), (6, 0));
    // The values of one release.
    let values = shop.path.join("helm-charts/values/api.yaml");
    let text = fs::read_to_string(&values).expect("it is there");
    fs::write(&values, text + "# more to read\n").expect("it can be written");
    assert_eq!(shop.counters(&["render"]), (releases - 1, 1));
    assert_eq!(shop.counters(&["render"]), (releases, 0));
    // What somebody changed on disk is rendered again, since what is kept is not the files themselves.
    shop.edit("helm-charts/rendered/api/kustomization.yaml", "resources:", "resources: # mine");
    assert_eq!(shop.counters(&["render"]), (releases - 1, 1));
    // Nothing is kept where nobody wants that.
    assert_eq!(shop.counters(&["build", "--no-cache"]), (0, 0));
}

#[test]
fn whatever_is_edited_the_answers_are_those_of_a_cold_run() {
    edit_at_random(&Shop::new(), edits());
}

#[test]
fn whatever_is_edited_in_repositories_of_the_corpus_the_answers_are_those_of_a_cold_run() {
    match corpus("kustomize") {
        // There is far more to build.
        Ok(kustomize) => edit_at_random(&Shop::of_corpus(&kustomize), edits() / 3),
        Err(why) => eprintln!("skipped: {why}"),
    }
}

/// How many edits are made: more by .ci/run, and a thousand by hand.
fn edits() -> usize {
    std::env::var("ONEPANE_EDITS").ok().and_then(|count| count.parse().ok()).unwrap_or(60)
}

/// Edits any file in some way, and holds the answers against those of a cold run.
fn edit_at_random(shop: &Shop, edits: usize) {
    // Charts have the most files by far.
    let folders = ["clusters", "groups", "components", "helm-charts/rendered", "helm-charts", "onepane.yaml"];
    let files = folders.map(|folder| git(&shop.path, &["ls-files", folder]));
    let files: Vec<Vec<&str>> = files.iter().map(|files| files.lines().collect()).collect();
    let files: Vec<&Vec<&str>> = files.iter().filter(|files| !files.is_empty()).collect();
    let (mut random, mut changed, mut failed) = (Random(11), 0, 0);
    for edit in 0..edits {
        let files = files[random.below(files.len())];
        let name = files[random.below(files.len())];
        let path = shop.path.join(name);
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let lines: Vec<&str> = text.lines().collect();
        let at = random.below(lines.len().max(1));
        let line = lines.get(at).copied().unwrap_or_default();
        let what = match random.below(8) {
            0 => {
                fs::remove_file(&path).expect("it is there");
                format!("removing {name}")
            }
            1 => {
                let copy = path.with_file_name(format!("copy-{edit}.yaml"));
                fs::write(&copy, &text).expect("it can be written");
                format!("a copy of {name}")
            }
            kind => {
                let edited = match kind {
                    2 => String::new(),
                    3 => format!("{line}\n{line}"),
                    4 => format!("{line} # a comment"),
                    5 => line.replace(['0', '1', '2', '3'], "7"),
                    6 => line.replace(": ", ": x"),
                    _ => line.replacen(char::is_alphabetic, "z", 1),
                };
                let mut lines: Vec<&str> = lines.clone();
                if let Some(line) = lines.get_mut(at) {
                    *line = &edited;
                }
                fs::write(&path, lines.join("\n") + "\n").expect("it can be written");
                format!("line {} of {name}: {line:?} → {edited:?}", at + 1)
            }
        };
        if edit % 8 == 0 {
            shop.run(&["render"]);
        }
        let planned = shop.assert_same(&["plan", "--output", "json"], &what);
        shop.assert_same(&["render", "--check", "--output", "json"], &what);
        if planned.code == Some(0) && edit % 4 == 0 {
            // It stays, and what follows is compared with it.
            shop.commit();
            let between = shop.assert_same(&["plan", "HEAD~1..HEAD", "--output", "json"], &what);
            assert_eq!(between.code, Some(0));
            changed += usize::from(String::from_utf8_lossy(&between.stdout).contains("\"action\""));
            continue;
        }
        failed += usize::from(planned.code != Some(0));
        git(&shop.path, &["checkout", "--quiet", "--", "."]);
        git(&shop.path, &["clean", "--quiet", "--force", "-d"]);
    }
    println!("{edits} edits, {failed} of them not built, {changed} commits that change clusters");
    assert!(changed > edits / 40 && failed > edits / 40, "{changed} {failed}");
}

#[test]
fn twenty_processes_killed_at_random_and_flipped_bytes_give_no_wrong_answer() {
    let shop = Shop::new();
    let binary = Path::new(env!("CARGO_BIN_EXE_onepane"));
    let mut random = Random(3);
    let targets = ["dev", "prod-eu", "prod-us", "staging"];
    let expected: Vec<Vec<u8>> =
        targets.iter().map(|target| shop.run(&["build", target, "--no-cache"]).stdout).collect();
    let (mut ended, mut killed) = (0, 0);
    for _ in 0..5 {
        let start = |at: usize| {
            let mut command = Command::new(binary);
            command.args(["build", targets[at % 4]]).current_dir(&shop.path).env("HOME", &shop.home);
            command
                .env_remove("XDG_CACHE_HOME")
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("it starts")
        };
        let mut processes: Vec<_> = (0..20).map(|at| (at, start(at))).collect();
        let threads: Vec<_> = processes
            .iter_mut()
            .map(|(at, process)| {
                let mut output = process.stdout.take().expect("it is piped");
                (
                    *at,
                    std::thread::spawn(move || {
                        let mut bytes = Vec::new();
                        std::io::Read::read_to_end(&mut output, &mut bytes).map(|_| bytes)
                    }),
                )
            })
            .collect();
        // Some are ended midway, and files change under the others.
        for (at, process) in &mut processes {
            if *at % 3 == 0 {
                std::thread::sleep(std::time::Duration::from_millis(random.below(30) as u64));
                process.kill().expect("it was started here");
            }
        }
        for file in files_below(&shop.results()) {
            if let Ok(mut bytes) = fs::read(&file)
                && !bytes.is_empty()
                && random.below(3) == 0
            {
                let at = random.below(bytes.len());
                bytes[at] ^= 4;
                let _ = fs::write(file, bytes);
            }
        }
        for ((at, mut process), (_, thread)) in processes.into_iter().zip(threads) {
            let status = process.wait().expect("it was started here");
            let output = thread.join().expect("it only reads").expect("it can be read");
            if status.success() {
                assert!(output == expected[at % 4], "{}", targets[at % 4]);
                ended += 1;
            } else {
                assert_eq!(status.code(), None, "it fails by itself");
                killed += 1;
            }
        }
    }
    println!("{ended} ended with the right answer, {killed} were killed");
    assert!(ended > 50, "{ended}");
    for (target, expected) in targets.iter().zip(&expected) {
        assert!(shop.run(&["build", target]).stdout == *expected, "{target}");
    }
}

#[test]
fn a_folder_that_is_full_or_not_to_be_written_changes_no_answer() {
    let shop = Shop::new();
    let expected = shop.run(&["build", "dev", "--no-cache"]);
    assert_eq!(expected.code, Some(0), "{}", expected.stderr);
    let same = |what: &str| {
        for _ in 0..2 {
            let finished = shop.run(&["build", "dev"]);
            assert_eq!((finished.code, &finished.stderr), (Some(0), &String::new()), "{what}");
            assert!(finished.stdout == expected.stdout, "{what}");
        }
    };
    // A file is where the folder would be.
    let cache = shop.home.join(".cache");
    fs::write(&cache, "").expect("nothing is there");
    same("no folder");
    fs::remove_file(&cache).expect("it is there");
    fs::create_dir_all(shop.results()).expect("nothing is there");
    let results = shop.results();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=16k", "none"]).arg(&results).output();
    if mounted.is_ok_and(|mounted| mounted.status.success()) {
        same("a full disk");
        let status = Command::new("umount").arg(&results).status().expect("it was there to mount");
        assert!(status.success());
    } else {
        println!("SKIPPED a full disk: nothing may be mounted here");
    }
    same("a folder");
    assert!(!files_below(&results).is_empty());
}

#[test]
fn what_is_decrypted_or_secret_is_not_kept() {
    let shop = Shop::new();
    let planted = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: planted\n  namespace: shop\ndata:\n  key: seen-in-results\n";
    fs::write(shop.path.join("clusters/dev/planted.yaml"), planted).expect("it can be written");
    shop.edit("clusters/dev/kustomization.yaml", "resources:\n", "resources:\n  - planted.yaml\n");
    let holds_it = || {
        let files = files_below(&shop.results());
        files
            .iter()
            .filter_map(|file| fs::read(file).ok())
            .any(|bytes| bytes.windows(15).any(|window| window == b"seen-in-results"))
    };
    assert_eq!(shop.run(&["build", "dev", "--decrypt"]).code, Some(0));
    assert!(!holds_it(), "nothing of a build that decrypts");
    assert_eq!(shop.run(&["build", "dev"]).code, Some(0));
    assert!(holds_it(), "the test would see it");
    // Nobody else may look.
    #[cfg(unix)]
    for file in files_below(&shop.results()) {
        let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().expect("it is there").permissions());
        assert_eq!(mode & 0o077, 0, "{}", file.display());
    }
}
