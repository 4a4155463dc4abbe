//! `onepane src pin` and `onepane bump`, against a real registry.

use onepane_testkit::{Doors, Finished, Registry, git, run_with};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A registry, and a repository with the services `api` and `web` whose images are there.
struct Lab {
    folder: TempDir,
    root: PathBuf,
    registry: Registry,
}

impl Lab {
    /// `None`, and a line that says so, where there is no registry.
    fn new() -> Option<Self> {
        let registry = Registry::start(Doors::default())?;
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let lab = Self { root: folder.path().join("company"), folder, registry };
        lab.fill();
        Some(lab)
    }

    /// Services with three commits each, tagged v1.0.0 and so on; images of the first two.
    fn fill(&self) {
        fs::create_dir_all(self.root.join("clusters/dev")).expect("nothing is there yet");
        let (mut pods, mut images) = (String::new(), String::new());
        for name in ["api", "web"] {
            let origin = self.folder.path().join(name);
            fs::create_dir(&origin).expect("nothing is there yet");
            git(&origin, &["init", "--quiet", "--initial-branch", "main"]);
            for number in 0..3 {
                fs::write(origin.join("main.txt"), format!("{number}\n")).expect("it can be written");
                git(&origin, &["add", "--all"]);
                git(&origin, &["commit", "--quiet", "--message", &format!("{name} number {number}")]);
                git(&origin, &["tag", &format!("v1.{number}.0")]);
                if number < 2 {
                    self.push_image(name, &format!("1.{number}.0"), &git(&origin, &["rev-parse", "HEAD"]));
                }
            }
            let image = format!("{}/shop/{name}", self.registry.host);
            pods += &format!(
                "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec: {{containers: [{{name: a, image: \"{image}\"}}]}}\n"
            );
            images += &format!("- name: {image} # of {name}\n  newTag: 1.0.0\n");
        }
        fs::write(self.root.join("clusters/dev/pods.yaml"), pods).expect("it can be written");
        let text = format!("resources: [pods.yaml]\nimages:\n{images}");
        fs::write(self.root.join("clusters/dev/kustomization.yaml"), text).expect("it can be written");
        git(&self.root, &["init", "--quiet", "--initial-branch", "main"]);
        git(&self.root, &["config", "user.name", "t"]);
        git(&self.root, &["config", "user.email", "t@example.com"]);
        for name in ["api", "web"] {
            git(&self.root, &["submodule", "--quiet", "add", &format!("../{name}"), &format!("src/{name}")]);
            git(&self.root.join("src").join(name), &["checkout", "--quiet", "v1.0.0"]);
        }
        self.commit("all");
    }

    fn commit(&self, message: &str) {
        git(&self.root, &["add", "--all"]);
        git(&self.root, &["commit", "--quiet", "--message", message]);
    }

    /// An image made of a commit.
    fn push_image(&self, name: &str, tag: &str, revision: &str) -> String {
        self.registry.push_image(&format!("shop/{name}"), tag, revision)
    }

    fn arguments(&self, arguments: &[&str]) -> Vec<String> {
        arguments.iter().map(|&argument| argument.to_owned()).collect()
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        let binary = Path::new(env!("CARGO_BIN_EXE_onepane"));
        run_with(binary, &self.arguments(arguments), &self.root, self.folder.path(), &[]).expect("it ends in time")
    }

    fn done(&self, arguments: &[&str]) -> String {
        let finished = self.run(arguments);
        assert_eq!(finished.code, Some(0), "{}{}", String::from_utf8_lossy(&finished.stdout), finished.stderr);
        finished.stderr
    }

    fn refused(&self, arguments: &[&str], words: &str) {
        let finished = self.run(arguments);
        assert!(finished.code == Some(1) && finished.stderr.contains(words), "{words}: {}", finished.stderr);
    }

    fn revision(&self, service: &str, revision: &str) -> String {
        git(&self.folder.path().join(service), &["rev-parse", revision])
    }

