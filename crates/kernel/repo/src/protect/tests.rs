use crate::{LastChart, Repository};
use camino::Utf8Path;
use onepane_helmfile::{Found, Outside, ProgramCall, Reference};
use onepane_sops::{AgeKeys, Format, Integrity, KeyId, Layout, Recipients, decrypt, encrypt};
use onepane_world::MemoryWorld;

const STATE: &str = "environments:\n  default:\n    secrets: [env.yaml]\n---\nreleases:\n- name: web\n  chart: ./chart\n  values: [values.yaml.gotmpl, {inline: ref+echo://in-line-echo}]\n  secrets: [secret.yaml]\n";

/// Decrypts, and knows references that say what they are.
struct Keys(AgeKeys);

impl Outside for Keys {
    fn run(&self, _: &ProgramCall<'_>) -> Result<Vec<u8>, String> {
        Err("nothing is run".to_owned())
    }

    fn secret(&self, _: &Utf8Path, reference: &Reference) -> Result<Found, String> {
        (reference.provider() == "echo")
            .then(|| Found::Text(reference.path().to_owned()))
            .ok_or_else(|| "there is none".to_owned())
    }

    fn decrypt(&self, path: &Utf8Path, encrypted: &[u8]) -> Result<Vec<u8>, String> {
        let file = onepane_diagnostics::FileId::new(path);
        let plain = decrypt(encrypted, Format::Yaml, file, &[&self.0], Integrity::Checked);
        plain.map(|plain| plain.reveal().to_vec()).map_err(|error| error.message)
    }
}

/// What `template` renders to, with `rules` for a `.sops.yaml`.
struct Case {
    keys: Keys,
    recipient: String,
    world: MemoryWorld,
}

impl Case {
    fn new(template: &str) -> Self {
        let new = AgeKeys::generate("now");
        let mut keys = AgeKeys::new();
        keys.add(&new.file, "the key").expect("it is one");
        let world = MemoryWorld::new();
        let sealed = |text: &str| {
            let recipients = Recipients {
                groups: vec![vec![KeyId::age(&new.recipient).into_key()]],
                shamir_threshold: 0,
                selection: None,
                mac_only_encrypted: false,
            };
            let file = onepane_diagnostics::FileId::new("x");
            encrypt(text.as_bytes(), Format::Yaml, file, recipients, &[&keys], Layout::default(), &world)
                .expect("it can be")
        };
        let secret = sealed("plain: x\ndb:\n    user: user-of-db\n    password: hush-hush\nlist: [one-of-list]\n");
        let world = MemoryWorld::new()
            .with("helm-charts/helmfile.yaml.gotmpl", STATE)
            .with("helm-charts/env.yaml", sealed("token: token-of-env\n"))
            .with("helm-charts/secret.yaml", secret)
            .with(
                "helm-charts/values.yaml.gotmpl",
                "seen: yes-seen\nfromEnv: {{ .Values.token }}\ndigest:\n  {{ .Values.token | sha256sum }}\nfetched: {{ fetchSecretValue \"ref+echo://fetched-echo\" }}\ndb: {host: host-of-db, password: replaced}\n",
            )
            .with("helm-charts/chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 0.1.0\n")
            .with("helm-charts/chart/values.yaml", "db: {port: 5432}\nfallback: chart-default\n")
            .with("helm-charts/chart/templates/_h.tpl", "{{ define \"url\" }}db://{{ .Values.db.user }}:{{ .Values.db.password }}@{{ .Values.db.host }}{{ end }}{{ define \"name\" }}web-{{ .Values.seen }}{{ end }}")
            .with("helm-charts/chart/templates/x.yaml", template);
        Self { keys: Keys(keys), recipient: new.recipient, world }
    }

    fn with_rules(mut self, rules: &str) -> Self {
        self.world = self.world.with(".sops.yaml", rules.replace("ME", &self.recipient));
        self
    }

