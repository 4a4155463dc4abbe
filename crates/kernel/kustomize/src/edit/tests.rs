use super::*;
use crate::generate::Generated;

const HEAD: &str = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";

fn edited(text: &str, edit: impl FnOnce(&mut KustomizationDraft)) -> String {
    let mut draft = KustomizationDraft::open(text, FileId::new("kustomization.yaml")).unwrap();
    edit(&mut draft);
    draft.text().to_owned()
}

#[test]
fn what_is_deprecated_moves_and_the_rest_stays() {
    let text = "# ours\nBases: # old\n- ../a   # a\n\nimages:\n- name: x\n  newtag: v1\nimageTags:\n- name: z\n  newTag: v2\n\
                configMapGenerator:\n- name: c\n  env: f.env\n- name: d\n  env: ''\n  literals: [a=b]\n";
    let wanted = "# ours\nresources: # old\n- ../a   # a\n\nimages:\n- name: x\n  newTag: v1\n- name: z\n  newTag: v2\n\
                  configMapGenerator:\n- name: c\n  envs:\n  - f.env\n- name: d\n  literals: [a=b]\n";
    assert_eq!(edited(text, |_| {}), format!("{wanted}{HEAD}"));
    let component = edited("kind: Component\n", |_| {});
    assert_eq!(component, "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n");
    assert_eq!(edited("", |_| {}), HEAD);
    let charts = "helmChartInflationGenerator:\n- chartName: a\n  chartHome: h\n  values: v.yaml\n";
    let wanted = "helmCharts:\n- name: a\n  valuesFile: v.yaml\n";
    assert_eq!(edited(charts, |_| {}), format!("{wanted}{HEAD}helmGlobals:\n  chartHome: h\n"));
    let aliased = "# c\nresources: &x [r.yaml]\ncomponents: *x\n";
    assert_eq!(edited(aliased, |_| {}), format!("# c\nresources: [r.yaml]\ncomponents: [r.yaml]\n{HEAD}"));
}

#[test]
fn labels_come_between_those_that_are_sorted() {
    let set = |text: &str, key: &str| {
        edited(&format!("{HEAD}{text}"), |draft| draft.set_metadata(Metadata::Label, key, "v").unwrap())
    };
    assert_eq!(
        set("commonLabels:\n  a: b # c\n  d: e\n", "c"),
        format!("{HEAD}commonLabels:\n  a: b # c\n  c: v\n  d: e\n")
    );
    assert_eq!(set("commonLabels:\n  z: b\n  d: e\n", "c"), format!("{HEAD}commonLabels:\n  z: b\n  d: e\n  c: v\n"));
    assert_eq!(set("commonLabels: {a: b}\n", "c"), format!("{HEAD}commonLabels: {{a: b, c: v}}\n"));
    assert_eq!(
        set("commonLabels:\nx: 1\n".replace("x: 1\n", "").as_str(), "c"),
        format!("{HEAD}commonLabels:\n  c: v\n")
    );
}

#[test]
fn images_are_read_as_kustomize_reads_them() {
    let parts =
        |text| ImageChange::parse(text).map(|change| [change.name, change.new_name, change.new_tag, change.digest]);
    for (text, wanted) in [
        ("a:1", ["a", "", "1", ""]),
        ("a=b", ["a", "b", "", ""]),
        ("a=b:1@sha256:c", ["a", "b", "1", "sha256:c"]),
        ("a@sha256:c", ["a", "", "", "sha256:c"]),
        ("a=*:*", ["a", "*", "*", ""]),
        ("r:5000/a=b", ["r:5000/a", "b", "", ""]),
    ] {
        assert_eq!(parts(text).unwrap(), wanted, "{text}");
    }
    assert!(parts("a").is_err());
}

#[test]
fn old_lists_of_patches_become_the_new_one() {
    let text = format!(
        "{HEAD}# which\npatchesStrategicMerge:\n- p.yaml # one\n- |-\n  kind: A\n  x: y\npatchesJson6902:\n- target: {{kind: B}}\n  \
         path: j.yaml\ncommonLabels:\n  a: b\n"
    );
    let fixed = edited(&text, |draft| draft.modernize(|path| path == "p.yaml").unwrap());
    assert_eq!(
        fixed,
        format!(
            "{HEAD}patches:\n- target: {{kind: B}}\n  path: j.yaml\n- path: p.yaml # one\n- patch: |-\n    kind: A\n    x: y\n\
             labels:\n- includeSelectors: true\n  pairs:\n    a: b\n"
        )
    );
    let conflict = format!("{HEAD}commonLabels: {{a: b}}\nlabels:\n- pairs: {{a: c}}\n");
    let mut draft = KustomizationDraft::open(&conflict, FileId::new("kustomization.yaml")).unwrap();
    assert_eq!(
        draft.modernize(|_| false).unwrap_err().message,
        "label name 'a' exists in both commonLabels and labels"
    );
}

#[test]
fn literals_keep_their_order_and_their_comments() {
    // Kustomize writes them in a new order each time, which is why no case beside it has two.
    let text = format!("{HEAD}configMapGenerator:\n- name: c\n  literals:\n  - A=1   # one\n  - B=2\n");
    let set = |key| edited(&text, |draft| _ = draft.set_literal(Generated::ConfigMap, 0, key, "7"));
    assert_eq!(set("A"), text.replace("A=1", "A=7"));
    assert_eq!(set("Z"), text);
}
