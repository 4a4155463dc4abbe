//! `onepane plan` on the example company: what edits do to its clusters, from Git and from disk.

use onepane_testkit::{Finished, Random, git, run_once};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A copy of the example, with one commit.
struct Shop {
    _folder: TempDir,
    path: PathBuf,
}

const CLUSTERS: [&str; 4] = ["clusters/dev", "clusters/prod-eu", "clusters/prod-us", "clusters/staging"];

impl Shop {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let made = onepane(folder.path(), &["init", "--example", "shop"]);
        assert_eq!(made.code, Some(0), "{}", made.stderr);
        Self { path: folder.path().join("shop"), _folder: folder }
    }

    fn edit(&self, path: &str, from: &str, to: &str) {
        let path = self.path.join(path);
        let text = fs::read_to_string(&path).expect("it is there");
        assert!(text.contains(from), "{} lacks {from}", path.display());
        fs::write(path, text.replace(from, to)).expect("it can be written");
    }

    fn commit(&self, message: &str) {
        git(&self.path, &["add", "--all"]);
        git(&self.path, &["commit", "--quiet", "--message", message]);
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        onepane(&self.path, arguments)
    }

    fn plan(&self, arguments: &[&str]) -> String {
        let finished = self.run(&[&["plan"], arguments].concat());
        assert_eq!(finished.code, Some(0), "{arguments:?}: {}", finished.stderr);
        String::from_utf8(finished.stdout).expect("output is UTF-8")
    }

    /// The plan for programs.
    fn report(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.plan(&[arguments, &["--output", "json"]].concat())).expect("it is JSON")
    }

    /// What each cluster is built to: resources by kind, namespace and name.
    fn built(&self) -> BTreeMap<String, BTreeMap<String, Value>> {
        let finished = self.run(&[&["build"], &CLUSTERS[..], &["--output", "json"]].concat());
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        let lists: BTreeMap<String, Value> = serde_json::from_slice(&finished.stdout).expect("it is JSON");
        let text =
            |item: &Value, pointer: &str| item.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let id = |item: &Value| {
            format!("{} {}/{}", text(item, "/kind"), text(item, "/metadata/namespace"), text(item, "/metadata/name"))
        };
        let items = |list: &Value| list["items"].as_array().cloned().unwrap_or_default();
        let by_id = |list: &Value| items(list).into_iter().map(|item| (id(&item), item)).collect();
        lists.iter().map(|(cluster, list)| (cluster.clone(), by_id(list))).collect()
    }
}

fn onepane(folder: &Path, arguments: &[&str]) -> Finished {
    run_once(env!("CARGO_BIN_EXE_onepane"), arguments, folder)
}

/// The clusters of a report with the changes that they have, as `~ Deployment shop/api`.
fn changed(report: &Value) -> BTreeMap<String, Vec<String>> {
    let mut clusters = BTreeMap::new();
    for cluster in report["clusters"].as_array().expect("it is a list") {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let shown = |change: &Value| {
            format!(
                "{} {} {}/{}",
                text(&change["action"]),
                text(&change["kind"]),
                text(&change["namespace"]),
                text(&change["name"])
            )
        };
        let changes: Vec<String> = cluster["changes"].as_array().expect("it is a list").iter().map(shown).collect();
        if !changes.is_empty() {
            clusters.insert(text(&cluster["cluster"]), changes);
        }
    }
    clusters
}

