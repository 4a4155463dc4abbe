//! `onepane promote` and `onepane rollback`: versions carried by edits of just the lines that say them.

use onepane_testkit::{Finished, Random, git, run_with};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

struct Lab {
    folder: TempDir,
    root: PathBuf,
}

impl Lab {
    /// The example company.
    fn shop() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let lab = Self { root: folder.path().join("shop"), folder };
        let made = lab.onepane(lab.folder.path(), &["init", "--example", "shop"]);
        assert_eq!(made.code, Some(0), "{}", made.stderr);
        lab.identify();
        lab
    }

    /// Two clusters that run the services `s0`, `s1` and so on, the one in version 2 and the other in version 1.
    fn of(count: usize) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let root = folder.path().join("fleet");
        let pods: String = (0..count)
            .map(|number| {
                format!(
                    "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: s{number}}}\n\
                     spec: {{containers: [{{name: a, image: \"example.com/s{number}\"}}]}}\n"
                )
            })
            .collect();
        for (cluster, version) in [("a", 2), ("b", 1)] {
            let images: String = (0..count)
                .map(|number| format!("- name: example.com/s{number} # its own\n  newTag: \"{version}\"\n"))
                .collect();
            let path = root.join("clusters").join(cluster);
            fs::create_dir_all(&path).expect("nothing is there yet");
            fs::write(path.join("pods.yaml"), &pods).expect("it can be written");
            fs::write(path.join("kustomization.yaml"), format!("resources: [pods.yaml]\nimages:\n{images}"))
                .expect("it can be written");
        }
        let lab = Self { root, folder };
        git(&lab.root, &["init", "--quiet"]);
        lab.identify();
        git(&lab.root, &["add", "--all"]);
        git(&lab.root, &["commit", "--quiet", "--message", "all"]);
        lab
    }

    /// Two clusters, each with releases of its own of one chart for the services `s0`, `s1` and so on, that are rendered, the
    /// one in version 2 and the other in version 1.
    fn of_releases(count: usize) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let lab = Self { root: folder.path().join("fleet"), folder };
        let write = |path: &str, text: &str| {
            let path = lab.root.join(path);
            fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it can be made");
            fs::write(path, text).expect("it can be written");
        };
        let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: '{{ .Values.name }}'}\nspec:\n  containers:\n  - name: a\n    \
                   image: \"{{ .Values.image.repository }}:{{ .Values.image.tag }}\"\n";
        write("helm-charts/pod/Chart.yaml", "apiVersion: v2\nname: pod\nversion: 0.1.0\n");
        write("helm-charts/pod/templates/pod.yaml", pod);
        let mut state = "releases:\n".to_owned();
        for (cluster, version) in [("a", 2), ("b", 1)] {
            let mut resources = "resources:\n".to_owned();
            for number in 0..count {
                let name = format!("{cluster}-s{number}");
                state += &format!("- {{name: {name}, chart: ./pod, values: [values/{name}.yaml]}}\n");
                resources += &format!("- ../../helm-charts/rendered/{name}\n");
                let values = format!(
                    "name: s{number} # the service\nimage:\n  repository: example.com/s{number}\n  tag: '{version}'   # its own\n"
                );
                write(&format!("helm-charts/values/{name}.yaml"), &values);
            }
            write(&format!("clusters/{cluster}/kustomization.yaml"), &resources);
        }
        write("helm-charts/helmfile.yaml", &state);
        let (rendered, _) = lab.run(&["render"]);
        assert_eq!(rendered.code, Some(0), "{}", rendered.stderr);
        git(&lab.root, &["init", "--quiet"]);
        lab.identify();
        git(&lab.root, &["add", "--all"]);
        git(&lab.root, &["commit", "--quiet", "--message", "all"]);
        lab
    }

    /// Says who commits.
    fn identify(&self) {
        git(&self.root, &["config", "user.name", "t"]);
        git(&self.root, &["config", "user.email", "t@example.com"]);
    }

    fn onepane(&self, folder: &Path, arguments: &[&str]) -> Finished {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let binary = Path::new(env!("CARGO_BIN_EXE_onepane"));
        run_with(binary, &arguments, folder, self.folder.path(), &[]).expect("it ends in time")
    }

    fn run(&self, arguments: &[&str]) -> (Finished, String) {
        let finished = self.onepane(&self.root, arguments);
        let text = String::from_utf8_lossy(&finished.stdout).into_owned();
        (finished, text)
    }

    fn images(&self, cluster: &str) -> Vec<String> {
        let (built, text) = self.run(&["build", cluster, "--no-cache"]);
        assert_eq!(built.code, Some(0), "{}", built.stderr);
        let images = text.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("image: "));
        let mut images: Vec<String> = images.map(|image| image.trim_matches('"').to_owned()).collect();
        images.sort();
        images.dedup();
        images
    }

    /// How many lines came and went in which file, since the last commit.
    fn changed(&self) -> Vec<String> {
        git(&self.root, &["diff", "--numstat"]).lines().map(|line| line.replace('\t', " ")).collect()
    }
}

