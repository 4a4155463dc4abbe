//! `kustomize create`, and, where it is there, the real Kustomize beside ours.

use onepane_testkit::peer;
use std::fs;
use std::path::Path;
use std::process::Command;

const MANIFEST: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";

/// Files of all sorts: manifests, hidden ones, what is no manifest, and folders with and without a kustomization.
fn fill(folder: &Path) {
    let files = [
        ("a.yaml", MANIFEST),
        ("b.yml", MANIFEST),
        (".dot.yaml", MANIFEST),
        ("sp ace.yaml", MANIFEST),
        ("s.json", "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"s\"}}"),
        ("empty.yaml", ""),
        ("comment.yaml", "# only\n"),
        ("list.yaml", "apiVersion: v1\nkind: List\nitems: []\n"),
        ("mixed.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n---\nx: y\n"),
        ("values.yaml", "a: b\n"),
        ("broken.yaml", "resources: [x\n"),
        ("text.yaml", "\"text\""),
        ("seq.yaml", "- a\n- b\n"),
        ("README.md", "hi\n"),
        ("nometa.yaml", "apiVersion: v1\nkind: Foo\nmetadata: {}\n"),
        ("sub/c.yaml", MANIFEST),
        ("sub/deep/d.yaml", MANIFEST),
        (".hid/h.yaml", MANIFEST),
        ("base/kustomization.yaml", "resources: [a.yaml]\n"),
        ("base/a.yaml", MANIFEST),
    ];
    for (file, text) in files {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("folders can be made");
        fs::write(path, text).expect("files can be written");
    }
}

/// What a program makes of a new folder: the kustomization, or nothing.
fn created(program: &Path, leading: &[&str], arguments: &[&str]) -> Option<String> {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    fill(folder.path());
    let mut command = Command::new(program);
    command.args(leading).arg("create").args(arguments).current_dir(folder.path());
    let output = command.output().expect("it can be started");
    let written = fs::read_to_string(folder.path().join("kustomization.yaml")).ok();
    assert_eq!(output.status.success(), written.is_some(), "{arguments:?}: {output:?}");
    written
}

#[test]
fn kustomizations_are_created_as_kustomize_creates_them() {
    let head = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";
    let detected = ".dot.yaml\n- a.yaml\n- b.yml\n- comment.yaml\n- empty.yaml\n- list.yaml\n- s.json\n- sp ace.yaml\n";
    let everywhere = "b.yml\n- .dot.yaml\n- .hid/h.yaml\n- a.yaml\n- base\n- comment.yaml\n- empty.yaml\n- list.yaml\n- \
                      s.json\n- sp ace.yaml\n- sub/c.yaml\n- sub/deep/d.yaml\n";
    let fields = "commonLabels:\n  a: b\n  c: d\n  e: \"\"\ncommonAnnotations:\n  x: q\n  \"y\": \"true\"\n";
    let cases: &[(&[&str], String)] = &[
        (&[], String::new()),
        (&["--autodetect"], format!("resources:\n- {detected}")),
        (&["--autodetect", "--recursive", "--resources", "b.yml"], format!("resources:\n- {everywhere}")),
        (
            &[
                "--resources",
                "b.yml,base,sub/*,[a-b].y*ml",
                "--namespace=n",
                "--nameprefix",
                "p-",
                "--namesuffix",
                "-s",
            ],
            "resources:\n- b.yml\n- base\n- sub/c.yaml\n- sub/deep\n- a.yaml\n- b.yml\nnamePrefix: p-\nnameSuffix: \
             -s\nnamespace: \"n\"\n"
                .to_owned(),
        ),
        (&["--labels", "a:b,c:d,e", "--annotations", "x:\"q\",y:true"], fields.to_owned()),
        (&["--resources", "sub/**", "ignored"], "resources:\n- sub/c.yaml\n- sub/deep\n".to_owned()),
    ];
    let kustomize = peer("kustomize");
    for (arguments, wanted) in cases {
        let ours = created(Path::new(env!("CARGO_BIN_EXE_onepane")), &["kustomize"], arguments);
        assert_eq!(ours, Some(format!("{head}{wanted}")), "{arguments:?}");
        if let Some(kustomize) = &kustomize {
            assert_eq!(created(kustomize, &[], arguments), ours, "{arguments:?}");
        }
    }
}

#[test]
fn what_can_not_be_created_leaves_nothing_behind() {
    for arguments in [["--resources", "no.yaml"], ["--resources", "["], ["--labels", ":b"], ["--annotations", "a:b,:c"]]
    {
        let ours = created(Path::new(env!("CARGO_BIN_EXE_onepane")), &["kustomize"], &arguments);
        assert_eq!(ours, None, "{arguments:?}");
    }
}