#[test]
fn a_line_of_a_group_changes_the_clusters_that_inherit_it() {
    let shop = Shop::new();
    assert!(shop.plan(&[]).contains("0 of 4 clusters change"), "{}", shop.plan(&[]));
    shop.edit("groups/prod/kustomization.yaml", "newTag: 1.4.2", "newTag: 1.4.3");
    let text = shop.plan(&[]);
    let wanted = "clusters/prod-eu, clusters/prod-us  1 changed\n  ~ Deployment shop/api\n      \
                  spec.template.spec.containers[name=api].image: \"registry.shop.example.com/api:1.4.2\" → \
                  \"registry.shop.example.com/api:1.4.3\"\n";
    assert!(text.starts_with(wanted), "{text}");
    assert!(
        text.contains("! image: api: registry.shop.example.com/api:1.4.2 → registry.shop.example.com/api:1.4.3"),
        "{text}"
    );
    assert!(
        text.contains("! restart: ") && text.contains("2 of 4 clusters change; follows: 2 restart, 2 image\n"),
        "{text}"
    );
    // The same between commits, without a look at the disk.
    shop.commit("A new version of the api");
    shop.edit("groups/prod/kustomization.yaml", "newTag: 1.4.3", "newTag: 9.9.9");
    let between = shop.plan(&["HEAD~1..HEAD"]);
    assert_eq!(between.lines().rev().skip(1).collect::<Vec<_>>(), text.lines().rev().skip(1).collect::<Vec<_>>());
    assert_eq!(shop.plan(&["HEAD~1.."]), between);
    assert_eq!(shop.plan(&["HEAD~1...HEAD"]), between);
    assert!(shop.plan(&["HEAD..HEAD"]).contains("0 of 4 clusters change"));
    assert!(shop.plan(&["HEAD~1"]).contains("api:9.9.9"), "against the files on disk");
    assert!(shop.plan(&["HEAD~1..HEAD", "--cluster", "staging"]).contains("0 of 1 clusters change"));
}

#[test]
fn charts_are_rendered_where_that_is_asked_for() {
    let shop = Shop::new();
    let nothing = "0 of 4 clusters change";
    assert!(shop.plan(&["--render"]).contains(nothing));
    shop.edit("helm-charts/values/worker.yaml", "memory: 96Mi", "memory: 97Mi");
    shop.edit("helm-charts/api/charts/service-library/templates/_service.tpl", "name: http", "name: web");
    // What is rendered is what runs.
    assert!(shop.plan(&[]).contains(nothing));
    let before_it_is_rendered = shop.plan(&["--render"]);
    let limits = "spec.template.spec.containers[name=worker].resources.limits.memory: \"96Mi\" → \"97Mi\"";
    assert!(before_it_is_rendered.contains(limits), "{before_it_is_rendered}");
    assert!(before_it_is_rendered.contains("~ Service shop/api"), "{before_it_is_rendered}");
    shop.commit("Values and a template");
    let between = shop.plan(&["--render", "HEAD~1..HEAD"]);
    assert!(between.contains(limits), "{between}");
    assert!(shop.plan(&["HEAD~1..HEAD"]).contains(nothing));
    assert_eq!(shop.run(&["render"]).code, Some(0));
    let rendered = shop.plan(&["HEAD~1"]);
    let without_ends = |text: &str| text.lines().rev().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(without_ends(&rendered), without_ends(&before_it_is_rendered));
    assert_eq!(without_ends(&rendered), without_ends(&between));
    // A chart that can't be rendered is told with its side.
    shop.edit("helm-charts/values/worker.yaml", "memory: 97Mi", "memory: [");
    let failed = shop.run(&["plan", "--render"]);
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    assert!(failed.stderr.contains("in the files on disk"), "{}", failed.stderr);
    assert_eq!(shop.run(&["plan"]).code, Some(0));
}

