//! `onepane bump` with what the Secrets hold that Flux's ImageRepositories name, against a registry that lets nobody else in.

use onepane_testkit::{Doors, Finished, LONG_PASSWORD, Registry, git, run_with};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const AGE: &str = "age1vakr5zqp72yvj4k76pe5g54x2gkt3wdw8ewr0xl59t0y4mf0kcks3kctrk";

/// A repository in which a line follows an image of a registry, and a home.
struct Lab {
    folder: TempDir,
    registry: Registry,
}

impl Lab {
    /// `None`, and a line that says so, where there is no registry.
    fn new() -> Option<Self> {
        let registry = Registry::start(Doors { are_locked: true, ..Doors::default() })?;
        for tag in ["1.0.0", "1.1.0"] {
            registry.push_image("shop/api", tag, "0000");
        }
        let lab = Self { folder: tempfile::tempdir().expect("a temporary folder can be made"), registry };
        fs::create_dir_all(lab.folder.path().join("home")).expect("nothing is there yet");
        let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: api}\nspec: {containers: [{name: a, image: api}]}\n";
        lab.write("clusters/dev/pod.yaml", pod);
        lab.write(
            "clusters/dev/kustomization.yaml",
            "resources: [pod.yaml]\nimages:\n- name: api\n  newTag: 1.0.0 # {\"$imagepolicy\": \"flux-system:api:tag\"}\n",
        );
        git(&lab.root(), &["init", "--quiet", "--initial-branch", "main"]);
        git(&lab.root(), &["config", "user.name", "t"]);
        git(&lab.root(), &["config", "user.email", "t@example.com"]);
        Some(lab)
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("company")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("folders can be made");
        fs::write(path, text).expect("files can be written");
    }

    /// Flux's objects, with more in the ImageRepository's `spec`.
    fn follow(&self, host: &str, more: &str) {
        let text = format!(
            "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata: {{name: api, namespace: flux-system}}\nspec:\n  \
             image: {host}/shop/api\n{more}---\napiVersion: image.toolkit.fluxcd.io/v1\nkind: ImagePolicy\nmetadata: {{name: api, \
             namespace: flux-system}}\nspec:\n  imageRepositoryRef: {{name: api}}\n  policy: {{semver: {{range: 1.x}}}}\n"
        );
        self.write("automation/api.yaml", &text);
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../kernel/sops/tests/keys/age.txt");
        let variables = [("SOPS_AGE_KEY_FILE".to_owned(), keys.display().to_string())];
        self.run_with(arguments, &variables)
    }

    fn run_with(&self, arguments: &[&str], variables: &[(String, String)]) -> Finished {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let binary = Path::new(env!("CARGO_BIN_EXE_onepane"));
        run_with(binary, &arguments, &self.root(), &self.folder.path().join("home"), variables)
            .expect("it ends in time")
    }

    /// What a look for newer images says, which has to find one and to tell nobody's password.
    fn bumped(&self) -> String {
        let finished = self.run(&["bump", "--dry-run"]);
        let said = String::from_utf8_lossy(&finished.stdout).into_owned() + &finished.stderr;
        assert_eq!(finished.code, Some(0), "{said}");
        assert!(said.contains("Bump api") && said.contains("/shop/api:1.1.0"), "{said}");
        assert!(!said.contains(LONG_PASSWORD), "{said}");
        said
    }

    fn refused(&self) -> String {
        let finished = self.run(&["bump", "--dry-run"]);
        assert_eq!(finished.code, Some(1), "{}", finished.stderr);
        assert!(!finished.stderr.contains(LONG_PASSWORD), "{}", finished.stderr);
        finished.stderr
    }

    /// A `.dockerconfigjson` for the registry.
    fn config(&self) -> String {
        let host = &self.registry.host;
        format!("{{\"auths\":{{\"{host}\":{{\"username\":\"v\",\"password\":\"{LONG_PASSWORD}\"}}}}}}")
    }

    /// A file as SOPS encrypts it.
    fn encrypt(&self, path: &str, text: &str, more: &[&str]) {
        self.write(path, text);
        let finished = self.run(&[&["secrets", "encrypt", "--age", AGE], more, &[path]].concat());
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        let encrypted = String::from_utf8(finished.stdout).expect("it is UTF-8");
        assert!(!encrypted.contains(LONG_PASSWORD), "{encrypted}");
        self.write(path, &encrypted);
    }
}

