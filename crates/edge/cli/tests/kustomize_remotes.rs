//! Kustomizations that name repositories and files of elsewhere: a real Git server on this machine, and, where it is
//! there, the real Kustomize beside ours.

use onepane_testkit::{GitServer, Mood, git, peer};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Two repositories, one a submodule of the other, a server that has them, and a folder for overlays.
struct Room {
    folder: tempfile::TempDir,
    server: GitServer,
}

const SHOP: &[(&str, &str)] = &[
    ("kustomization.yaml", "resources: [base]\n"),
    ("base/kustomization.yaml", "resources: [cm.yaml]\nconfigMapGenerator:\n- name: g\n  literals: [a=b]\n"),
    ("base/cm.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: shop\n"),
    ("over/kustomization.yaml", "resources: [../base]\nnameSuffix: -o\n"),
    (
        "component/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {x: z}\n",
    ),
    ("outside/kustomization.yaml", "resources: [../../elsewhere]\n"),
    ("file-outside/kustomization.yaml", "resources: [../../../../../../etc/hostname]\n"),
];

const LIBRARY: &[(&str, &str)] = &[
    ("base/kustomization.yaml", "resources: [cm.yaml]\nnamePrefix: lib-\n"),
    ("base/cm.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: library\n"),
];

impl Room {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path();
        for (name, files) in [("library", LIBRARY), ("shop", SHOP)] {
            let repository = path.join(name);
            for (file, text) in files {
                write(&repository.join(file), text);
            }
            git(&repository, &["init", "--quiet"]);
            commit(&repository);
        }
        let shop = path.join("shop");
        git(&shop, &["tag", "v1"]);
        write(&shop.join("over/kustomization.yaml"), "resources: [../base]\nnameSuffix: -two\n");
        write(&shop.join("submodule/kustomization.yaml"), "resources: [../vendor/library/base]\n");
        git(&shop, &["submodule", "--quiet", "add", "../library", "vendor/library"]);
        commit(&shop);
        for name in ["library", "shop"] {
            git(path, &["clone", "--quiet", "--bare", name, &format!("served/org/{name}")]);
        }
        let server = GitServer::start(path.join("served"));
        Self { folder, server }
    }

    fn url(&self) -> String {
        format!("{}/org/shop", self.server.address)
    }

    /// The overlay `name` with this kustomization, in which `URL` stands for the repository and `SERVER` for the server.
    fn overlay(&self, name: &str, kustomization: &str) -> PathBuf {
        let folder = self.folder.path().join("overlays").join(name);
        let text = kustomization.replace("URL", &self.url()).replace("SERVER", &self.server.address);
        write(&folder.join("kustomization.yaml"), &text);
        folder
    }

    fn build(&self, program: &Path, folder: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new(program);
        if program == Path::new(OURS) {
            command.arg("kustomize");
        }
        // The library comes from a server that is as local as the rest.
        let configuration = [("COUNT", "1"), ("KEY_0", "protocol.file.allow"), ("VALUE_0", "always")];
        command.envs(configuration.map(|(name, value)| (format!("GIT_CONFIG_{name}"), value)));
        let cache = self.folder.path().join("cache");
        command.arg("build").arg(folder).args(arguments).env("XDG_CACHE_HOME", cache).env_remove("http_proxy");
        command.output().expect("it can be started")
    }

    fn ours(&self, folder: &Path) -> Output {
        self.build(Path::new(OURS), folder, &[])
    }
}

const OURS: &str = env!("CARGO_BIN_EXE_onepane");

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("it is in a folder")).expect("folders can be made");
    fs::write(path, text).expect("files can be written");
}

