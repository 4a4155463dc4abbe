//! `onepane src`: services as they are pinned, checked out and run.

use onepane_testkit::{Finished, git, run_with};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A repository with two services as submodules, and their own repositories beside it.
struct Lab {
    folder: TempDir,
    root: PathBuf,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let root = folder.path().join("company");
        for name in ["api", "web"] {
            let origin = folder.path().join(name);
            fs::create_dir(&origin).expect("nothing is there yet");
            git(&origin, &["init", "--quiet"]);
            for number in 1..=2 {
                commit(&origin, "main.txt", &format!("{name} {number}\n"), &format!("{name} number {number}"));
                git(&origin, &["tag", &format!("v1.{number}")]);
            }
        }
        fs::create_dir_all(root.join("clusters/dev")).expect("nothing is there yet");
        fs::write(root.join("clusters/dev/kustomization.yaml"), "resources: [pods.yaml]\n").expect("it can be written");
        let pod = |name: &str, image: &str| {
            format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec: {{containers: [{{name: a, image: \"{image}\"}}]}}\n"
            )
        };
        let pods = format!("{}---\n{}", pod("a", "example.com/shop/api:1.1"), pod("b", "example.com/shop/web:main"));
        fs::write(root.join("clusters/dev/pods.yaml"), pods).expect("it can be written");
        git(&root, &["init", "--quiet"]);
        for name in ["api", "web"] {
            git(&root, &["submodule", "--quiet", "add", &format!("../{name}"), &format!("src/{name}")]);
        }
        git(&root, &["add", "--all"]);
        git(&root, &["commit", "--quiet", "--message", "all"]);
        Self { folder, root }
    }

    fn onepane(&self, arguments: &[&str]) -> (Finished, String) {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let finished =
            run_with(Path::new(env!("CARGO_BIN_EXE_onepane")), &arguments, &self.root, self.folder.path(), &[]);
        let finished = finished.expect("it ends in time");
        let text = String::from_utf8_lossy(&finished.stdout).into_owned();
        (finished, text)
    }

    fn status(&self) -> Value {
        let (finished, text) = self.onepane(&["src", "status", "--output", "json"]);
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        serde_json::from_str(&text).expect("it is JSON")
    }

    fn service(&self, name: &str) -> PathBuf {
        self.root.join("src").join(name)
    }
}

fn commit(folder: &Path, file: &str, text: &str, message: &str) {
    fs::write(folder.join(file), text).expect("its folder is there");
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--message", message]);
}

#[test]
fn a_service_is_as_it_is_pinned_until_something_is_done_to_it() {
    let lab = Lab::new();
    let pin = git(&lab.service("api"), &["rev-parse", "HEAD"]);
    let status = lab.status();
    assert_eq!(
        status[0],
        json!({
            "name": "src/api", "path": "src/api", "url": "../api", "branch": null, "committed": pin, "pinned": pin,
            "here": {
                "commit": pin, "branch": "main", "tag": "v1.2", "dirty": false, "fromPin": {"ahead": 0, "behind": 0},
                "upstream": {"branch": "origin/main", "ahead": 0, "behind": 0}, "pushed": true,
            },
            "state": [],
            "runs": [{
                "image": "example.com/shop/api:1.1", "commit": git(&lab.service("api"), &["rev-parse", "v1.1"]),
                "clusters": ["dev"],
            }],
        })
    );
    assert_eq!(status[1]["runs"][0]["commit"], Value::Null, "a branch is no version");
    assert_eq!(lab.onepane(&["src", "status", "--exit-code"]).0.code, Some(0));

    let states = |lab: &Lab| -> Vec<String> {
        let status = lab.status();
        let words = status[0]["state"].as_array().expect("it is a list").clone();
        words.into_iter().filter_map(|word| word.as_str().map(str::to_owned)).collect()
    };
    commit(&lab.service("api"), "more.txt", "more", "more");
    assert_eq!(states(&lab), ["1 ahead of the pin", "not pushed", "1 ahead of origin/main"]);
    fs::write(lab.service("api").join("main.txt"), "changed").expect("it can be written");
    assert_eq!(states(&lab)[1], "files changed");
    // A new file alone changes nothing that is tracked.
    git(&lab.service("api"), &["checkout", "--quiet", "--force", "v1.1"]);
    fs::write(lab.service("api").join("untracked"), "").expect("it can be written");
    assert_eq!(states(&lab), ["1 behind the pin"]);
    git(&lab.root, &["add", "src/api"]);
    assert_eq!(states(&lab), [format!("the pin moved from {}, not committed", &pin[..8])]);
    assert_eq!(lab.onepane(&["src", "status", "--exit-code"]).0.code, Some(1));
    git(&lab.root, &["submodule", "--quiet", "deinit", "--force", "src/web"]);
    let (_, text) = lab.onepane(&["src", "status", "web"]);
    let row = text.lines().nth(1).expect("there is a row");
    assert!(row.starts_with("src/web") && row.contains("not checked out") && row.contains("main on dev"), "{text}");
    let (unknown, _) = lab.onepane(&["src", "status", "nothing"]);
    assert!(unknown.stderr.contains("there is no service `nothing`"), "{}", unknown.stderr);
}

#[test]
fn the_commits_between_two_pins_are_told() {
    let lab = Lab::new();
    let old = git(&lab.service("api"), &["rev-parse", "v1.1"]);
    git(&lab.service("api"), &["checkout", "--quiet", &old]);
    let (_, text) = lab.onepane(&["src", "log"]);
    assert!(text.starts_with("src/api  ") && text.contains("goes back"), "{text}");
    git(&lab.root, &["commit", "--quiet", "--all", "--message", "back"]);
    let (_, text) = lab.onepane(&["src", "log", "HEAD..HEAD~1"]);
    assert!(text.contains("1 commit\n") && text.contains("api number 2"), "{text}");
    assert_eq!(lab.onepane(&["src", "log", "HEAD..HEAD~1", "web"]).1, "");
    let (_, text) = lab.onepane(&["src", "log", "HEAD..HEAD~1", "--output", "json"]);
    let report: Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(report[0]["from"], Value::from(old), "{text}");
    assert_eq!(lab.onepane(&["src", "log"]).1, "");
    assert_ne!(lab.onepane(&["src", "log", "nowhere"]).0.code, Some(0));
}

#[test]
fn everything_is_searched_and_every_service_asked() {
    let lab = Lab::new();
    let (found, text) = lab.onepane(&["src", "grep", "^(api|image)|image: "]);
    assert_eq!(found.code, Some(0), "{}", found.stderr);
    assert!(text.contains("src/api/main.txt:1:api 2\n") && text.contains("clusters/dev/pods.yaml:4:"), "{text}");
    let (_, text) = lab.onepane(&["src", "grep", "-l", "-i", "WEB", "src"]);
    assert_eq!(text, "src/web/main.txt\n");
    assert_eq!(lab.onepane(&["src", "grep", "nowhere at all"]).0.code, Some(1));
    assert!(lab.onepane(&["src", "grep", "("]).0.stderr.contains("unclosed group"));

    let (asked, text) = lab.onepane(&["src", "foreach", "echo $sm_path $(git rev-parse HEAD) ${sha1}"]);
    let pins = ["api", "web"].map(|name| git(&lab.service(name), &["rev-parse", "HEAD"]));
    let expected = format!("src/api\nsrc/api {0} {0}\nsrc/web\nsrc/web {1} {1}\n", pins[0], pins[1]);
    assert_eq!((asked.code, text), (Some(0), expected), "{}", asked.stderr);
    let (asked, text) = lab.onepane(&["src", "foreach", "--service", "web", "git", "log", "-1", "--format=%s"]);
    assert_eq!((asked.code, text.as_str()), (Some(0), "src/web\nweb number 2\n"));
    let (asked, _) = lab.onepane(&["src", "foreach", "test $name = src/api"]);
    assert_eq!((asked.code, asked.stderr.trim()), (Some(1), "it failed in src/web"));
    let (asked, _) = lab.onepane(&["src", "foreach", "--", "no-such-program", "x"]);
    assert!(asked.code == Some(1) && asked.stderr.contains("can't be started"), "{}", asked.stderr);
}

#[test]
fn an_image_is_also_the_services_whose_repository_is_called_so() {
    let lab = Lab::new();
    git(&lab.root, &["mv", "src/web", "src/frontend"]);
    git(&lab.root, &["config", "user.name", "t"]);
    git(&lab.root, &["config", "user.email", "t@example.com"]);
    for (cluster, version) in [("dev", "1.2"), ("prod", "1.1")] {
        let path = lab.root.join("clusters").join(cluster);
        fs::create_dir_all(&path).expect("it can be made");
        let pods = ["api", "web", "redis"].map(|name| {
            let image = format!("example.com/shop/{name}:{version}");
            format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec: {{containers: [{{name: a, image: \"{image}\"}}]}}\n")
        });
        fs::write(path.join("pods.yaml"), pods.join("---\n")).expect("it can be written");
        fs::write(path.join("kustomization.yaml"), "resources: [pods.yaml]\n").expect("it can be written");
    }
    git(&lab.root, &["add", "--all"]);
    git(&lab.root, &["commit", "--quiet", "--message", "moved"]);
    let status = lab.status();
    assert_eq!(
        (&status[1]["path"], &status[1]["runs"][0]["image"]),
        (&"src/frontend".into(), &"example.com/shop/web:1.1".into())
    );
    // Named as the folder, as the image, and as everything that is a service's; what is none's is told.
    for named in [&["frontend"][..], &["src/frontend"], &["web"], &[]] {
        let (done, text) = lab.onepane(&[&["promote", "dev", "prod", "--dry-run"], named].concat());
        assert!(done.code == Some(0) && text.contains("shop/web:1.2"), "{text}{}", done.stderr);
        assert!(done.stderr.contains("web: 1.1 → 1.2") && done.stderr.contains("web number 2"), "{}", done.stderr);
        let told = "left out, since no service is called so: example.com/shop/redis; `--all-images`";
        assert_eq!(done.stderr.contains(told), named.is_empty(), "{}", done.stderr);
        assert!(!text.contains("redis"), "{text}");
    }
    let (done, _) = lab.onepane(&["promote", "dev", "prod", "--all-images"]);
    assert!(done.code == Some(0) && !done.stderr.contains("left out"), "{}", done.stderr);
    git(&lab.root, &["commit", "--quiet", "--all", "--message", "promoted"]);
    // Going back says what goes.
    let (back, _) = lab.onepane(&["rollback", "prod", "web"]);
    assert!(back.code == Some(0) && back.stderr.contains("    goes back, without\n    - "), "{}", back.stderr);
    assert!(back.stderr.contains("web number 2"), "{}", back.stderr);
    // An environment whose images are nobody's.
    fs::create_dir_all(lab.root.join("clusters/tools")).expect("it is new");
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: redis}]}\n";
    fs::write(lab.root.join("clusters/tools/pods.yaml"), pod).expect("it can be written");
    fs::write(lab.root.join("clusters/tools/kustomization.yaml"), "resources: [pods.yaml]\n")
        .expect("it can be written");
    let (done, _) = lab.onepane(&["promote", "tools", "prod"]);
    assert!(done.stderr.contains("no image is called as a service is: redis"), "{}", done.stderr);
    fs::write(lab.root.join("clusters/tools/kustomization.yaml"), "resources: []\n").expect("it can be written");
    let (done, _) = lab.onepane(&["promote", "tools", "prod"]);
    assert!(
        done.stderr.contains("no images are run there") && done.stderr.contains("`follow: flux`"),
        "{}",
        done.stderr
    );
}

#[test]
fn what_is_not_checked_out_is_told_of() {
    let lab = Lab::new();
    git(&lab.root, &["submodule", "--quiet", "deinit", "--force", "src/web"]);
    let (found, text) = lab.onepane(&["src", "grep", "web [0-9]"]);
    assert!(found.code == Some(1) && text.is_empty(), "{text}");
    assert_eq!(found.stderr, "not searched, since not checked out: src/web (`onepane src sync`)\n");
    let (found, _) = lab.onepane(&["src", "grep", "api", "src/api"]);
    assert!(found.code == Some(0) && found.stderr.is_empty(), "{}", found.stderr);
    let (found, _) = lab.onepane(&["src", "grep", "web", "src/web/main.txt"]);
    assert!(found.stderr.contains("src/web"), "{}", found.stderr);
    let (none, _) = lab.onepane(&["src", "checkout", "feature/x", "--offline"]);
    assert_eq!(none.code, Some(1), "{}", none.stderr);
    let told = "0 on `feature/x`, 1 without it, 1 not checked out (`onepane src sync` does that); `--create` begins it";
    assert!(none.stderr.contains(told), "{}", none.stderr);
}