#[test]
fn exit_codes_are_for_pipelines() {
    let shop = Shop::new();
    let code = |arguments: &[&str]| shop.run(&[&["plan"], arguments].concat()).code;
    assert_eq!(code(&["--exit-code"]), Some(0));
    shop.edit("groups/prod/kustomization.yaml", "newTag: 1.4.2", "newTag: 1.4.3");
    assert_eq!((code(&[]), code(&["--exit-code"])), (Some(0), Some(2)));
    assert_eq!(code(&["--fail-on", "immutable,deletion"]), Some(0));
    assert_eq!(code(&["--exit-code", "--fail-on", "immutable,restart"]), Some(3));
    assert_eq!(code(&["--fail-on", "nonsense"]), Some(2));
    let failed = shop.run(&["plan", "nowhere..HEAD"]);
    assert!(failed.code == Some(1) && failed.stderr.contains("`nowhere` is no revision"), "{}", failed.stderr);
    // What can't be built is told with its side, and nothing is printed.
    fs::write(shop.path.join("groups/prod/kustomization.yaml"), "resources: [nowhere]\n").expect("it is there");
    let failed = shop.run(&["plan"]);
    assert!(
        failed.code == Some(1) && failed.stdout.is_empty() && failed.stderr.contains("in the files on disk"),
        "{}",
        failed.stderr
    );
    shop.commit("Broken");
    git(&shop.path, &["checkout", "--quiet", "HEAD~1"]);
    let failed = shop.run(&["plan", "HEAD..main"]);
    assert!(
        failed.code == Some(1) && failed.stdout.is_empty() && failed.stderr.contains("nowhere"),
        "{}",
        failed.stderr
    );
    let none = tempfile::tempdir().expect("a temporary folder can be made");
    fs::create_dir(none.path().join("clusters")).expect("it is empty");
    assert!(onepane(none.path(), &["plan"]).stderr.contains("is in no Git repository"));
}

#[test]
fn clusters_come_and_go_whole() {
    let shop = Shop::new();
    fs::remove_dir_all(shop.path.join("clusters/prod-us")).expect("it is there");
    let report = shop.report(&[]);
    let changes = changed(&report);
    assert_eq!(changes.keys().collect::<Vec<_>>(), ["clusters/prod-us"]);
    assert!(changes["clusters/prod-us"].iter().all(|change| change.starts_with("removed ")));
    assert!(shop.plan(&[]).contains("! deletion: everything in it is deleted"));
    shop.commit("One cluster less");
    let back = changed(&shop.report(&["HEAD..HEAD~1"]));
    assert!(back["clusters/prod-us"].iter().all(|change| change.starts_with("added ")), "{back:?}");
}

#[test]
fn pins_are_told_with_their_commits() {
    let shop = Shop::new();
    let api = shop.path.join("src/api");
    fs::write(api.join("NEWS"), "a new word\n").expect("it can be written");
    git(&api, &["add", "--all"]);
    git(
        &api,
        &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "Say a word\n\nAnd more."],
    );
    let head = git(&api, &["rev-parse", "HEAD"]);
    let text = shop.plan(&[]);
    assert!(
        text.contains("src/api  ") && text.contains(&format!("  1 commit\n    {} Say a word\n", &head[..8])),
        "{text}"
    );
    shop.commit("A new pin");
    let report = shop.report(&["HEAD~1..HEAD"]);
    assert_eq!(report["pins"][0]["path"], "src/api");
    assert_eq!(report["pins"][0]["range"]["commits"][0]["id"], head.as_str());
    assert_eq!(report["pins"].as_array().map(Vec::len), Some(1));
    let back = shop.report(&["HEAD..HEAD~1"]);
    assert_eq!(back["pins"][0]["range"]["goesBack"], true);
}

#[test]
fn secrets_and_markup_are_not_shown() {
    let shop = Shop::new();
    let secret = |value: &str| {
        let manifest = format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: planted\n  namespace: shop\n  annotations:\n    note: \"<b>|`` \
             {value}\"\nstringData:\n  password: hush-{value}\n"
        );
        fs::write(shop.path.join("clusters/dev/planted.yaml"), manifest).expect("it can be written");
    };
    secret("first");
    shop.edit("clusters/dev/kustomization.yaml", "resources:\n", "resources:\n  - planted.yaml\n");
    shop.commit("A secret");
    secret("second");
    for format in ["text", "json", "markdown", "html"] {
        let printed = shop.plan(&["--output", format]);
        assert!(printed.contains("stringData.password") && !printed.contains("hush"), "{format}: {printed}");
        assert!(!shop.plan(&["HEAD~1", "--output", format]).contains("hush"), "{format}");
    }
    let markdown = shop.plan(&["--output", "markdown"]);
    assert!(markdown.contains("\n```diff\n") || markdown.contains("\n````diff\n"), "{markdown}");
    assert!(markdown.contains("<details><summary>clusters/dev</summary>"), "{markdown}");
    let page = shop.plan(&["--output", "html"]);
    assert!(page.contains("<summary>clusters/dev<span>1 changed</span></summary>"), "{page}");
    assert!(page.contains("&lt;b&gt;|``") && !page.contains("<b>|"), "{page}");
}

