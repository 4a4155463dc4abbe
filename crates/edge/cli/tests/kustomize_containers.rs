//! Functions of `kustomize build` in containers that Docker runs, and, where it is there, the real Kustomize beside ours.
//!
//! They need a daemon, and a busybox that is linked statically to make an image of. What docker is told without one is in
//! `kustomize_functions.rs`.

use onepane_testkit::peer;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const OURS: &str = env!("CARGO_BIN_EXE_onepane");

/// An image whose only program runs a script; it goes when this does.
struct Image(String);

impl Image {
    /// `None` where there is no daemon or no busybox, unless `$ONEPANE_REQUIRE_DOCKER` says that there must be.
    fn with(name: &str, script: &str) -> Option<Self> {
        let daemon = docker(&["version", "--format", "{{.Server.Version}}"], &[]);
        let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| Path::new(path).is_file());
        let (Ok(_), Some(busybox)) = (&daemon, busybox) else {
            let why = daemon.err().unwrap_or_else(|| "there is no busybox to make an image of".to_owned());
            assert!(std::env::var_os("ONEPANE_REQUIRE_DOCKER").is_none(), "{why}");
            println!("SKIPPED functions in containers: {why}");
            return None;
        };
        let mut archive = tar::Builder::new(Vec::new());
        let passwd = b"root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n";
        let program = fs::read(busybox).expect("busybox can be read");
        for (path, contents, mode) in
            [("bin/busybox", &program[..], 0o755), ("etc/passwd", passwd, 0o644), ("fn.sh", script.as_bytes(), 0o644)]
        {
            let mut header = tar::Header::new_gnu();
            header.set_size(contents.len() as u64);
            header.set_mode(mode);
            archive.append_data(&mut header, path, contents).expect("memory takes everything");
        }
        let name = format!("onepane-test-{name}-{}", std::process::id());
        let archive = archive.into_inner().expect("memory takes everything");
        docker(&["import", "-c", r#"ENTRYPOINT ["/bin/busybox", "sh", "/fn.sh"]"#, "-", &name], &archive)
            .unwrap_or_else(|error| panic!("{error}"));
        Some(Self(name))
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = docker(&["rmi", &self.0], &[]);
    }
}

fn docker(arguments: &[&str], input: &[u8]) -> Result<(), String> {
    let mut command = Command::new("docker");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("docker can't be started: {error}"))?;
    // It may fail before it reads.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input));
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// A folder with a kustomization that asks for the function in `image`.
fn room(image: &Image, more: &str, resources: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let function = format!(
        "apiVersion: my.io/v1\nkind: Fn\nmetadata:\n  name: fn\n  annotations:\n    config.kubernetes.io/function: |\n      \
         container: {{image: {}{more}}}\n",
        image.0
    );
    let files = [
        ("kustomization.yaml", "resources: [r.yaml]\ntransformers: [fn.yaml]\n"),
        ("fn.yaml", &function),
        ("r.yaml", resources),
        ("sub/file", "seen"),
    ];
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("folders can be made");
        fs::write(path, text).expect("files can be written");
    }
    folder
}

/// What ours makes of it, which is what the real one does.
fn built(folder: &Path, arguments: &[&str]) -> Output {
    let build = |program: &Path, before: &[&str]| {
        let mut command = Command::new(program);
        command.args(before).args(["build", ".", "--enable-alpha-plugins"]).args(arguments).env("PASSED", "on");
        command.current_dir(folder).output().expect("it can be started")
    };
    let ours = build(Path::new(OURS), &["kustomize"]);
    if let Some(peer) = peer("kustomize") {
        let theirs = build(&peer, &[]);
        assert_eq!(ours.status.code(), theirs.status.code());
        assert_eq!(String::from_utf8_lossy(&ours.stdout), String::from_utf8_lossy(&theirs.stdout));
    }
    ours
}

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\ndata: {a: b}\n";

#[test]
fn a_container_sees_what_it_may_and_nothing_else() {
    let script = r#"
b=/bin/busybox
facts="user: \"$($b id -u)\", network: \"$($b ls /sys/class/net | $b tr '\n' ' ')\", given: \"$GIVEN\", passed: \"$PASSED\""
facts="$facts, home: \"$($b ls /mnt)\", wrote: \"$(echo x 2>/dev/null > /mnt/new && echo yes || echo no)\""
$b sed "/^functionConfig/i - {apiVersion: v1, kind: ConfigMap, metadata: {name: facts}, data: {$facts}}"
"#;
    let Some(image) = Image::with("facts", script) else { return };
    let folder = room(&image, ", mounts: [{type: bind, src: sub, dst: /mnt}], envs: [GIVEN=it, PASSED]", CONFIG_MAP);
    let output = built(folder.path(), &["-e", "GIVEN=mine"]);
    let text = String::from_utf8_lossy(&output.stdout);
    for fact in ["user: \"65534\"", "network: 'lo '", "given: mine", "passed: \"on\"", "home: file", "wrote: \"no\""] {
        assert!(text.contains(fact), "{fact}: {text}{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(text.contains("a: b"), "{text}");
}

#[test]
fn a_container_that_fails_fails_the_build() {
    let Some(image) = Image::with("fails", "echo no such thing >&2\nexit 3\n") else { return };
    let output = built(room(&image, "", CONFIG_MAP).path(), &[]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(error.contains("no such thing\n") && error.contains("couldn't execute function: exit status 3"), "{error}");
}

#[test]
fn a_container_takes_and_gives_a_lot() {
    let Some(image) = Image::with("lot", "exec /bin/busybox cat\n") else { return };
    let long = "0123456789abcdef".repeat(1 << 15);
    let one = |number: usize| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{number}}}\ndata: {{a: {long}}}\n")
    };
    let resources = (0..12).map(one).collect::<Vec<_>>().join("---\n");
    let output = built(room(&image, "", &resources).path(), &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.len() > 12 << 19, "{}", output.stdout.len());
}