fn base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |bytes: &[u8]| -> String {
        let number = bytes.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - bytes.len()));
        let letter = |at: usize| match at <= bytes.len() {
            true => char::from(LETTERS[(number >> (18 - 6 * at)) as usize & 63]),
            false => '=',
        };
        (0..4).map(letter).collect()
    };
    text.as_bytes().chunks(3).map(group).collect()
}

fn secret(namespace: &str, field: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/dockerconfigjson\nmetadata: {{name: registry{namespace}}}\n{field}\n"
    )
}

#[test]
fn secrets_of_the_repository_log_in_however_they_are_kept() {
    let Some(lab) = Lab::new() else { return };
    let host = lab.registry.host.clone();
    lab.follow(&host, "");
    let said = lab.refused();
    assert!(said.contains("401") || said.contains("credential"), "{said}");
    lab.follow(&host, "  secretRef: {name: registry}\n");
    let said = lab.refused();
    assert!(said.contains("its Secret `registry` is not in the repository"), "{said}");
    assert!(said.contains(&format!("`{host}/shop/api` is asked for with what `docker login` has kept")), "{said}");

    let in_data = format!("data:\n  .dockerconfigjson: {}", base64(&lab.config()));
    let in_text = format!("stringData:\n  .dockerconfigjson: '{}'", lab.config());
    for field in [&in_data, &in_text] {
        lab.write("automation/secret.yaml", &secret(", namespace: flux-system", field));
        assert!(!lab.bumped().contains("warning"), "nothing is amiss");
    }
    // One of another namespace is not meant; one whose namespace a kustomization gives may be.
    lab.write("automation/secret.yaml", &secret(", namespace: other", &in_data));
    assert!(lab.refused().contains("is not in the repository"));
    lab.write("automation/secret.yaml", &secret("", &in_text));
    lab.bumped();
    // The one of that name that is nearest.
    lab.write("elsewhere/secret.yaml", &secret("", "data: {.dockerconfigjson: e30=}"));
    lab.bumped();

    // Encrypted, alone and behind another document.
    let only_data = ["--encrypted-regex", "^(data|stringData)$"];
    lab.encrypt("automation/secret.yaml", &secret("", &in_data), &only_data);
    lab.bumped();
    let both = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: registry}}\n---\n{}", secret("", &in_text));
    lab.encrypt("automation/secret.yaml", &both, &only_data);
    lab.bumped();
    let without_key = lab.run_with(&["bump", "--dry-run"], &[]);
    assert_eq!(without_key.code, Some(1));
    assert!(
        without_key.stderr.contains("its Secret `registry` (automation/secret.yaml) can't be read"),
        "{}",
        without_key.stderr
    );

    // As Flux's users make them of an encrypted file.
    let generator = "secretGenerator:\n- name: registry\n  type: kubernetes.io/dockerconfigjson\n  files: [.dockerconfigjson=registry.json]\n";
    fs::remove_file(lab.root().join("automation/secret.yaml")).expect("it is there");
    lab.write("automation/kustomization.yaml", &format!("namespace: flux-system\nresources: [api.yaml]\n{generator}"));
    lab.write("automation/registry.json", &lab.config());
    lab.bumped();
    lab.encrypt("automation/registry.json", &lab.config(), &[]);
    lab.bumped();
    // By way of a ServiceAccount.
    lab.follow(&host, "  serviceAccountName: puller\n");
    assert!(lab.refused().contains("its ServiceAccount `puller` is not in the repository"));
    lab.write(
        "automation/account.yaml",
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: puller}\nimagePullSecrets: [{name: registry}]\n",
    );
    lab.bumped();
}