    /// The commit that a service is pinned to: in the index, or in a commit.
    fn pin(&self, service: &str, tree: &str) -> String {
        let path = format!("src/{service}");
        let listed = match tree {
            "" => git(&self.root, &["ls-files", "--stage", &path]),
            tree => git(&self.root, &["ls-tree", tree, &path]),
        };
        listed.split_whitespace().find(|word| word.len() == 40).expect("it is pinned").to_owned()
    }

    fn images(&self) -> String {
        fs::read_to_string(self.root.join("clusters/dev/kustomization.yaml")).expect("it is there")
    }
}

#[test]
fn a_pin_takes_commit_and_image_together() {
    let Some(lab) = Lab::new() else { return };
    let said = lab.done(&["src", "pin", "api=v1.1.0", "web=v1.1.0", "--in", "dev", "--branch", "next"]);
    assert!(said.contains("Pin api, web, also in dev") && said.contains("api number 1"), "{said}");
    assert_eq!(git(&lab.root, &["status", "--short"]), "");
    assert_eq!(lab.pin("api", "next"), lab.revision("api", "v1.1.0"));
    assert_eq!(lab.pin("web", "next"), lab.revision("web", "v1.1.0"));
    assert_eq!(
        git(&lab.root, &["diff", "--numstat", "main", "next"]),
        "2\t2\tclusters/dev/kustomization.yaml\n1\t1\tsrc/api\n1\t1\tsrc/web"
    );
    assert_eq!(git(&lab.root, &["rev-list", "--count", "main..next"]), "1");

    // On disk: the line and the index.
    lab.done(&["src", "pin", "api=v1.1.0", "--in", "dev"]);
    assert_eq!(lab.pin("api", ""), lab.revision("api", "v1.1.0"));
    assert!(
        lab.images().contains("# of api\n  newTag: 1.1.0\n") && lab.images().contains("# of web\n  newTag: 1.0.0\n")
    );
    let said = lab.done(&["src", "pin", "api=v1.1.0", "--in", "dev"]);
    assert!(said.contains("runs these versions already"), "{said}");

    // What does not belong together, is not there, or goes back.
    lab.refused(&["src", "pin", "api=v1.2.0", "--in", "dev"], "is tagged as the commit");
    lab.push_image("api", "1.2.0", &lab.revision("api", "v1.1.0"));
    lab.refused(&["src", "pin", "api=v1.2.0", "--in", "dev"], "was made of the commit");
    let digest = lab.push_image("api", "1.2.0", &lab.revision("api", "v1.2.0"));
    lab.refused(&["src", "pin", "api=v1.0.0", "--in", "dev"], "would go backwards");
    lab.refused(&["src", "pin", "api=v7"], "is no commit, tag or branch");
    lab.refused(&["src", "pin", "apx"], "there is no service `apx`");
    lab.done(&["src", "pin", "api=v1.2.0", "--in", "dev", "--digest"]);
    assert!(lab.images().contains(&digest), "{}", lab.images());
    // Where somebody was quicker with a newer one, that stays.
    let said = lab.done(&["src", "pin", "api=v1.0.0", "--in", "dev", "--keep-newer"]);
    assert!(said.contains("src/api is pinned to a newer commit") && said.contains("dev runs these"), "{said}");
    let said = lab.done(&["src", "pin", "api=v1.0.0", "--keep-newer"]);
    assert!(said.contains("src/api is pinned to a newer commit"), "{said}");
    assert_eq!(lab.pin("api", ""), lab.revision("api", "v1.2.0"));
    assert!(lab.images().contains(&digest), "{}", lab.images());
    // What nobody can tell is not guessed.
    let unknown = "1234567890123456789012345678901234567890";
    git(&lab.root, &["update-index", "--cacheinfo", &format!("160000,{unknown},src/api")]);
    lab.refused(&["src", "pin", "api=v1.2.0", "--in", "dev", "--keep-newer"], "which its clone here does not have");
    git(&lab.root, &["update-index", "--cacheinfo", &format!("160000,{},src/api", lab.revision("api", "v1.2.0"))]);
    lab.done(&["src", "pin", "api=v1.0.0", "--in", "dev", "--allow-older"]);
    assert_eq!(lab.pin("api", ""), lab.revision("api", "v1.0.0"));

    // A commit that nobody else has.
    let service = lab.root.join("src/web");
    git(&service, &["commit", "--quiet", "--allow-empty", "--message", "mine"]);
    lab.refused(&["src", "pin", "web"], "is on no remote");
    assert_eq!(lab.pin("web", ""), lab.revision("web", "v1.0.0"));
    let said = lab.done(&["src", "pin", "web=main"]);
    assert!(said.contains("web number 2"), "{said}");
    assert_eq!(lab.pin("web", ""), lab.revision("web", "v1.2.0"));
}