fn commit(repository: &Path) {
    git(repository, &["add", "--all"]);
    git(repository, &["commit", "--quiet", "--message", "more"]);
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const MANIFEST: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n";
const PATCH: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\ndata:\n  patched: here\n";

/// Builds that work, and what each must have in its output.
const BUILDS: &[(&str, &str, &str)] = &[
    ("branch", "resources: ['URL//over?ref=main']", "name: shop-two\n"),
    ("tag", "resources: ['URL//over?ref=v1']", "name: shop-o\n"),
    ("default-branch", "resources: ['URL//over']\nnamePrefix: mine-", "name: mine-shop-two\n"),
    ("no-marker", "resources: ['URL/over?ref=v1']", "name: shop-o\n"),
    ("top", "resources: ['URL?ref=v1']\nbuildMetadata: [originAnnotations]", "repo: http://127.0.0.1"),
    ("submodule", "resources: ['URL//submodule']", "name: lib-library\n"),
    ("component", "resources: ['URL//base']\ncomponents: ['URL//component']", "x: z\n"),
    (
        "origins",
        "resources: ['URL//over?ref=v1']\nbuildMetadata: [originAnnotations, transformerAnnotations]",
        "configuredIn: base/kustomization.yaml",
    ),
    ("file", "resources: ['SERVER/files/web.yaml']\npatches:\n- path: SERVER/files/patch.yaml", "patched: here\n"),
    ("twice", "resources: ['URL//over?ref=v1', 'URL//over?ref=main']\n", "name: shop-two\n"),
];

#[test]
fn repositories_and_files_are_built_upon() {
    let room = Room::new();
    room.server.put("/files/web.yaml", MANIFEST);
    room.server.put("/files/patch.yaml", PATCH);
    let peer = peer("kustomize");
    for (name, kustomization, wanted) in BUILDS {
        let folder = room.overlay(name, kustomization);
        let built = stdout(&room.ours(&folder));
        assert!(built.contains(wanted), "{name}: {built}");
        if let Some(peer) = &peer {
            assert_eq!(built, stdout(&room.build(peer, &folder, &[])), "{name}");
        }
    }
}

#[test]
fn a_url_can_be_what_is_built() {
    let room = Room::new();
    let url = format!("{}//over?ref=v1", room.url());
    assert!(stdout(&room.ours(Path::new(&url))).contains("name: shop-o\n"));
}

#[test]
fn errors_name_the_entry_and_what_is_wrong_with_it() {
    let room = Room::new();
    room.server.put("/files/page.html", "<html><body>: no manifest</body></html>");
    let cases = [
        ("no-reference", "resources: ['URL//over?ref=nope']", "there is no branch, tag or commit `nope`"),
        ("no-folder", "resources: ['URL//nowhere']", "there is no `nowhere` of http"),
        ("no-repository", "resources: ['SERVER/org/none//x']", "404"),
        (
            "is-a-file",
            "resources: ['URL//base/cm']\ncomponents: ['URL//base/cm.yaml']",
            "there is no `base/cm` of http",
        ),
        ("escapes", "resources: ['URL//outside']", "leads out of the folder that may be read"),
        ("file-escapes", "resources: ['URL//file-outside']", "leads out of the folder that may be read"),
        ("no-file", "resources: ['SERVER/files/none.yaml']", "404"),
        ("page", "resources: ['SERVER/files/page.html']", "page.html"),
        ("url-escapes", "resources: ['URL//base/../../x']", "404"),
    ];
    for (name, kustomization, wanted) in cases {
        let folder = room.overlay(name, kustomization);
        let output = room.ours(&folder);
        let error = stderr(&output);
        assert!(!output.status.success() && output.stdout.is_empty(), "{name}");
        assert!(error.contains(wanted), "{name}: {error}");
        assert!(error.contains("kustomization.yaml:1:13"), "{name}: {error}");
    }
}

#[test]
fn a_repository_that_leads_to_itself_is_an_error() {
    let room = Room::new();
    let shop = room.folder.path().join("shop");
    let url = room.url();
    write(&shop.join("loop/kustomization.yaml"), &format!("resources: ['{url}//loop?ref=main']\n"));
    commit(&shop);
    git(&shop, &["push", "--quiet", "../served/org/shop", "HEAD:main"]);
    let folder = room.overlay("loop", "resources: ['URL//loop?ref=main']");
    let output = room.ours(&folder);
    assert!(!output.status.success());
    assert!(stderr(&output).contains("cycle detected: URI"), "{}", stderr(&output));
}

#[test]
fn what_was_fetched_serves_while_the_server_is_away() {
    let room = Room::new();
    let folder = room.overlay("away", "resources: ['URL//over?ref=main&timeout=500ms']");
    let built = stdout(&room.ours(&folder));
    // A commit that the cache has not seen, from a server that says nothing.
    let shop = room.folder.path().join("shop");
    write(&shop.join("over/kustomization.yaml"), "resources: [../base]\nnameSuffix: -three\n");
    commit(&shop);
    git(&shop, &["push", "--quiet", "../served/org/shop", "HEAD:main"]);
    room.server.behave(Mood::FallsSilent);
    let away = room.ours(&folder);
    assert_eq!(stdout(&away), built);
    let commit = git(&shop, &["rev-parse", "HEAD~1"]);
    assert!(stderr(&away).contains(&commit), "{}", stderr(&away));

    room.server.behave(Mood::Well);
    assert!(stdout(&room.ours(&folder)).contains("name: shop-three\n"));
}

#[test]
fn what_was_fetched_is_built_offline() {
    let room = Room::new();
    let root = room.folder.path().join("company");
    room.server.put("/files/web.yaml", MANIFEST);
    let resources = format!("'git::{}//over?ref=v1', '{}/files/web.yaml'", room.url(), room.server.address);
    write(&root.join("clusters/dev/kustomization.yaml"), &format!("resources: [{resources}]\n"));
    git(room.folder.path(), &["init", "--quiet", "company"]);
    let build = |arguments: &[&str]| {
        let mut command = Command::new(OURS);
        command.arg("-C").arg(&root).args(["build", "dev"]).args(arguments);
        command.env("XDG_CACHE_HOME", room.folder.path().join("cache"));
        command.output().expect("it can be started")
    };
    let first = build(&["--offline"]);
    assert!(!first.status.success() && stderr(&first).contains("offline"), "{}", stderr(&first));
    let online = build(&[]);
    let built = stdout(&online);
    assert!(built.contains("name: shop-o\n") && built.contains("name: web\n"), "{built}");
    assert!(stderr(&online).contains("take `git::` out"), "{}", stderr(&online));
    let offline = build(&["--offline"]);
    assert_eq!(stdout(&offline), built);
    let commit = git(&room.folder.path().join("shop"), &["rev-parse", "v1"]);
    let said = stderr(&offline);
    assert!(said.contains(&commit) && said.contains("SHA-256") && said.contains("kustomization.yaml:1"), "{said}");
}