#[test]
fn what_only_a_cloud_or_nobody_can_give_is_told_and_docker_is_asked() {
    let Some(lab) = Lab::new() else { return };
    let host = lab.registry.host.clone();
    let broken = [
        ("  provider: aws\n", "it logs in by `provider: aws`, which only machines of that cloud can"),
        ("  secretRef: {name: registry}\n", "has no `.dockerconfigjson`"),
        ("  secretRef: {name: other}\n", "its Secret `other` has nothing for that registry"),
        ("  secretRef: {name: damaged}\n", "is not of the form that Docker's `config.json` has"),
        (
            "  certSecretRef: {name: gone}\n  secretRef: {name: gone}\n",
            "its registry is known by the authorities of this machine",
        ),
    ];
    let secrets = [
        secret("", "data: {x: aHVzaA==}"),
        secret("", "stringData: {.dockerconfigjson: '{\"auths\":{\"r.example.com\":{\"auth\":\"dTpw\"}}}'}")
            .replace("registry}", "other}"),
        secret("", &format!("stringData: {{.dockerconfigjson: '{LONG_PASSWORD}'}}")).replace("registry}", "damaged}"),
    ];
    lab.write("automation/secrets.yaml", &secrets.join("---\n"));
    for (more, why) in broken {
        lab.follow(&host, more);
        let said = lab.refused();
        assert!(said.contains(why) && said.contains("the ImageRepository `flux-system:api`"), "{more}: {said}");
        assert!(said.contains("helm registry login") || said.contains("401"), "{said}");
    }
    // What `docker login` has kept.
    let docker = lab.folder.path().join("home/.docker");
    fs::create_dir_all(&docker).expect("it can be made");
    fs::write(docker.join("config.json"), lab.config()).expect("it can be written");
    for (more, why) in broken {
        lab.follow(&host, more);
        let said = lab.bumped();
        assert!(said.contains(why), "{more}: {said}");
    }
    lab.follow(&host, "  provider: generic\n");
    assert!(!lab.bumped().contains("warning"));
}

#[test]
fn authorities_of_a_secret_vouch_for_the_registry() {
    let Some(lab) = Lab::new() else { return };
    let mut parameters = CertificateParams::new(Vec::new()).expect("no names are good names");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key can be made");
    let issuer = CertifiedIssuer::self_signed(parameters, key).expect("it can sign itself");
    let key = KeyPair::generate().expect("a key can be made");
    let names = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("the name is good");
    let certificate = names.signed_by(&key, &issuer).expect("it can sign");
    let [certificate_file, key_file] = ["cert.pem", "key.pem"].map(|name| lab.registry.folder().join(name));
    fs::write(&certificate_file, certificate.pem()).expect("it can be written");
    fs::write(&key_file, key.serialize_pem()).expect("it can be written");
    let doors = Doors { are_locked: true, tls: Some((&certificate_file, &key_file)) };
    let registry = lab.registry.beside(doors);
    lab.follow(&registry.host, "  certSecretRef: {name: authority}\n  secretRef: {name: registry}\n");
    let config = lab.config().replace(&lab.registry.host, &registry.host);
    lab.write("automation/secret.yaml", &secret("", &format!("stringData:\n  .dockerconfigjson: '{config}'")));
    let authority = |key: &str, pem: &str| {
        let block: String = pem.lines().map(|line| format!("    {line}\n")).collect();
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: authority}}\nstringData:\n  {key}: |\n{block}")
    };
    for name in ["ca.crt", "caFile"] {
        lab.write("automation/authority.yaml", &authority(name, &issuer.pem()));
        assert!(!lab.bumped().contains("warning"));
    }
    // Somebody else's, and what is none.
    let stranger = CertificateParams::new(Vec::new()).expect("no names are good names");
    let key = KeyPair::generate().expect("a key can be made");
    let stranger = CertifiedIssuer::self_signed(stranger, key).expect("it can sign itself");
    lab.write("automation/authority.yaml", &authority("ca.crt", &stranger.pem()));
    lab.refused();
    lab.write("automation/authority.yaml", &authority("ca.crt", "none"));
    assert!(lab.refused().contains("are no certificates"));
    // A client's certificate is told of.
    let with_client = authority("ca.crt", &issuer.pem()) + "  tls.crt: x\n";
    lab.write("automation/authority.yaml", &with_client);
    assert!(lab.bumped().contains("can't be shown the client's certificate"));
}