    fn rendered(&self) -> Result<String, String> {
        let repository = Repository::open(&self.world).expect("it is one").with_outside(&self.keys);
        let state = repository.state("default").map_err(|error| format!("{error} {error:?}"))?;
        let mut release = repository
            .render(&state.releases[0], &mut LastChart::default())
            .map_err(|error| format!("{error} {error:?}"))?;
        repository.protect(&mut release, &[&self.keys.0]).map_err(|error| {
            let said = format!("{error} {:?} {:?}", error.trace, error.hints);
            for hush in ["hush-hush", "token-of-env", "fetched-echo", "in-line-echo"] {
                assert!(!said.contains(hush), "{said}");
            }
            said
        })?;
        Ok(release.files[1].contents.clone())
    }

    /// What is said of the one field that would be plain.
    fn refused(template: &str) -> String {
        let manifest = format!("kind: ConfigMap\nmetadata:\n  name: m\ndata:\n{template}\n");
        match Self::new(&manifest).rendered() {
            Err(said) => said,
            Ok(text) => panic!("{text}"),
        }
    }
}

const RULES: &str = "creation_rules:\n- path_regex: rendered\n  age: ME\n";

#[test]
fn whatever_was_made_of_a_secret_is_refused_where_it_would_be_plain() {
    for value in [
        "{{ .Values.db.password }}",
        "{{ .Values.db.password | b64enc | quote }}",
        "{{ .Values.db.password | sha256sum }}",
        "{{ printf \"a=%s\" .Values.db.user }}",
        "{{ include \"url\" . }}",
        "{{ include \"url\" . | b64enc }}",
        "{{ tpl \"{{ .Values.db.password }}\" . }}",
        "{{ $x := .Values.db.password | sha256sum | trunc 8 }}{{ $x }}",
        "{{ $x := dict \"a\" .Values.db.password }}{{ $x | toJson | b64enc }}",
        "{{ with .Values.db }}{{ .password | upper | squote }}{{ end }}",
        "{{ index .Values.list 0 }}",
        "{{ join \",\" .Values.list }}",
        "\"{{ range $k, $v := .Values.db }}{{ $v }},{{ end }}\"",
        "{{ .Values.list }}",
        "{{ .Values.fromEnv }}",
        "{{ .Values.digest }}",
        "{{ .Values.fetched }}",
        "{{ .Values.inline | replace \"a\" \"b\" }}",
        "{{ (printf \"p: %s\" .Values.db.password | fromYaml).p }}",
        "{{ .Values.db.password | len }}",
        "|\n    first\n    {{ .Values.db.password }}",
    ] {
        let said = Case::refused(&format!("  before: x\n  value: {value}\n  after: y"));
        assert!(said.contains("the release `web` would write a secret in plain: `data.value"), "{value}: {said}");
        assert!(!said.contains("`data.after`") && !said.contains("`data.before`"), "{value}: {said}");
        assert!(said.contains(".sops.yaml"), "{said}");
    }
    let said = Case::refused("{{ toYaml .Values.db | indent 2 }}");
    assert!(said.contains("`data.password`") && said.contains("so would `data.user`"), "{said}");
    assert!(!said.contains("`data.host`") && !said.contains("`data.port`"), "{said}");
}

#[test]
fn the_line_that_the_secret_stands_on_is_named() {
    for (value, line) in [
        (".Values.db.password", "helm-charts/secret.yaml:4"),
        (".Values.fromEnv", "helm-charts/values.yaml.gotmpl:2"),
        (".Values.digest", "helm-charts/values.yaml.gotmpl:4"),
        (".Values.inline", "helm-charts/helmfile.yaml.gotmpl:8"),
    ] {
        let said = Case::refused(&format!("  value: {{{{ {value} }}}}"));
        let (path, number) = line.split_once(':').expect("it has a line");
        assert!(said.contains(&format!("{path}:{number}:")), "{value}: {said}");
    }
}