#[test]
fn an_environment_gets_what_another_one_runs() {
    let lab = Lab::shop();
    let prod = lab.images("prod-us");
    // The lines in groups/prod are for both clusters of production.
    let (shown, text) = lab.run(&["promote", "staging", "prod-us", "api", "--dry-run"]);
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    assert!(text.contains("clusters/prod-us") && !text.contains("clusters/prod-eu"), "{text}");
    assert!(shown.stderr.contains("Promote api from staging to prod-us\n"), "{}", shown.stderr);
    assert!(shown.stderr.contains("api: 1.4.2 → 1.5.0-rc.2 (clusters/prod-us/kustomization.yaml)"), "{}", shown.stderr);
    assert_eq!(lab.changed(), Vec::<String>::new());
    let (done, _) = lab.run(&["promote", "staging", "prod-us", "src/api"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert_eq!(lab.changed(), ["3 0 clusters/prod-us/kustomization.yaml"]);
    let api = "registry.shop.example.com/api:1.5.0-rc.2".to_owned();
    assert!(lab.images("prod-us").contains(&api) && !lab.images("prod-eu").contains(&api));
    let (again, text) = lab.run(&["promote", "staging", "prod-us", "api"]);
    assert!(again.code == Some(0) && again.stderr.contains("runs these versions already") && text.is_empty());

    // It is rolled back to what the last commit has.
    let (back, _) = lab.run(&["rollback", "prod-us"]);
    assert_eq!(back.code, Some(0), "{}", back.stderr);
    assert_eq!(lab.images("prod-us"), prod);
    git(&lab.root, &["checkout", "--quiet", "."]);

    // A group is changed where it says so, for all of its clusters.
    let (done, text) = lab.run(&["promote", "staging", "groups/prod", "--exit-code"]);
    assert_eq!(done.code, Some(2), "{}", done.stderr);
    assert!(text.contains("prod-us") && text.contains("prod-eu"), "{text}");
    assert_eq!(lab.changed(), ["2 2 groups/prod/kustomization.yaml"]);
    assert!(lab.images("prod-us").contains(&api) && lab.images("prod-eu").contains(&api));
    let (lost, _) = lab.run(&["promote", "staging", "prod-us", "grafan"]);
    assert!(lost.code == Some(1) && lost.stderr.contains("no image of `grafan` is run there"), "{}", lost.stderr);
    assert!(lost.stderr.contains("the images there are: registry.shop.example.com/"), "{}", lost.stderr);
    let (same, _) = lab.run(&["promote", "staging", "clusters/staging"]);
    assert!(same.code == Some(1) && same.stderr.contains("are the same environment"), "{}", same.stderr);
    let (lost, _) = lab.run(&["promote", "nowhere", "prod-us"]);
    assert!(lost.stderr.contains("there is no cluster or folder `nowhere`"), "{}", lost.stderr);
}

#[test]
fn a_line_of_a_clusters_own_is_changed_in_place() {
    let lab = Lab::of(3);
    let (done, _) = lab.run(&["promote", "a", "b", "s1"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert_eq!(lab.changed(), ["1 1 clusters/b/kustomization.yaml"]);
    let text = fs::read_to_string(lab.root.join("clusters/b/kustomization.yaml")).expect("it is there");
    assert!(text.contains("- name: example.com/s1 # its own\n  newTag: \"2\"\n"), "{text}");
    assert_eq!(lab.images("b"), ["example.com/s0:1", "example.com/s1:2", "example.com/s2:1"]);
    git(&lab.root, &["commit", "--quiet", "--all", "--message", "s1"]);
    let (back, _) = lab.run(&["rollback", "b"]);
    assert_eq!(back.code, Some(0), "{}", back.stderr);
    assert_eq!(lab.images("b"), ["example.com/s0:1", "example.com/s1:1", "example.com/s2:1"]);
    let (nowhere, _) = lab.run(&["rollback", "a"]);
    assert!(nowhere.code == Some(1) && nowhere.stderr.contains("ran nothing else"), "{}", nowhere.stderr);
}

#[test]
fn many_who_promote_on_one_branch_lose_nothing() {
    // Fifty by hand.
    let count = std::env::var("ONEPANE_PROMOTERS").ok().and_then(|count| count.parse().ok()).unwrap_or(12);
    let lab = Lab::of(count);
    let head = git(&lab.root, &["rev-parse", "HEAD"]);
    let names: Vec<String> = (0..count).map(|number| format!("s{number}")).collect();
    std::thread::scope(|scope| {
        for name in &names {
            let lab = &lab;
            scope.spawn(move || {
                let (done, text) = lab.run(&["promote", "a", "b", name, "--branch", "next", "--no-cache"]);
                assert_eq!(done.code, Some(0), "{text}{}", done.stderr);
            });
        }
    });
    assert_eq!(git(&lab.root, &["rev-list", "--count", &format!("{head}..next")]), count.to_string());
    let mut titles: Vec<String> =
        git(&lab.root, &["log", "--format=%s", &format!("{head}..next")]).lines().map(str::to_owned).collect();
    titles.sort();
    let mut expected: Vec<String> = names.iter().map(|name| format!("Promote {name} from a to b")).collect();
    expected.sort();
    assert_eq!(titles, expected);
    assert_eq!(
        git(&lab.root, &["diff", "--numstat", &head, "next"]),
        format!("{count}\t{count}\tclusters/b/kustomization.yaml")
    );
    // Each commit is one line, and the checkout is as it was.
    for commit in git(&lab.root, &["rev-list", &format!("{head}..next")]).lines() {
        let lines = git(&lab.root, &["diff", "--numstat", &format!("{commit}~1"), commit]);
        assert_eq!(lines, "1\t1\tclusters/b/kustomization.yaml");
    }
    assert_eq!(git(&lab.root, &["status", "--short"]), "");
    git(&lab.root, &["fsck", "--strict"]);
    let (refused, _) = lab.run(&["promote", "a", "b", "s0", "--branch", "main"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("is checked out"), "{}", refused.stderr);
    let (refused, _) = lab.run(&["promote", "a", "b", "s0", "--branch", "no..name"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("no name of a branch"), "{}", refused.stderr);
}

#[test]
fn a_line_of_values_is_changed_in_place_and_its_release_rendered() {
    let lab = Lab::of_releases(3);
    let (done, _) = lab.run(&["promote", "a", "b", "s1"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(done.stderr.contains("s1: 1 → 2 (helm-charts/values/b-s1.yaml)"), "{}", done.stderr);
    assert_eq!(lab.changed(), ["1 1 helm-charts/rendered/b-s1/pod-s1.yaml", "1 1 helm-charts/values/b-s1.yaml"]);
    let text = fs::read_to_string(lab.root.join("helm-charts/values/b-s1.yaml")).expect("it is there");
    assert!(text.contains("\n  tag: '2'   # its own\n"), "{text}");
    assert_eq!(lab.images("b"), ["example.com/s0:1", "example.com/s1:2", "example.com/s2:1"]);
    assert_eq!(lab.run(&["render", "--check"]).0.code, Some(0));
    // On a branch, on top of a commit.
    git(&lab.root, &["checkout", "--quiet", "."]);
    let (done, _) = lab.run(&["promote", "a", "b", "--branch", "next"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let lines = git(&lab.root, &["diff", "--numstat", "HEAD", "next"]);
    assert_eq!(lines.lines().count(), 6, "{lines}");
    assert!(lines.lines().all(|line| line.starts_with("1\t1\thelm-charts/")), "{lines}");
    // What is not rendered as it would be is left alone, and told of.
    fs::write(lab.root.join("helm-charts/rendered/b-s1/old.yaml"), "kind: Old\n").expect("it can be written");
    let (done, _) = lab.run(&["promote", "a", "b", "s1"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(
        done.stderr.contains("the lines that say another version are left alone: what is on disk is not"),
        "{}",
        done.stderr
    );
    assert_eq!(lab.changed(), ["3 0 clusters/b/kustomization.yaml"]);
}

/// Values in an Application as a text, as a mapping and as parameters, and its `images`; in each environment another way.
#[test]
fn versions_that_applications_say_are_carried_and_brought_back() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let lab = Lab { root: folder.path().join("fleet"), folder };
    let write = |path: &str, text: &str| {
        let path = lab.root.join(path);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("folders can be made");
        fs::write(path, text).expect("files can be written");
    };
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: s0}\nspec: {containers: [{name: a, image: IMAGE}]}\n";
    write(
        "onepane.yaml",
        "follow: argocd\nrepository: https://example.com/o/r\nclusters: {a: apps/a, b: apps/b, c: apps/c, d: apps/d}\n",
    );
    write("chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 0.1.0\n");
    write("chart/values.yaml", "tag: none\n");
    write("chart/templates/pod.yaml", &pod.replace("IMAGE", "'example.com/s0:{{ .Values.tag }}'"));
    write("tree/kustomization.yaml", "resources: [pod.yaml]\n");
    write("tree/pod.yaml", &pod.replace("IMAGE", "example.com/s0"));
    let application = |cluster: &str, path: &str, more: &str| {
        let text = format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: s, namespace: argocd}}\nspec:\n  destination: \
             {{namespace: shop}}\n  source:\n    repoURL: git@example.com:o/r.git\n    path: {path}\n{more}"
        );
        write(&format!("apps/{cluster}/s.yaml"), &text);
        write(&format!("apps/{cluster}/kustomization.yaml"), "resources: [s.yaml]\n");
    };
    application("a", "chart", "    helm:\n      valuesObject: {tag: \"2\"}\n");
    application("b", "chart", "    helm:\n      values: |\n        # of b\n        tag: \"1\" # now\n");
    application("c", "chart", "    helm:\n      parameters:\n      - {name: tag, value: '1', forceString: true}\n");
    application("d", "tree", "    kustomize:\n      images: ['example.com/s0:1']\n");
    git(&lab.root, &["init", "--quiet"]);
    lab.identify();
    git(&lab.root, &["add", "--all"]);
    git(&lab.root, &["commit", "--quiet", "--message", "all"]);
    for (to, old, new) in [
        ("b", "tag: \"1\" # now", "tag: \"2\" # now"),
        ("c", "value: '1'", "value: '2'"),
        ("d", "example.com/s0:1", "example.com/s0:2"),
    ] {
        let file = lab.root.join(format!("apps/{to}/s.yaml"));
        let before = fs::read_to_string(&file).expect("it is there");
        let (done, _) = lab.run(&["promote", "a", to]);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        assert!(done.stderr.contains(&format!("s0: 1 → 2 (apps/{to}/s.yaml)")), "{}", done.stderr);
        assert_eq!(lab.changed(), [format!("1 1 apps/{to}/s.yaml")]);
        assert_eq!(fs::read_to_string(&file).expect("it is there"), before.replace(old, new), "{to}");
        git(&lab.root, &["commit", "--quiet", "--all", "--message", "promoted"]);
        let (back, _) = lab.run(&["rollback", to]);
        assert_eq!(back.code, Some(0), "{}", back.stderr);
        assert_eq!(fs::read_to_string(&file).expect("it is there"), before, "{to}");
        git(&lab.root, &["checkout", "--quiet", "."]);
    }
}

/// At random moments: what is written is all of it, or nothing, once somebody has come after.
#[test]
fn one_that_is_killed_while_it_writes_is_completed_or_taken_back_by_the_next() {
    const COUNT: usize = 6;
    let lab = Lab::of_releases(COUNT);
    let mut random = Random(11);
    let command = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onepane"));
        command.args(["promote", "a", "b", "--no-cache"]).current_dir(&lab.root).env("HOME", lab.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let begin = Instant::now();
    assert!(command().status().expect("it can be started").success());
    let whole = begin.elapsed();
    assert_eq!(lab.changed().len(), 2 * COUNT);
    let mut outcomes = [0, 0];
    for _ in 0..30 {
        git(&lab.root, &["checkout", "--quiet", "."]);
        let mut child = command().spawn().expect("it can be started");
        // Nearly all of the time it does not write.
        let after = whole.as_micros() as usize * (random.below(400) + 700) / 1000;
        std::thread::sleep(Duration::from_micros(after as u64));
        let _ = child.kill();
        child.wait().expect("it is ours");
        let (next, _) = lab.run(&["promote", "a", "b", "--dry-run"]);
        assert_eq!(next.code, Some(0), "{}", next.stderr);
        let changed = lab.changed();
        assert!(changed.is_empty() || changed.len() == 2 * COUNT, "{changed:?}");
        assert_eq!(git(&lab.root, &["status", "--short", "--untracked-files"]).lines().count(), changed.len());
        outcomes[usize::from(changed.is_empty())] += 1;
    }
    println!("{} were done, {} were not", outcomes[0], outcomes[1]);
    assert!(!lab.root.join(".git/onepane/edit/note").exists());
}
