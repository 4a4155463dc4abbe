//! What the tests of edits share: a chart, and what a promotion changes line by line.
#![allow(dead_code, reason = "each test program uses a part of it")]

use onepane_repo::{Promotion, Repository, Version};
use onepane_resource::ImageName;
use onepane_world::{Edited, MemoryWorld, World};
use std::collections::BTreeMap;

const POD: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: '{{ .Release.Name }}'}
spec:
  containers:
  - name: main
    image: {{ if .Values.whole }}{{ .Values.whole }}{{ else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ with .Values.image.digest }}@{{ . }}{{ end }}{{ end }}
";

/// With the chart `web`, whose values say `r.example.com/web` without a tag.
pub(crate) fn with_chart(world: MemoryWorld, folder: &str) -> MemoryWorld {
    world
        .with(format!("{folder}/Chart.yaml"), "apiVersion: v2\nname: web\nversion: 0.1.0\nappVersion: 9.9.9\n")
        .with(format!("{folder}/values.yaml"), "whole: ''\nimage: {repository: r.example.com/web}\n")
        .with(format!("{folder}/templates/pod.yaml"), POD)
}

pub(crate) fn version(text: &str) -> Version {
    Version::of(&ImageName::parse(&format!("a{text}")))
}

pub(crate) fn promoted(world: &dyn World, unit: &str, image: &str, to: &str) -> Promotion {
    let repository = Repository::open(world).expect("the layout is good");
    let unit = repository.unit(unit).expect("it is there");
    let wanted = BTreeMap::from([(image.to_owned(), version(to))]);
    let promotion = repository.promote(&unit, &wanted).unwrap_or_else(|error| panic!("{error:?}"));
    // Whoever asks again has nothing to do.
    let edited = Edited::new(world, promotion.edits.clone());
    let again = Repository::open(&edited).expect("the layout is good");
    let again = again.promote(&unit, &wanted).unwrap_or_else(|error| panic!("{error:?}"));
    assert!(again.carried.is_empty() && again.edits.is_empty(), "{again:?}");
    promotion
}

/// `PATH: OLD → NEW` of each line that changes; `PATH: + NEW` where lines come.
pub(crate) fn lines(world: &dyn World, promotion: &Promotion) -> Vec<String> {
    let mut changed = Vec::new();
    for (path, new) in &promotion.edits {
        let bytes = world.read(path).expect("it was there");
        let old = String::from_utf8_lossy(&bytes).into_owned();
        let (old, new): (Vec<&str>, Vec<&str>) = (old.split('\n').collect(), new.split('\n').collect());
        if old.len() != new.len() {
            let came = new.iter().filter(|line| !old.contains(line));
            changed.extend(came.map(|line| format!("{path}: + {line}")));
            continue;
        }
        let differing = old.iter().zip(&new).filter(|(old, new)| old != new);
        changed.extend(differing.map(|(old, new)| format!("{path}: {old} → {new}")));
    }
    changed
}

/// The lines that change where `web` of `dev` gets another version, and why its values are left alone.
pub(crate) fn changed(world: &MemoryWorld, to: &str) -> (Vec<String>, Option<String>) {
    let promotion = promoted(world, "dev", "r.example.com/web", to);
    (lines(world, &promotion), promotion.carried[0].left.clone())
}
