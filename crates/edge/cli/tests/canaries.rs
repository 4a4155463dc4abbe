//! Canaries: a secret from every place that one can come from, every command that may have it in hand, and a look at all
//! that was said and written. A canary is looked for as it is, in base64 (also within a longer text), and as JSON has it.
//!
//! Where the purpose of a command is to show secrets, the command stands under [`SHOWS`] by name.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use onepane_testkit::{Finished, run_with};
use std::fs;
use std::path::{Path, PathBuf};

/// What is planted, by the place that it comes from. One is to be quoted in JSON.
const CANARIES: [(&str, &str); 6] = [
    ("a SOPS values file", "canary-of-values-\"q\"-81f2c7"),
    ("a secret of the environment", "canary-of-environment-5d20ae"),
    ("ref+sops", "canary-of-ref-sops-77be19"),
    ("ref+file", "canary-of-ref-file-c3a4f0"),
    ("a SOPS secret generator", "canary-of-generator-09bd6e"),
    ("a SOPS file that is encrypted here", "canary-of-encrypted-e61a52"),
];

const RECIPIENT: &str = "age1vakr5zqp72yvj4k76pe5g54x2gkt3wdw8ewr0xl59t0y4mf0kcks3kctrk";

/// Commands whose purpose it is to show what was decrypted, on stdout or in the files that they are told to write.
const SHOWS: [&str; 9] = [
    // Its `renderedvalues` are all values of the environment, as Helmfile prints them.
    "helmfile build",
    "helmfile --debug build",
    "build dev --decrypt",
    "helmfile template",
    "helmfile --debug template",
    "helmfile --log-level debug template",
    "helmfile write-values",
    "helmfile print-env",
    "secrets decrypt",
];

/// The plain file that `ref+file` names: it holds its canary, and Git does not hold it.
const PLAIN: &str = "plain/here.yaml";

/// The texts by which a canary is known.
fn forms(canary: &str) -> Vec<String> {
    // Within a longer text, base64 of a canary depends on what stands before it: there are three ways.
    let within = (0..3).map(|cut| {
        let bytes = &canary.as_bytes()[cut..];
        STANDARD.encode(&bytes[..bytes.len() / 3 * 3])
    });
    let json = canary.replace('"', "\\\"");
    within.chain([canary.to_owned(), STANDARD.encode(canary), json.clone(), json.replace('\\', "\\\\")]).collect()
}

fn found(text: &[u8]) -> Vec<&'static str> {
    let text = String::from_utf8_lossy(text);
    let shows = |canary: &str| forms(canary).iter().any(|form| text.contains(form.as_str()));
    CANARIES.iter().filter(|(_, canary)| shows(canary)).map(|(place, _)| *place).collect()
}

