//! `onepane secrets` and `init --age-key`, held against the real `sops` where it is there.

use onepane_testkit::{Finished, peer, run_with};
use std::fs;
use std::path::{Path, PathBuf};

const ONE: &str = "age1vakr5zqp72yvj4k76pe5g54x2gkt3wdw8ewr0xl59t0y4mf0kcks3kctrk";
const TWO: &str = "age1et95mqgfy7zgdqh46cy200pvlamyvuzxttf5xs4zgd8fefpsg9vq4awdf8";

/// A folder to work in and a home beside it, with keys for both recipients.
struct Place {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for name in ["home", "work"] {
            fs::create_dir(folder.path().join(name)).expect("it is not there yet");
        }
        let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../kernel/sops/tests/keys/age.txt");
        let variables = vec![("SOPS_AGE_KEY_FILE".to_owned(), keys.display().to_string())];
        Self { folder, variables }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.work().join(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("folders can be made");
        fs::write(path, text).expect("files can be written");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.work().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn run(&self, program: &Path, arguments: &[&str]) -> Finished {
        let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
        run_with(program, &arguments, &self.work(), &self.home(), &self.variables).expect("it can be run")
    }

    fn secrets(&self, arguments: &[&str]) -> Finished {
        self.run(Path::new(env!("CARGO_BIN_EXE_onepane")), &[&["secrets"], arguments].concat())
    }

    /// What `onepane secrets` prints; it must succeed.
    fn print(&self, arguments: &[&str]) -> String {
        printed(self.secrets(arguments), arguments)
    }

    /// What is left in the temporary folder, which is the home here.
    fn temporary(&self) -> Vec<String> {
        let names =
            fs::read_dir(self.home()).expect("it is there").map(|entry| entry.expect("it is listed").file_name());
        names
            .map(|name| name.to_string_lossy().into_owned())
            .filter(|name| !["stdout", "stderr"].contains(&&**name))
            .collect()
    }
}

fn printed(finished: Finished, what: &[&str]) -> String {
    assert_eq!(finished.code, Some(0), "{what:?}: {}", finished.stderr);
    String::from_utf8(finished.stdout).expect("it is UTF-8")
}

const SECRET: &str =
    "kind: Secret\nmetadata:\n    name: db\ndata:\n    password: aHVzaA==\n    # of the database\n    user: c2h1\n";

const RULES: &str = "creation_rules:\n  - path_regex: ^deep/.*\\.yaml$\n    encrypted_regex: ^(data|stringData)$\n    age: ONE,TWO\n  - path_regex: \\.(yaml|json|env|ini|bin)$\n    age: ONE\nstores:\n  yaml:\n    indent: 2\n";

fn rules() -> String {
    RULES.replace("ONE", ONE).replace("TWO", TWO)
}

/// What can be seen of an encrypted file and is the same each time.
fn visible(text: &str) -> Vec<&str> {
    let before = text.lines().take_while(|line| !line.trim_start().trim_start_matches(['"', '[']).starts_with("sops"));
    before.map(|line| line.split("data:").next().unwrap_or_default()).collect()
}

#[test]
fn rules_and_flags_mean_what_they_mean_to_sops_and_each_reads_the_other() {
    let Some(sops) = peer("sops") else { return };
    let place = Place::new();
    place.write(".sops.yaml", &rules());
    let files = [
        ("deep/secret.yaml", SECRET),
        ("plain.yaml", SECRET),
        ("a.json", "{\"a\": {\"b\": [1, true, \"hush\"]}}"),
        ("a.env", "A=hush\nB=two\n"),
        ("a.ini", "[one]\na = hush\n"),
        ("a.bin", "\u{1}hush\n"),
    ];
    for (name, text) in files {
        place.write(name, text);
        for flags in [&[][..], &["--encrypted-regex", "^password$"], &["--age", TWO], &["--unencrypted-suffix", "r"]] {
            // The rule has another one of these already.
            if flags.first() == Some(&"--unencrypted-suffix") && name.starts_with("deep") {
                let both = [
                    place.run(&sops, &[&["encrypt"], flags, &[name]].concat()),
                    place.secrets(&[&["encrypt"], flags, &[name]].concat()),
                ];
                assert!(both.iter().all(|ended| ended.code != Some(0)), "{name} {flags:?}");
                continue;
            }
            let arguments = [&["encrypt"], flags, &[name]].concat();
            let theirs = printed(place.run(&sops, &arguments), &arguments);
            let ours = place.print(&arguments);
            assert_eq!(visible(&ours), visible(&theirs), "{name} {flags:?}");
            let end = name.rsplit('.').next().expect("it has one");
            let (their_file, our_file) = (format!("theirs.{end}"), format!("ours.{end}"));
            place.write(&their_file, &theirs);
            place.write(&our_file, &ours);
            let plain = printed(place.run(&sops, &["decrypt", &their_file]), &arguments);
            assert_eq!(place.print(&["decrypt", &their_file]), plain, "{name} {flags:?}");
            assert_eq!(printed(place.run(&sops, &["decrypt", &our_file]), &arguments), plain, "{name} {flags:?}");
            let count = |text: &str| [ONE, TWO].map(|recipient| text.matches(recipient).count());
            assert_eq!(count(&ours), count(&theirs), "{name} {flags:?}");
        }
    }
    // As another format, and from standard input, of which there is nothing here.
    place.write("c.yaml", &place.print(&["encrypt", "a.json", "--input-type", "yaml"]));
    for format in ["json", "yaml"] {
        let arguments = ["decrypt", "--output-type", format, "c.yaml"];
        assert_eq!(place.print(&arguments), printed(place.run(&sops, &arguments), &arguments));
    }
    assert!(place.secrets(&["encrypt"]).stderr.contains("--filename-override"));
}

#[test]
fn rotated_files_are_for_others_and_have_another_data_key() {
    let place = Place::new();
    place.write(".sops.yaml", &rules());
    place.write("a.yaml", "a: hush\n");
    place.write("b.yaml", "b: hush\n");
    assert_eq!(place.print(&["encrypt", "-i", "a.yaml", "b.yaml"]), "");
    let before = place.read("a.yaml");
    assert!(before.contains(ONE) && !before.contains("hush"), "{before}");
    place.print(&["rotate", "--in-place", "--add-age", TWO, "--rm-age", ONE, "a.yaml", "b.yaml"]);
    for name in ["a.yaml", "b.yaml"] {
        let text = place.read(name);
        assert!(text.contains(TWO) && !text.contains(ONE), "{text}");
        let Some(sops) = peer("sops") else { continue };
        assert!(printed(place.run(&sops, &["decrypt", name]), &[name]).ends_with(": hush\n"));
    }
    let value = |text: &str| text.lines().next().map(str::to_owned);
    assert_ne!(value(&before), value(&place.read("a.yaml")));
    assert_eq!(place.print(&["decrypt", "a.yaml"]), "a: hush\n");
    // The last key can't go, and nothing is written then.
    let rotated = place.read("a.yaml");
    let refused = place.secrets(&["rotate", "-i", "--rm-age", TWO, "a.yaml"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("without keys"), "{}", refused.stderr);
    assert_eq!(place.read("a.yaml"), rotated);
    place.print(&["decrypt", "-i", "a.yaml"]);
    assert_eq!(place.read("a.yaml"), "a: hush\n");
}

#[test]
fn what_was_changed_or_is_broken_is_refused_and_not_shown() {
    let place = Place::new();
    place.write(".sops.yaml", &rules());
    place.write("a.yaml", "a: hush-hush\nb_unencrypted: seen\n");
    place.print(&["encrypt", "-i", "a.yaml"]);
    let encrypted = place.read("a.yaml");
    place.write("a.yaml", &encrypted.replace("seen", "sees"));
    for arguments in [&["decrypt", "a.yaml"][..], &["rotate", "-i", "a.yaml"], &["edit", "a.yaml"]] {
        let refused = place.secrets(arguments);
        assert_eq!((refused.code, &*refused.stdout), (Some(1), &b""[..]), "{arguments:?}");
        assert!(refused.stderr.contains("sops-mac"), "{}", refused.stderr);
    }
    assert_eq!(place.print(&["decrypt", "--ignore-mac", "a.yaml"]), "a: hush-hush\nb_unencrypted: sees\n");
    place.write("b.yaml", "good: {a: hush-hush}\nbad: {a: hush-hush\n");
    place.write("b.json", "{\"a\": \"hush-hush\", }");
    for name in ["b.yaml", "b.json"] {
        let before = place.read(name);
        let refused = place.secrets(&["encrypt", "-i", name]);
        assert!(refused.code == Some(1) && !refused.stderr.contains("hush"), "{}", refused.stderr);
        assert!(refused.stderr.contains(name), "{}", refused.stderr);
        assert_eq!(place.read(name), before);
    }
    let stranger = Place::new().with("SOPS_AGE_KEY_FILE", "/nowhere");
    stranger.write("a.yaml", &encrypted);
    let refused = stranger.secrets(&["decrypt", "a.yaml"]);
    assert!(refused.stderr.contains("there is no `/nowhere`"), "{}", refused.stderr);
    stranger.write("c.yaml", "a: b\n");
    let refused = stranger.secrets(&["encrypt", "c.yaml"]);
    assert!(refused.stderr.contains("nothing says for whom to encrypt"), "{}", refused.stderr);
}

#[cfg(unix)]
#[test]
fn an_edit_touches_the_file_once_and_leaves_nothing_behind() {
    let edit = |script: &str, file: &str| {
        let place = Place::new().with("SOPS_EDITOR", &format!("sh -c '{script}' sh")).with("EDITOR", "false");
        place.write(".sops.yaml", &rules());
        place.write("a.yaml", "a: hush\nb: c\n");
        place.print(&["encrypt", "-i", "a.yaml"]);
        let before = place.read("a.yaml");
        let ended = place.secrets(&["edit", file]);
        assert_eq!(place.temporary(), [""; 0], "{script}");
        (place, ended, before)
    };
    // Only the user may read what is edited, and its name tells what it is.
    let (place, ended, before) =
        edit("stat -c %a:%n \"$(dirname \"$1\")\" \"$1\" >&2; sed -i s/hush/hushed/ \"$1\"", "a.yaml");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.starts_with("700:") && ended.stderr.contains("\n600:"), "{}", ended.stderr);
    assert!(ended.stderr.ends_with("/a.yaml\n"), "{}", ended.stderr);
    assert_eq!(place.print(&["decrypt", "a.yaml"]), "a: hushed\nb: c\n");
    let line = |text: &str, at: usize| text.lines().nth(at).map(str::to_owned);
    let after = place.read("a.yaml");
    assert_eq!((line(&before, 1), line(&before, 0) == line(&after, 0)), (line(&after, 1), false));

    for (script, code, said) in [
        ("true", 0, "nothing was changed"),
        ("echo x: 1 > \"$1\"; exit 3", 1, "exit status: 3"),
        ("printf \"a: [hush\" > \"$1\"", 1, "`a.yaml` is as it was"),
        ("echo sops: hush > \"$1\"", 1, "as it was"),
        ("rm \"$1\"", 1, "can't be read"),
    ] {
        let (place, ended, before) = edit(script, "a.yaml");
        assert_eq!(ended.code, Some(code), "{script}: {}", ended.stderr);
        assert!(ended.stderr.contains(said) && !ended.stderr.contains("hush"), "{script}: {}", ended.stderr);
        assert_eq!(place.read("a.yaml"), before, "{script}");
    }

    let (place, ended, _) = edit("echo a: new > \"$1\"", "deep/new.yaml");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(place.read("deep/new.yaml").contains("a: new") && place.read("deep/new.yaml").contains(TWO));
    let (place, ended, _) = edit("echo a: new > \"$1\"", "new.yaml");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(place.read("new.yaml").contains("ENC["));
    assert_eq!(place.print(&["decrypt", "new.yaml"]), "a: new\n");
    let (_, ended, _) = edit("true", ".sops.yaml");
    assert!(ended.stderr.contains("not encrypted"), "{}", ended.stderr);
}

#[cfg(unix)]
#[test]
fn an_edit_that_is_interrupted_leaves_nothing_behind() {
    use std::process::{Command, Stdio};
    let place = Place::new();
    place.write(".sops.yaml", &rules());
    place.write("a.yaml", "a: hush\n");
    place.print(&["encrypt", "-i", "a.yaml"]);
    let before = place.read("a.yaml");
    // One that ends when it is told to, having written, and one that has to be left behind.
    for script in [
        "trap \"echo a: x > $1; exit 0\" TERM; echo > started; sleep 20 & wait",
        "trap : TERM; echo > started; sleep 4; sleep 1",
    ] {
        let started = place.work().join("started");
        let mut command = Command::new(env!("CARGO_BIN_EXE_onepane"));
        command.args(["secrets", "edit", "a.yaml"]).current_dir(place.work()).stdin(Stdio::null());
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", place.home()).env("TMPDIR", place.home());
        command.envs(place.variables.iter().cloned()).env("EDITOR", format!("sh -c '{script}' sh"));
        let mut child = command.spawn().expect("it can be started");
        for _ in 0..1000 {
            if started.exists() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        assert!(started.exists() && place.temporary().len() == 1, "{:?}", place.temporary());
        let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
        assert!(told.is_ok_and(|status| status.success()));
        let status = child.wait().expect("it ends");
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(15), "{status}");
        assert_eq!(place.temporary(), [""; 0], "{script}");
        assert_eq!(place.read("a.yaml"), before);
        fs::remove_file(started).expect("it is there");
    }
}

#[test]
fn init_makes_an_age_key_once_and_never_in_the_repository() {
    let mut place = Place::new();
    place.variables.clear();
    let onepane = Path::new(env!("CARGO_BIN_EXE_onepane"));
    let said = printed(place.run(onepane, &["init", "shop", "--age-key"]), &["init"]);
    let key = place.home().join(".config/sops/age/keys.txt");
    let text = fs::read_to_string(&key).expect("it was made");
    let recipient = text.lines().find_map(|line| line.strip_prefix("# public key: ")).expect("it is told").to_owned();
    assert!(said.contains(&recipient) && !said.contains("AGE-SECRET-KEY"), "{said}");
    #[cfg(unix)]
    {
        let mode = |path: &Path| {
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).expect("it is there").permissions()) & 0o777
        };
        assert_eq!((mode(&key), mode(key.parent().expect("it is in a folder"))), (0o600, 0o700));
    }
    if let Some(keygen) = peer("age-keygen") {
        let theirs = printed(place.run(&keygen, &["-y", key.to_str().expect("it is UTF-8")]), &["-y"]);
        assert_eq!(theirs.trim(), recipient);
    }
    // All files are encrypted for it, manifests but for what anybody may see.
    for (name, sees) in [("shop/helm-charts/rendered/a/secret.yaml", true), ("shop/helm-charts/secrets.yaml", false)] {
        place.write(name, SECRET);
        let encrypted = place.print(&["-C", "shop", "encrypt", name.trim_start_matches("shop/")]);
        assert_eq!((encrypted.contains("kind: Secret"), encrypted.contains("aHVzaA==")), (sees, false), "{encrypted}");
        assert!(encrypted.contains(&recipient), "{encrypted}");
    }
    // Again, for another repository and for this one.
    let said = printed(place.run(onepane, &["init", "other"]), &["init"]);
    assert!(said.contains("init --age-key") && !place.work().join("other/.sops.yaml").exists(), "{said}");
    let said = printed(place.run(onepane, &["-C", "other", "init", "--age-key"]), &["init"]);
    assert!(said.contains(&recipient) && place.read("other/.sops.yaml").contains(&recipient), "{said}");
    assert_eq!(fs::read_to_string(&key).expect("it is there"), text);
    assert_eq!(place.run(onepane, &["-C", "other", "init", "--age-key"]).code, Some(1));
    // A file with something else in it stays.
    fs::write(&key, "mine\n").expect("it can be written");
    let refused = place.run(onepane, &["init", "third", "--age-key"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("no age identity"), "{}", refused.stderr);
    assert_eq!(fs::read_to_string(&key).expect("it is there"), "mine\n");
    let inside = place.with("XDG_CONFIG_HOME", "other/config");
    let refused = inside.run(onepane, &["-C", "other", "init", "--age-key"]);
    assert_eq!(refused.code, Some(1));
}