#[test]
fn images_of_an_environment_are_asked_for_with_what_its_pods_pull_with() {
    let Some(lab) = Lab::new() else { return };
    let host = lab.registry.host.clone();
    let pod = |more: &str| {
        let text = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: api}}\nspec:\n{more}  containers: [{{name: a, image: {host}/shop/api}}]\n"
        );
        lab.write("clusters/dev/pod.yaml", &text);
    };
    let kustomization = |more: &str| {
        let images = format!("images:\n- name: {host}/shop/api\n  newTag: 1.0.0\n");
        lab.write("clusters/dev/kustomization.yaml", &format!("namespace: shop\n{more}{images}"));
    };
    let run = |variables: &[(String, String)]| {
        let finished = lab.run_with(&["bump", "--in", "dev", "--dry-run"], variables);
        assert!(!finished.stderr.contains(LONG_PASSWORD), "{}", finished.stderr);
        finished
    };
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../kernel/sops/tests/keys/age.txt");
    let keys = [("SOPS_AGE_KEY_FILE".to_owned(), keys.display().to_string())];
    let refused = |words: &str| {
        let finished = run(&[]);
        assert!(finished.code == Some(1) && finished.stderr.contains("credential not found"), "{}", finished.stderr);
        assert!(finished.stderr.contains(words), "{words}: {}", finished.stderr);
    };
    let bumped = |variables: &[(String, String)]| {
        let finished = run(variables);
        assert!(finished.code == Some(0) && finished.stderr.contains("api: 1.0.0 → 1.1.0"), "{}", finished.stderr);
        assert!(!finished.stderr.contains("warning"), "{}", finished.stderr);
    };
    // Nothing is said, or what is said is nowhere, or for another registry.
    pod("");
    kustomization("resources: [pod.yaml]\n");
    refused("");
    pod("  imagePullSecrets: [{name: registry}]\n");
    refused("");
    kustomization("resources: [pod.yaml, secret.yaml]\n");
    let other = lab.config().replace(&host, "other.example.com");
    lab.write("clusters/dev/secret.yaml", &secret("", &format!("stringData:\n  .dockerconfigjson: '{other}'")));
    refused("");
    // By the pod, and by its account.
    lab.write(
        "clusters/dev/secret.yaml",
        &secret("", &format!("data:\n  .dockerconfigjson: {}", base64(&lab.config()))),
    );
    bumped(&[]);
    pod("");
    refused("");
    let account =
        "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: default}\nimagePullSecrets: [{name: registry}]\n";
    let both = secret("", &format!("stringData:\n  .dockerconfigjson: '{}'", lab.config())) + account;
    lab.write("clusters/dev/secret.yaml", &both);
    bumped(&[]);
    // Made by a kustomization from a file that is encrypted, under the name that the pod has then.
    pod("  imagePullSecrets: [{name: made}]\n");
    lab.encrypt("clusters/dev/config.json", &lab.config(), &[]);
    kustomization(
        "resources: [pod.yaml]\nsecretGenerator:\n- name: made\n  type: kubernetes.io/dockerconfigjson\n  files: [.dockerconfigjson=config.json]\n",
    );
    bumped(&keys);
    refused("Secrets of clusters/dev can't be used for its registries");
}