struct Place {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

const STATE: &str = "environments:
  default:
    secrets: [environment.yaml]
---
releases:
- name: web
  chart: ./web
  values:
  - web.yaml.gotmpl
  - fromSops: ref+sops://../more.yaml#/a
    fromFile: ref+file://../plain/here.yaml#/a
  secrets: [secret.yaml]
";

const TEMPLATE: &str = "apiVersion: v1
kind: Secret
metadata:
  name: web
stringData:
  password: {{ .Values.password | quote }}
  environment: {{ .Values.environment }}
  sops: {{ .Values.fromSops }}
  file: {{ .Values.fromFile }}
data:
  password: {{ .Values.password | b64enc }}
  url: {{ printf \"db://%s@host\" .Values.password | b64enc }}
";

/// Templates that fail with a secret in hand.
const BROKEN: [(&str, &str); 6] = [
    ("fail", "{{ fail (printf \"no %s\" .Values.password) }}"),
    ("quoted", "{{ fail (printf \"no %q\" .Values.password) }}"),
    ("encoded", "{{ fail (b64enc .Values.password) }}"),
    ("field", "a: {{ .Values.password.x.y }}"),
    ("tpl", "{{ tpl (printf \"{{ %s\" .Values.password) . }}"),
    ("yaml", "a: [{{ .Values.password }}\nb: }"),
];

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for name in ["home", "cache", "tmp", "repo"] {
            fs::create_dir(folder.path().join(name)).expect("it is not there yet");
        }
        let at = |name: &str| folder.path().join(name).display().to_string();
        let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../kernel/sops/tests/keys/age.txt");
        let variables =
            [("SOPS_AGE_KEY_FILE", keys.display().to_string()), ("XDG_CACHE_HOME", at("cache")), ("TMPDIR", at("tmp"))];
        let variables = variables.map(|(name, value)| (name.to_owned(), value)).to_vec();
        let place = Self { folder, variables };
        let [values, environment, ref_sops, ref_file, generator, encrypted] = CANARIES.map(|(_, canary)| canary);
        let rules = format!(
            "creation_rules:\n- path_regex: ^helm-charts/rendered/\n  encrypted_regex: ^(data|stringData)$\n  age: {RECIPIENT}\n- age: {RECIPIENT}\n"
        );
        place.write(".sops.yaml", &rules);
        place.write("helm-charts/secret.yaml", &format!("password: '{values}'\n"));
        place.write("helm-charts/environment.yaml", &format!("token: {environment}\n"));
        place.write("more.yaml", &format!("a: {ref_sops}\n"));
        place.write("clusters/dev/generated.env", &format!("GENERATED={generator}\n"));
        place.write("encrypted.json", &format!("{{\"a\": \"{encrypted}\"}}"));
        place.write(PLAIN, &format!("a: {ref_file}\n"));
        place.write("helm-charts/helmfile.yaml.gotmpl", STATE);
        place.write("helm-charts/web.yaml.gotmpl", "environment: {{ .Values.token }}\n");
        place.chart("web", TEMPLATE);
        for (name, template) in BROKEN {
            place.chart(name, template);
            let state = format!(
                "releases:\n- name: {name}\n  chart: ../helm-charts/{name}\n  secrets: [../helm-charts/secret.yaml]\n"
            );
            place.write(&format!("broken/{name}.yaml"), &state);
        }
        place.write(
            "clusters/dev/kustomization.yaml",
            "resources: [../../helm-charts/rendered/web]\nsecretGenerator:\n- name: generated\n  envs: [generated.env]\n",
        );
        let secrets = [
            "helm-charts/secret.yaml",
            "helm-charts/environment.yaml",
            "more.yaml",
            "clusters/dev/generated.env",
            "encrypted.json",
        ];
        let encrypted = place.onepane(&[&["secrets", "encrypt", "-i"][..], &secrets].concat());
        assert_eq!(encrypted.code, Some(0), "{}", encrypted.stderr);
        place
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("folders can be made");
        fs::write(path, text).expect("files can be written");
    }

    fn chart(&self, name: &str, template: &str) {
        self.write(
            &format!("helm-charts/{name}/Chart.yaml"),
            &format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n"),
        );
        self.write(&format!("helm-charts/{name}/templates/x.yaml"), template);
    }

    fn onepane(&self, arguments: &[&str]) -> Finished {
        self.onepane_in("", arguments)
    }

    fn onepane_in(&self, folder: &str, arguments: &[&str]) -> Finished {
        let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
        let (folder, home) = (self.root().join(folder), self.folder.path().join("home"));
        run_with(Path::new(env!("CARGO_BIN_EXE_onepane")), &arguments, &folder, &home, &self.variables)
            .expect("it ends in time")
    }

    /// Nothing that was said, and no file anywhere, holds a canary, but what `shows` may show.
    fn check(&self, what: &str, finished: &Finished) {
        let shows = SHOWS.iter().any(|command| what.starts_with(command));
        assert!(shows || found(&finished.stdout).is_empty(), "stdout of {what}: {:?}", found(&finished.stdout));
        let stderr = finished.stderr.as_bytes();
        assert!(found(stderr).is_empty(), "stderr of {what}: {:?}\n{}", found(stderr), finished.stderr);
        for name in ["home", "cache", "tmp", "repo"] {
            let folder = self.folder.path().join(name);
            each_file(&folder, &mut |path| {
                // Where the command's own output was caught, which was looked at above.
                let is_caught =
                    name == "home" && [folder.join("stdout"), folder.join("stderr")].contains(&path.to_owned());
                let bytes = fs::read(path).expect("it can be read");
                let is_source = path == self.root().join(PLAIN);
                assert!(
                    is_caught || is_source || found(&bytes).is_empty(),
                    "{} after {what}: {:?}",
                    path.display(),
                    found(&bytes)
                );
            });
        }
    }

    /// Runs a command, which ends with `code`.
    fn runs(&self, folder: &str, what: &str, code: i32) -> Finished {
        let finished = self.onepane_in(folder, &what.split(' ').collect::<Vec<_>>());
        assert_eq!(finished.code, Some(code), "{what}: {}", finished.stderr);
        self.check(what, &finished);
        finished
    }
}

fn each_file(folder: &Path, visit: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(folder).expect("it can be listed") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() { each_file(&path, visit) } else { visit(&path) }
    }
}

#[test]
fn canaries_are_found_in_all_their_forms() {
    let canary = CANARIES[0].1;
    for text in [
        format!("a: {canary}"),
        STANDARD.encode(canary),
        STANDARD.encode(format!("x{canary}y")),
        STANDARD.encode(format!("xy{canary}")),
        serde_json::json!({"a": canary}).to_string(),
    ] {
        assert_eq!(found(text.as_bytes()), [CANARIES[0].0], "{text}");
    }
    assert!(found(b"canary-of-nothing").is_empty());
}

