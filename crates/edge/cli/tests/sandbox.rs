//! Charts are a stranger's: what a render may touch, and what known attacks get.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

const BINARY: &str = env!("CARGO_BIN_EXE_onepane");
const SECRET: &str = "the-secret-outside-the-chart";

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("there is room")
}

fn write(path: &Path, contents: &str) {
    std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("the folder can be made");
    std::fs::write(path, contents).expect("it can be written");
}

fn clean(command: &mut Command, folder: &Path) -> Output {
    command
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("PATH", "/usr/bin:/bin")
        .output()
        .expect("it starts")
}

fn template(folder: &Path, arguments: &[&str]) -> Output {
    clean(Command::new(BINARY).args(["helm", "template", "r"]).args(arguments), folder)
}

/// A chart that tries to look around, and a values file.
fn nosy_chart(folder: &Path) {
    write(&folder.join("secret"), SECRET);
    write(&folder.join("values.yaml"), "path: ../secret\n");
    write(&folder.join("c/Chart.yaml"), "apiVersion: v2\nname: c\nversion: 1.0.0\n");
    write(&folder.join("c/README.md"), "readable\n");
    let nosy = "above: {{ .Files.Get \"../secret\" | quote }}\nnamed: {{ .Files.Get .Values.path | quote }}\n\
                absolute: {{ .Files.Get \"/etc/passwd\" | quote }}\nglob: {{ len (.Files.Glob \"../**\") }}\n\
                lines: {{ .Files.Lines \"../secret\" | len }}\nhost: {{ getHostByName \"example.com\" | quote }}\n\
                object: {{ lookup \"v1\" \"Secret\" \"\" \"\" | len }}\nown: {{ .Files.Get \"README.md\" | trim }}\n";
    write(&folder.join("c/templates/nosy.yaml"), nosy);
}

const WHAT_IT_SEES: &str = "---\n# Source: c/templates/nosy.yaml\nabove: \"\"\nnamed: \"\"\nabsolute: \"\"\nglob: 0\n\
                            lines: 0\nhost: \"\"\nobject: 0\nown: readable\n";

#[test]
fn a_chart_sees_its_own_files_and_nothing_else() {
    let folder = folder();
    nosy_chart(folder.path());
    let output = template(folder.path(), &["c", "-f", "values.yaml"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), WHAT_IT_SEES, "{}", String::from_utf8_lossy(&output.stderr));
    for function in ["env \"HOME\"", "expandenv \"$HOME\"", "exec \"id\"", "readFile \"/etc/passwd\""] {
        write(&folder.path().join("c/templates/nosy.yaml"), &format!("a: {{{{ {function} }}}}\n"));
        let output = template(folder.path(), &["c"]);
        assert_eq!(output.status.code(), Some(1), "{function}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("not defined"), "{function}");
    }
}

#[test]
fn no_render_starts_a_process_opens_a_socket_or_reads_elsewhere() {
    let works = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    if !works.is_ok_and(|output| output.status.success()) {
        let required = std::env::var_os("ONEPANE_REQUIRE_STRACE").is_some();
        assert!(!required, "strace is required here and does not work");
        eprintln!("SKIPPED what a render touches: no strace on this machine, or it may trace nothing");
        return;
    }
    let folder = folder();
    let folder = folder.path().canonicalize().expect("it is there");
    nosy_chart(&folder);
    let trace = folder.join("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-e", "trace=%process,%network,%file", "-o"]).arg(&trace);
    command.arg(BINARY).args(["helm", "template", "r", "c", "-f", "values.yaml"]);
    let output = clean(&mut command, &folder);
    assert_eq!(String::from_utf8_lossy(&output.stdout), WHAT_IT_SEES, "{}", String::from_utf8_lossy(&output.stderr));

    let trace = std::fs::read_to_string(&trace).expect("strace wrote it");
    // A line: process, call(arguments) = result.
    let calls: Vec<&str> = trace.lines().filter_map(|line| line.split_once(' ')).map(|(_, call)| call.trim()).collect();
    let named = |name: &str| calls.iter().filter(|call| call.starts_with(&format!("{name}("))).count();
    assert_eq!(named("execve"), 1, "only strace starts it:\n{trace}");
    for forbidden in ["fork", "vfork", "socket", "connect", "bind", "sendto", "socketpair"] {
        assert_eq!(named(forbidden), 0, "{forbidden}:\n{trace}");
    }
    let threads = calls.iter().filter(|call| call.starts_with("clone"));
    assert!(threads.clone().all(|call| call.contains("CLONE_THREAD")), "{trace}");
    let chart = format!("{}/", folder.join("c").display());
    let here = folder.display().to_string();
    let mut seen_chart = false;
    for call in calls.iter().filter(|call| call.contains('"') && !call.starts_with("execve")) {
        let failed = call.rsplit(" = ").next().is_some_and(|result| result.starts_with('-'));
        let path = call.split('"').nth(1).unwrap_or_default();
        if path.is_empty() {
            // It asks about a file that is open already.
            continue;
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("{here}/{path}") };
        seen_chart |= path.starts_with(&chart);
        // The dynamic loader's libraries and what the allocator asks the kernel about itself.
        let of_the_system = ["/lib", "/usr/lib", "/etc/ld.so", "/proc/self/", "/proc/sys/", "/sys/"];
        let allowed = path.starts_with(&chart)
            || path == chart.trim_end_matches('/')
            || path == format!("{here}/values.yaml")
            || path == here
            || of_the_system.iter().any(|start| path.starts_with(start));
        assert!(allowed || failed, "{call}");
    }
    assert!(seen_chart, "the trace shows nothing:\n{trace}");
}