#[test]
fn noise_is_folded_when_asked() {
    let shop = Shop::new();
    for entry in fs::read_dir(shop.path.join("helm-charts/rendered/storefront")).expect("it is there") {
        let path = entry.expect("it can be read").path();
        let text = fs::read_to_string(&path).expect("it is text");
        fs::write(&path, text.replace("app.kubernetes.io/version: ", "app.kubernetes.io/version: \"9\" # "))
            .expect("it is there");
    }
    let all = shop.report(&["--cluster", "staging"]);
    let folded = shop.report(&["--cluster", "staging", "--fold-noise"]);
    let count = |report: &Value| report["clusters"][0]["changes"].as_array().map_or(0, Vec::len);
    assert!(count(&all) > count(&folded) && folded["clusters"][0]["folded"].as_u64() > Some(0), "{all:#}\n{folded:#}");
}

#[test]
fn a_plan_is_the_difference_of_two_builds_whatever_is_edited() {
    const EDITS: usize = 40;
    let shop = Shop::new();
    let files = git(&shop.path, &["ls-files", "clusters", "groups", "components", "helm-charts/rendered"]);
    let files: Vec<&str> = files.lines().filter(|path| path.ends_with(".yaml")).collect();
    let (mut random, mut before, mut compared, mut with_changes) = (Random(7), shop.built(), 0, 0);
    while compared < EDITS {
        let path = shop.path.join(files[random.below(files.len())]);
        let text = fs::read_to_string(&path).expect("it is there");
        let lines: Vec<&str> = text.lines().collect();
        let at = random.below(lines.len());
        let line = match random.below(3) {
            0 => None,
            1 => Some(lines[at].replace(['0', '1', '2', '3'], "7")),
            _ => Some(format!("{}x", lines[at])),
        };
        let edited: Vec<&str> = lines
            .iter()
            .enumerate()
            .filter_map(|(i, old)| if i == at { line.as_deref() } else { Some(*old) })
            .collect();
        let edited = edited.join("\n") + "\n";
        if edited == text {
            continue;
        }
        fs::write(&path, edited).expect("it can be written");
        let plan = shop.run(&["plan", "--output", "json"]);
        if shop.run(&[&["build"], &CLUSTERS[..], &["--output", "json"]].concat()).code != Some(0) {
            assert_eq!(plan.code, Some(1), "{path:?} can't be built, and is planned");
            fs::write(&path, &text).expect("it can be written");
            continue;
        }
        assert_eq!(plan.code, Some(0), "{path:?}: {}", plan.stderr);
        let after = shop.built();
        let report: Value = serde_json::from_slice(&plan.stdout).expect("it is JSON");
        for cluster in report["clusters"].as_array().expect("it is a list") {
            let name = cluster["cluster"].as_str().expect("it is text");
            let (was, is) = (&before[name], &after[name]);
            let ids: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
            let wanted: BTreeSet<String> = ids.into_iter().filter(|id| was.get(*id) != is.get(*id)).cloned().collect();
            let mut told = BTreeSet::new();
            for change in cluster["changes"].as_array().expect("it is a list") {
                let text = |key: &str| change[key].as_str().unwrap_or_default().to_owned();
                let id = |name: &str| format!("{} {}/{name}", text("kind"), text("namespace"));
                match text("action").as_str() {
                    "affected" => continue,
                    "replaced" => _ = told.insert(id(&text("inPlaceOf"))),
                    _ => {}
                }
                told.insert(id(&text("name")));
            }
            assert_eq!(told, wanted, "{path:?} line {}", at + 1);
            with_changes += usize::from(!wanted.is_empty());
        }
        compared += 1;
        shop.commit("An edit");
        before = after;
    }
    println!("{compared} edits, {with_changes} clusters changed by them");
    assert!(with_changes > EDITS / 2);
}