#[test]
fn a_pin_changes_the_lines_of_patches_and_applications() {
    let Some(lab) = Lab::new() else { return };
    let host = lab.registry.host.clone();
    let patch = format!(
        "resources: [pods.yaml]\npatches:\n- patch: |-\n    apiVersion: v1\n    kind: Pod\n    metadata: {{name: api}}\n    spec:\n      \
         containers:\n      - name: a\n        image: {host}/shop/api:1.0.0 # ours\n"
    );
    fs::write(lab.root.join("clusters/dev/kustomization.yaml"), &patch).expect("it can be written");
    lab.commit("a patch");
    lab.done(&["src", "pin", "api=v1.1.0", "--in", "dev"]);
    assert_eq!(lab.images(), patch.replace("api:1.0.0 ", "api:1.1.0 "));
    lab.commit("pinned");
    lab.push_image("api", "1.2.0", &lab.revision("api", "v1.2.0"));
    lab.done(&["bump", "api", "--in", "dev"]);
    assert_eq!(lab.images(), patch.replace("api:1.0.0 ", "api:1.2.0 "));

    // An Application says it.
    let write = |path: &str, text: &str| {
        let path = lab.root.join(path);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("folders can be made");
        fs::write(path, text).expect("it can be written");
    };
    write("onepane.yaml", "follow: argocd\nrepository: https://example.com/o/r\n");
    write("tree/kustomization.yaml", "resources: [pod.yaml]\n");
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec: {{containers: [{{name: a, image: '{host}/shop/web'}}]}}\n"
    );
    write("tree/pod.yaml", &pod);
    let application = format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: web, namespace: argocd}}\nspec:\n  source:\n    repoURL: \
         https://example.com/o/r\n    path: tree\n    kustomize:\n      images:\n      - {host}/shop/web:1.0.0 # now\n"
    );
    write("clusters/prod/web.yaml", &application);
    write("clusters/prod/kustomization.yaml", "resources: [web.yaml]\n");
    lab.commit("an application");
    lab.done(&["src", "pin", "web=v1.1.0", "--in", "prod"]);
    let text = fs::read_to_string(lab.root.join("clusters/prod/web.yaml")).expect("it is there");
    assert_eq!(text, application.replace("web:1.0.0", "web:1.1.0"));
    assert_eq!(lab.pin("web", ""), lab.revision("web", "v1.1.0"));
}