/// An entry of an archive that no honest tool would write.
struct Entry<'a> {
    name: &'a str,
    kind: tar::EntryType,
    link: &'a str,
    contents: &'a [u8],
}

fn file<'a>(name: &'a str, contents: &'a str) -> Entry<'a> {
    Entry { name, kind: tar::EntryType::Regular, link: "", contents: contents.as_bytes() }
}

fn archive(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let definition = file("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n");
    let shown =
        file("c/templates/a.yaml", "a: {{ range $path, $_ := .Files.Glob \"**\" }}{{ $.Files.Get $path }}{{ end }}\n");
    for entry in [definition, shown].iter().chain(entries) {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(entry.kind);
        header.set_mode(0o644);
        header.set_size(entry.contents.len() as u64);
        // Setting the names by hand: the library refuses to write what is to be read here.
        let bytes = header.as_gnu_mut().expect("it is a GNU header");
        bytes.name[..entry.name.len()].copy_from_slice(entry.name.as_bytes());
        bytes.linkname[..entry.link.len()].copy_from_slice(entry.link.as_bytes());
        header.set_cksum();
        archive.append(&header, entry.contents).expect("it can be written");
    }
    archive.into_inner().and_then(GzEncoder::finish).expect("it can be written")
}

#[test]
fn archives_that_attack_get_nothing() {
    let link = |name, kind, link| Entry { name, kind, link, contents: b"" };
    let outside = ["above", "../evil", "/tmp/onepane-evil", "c/../../evil"];
    let cases: [(&str, Vec<Entry<'_>>, bool); 8] = [
        ("a symlink out", vec![link("c/x", tar::EntryType::Symlink, "../secret")], true),
        ("a hard link out", vec![link("c/x", tar::EntryType::Link, "../secret")], true),
        ("a symlinked folder", vec![link("c/d", tar::EntryType::Symlink, "/etc"), file("c/d/passwd", "mine")], true),
        ("a device", vec![link("c/x", tar::EntryType::Char, "")], true),
        ("a path above", vec![file(outside[1], "x")], true),
        ("an absolute path", vec![file(outside[2], "x")], true),
        ("a path through above", vec![file(outside[3], "x")], false),
        ("backslashes", vec![file("c\\..\\..\\evil", "x")], false),
    ];
    for (what, entries, may_succeed) in cases {
        let folder = folder();
        write(&folder.path().join("secret"), SECRET);
        std::fs::write(folder.path().join("c.tgz"), archive(&entries)).expect("it can be written");
        let output = template(folder.path(), &["c.tgz"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{what}: {text}");
        assert!(may_succeed || output.status.code() == Some(1), "{what}: {text}");
        assert!(!text.contains(SECRET) && !text.contains("root:"), "{what}: {text}");
        let mut left: Vec<_> = std::fs::read_dir(folder.path())
            .expect("it is there")
            .map(|entry| entry.expect("it can be listed").file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["c.tgz", "secret"], "{what}");
    }
    assert!(!Path::new(outside[2]).exists());
}

#[test]
fn archives_that_grow_or_end_early_are_refused() {
    let folder = folder();
    let path = folder.path().join("c.tgz");
    let refused = |what: &str, bytes: &[u8], wanted: &str| {
        std::fs::write(&path, bytes).expect("it can be written");
        let output = template(folder.path(), &["c.tgz"]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{what}: {error}");
        assert!(error.contains(wanted), "{what}: {error}");
    };
    // 200 MB of zeros in 1 MB.
    let zeros = vec![0; 200 << 20];
    let bomb = Entry { name: "c/big", kind: tar::EntryType::Regular, link: "", contents: &zeros };
    refused("one large file", &archive(&[bomb]), "larger than the maximum size");
    let mut endless = GzEncoder::new(Vec::new(), Compression::fast());
    endless.write_all(&zeros).expect("it can be written");
    refused("zeros without end", &endless.finish().expect("it can be written"), "chart");
    let whole = archive(&[file("c/values.yaml", "a: 1\n")]);
    refused("half an archive", &whole[..whole.len() / 2], "");
    refused("no archive", b"MZ not a chart", "does not appear to be a gzipped archive");
    refused("nothing", b"", "");
}
