//! `onepane ci run --build` with a real Docker, where there is one: `scripts/with-docker cargo test -p onepane-cli --test
//! ci_images`. What is built is tested on a cluster in the process.
#![cfg(unix)]

use onepane_embedded::{Embedded, Options};
use onepane_testkit::{Doors, Registry};
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A company with the service `api`, which has busybox and a greeting.
struct Lab {
    _cluster: Embedded,
    folder: TempDir,
}

impl Lab {
    /// `None` where there is no daemon or no busybox, unless `$ONEPANE_REQUIRE_DOCKER` says that there must be.
    fn new() -> Option<Self> {
        let answers = Command::new("docker").arg("version").output().is_ok_and(|ran| ran.status.success());
        let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| Path::new(path).is_file());
        let (true, Some(busybox)) = (answers, busybox) else {
            assert!(std::env::var_os("ONEPANE_REQUIRE_DOCKER").is_none(), "there is no Docker or no busybox");
            println!("SKIPPED images that are built: there is no Docker or no busybox (scripts/with-docker)");
            return None;
        };
        let cluster = Embedded::start(Options::default()).expect("it starts");
        let lab = Self { folder: tempfile::tempdir().expect("a temporary folder can be made"), _cluster: cluster };
        lab.write("kubeconfig", &lab._cluster.kubeconfig());
        lab.write("onepane.yaml", "clusters: {dev: {context: embedded}}\n");
        lab.write("clusters/dev/kustomization.yaml", "resources: [ci]\n");
        let pod =
            "apiVersion: v1\nkind: Pod\nmetadata: {name: api}\nspec: {containers: [{name: a, image: test/api}]}\n";
        lab.write("clusters/dev/ci/pod.yaml", pod);
        lab.write("clusters/dev/ci/kustomization.yaml", "namespace: ci\nresources: [pod.yaml]\n");
        lab.write("src/api/greeting", "hello\n");
        lab.write("src/api/secret", "not to be sent\n");
        lab.write("src/api/.dockerignore", "secret\n");
        fs::copy(busybox, lab.folder.path().join("src/api/busybox")).expect("it can be copied");
        Some(lab)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }

    /// Builds and tests it: the exit code, and what was said.
    fn run(&self, image: &str, dockerfile: &str, variables: &[(&str, &str)]) -> (Option<i32>, String) {
        self.write("src/api/Dockerfile", dockerfile);
        let mut command = Command::new(env!("CARGO_BIN_EXE_onepane"));
        command.args(["ci", "run", "dev", "--service", "api", "--image", image, "--build", "--no-push"]);
        command.current_dir(self.folder.path()).env("HOME", self.folder.path());
        command.env("KUBECONFIG", self.folder.path().join("kubeconfig")).envs(variables.iter().copied());
        let ran = command.output().expect("it can be run");
        let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
        (ran.status.code(), said)
    }
}

/// The names of files in an image.
fn files(image: &str) -> Vec<String> {
    let docker = |arguments: &[&str]| {
        let ran = Command::new("docker").args(arguments).output().expect("it can be run");
        assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
        ran.stdout
    };
    let id = String::from_utf8_lossy(&docker(&["create", image, "/none"])).trim().to_owned();
    let archive = docker(&["export", &id]);
    docker(&["rm", &id]);
    let mut names = Vec::new();
    for entry in tar::Archive::new(archive.as_slice()).entries().expect("it is one") {
        names.push(entry.expect("it is whole").path().expect("it has one").display().to_string());
    }
    names
}

#[test]
fn dockerfiles_of_buildkit_are_built() {
    let Some(lab) = Lab::new() else { return };
    // The mount is BuildKit's.
    let dockerfile = "FROM scratch AS tools\nCOPY busybox /bin/busybox\n\
                      FROM tools AS made\nRUN --mount=type=bind,target=/src [\"/bin/busybox\", \"cp\", \"-r\", \"/src\", \"/made\"]\n\
                      FROM scratch\nCOPY --from=made /made/ /made/\n";
    let (code, said) = lab.run("test/api:mounts", dockerfile, &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("is built by BuildKit from ") && said.contains("COPY busybox /bin/busybox"), "{said}");
    let files = files("test/api:mounts");
    assert!(files.iter().any(|name| name == "made/greeting"), "{files:?}");
    assert!(!files.iter().any(|name| name.contains("secret")), "{files:?}");
    let (code, said) = lab.run("test/api:mounts", dockerfile, &[]);
    assert!(code == Some(0) && said.contains("CACHED ["), "{said}");
    // What can't be built says why, and is not run.
    let fails = "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"nothing-of-this-name\"]\n";
    for (dockerfile, why) in [(fails, "nothing-of-this-name"), ("FROM scratch\nCOPY absent /\n", "absent")] {
        let (code, said) = lab.run("test/api:fails", dockerfile, &[]);
        assert!(code == Some(2) && said.contains(why) && !said.contains("created"), "{said}");
    }
    // The classic builder says what it takes.
    let classic = [("DOCKER_BUILDKIT", "0")];
    let (code, said) = lab.run("test/api:classic", dockerfile, &classic);
    assert!(code == Some(2) && said.contains("docker buildx build --push"), "{said}");
    let (code, said) = lab.run("test/api:classic", "FROM scratch\nCOPY greeting /\n", &classic);
    assert!(code == Some(0) && said.contains("is built by the classic builder from "), "{said}");
}

#[test]
fn bases_come_from_registries() {
    let Some(lab) = Lab::new() else { return };
    let Some(registry) = Registry::start(Doors::default()) else { return };
    registry.push_image("base", "1", "0123abc");
    // BuildKit asks back here, who is known there, before it asks the registry.
    let dockerfile = format!("FROM {}/base:1\nCOPY greeting /\n", registry.host);
    let (code, said) = lab.run("test/api:based", &dockerfile, &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(files("test/api:based").iter().any(|name| name == "greeting"));
    let absent = format!("FROM {}/absent:1\n", registry.host);
    let (code, said) = lab.run("test/api:based", &absent, &[]);
    assert!(code == Some(2) && said.contains("absent:1") && said.contains("not found"), "{said}");
}

#[test]
fn several_are_built_at_once() {
    if Lab::new().is_none() {
        return;
    }
    std::thread::scope(|scope| {
        for number in 0..4 {
            scope.spawn(move || {
                let lab = Lab::new().expect("there was one a moment ago");
                lab.write("src/api/greeting", &number.to_string());
                let image = format!("test/api:several-{number}");
                let (code, said) = lab.run(&image, "FROM scratch\nCOPY greeting /\n", &[]);
                assert_eq!(code, Some(0), "{said}");
                assert!(files(&image).iter().any(|name| name == "greeting"));
            });
        }
    });
}