#[test]
fn an_environment_gets_the_newest_images_and_never_older_ones() {
    let Some(lab) = Lab::new() else { return };
    lab.push_image("api", "2.0.0-rc.1", &lab.revision("api", "v1.2.0"));
    let said = lab.done(&["bump", "--in", "dev"]);
    assert!(said.contains("Bump api, web in dev"), "{said}");
    assert!(lab.images().contains("# of api\n  newTag: 1.1.0\n"), "{}", lab.images());
    assert_eq!(lab.pin("api", ""), lab.revision("api", "v1.1.0"));
    assert_eq!(git(&lab.root, &["diff", "--numstat", "--", "clusters"]), "2\t2\tclusters/dev/kustomization.yaml");
    lab.commit("bumped");
    let said = lab.done(&["bump", "--in", "dev"]);
    assert!(said.contains("runs these versions already"), "{said}");
    // By other policies.
    lab.done(&["bump", "api", "--in", "dev", "--semver", ">=1.0.0-0"]);
    assert!(lab.images().contains("newTag: 2.0.0-rc.1\n"), "{}", lab.images());
    lab.commit("a candidate");
    lab.push_image("web", "main-aa-9", &lab.revision("web", "v1.2.0"));
    lab.push_image("web", "main-bb-10", &lab.revision("web", "v1.2.0"));
    let filter = ["--numerical", "--filter-tags", "^main-[a-f]+-(?P<n>[0-9]+)$", "--extract", "$n"];
    lab.done(&[&["bump", "web", "--in", "dev", "--digest"], &filter[..]].concat());
    assert!(
        lab.images().contains("newTag: main-bb-10\n") && lab.images().contains("digest: sha256:"),
        "{}",
        lab.images()
    );
    assert_eq!(lab.pin("web", ""), lab.revision("web", "v1.2.0"));
    // A registry that has lost the tag that runs changes nothing.
    lab.commit("main");
    assert!(
        lab.registry.ask("DELETE", "/v2/shop/web/manifests/main-bb-10", "", "").0 >= 400,
        "deleting is not allowed there"
    );
    lab.refused(&["bump", "apx", "--in", "dev"], "no image of `apx` is run there");
    lab.refused(&["bump", "api"], "an environment, which is not named");
    // A service that no tag is right for is run all the same, and no registry is asked without a pause.
    let said = lab.done(&["bump", "api", "--in", "dev", "--semver", "^9"]);
    assert!(said.contains("none of the ") && said.contains("runs these versions already"), "{said}");
    assert_eq!(lab.run(&["bump", "--in", "dev", "--watch", "0s"]).code, Some(2));
    lab.refused(&["bump", "--in", "dev", "--semver", "newest"], "is no range of versions");
}

#[test]
fn lines_follow_the_policies_of_flux() {
    let Some(lab) = Lab::new() else { return };
    lab.refused(&["bump"], "no line follows an image policy");
    let flux = |name: &str, policy: &str| {
        format!(
            "---\napiVersion: image.toolkit.fluxcd.io/v1beta2\nkind: ImageRepository\nmetadata: {{name: {name}, namespace: flux-system}}\n\
             spec: {{image: {}/shop/{name}, interval: 1m}}\n---\napiVersion: image.toolkit.fluxcd.io/v1beta2\nkind: ImagePolicy\n\
             metadata: {{name: {name}, namespace: flux-system}}\nspec:\n  imageRepositoryRef: {{name: {name}}}\n  policy: {policy}\n",
            lab.registry.host
        )
    };
    let policies = flux("api", "{semver: {range: 1.x}}") + &flux("web", "{alphabetical: {order: desc}}");
    fs::create_dir_all(lab.root.join("components/automation")).expect("nothing is there yet");
    fs::write(lab.root.join("components/automation/policies.yaml"), policies).expect("it can be written");
    fs::create_dir_all(lab.root.join("helm-charts/values")).expect("nothing is there yet");
    let values = format!(
        "# of the shop\napi:\n  image: {}/shop/api:1.0.0   # {{\"$imagepolicy\": \"flux-system:api\"}}\nweb:\n    tag: '0.9'  # {{\"$imagepolicy\": \"flux-system:web:tag\"}}\n",
        lab.registry.host
    );
    fs::write(lab.root.join("helm-charts/values/shop.yaml"), &values).expect("it can be written");
    let marked =
        lab.images().replacen("newTag: 1.0.0\n", "newTag: 1.0.0 # {\"$imagepolicy\": \"flux-system:api:tag\"}\n", 1);
    fs::write(lab.root.join("clusters/dev/kustomization.yaml"), marked).expect("it can be written");
    lab.commit("policies");
    let said = lab.done(&["bump", "--branch", "images"]);
    assert!(
        said.contains("Bump api, web") && said.contains("/shop/api:1.1.0 (clusters/dev/kustomization.yaml)"),
        "{said}"
    );
    assert_eq!(
        git(&lab.root, &["diff", "--numstat", "main", "images"]),
        "1\t1\tclusters/dev/kustomization.yaml\n2\t2\thelm-charts/values/shop.yaml"
    );
    let new = git(&lab.root, &["show", "images:helm-charts/values/shop.yaml"]);
    let expected = values.replace("api:1.0.0 ", "api:1.1.0 ").replace("'0.9'", "'1.0.0'");
    assert_eq!(new, expected.trim_end());
    let said = lab.done(&["bump", "--branch", "images"]);
    assert!(said.contains("say what is the newest"), "{said}");
    // A policy of another namespace follows what lets that in, as Flux has it.
    let path = lab.root.join("components/automation/policies.yaml");
    let policies = fs::read_to_string(&path).expect("it is there");
    let apart = policies.replace(
        "kind: ImagePolicy\nmetadata: {name: api, namespace: flux-system}\nspec:\n  imageRepositoryRef: {name: api}",
        "kind: ImagePolicy\nmetadata: {name: api, namespace: apps}\nspec:\n  imageRepositoryRef: {name: api, namespace: flux-system}",
    );
    assert_ne!(policies, apart);
    fs::write(&path, &apart).expect("it can be written");
    let file = lab.root.join("clusters/dev/kustomization.yaml");
    let text = fs::read_to_string(&file).expect("it is there").replace("flux-system:api:tag", "apps:api:tag");
    fs::write(&file, text).expect("it can be written");
    let said = lab.done(&["bump", "--dry-run"]);
    assert!(said.contains("`apps:api` is not followed") && said.contains("`accessFrom`"), "{said}");
    assert!(!said.contains("clusters/dev/kustomization.yaml"), "{said}");
    let open = apart.replacen(
        "interval: 1m}",
        "interval: 1m, accessFrom: {namespaceSelectors: [{matchLabels: {team: shop}}]}}",
        1,
    );
    let namespace = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: apps, labels: {team: shop}}\n";
    fs::write(&path, open + namespace).expect("it can be written");
    let said = lab.done(&["bump", "--dry-run"]);
    assert!(
        !said.contains("not followed") && said.contains("/shop/api:1.1.0 (clusters/dev/kustomization.yaml)"),
        "{said}"
    );
}

