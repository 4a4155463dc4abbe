use super::*;

const ALICE: &str = "age1lzd99uklcjnc0e7d860axevet2cz99ce9pq6tzuzd05l5nr28ams36nvun";
const BOB: &str = "age1tmaae3ld5vpevmsh5yacsauzx8jetg300mpvc4ugp5zr5l6ssq9sla97ep";

fn config(text: &str) -> Result<SopsConfig> {
    SopsConfig::read(&text.replace("ALICE", ALICE).replace("BOB", BOB), FileId::new(CONFIG_NAME))
}

fn keys(config: &SopsConfig, path: &str) -> Vec<Vec<String>> {
    let recipients = config.recipients(path).expect("a rule matches").expect("there are rules");
    let names =
        |group: &Vec<crate::MasterKey>| group.iter().map(|key| format!("{} {}", key.id.kind(), key.id)).collect();
    recipients.groups.iter().map(names).collect()
}

#[test]
fn the_first_rule_that_matches_counts() {
    let text = "\
creation_rules:
  - path_regex: ^prod/.*\\.yaml$
    encrypted_regex: ^(data|stringData)$
    age: ALICE, BOB,
    pgp: [85D77543B3D624B63CEA9E6DBC17301B491B3F21, 85D77543B3D624B63CEA9E6DBC17301B491B3F21]
    kms: arn:aws:kms:eu-west-1:1:key/k+arn:aws:iam::1:role/r
    gcp_kms: projects/p/locations/l/keyRings/r/cryptoKeys/k
    azure_keyvault: https://v.vault.azure.net/keys/k/1
    hc_vault_transit_uri: https://v:8200/v1/transit/keys/k
  - age: ALICE
    mac_only_encrypted: true
stores:
  yaml: {indent: 2}
  json: {indent: -1}
";
    let config = config(text).expect("it can be read");
    let expected = [
        format!("age {ALICE}"),
        format!("age {BOB}"),
        "pgp 85D77543B3D624B63CEA9E6DBC17301B491B3F21".to_owned(),
        "kms arn:aws:kms:eu-west-1:1:key/k+arn:aws:iam::1:role/r".to_owned(),
        "gcp_kms projects/p/locations/l/keyRings/r/cryptoKeys/k".to_owned(),
        "azure_kv https://v.vault.azure.net/keys/k/1".to_owned(),
        "hc_vault https://v:8200/v1/transit/keys/k".to_owned(),
    ];
    assert_eq!(keys(&config, "prod/a.yaml"), [expected.to_vec()]);
    let rule = config.recipients("prod/a.yaml").expect("it matches").expect("there are rules");
    assert_eq!(rule.selection.as_ref().and_then(Selection::field), Some(("encrypted_regex", "^(data|stringData)$")));
    assert_eq!(keys(&config, "test/prod/a.yaml"), [[format!("age {ALICE}")]]);
    assert!(config.recipients("x").expect("it matches").expect("there are rules").mac_only_encrypted);
    assert_eq!(config.layout(), Layout { yaml: 2, json: None, binary: None });
}

#[test]
fn groups_have_keys_of_all_kinds() {
    let text = "\
creation_rules:
  - shamir_threshold: 2
    key_groups:
      - merge:
          - age: [BOB]
        age: [ALICE, BOB]
        kms:
          - {arn: 'arn:k', role: 'arn:r', context: {a: b}, aws_profile: dev}
      - pgp: [ABCD]
        gcp_kms: [{resource_id: projects/p}]
        azure_keyvault: [{vaultUrl: 'https://v', key: k, version: '1'}]
        hc_vault: ['https://v/v1/transit/keys/k']
        hckms: [{key_id: 'r:1'}]
";
    let config = config(text).expect("it can be read");
    let one = [format!("age {BOB}"), format!("age {ALICE}"), "kms arn:k+arn:r|a:b|dev".to_owned()];
    let two = [
        "pgp ABCD",
        "gcp_kms projects/p",
        "hckms r:1",
        "azure_kv https://v/keys/k/1",
        "hc_vault https://v/v1/transit/keys/k",
    ];
    assert_eq!(keys(&config, "a.yaml"), [one.to_vec(), two.map(str::to_owned).to_vec()]);
    assert_eq!(config.recipients("a").expect("it matches").expect("there are rules").shamir_threshold, 2);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (text, wanted) in [
        ("creation_rules: 1", "`creation_rules` is no list"),
        ("creation_rules: [{path_regex: '('}]", "`path_regex` is no regular expression"),
        ("creation_rules: [{path_regex: a}]", "no rule of `.sops.yaml` is about `b`"),
        ("creation_rules: [{age: age1x}]", "is no recipient of age"),
        ("creation_rules: [{age: {a: b}}]", "`age` is no text"),
        ("creation_rules: [{azure_keyvault: x}]", "no address like"),
        ("creation_rules: [{key_groups: [{gcp_kms: [{}]}]}]", "`resource_id` is missing"),
        ("creation_rules: [{shamir_threshold: x}]", "`shamir_threshold` is no number"),
        ("creation_rules: [{encrypted_regex: a, encrypted_suffix: b}]", "exclude one another"),
        ("stores: {yaml: {indent: x}}", "`indent` is no number"),
        ("a: [", "did not find expected"),
    ] {
        let error = config(text).and_then(|config| config.recipients("b")).expect_err(wanted);
        assert!(error.message.contains(wanted), "{text}: {error}");
        assert!(error.primary.is_some() || error.code == "sops-refused", "{text}");
    }
    assert!(config("").expect("it is empty").recipients("b").expect("there are no rules").is_none());
}
