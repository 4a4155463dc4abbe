//! Secrets of states: files that SOPS has encrypted, and references to what is in them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const STATE: &str = "environments:
  default:
    secrets: [secret.yaml]
---
releases:
- name: a
  chart: ./chart
  values:
  - fromEnvironment: {{ .Values.data.e }}
    reference: ref+sops://secret.yaml#/data/a
  secrets: [secret.yaml]
";

const TEMPLATE: &str = "kind: Secret
data: {e: {{ .Values.data.e }}, all: {{ .Values.fromEnvironment }}, a: {{ .Values.reference }}}
";

/// Renders with a secret as SOPS has recorded it, or as `change` makes it.
fn rendered(keys: Option<&str>, change: impl FnOnce(String) -> String) -> Output {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let sops = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../kernel/sops/tests");
    let secret = fs::read_to_string(sops.join("recorded/rule-secret.yaml")).expect("it is there");
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("folders can be made");
        fs::write(path, text).expect("files can be written");
    };
    write("helmfile.yaml.gotmpl", STATE);
    write("secret.yaml", &change(secret));
    write("chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 1.0.0\n");
    write("chart/templates/secret.yaml", TEMPLATE);
    let mut command = Command::new(env!("CARGO_BIN_EXE_onepane"));
    command.args(["helmfile", "template"]).current_dir(folder.path());
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", folder.path());
    if let Some(keys) = keys {
        command.env("SOPS_AGE_KEY_FILE", sops.join(keys));
    }
    command.output().expect("it can be started")
}

#[test]
fn files_that_sops_encrypted_are_values() {
    let output = rendered(Some("keys/age.txt"), |secret| secret);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(printed.contains("data: {e: f, all: f, a: hush}"), "{printed}");
}

#[test]
fn without_a_key_or_with_a_changed_byte_nothing_is_rendered_and_nothing_told() {
    let changed = |secret: String| {
        let (before, value) = secret.split_once("\n  a: ENC[AES256_GCM,data:").expect("it is encrypted");
        let other = if value.starts_with('A') { 'B' } else { 'A' };
        format!("{before}\n  a: ENC[AES256_GCM,data:{other}{}", &value[1..])
    };
    for output in [rendered(None, |secret| secret), rendered(Some("keys/age.txt"), changed)] {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
        assert!(said.contains("secret.yaml") && !said.contains("hush"), "{said}");
    }
}