#[test]
fn a_watch_goes_on_and_loses_nothing() {
    let Some(lab) = Lab::new() else { return };
    git(lab.folder.path(), &["init", "--quiet", "--bare", "--initial-branch", "main", "served.git"]);
    git(&lab.root, &["remote", "add", "origin", "../served.git"]);
    git(&lab.root, &["push", "--quiet", "origin", "main"]);
    let served = lab.folder.path().join("served.git");
    let mut watching = Command::new(env!("CARGO_BIN_EXE_onepane"))
        .args(["bump", "--in", "dev", "--push", "--watch", "1s"])
        .current_dir(&lab.root)
        .env("HOME", lab.folder.path())
        .stdout(Stdio::null())
        .stderr(fs::File::create(lab.folder.path().join("said")).expect("it can be made"))
        .spawn()
        .expect("it can be started");
    let count = |wanted: usize| {
        let start = Instant::now();
        let found = || git(&served, &["rev-list", "--count", "main"]).parse::<usize>().expect("it is a number");
        while found() < wanted && start.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(50));
        }
        let said = fs::read_to_string(lab.folder.path().join("said")).unwrap_or_default();
        assert_eq!(found(), wanted, "{}", said.chars().take(4000).collect::<String>());
    };
    count(2);
    // Somebody else commits meanwhile.
    let other = lab.folder.path().join("other");
    git(lab.folder.path(), &["clone", "--quiet", "served.git", "other"]);
    git(&other, &["commit", "--quiet", "--allow-empty", "--message", "somebody else"]);
    git(&other, &["push", "--quiet"]);
    lab.push_image("api", "1.2.0", &lab.revision("api", "v1.2.0"));
    count(4);
    // Nothing new, nothing done.
    std::thread::sleep(Duration::from_secs(2));
    count(4);
    _ = watching.kill();
    _ = watching.wait();
    let titles = git(&served, &["log", "--format=%s", "main"]);
    assert_eq!(titles, "Bump api in dev\nsomebody else\nBump api, web in dev\nall");
    git(&served, &["fsck", "--strict"]);
}
