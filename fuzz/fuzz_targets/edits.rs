//! Any text is a kustomization that can be edited, or is refused; what an edit writes is one that says all it should.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onepane_diagnostics::{FileId, Result};
use onepane_kustomize::Generated::ConfigMap;
use onepane_kustomize::{GeneratorSources, ImageChange, KustomizationDraft, Metadata, PatchEntry};

type Edit = fn(&mut KustomizationDraft) -> Result<()>;

const EDITS: [Edit; 9] = [
    |draft| draft.add("resources", "x.yaml").map(drop),
    |draft| draft.set_text("namePrefix", "on"),
    |draft| draft.set_image(&ImageChange::parse("a=b:1")?),
    |draft| draft.set_replicas("m", 3),
    |draft| draft.set_metadata(Metadata::Label, "m", "1.0"),
    |draft| draft.add_label_without_selector("m", "n", false, true),
    |draft| draft.add_patch(&PatchEntry { patch: "a: b\nc: d\n".to_owned(), ..PatchEntry::default() }).map(drop),
    |draft| {
        let sources =
            GeneratorSources { literals: vec!["k=v".to_owned()], no_hash: true, ..GeneratorSources::default() };
        draft.add_to_generator(ConfigMap, "m", "", &sources).map(drop)
    },
    |draft| draft.remove("resources", |_| true).and_then(|()| draft.modernize(|_| true)),
];

fuzz_target!(|text: &str| {
    let file = FileId::new("kustomization.yaml");
    let Ok(mut draft) = KustomizationDraft::open(text, file) else { return };
    for edit in EDITS {
        if edit(&mut draft).is_err() {
            return;
        }
        let again = KustomizationDraft::open(draft.text(), file).expect("an edit writes a kustomization");
        assert_eq!(again.text(), draft.text());
    }
});