#[test]
fn what_is_no_secret_stays_plain_beside_one() {
    let template = "kind: ConfigMap\nmetadata:\n  name: {{ include \"name\" . }}\ndata:\n  a: {{ .Values.seen }}\n  b: {{ .Values.db.host }}\n  c: {{ .Values.db.port | quote }}\n  d: {{ get .Values.db \"host\" }}\n  f: {{ if .Values.db.password }}set{{ end }}\n  g: {{ .Values.fallback }}\n";
    let text = Case::new(template).rendered().expect("there is no secret in it");
    for seen in ["name: web-yes-seen", "b: host-of-db", "c: \"5432\"", "f: set", "g: chart-default"] {
        assert!(text.contains(seen), "{text}");
    }
}

const SECRET: &str =
    "kind: Secret\nmetadata:\n  name: s\nstringData:\n  host: {{ .Values.db.host }}\n  url: {{ include \"url\" . }}\n";

#[test]
fn a_secret_is_encrypted_by_its_rule_and_stays_as_it_is() {
    let mut case = Case::new(SECRET).with_rules(RULES);
    let first = case.rendered().expect("a rule is about it");
    assert!(first.contains("kind: Secret") && first.contains("# Source: chart/templates/x.yaml"), "{first}");
    assert!(first.contains("encrypted_regex: ^(data|stringData)$") && !first.contains("host-of-db"), "{first}");
    let plain = case.keys.decrypt("x".into(), first.as_bytes()).expect("it can be");
    assert!(String::from_utf8_lossy(&plain).contains("url: db://user-of-db:hush-hush@host-of-db"));
    let path = "helm-charts/rendered/web/secret-s.yaml";
    case.world = case.world.with(path, first.as_str());
    assert_eq!(case.rendered().expect("a rule is about it"), first);
    // Of another text, the values that are the same are the same bytes.
    case.world =
        case.world.with("helm-charts/chart/templates/x.yaml", format!("{SECRET}  more: {{{{ .Values.seen }}}}\n"));
    let second = case.rendered().expect("a rule is about it");
    let line = |text: &str, key: &str| text.lines().find(|line| line.trim_start().starts_with(key)).map(str::to_owned);
    assert!(line(&second, "more:").is_some_and(|line| line.contains("ENC[")), "{second}");
    assert_eq!(line(&first, "url:"), line(&second, "url:"));
    // For others, all of it is encrypted anew.
    let other = AgeKeys::generate("now").recipient;
    case = case.with_rules(&RULES.replace("ME", &format!("ME,{other}")));
    let third = case.rendered().expect("a rule is about it");
    assert!(third.contains(&other), "{third}");
}

#[test]
fn a_rule_that_leaves_the_field_plain_is_no_protection_and_one_that_covers_it_is() {
    let annotated = format!(
        "{}  annotations:\n    checksum/db: {{{{ include \"url\" . | sha256sum }}}}\nstringData: {{a: b}}\n",
        "kind: Secret\nmetadata:\n  name: s\n"
    );
    let said = Case::new(&annotated).with_rules(RULES).rendered().expect_err("an annotation is not encrypted");
    assert!(said.contains("metadata.annotations.checksum/db") && said.contains("does not encrypt the field"), "{said}");
    let rules =
        "creation_rules:\n- path_regex: rendered\n  encrypted_regex: ^(data|stringData|checksum/.*)$\n  age: ME\n";
    let text = Case::new(&annotated).with_rules(rules).rendered().expect("the rule covers it");
    assert!(text.contains("checksum/db: ENC["), "{text}");
    let said = Case::new(SECRET).with_rules("creation_rules:\n- path_regex: ^other\n  age: ME\n").rendered();
    assert!(said.as_ref().is_err_and(|said| said.contains("no rule")), "{said:?}");
    // What no origin tells falls into the net.
    let text = "kind: ConfigMap\nmetadata: {name: m}\ndata:\n  a: b\n  {{ .Values.fromEnv }}-long-enough: c\n";
    let mut long = Case::new(text).with_rules(RULES);
    long.world = long
        .world
        .with("helm-charts/values.yaml.gotmpl", "fromEnv: {{ .Values.token }}-{{ .Values.token }}\nseen: x\n");
    let said = long.rendered().expect_err("a key is not encrypted");
    assert!(said.contains("would show a secret"), "{said}");
}