#[test]
fn onepanes_own_commands_show_no_secret() {
    let place = Place::new();
    place.runs("", "render", 0);
    // All of them are there, for whoever has the key.
    let rendered = place.onepane(&["secrets", "decrypt", "helm-charts/rendered/web/secret-web.yaml"]);
    let places: Vec<&str> = CANARIES[..4].iter().map(|(place, _)| *place).collect();
    assert_eq!(found(&rendered.stdout), places, "{}", rendered.stderr);
    let before = fs::read(place.root().join("helm-charts/rendered/web/secret-web.yaml")).expect("it was written");
    for what in [
        "render --check",
        "render --check --output json",
        "render",
        "render --output json",
        "build",
        "build dev",
        "build dev --output json",
        "build --output built",
        "why dev Secret/web",
        "why dev Secret/web --output json",
        "why dev Secret/web stringData.password",
        "check --fail-on never",
        "check --fail-on never --with opinion-* --output json",
        "check --fail-on never --output sarif",
        "check --fail-on never --output junit",
        "kustomize build clusters/dev",
        "secrets rotate encrypted.json",
        "secrets rotate -i encrypted.json",
        "secrets encrypt --filename-override x.yaml .sops.yaml",
        "secrets decrypt encrypted.json",
        "build dev --decrypt",
    ] {
        place.runs("", what, 0);
    }
    let built = place.onepane(&["build", "dev", "--decrypt"]);
    assert_eq!(found(&built.stdout), CANARIES[..5].iter().map(|(place, _)| *place).collect::<Vec<_>>());
    let after = fs::read(place.root().join("helm-charts/rendered/web/secret-web.yaml")).expect("it is there");
    assert!(before == after, "what says the same stays as it is");
    // An editor that fails, and one that leaves what can't be read.
    for editor in ["sh -c 'exit 3' sh", "sh -c 'printf : >> $1; printf {[ >> $1' sh"] {
        let mut place = Place::new();
        place.variables.push(("EDITOR".to_owned(), editor.to_owned()));
        place.runs("", "secrets edit helm-charts/secret.yaml", 1);
        assert_eq!(fs::read_dir(place.folder.path().join("tmp")).expect("it is there").count(), 0);
    }
}

#[test]
fn the_drop_in_of_helmfile_shows_secrets_only_where_that_is_its_purpose() {
    let place = Place::new();
    for what in [
        "helmfile template",
        "helmfile --debug template",
        "helmfile --log-level debug template",
        "helmfile build",
        "helmfile --debug build",
        "helmfile list",
        "helmfile list --output json",
        "helmfile --debug list",
        "helmfile lint",
        "helmfile --log-level debug lint",
        "helmfile print-env",
        "helmfile print-env --output json",
        "helmfile show-dag",
        "helmfile --debug show-dag",
    ] {
        place.runs("helm-charts", what, 0);
    }
    let written = place.folder.path().join("written");
    let template =
        format!("helmfile write-values --output-file-template {}/{{{{.Release.Name}}}}.yaml", written.display());
    place.runs("helm-charts", &template, 0);
    let printed = place.onepane_in("helm-charts", &["helmfile", "template"]);
    assert_eq!(found(&printed.stdout).len(), 4, "all of them are in play");
}

#[test]
fn an_error_shows_no_secret() {
    let place = Place::new();
    for (name, _) in BROKEN {
        for flags in ["", "--debug ", "--log-level debug "] {
            for command in ["template", "lint"] {
                let what = format!("helmfile {flags}-f broken/{name}.yaml {command}");
                let finished = place.onepane(&what.split(' ').collect::<Vec<_>>());
                // A linter may let `fail` pass.
                assert!(finished.code == Some(1) || command == "lint", "{what}: {}", finished.stderr);
                place.check(&what, &finished);
            }
        }
        let state = fs::read_to_string(place.root().join(format!("broken/{name}.yaml"))).expect("it is there");
        place.write("helm-charts/helmfile.yaml.gotmpl", &state);
        let finished = place.runs("", "render", 1);
        assert!(finished.stderr.contains(name), "{}", finished.stderr);
    }
    let place = Place::new();
    fs::remove_file(place.root().join(".sops.yaml")).expect("it is there");
    let refused = place.runs("", "render", 1);
    assert!(refused.stderr.contains("would write a secret in plain"), "{}", refused.stderr);
    assert!(!place.root().join("helm-charts/rendered").exists());
    // Without a key, and with a file that was changed.
    let mut stranger = Place::new();
    stranger.variables.retain(|(name, _)| name != "SOPS_AGE_KEY_FILE");
    for what in ["render", "helmfile -f helm-charts template", "secrets decrypt encrypted.json"] {
        let finished = stranger.onepane(&what.split(' ').collect::<Vec<_>>());
        assert_eq!(finished.code, Some(1), "{what}: {}", finished.stderr);
        stranger.check("without a key", &finished);
    }
}
