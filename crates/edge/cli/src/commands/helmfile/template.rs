//! `helmfile template`: releases, rendered.

use super::chartify::changed;
use super::charts::{download_arguments, is_on, prepare, said, version_arguments};
use super::flags::choice;
use super::helm_flags::{HelmCall, joined, words};
use super::hooks::{Event, trigger};
use super::session::Session;
use super::{Failure, write};
use crate::commands::helm::render_for_helmfile;
use crate::commands::pflag::{Flag, Kind, Parsed, flag};
use onepane_helmfile::{PathTemplate, Release, State};
use rayon::prelude::*;

pub(super) const FLAGS: &[Flag] = &[
    flag("include-crds", Kind::Bool, "print the charts' crds/ too"),
    flag("kube-version", Kind::Text, "the version of Kubernetes that charts see"),
    flag("no-hooks", Kind::Bool, "leave the charts' hooks out"),
    flag("output-dir", Kind::Text, "write files below this folder instead of printing"),
    flag("output-dir-template", Kind::Text, "the folder of a release, as a template"),
    flag("post-renderer", Kind::Text, "the plugin to pass everything through"),
    flag("post-renderer-args", Kind::Array, "an argument for it"),
    flag("show-only", Kind::Array, "print what these templates give and nothing else"),
    flag("skip-schema-validation", Kind::Bool, "don't hold values against values.schema.json"),
    flag("skip-tests", Kind::Bool, "leave test hooks out"),
    flag("template-args", Kind::Text, "more arguments for helm template"),
    flag("validate", Kind::Bool, "ask a cluster, check against it"),
];

pub(super) fn run(flags: &Parsed) -> Result<(), Failure> {
    let mut session = Session::open(flags)?;
    let choice = choice(flags);
    let mut any = false;
    for mut state in std::mem::take(&mut session.states) {
        prepare(&session, &mut state, flags, "template", None)?;
        let state = &state;
        let releases = state.planned(choice)?;
        any |= !state.chosen(false).is_empty();
        let calls: Result<Vec<HelmCall>, Failure> =
            releases.iter().map(|release| call(&session, state, release, flags)).collect();
        let world = &session.world;
        let render = |call: &HelmCall| Ok(render_for_helmfile(&call.arguments, &call.world(world))?);
        let rendered: Vec<Result<Vec<u8>, Failure>> = calls?.par_iter().map(render).collect();
        for (release, rendered) in releases.iter().zip(rendered) {
            let rendered = rendered?;
            if writes_files(flags) {
                // What says so is for people.
                eprint!("{}", String::from_utf8_lossy(&rendered));
            } else {
                write(&rendered);
                // Releases are parted by an empty line.
                write(b"\n");
            }
            trigger(&session, state, Some(release), Event::Cleanup, "template")?;
        }
        trigger(&session, state, None, Event::Cleanup, "template")?;
    }
    session.check_selected(any, flags)
}

/// Whether what is rendered goes to files.
fn writes_files(flags: &Parsed) -> bool {
    ["output-dir", "output-dir-template"].iter().any(|flag| flags.text(flag).is_some_and(|path| !path.is_empty()))
}

/// How Helm is to render a release.
fn call(session: &Session, state: &State, release: &Release, flags: &Parsed) -> Result<HelmCall, Failure> {
    let mut arguments = version_arguments(state, release);
    if is_on(state, release, "enableDNS") {
        arguments.push("--enable-dns".to_owned());
    }
    arguments.extend(download_arguments(state, release)?);
    for version in release.texts("apiVersions") {
        arguments.extend(["--api-versions".to_owned(), version]);
    }
    let kube_version = flags.text("kube-version").map(str::to_owned).filter(|version| !version.is_empty());
    let own = release.field("kubeVersion").and_then(|value| value.as_text().map(ToString::to_string));
    if let Some(version) = kube_version.or_else(|| own.filter(|version| !version.is_empty())) {
        arguments.extend(["--kube-version".to_owned(), version]);
    }
    if flags.is_set("skip-schema-validation") || is_on(state, release, "skipSchemaValidation") {
        arguments.push("--skip-schema-validation".to_owned());
    }
    if !release.kube_context.is_empty() {
        arguments.extend(["--kube-context".to_owned(), release.kube_context.clone()]);
    }
    if let Some(path) = flags.text("kubeconfig").filter(|path| !path.is_empty()) {
        arguments.extend(["--kubeconfig".to_owned(), path.to_owned()]);
    }
    let template_args = flags.text("template-args").filter(|text| !text.is_empty()).map(str::to_owned);
    let template_args = template_args.or_else(|| state.default("templateArgs").map(|list| joined(&list)));
    arguments.extend(words(&template_args.unwrap_or_default()));
    for (flag, helm) in [("validate", "--validate"), ("include-crds", "--include-crds")] {
        if flags.is_set(flag) {
            arguments.push(helm.to_owned());
        }
    }
    let mut call = HelmCall::with_values(arguments, session, state, release, flags)?;
    // The chart is rendered twice where it is changed: what follows is for the last time only.
    let with_chart = |chart: &str| [&[release.name.clone(), chart.to_owned()], &*call.arguments].concat();
    let changed = changed(session, state, release, &with_chart, &call.memory)?;
    call.arguments = match &changed {
        Some(chart) => with_chart(chart.path.as_str()),
        None => with_chart(&session.chart(release)),
    };
    if let Some(chart) = changed {
        call.memory = chart.put(call.memory);
    }
    call.arguments.extend(output_arguments(session, state, release, flags)?);
    Ok(call)
}

/// What becomes of what is rendered.
fn output_arguments(
    session: &Session,
    state: &State,
    release: &Release,
    flags: &Parsed,
) -> Result<Vec<String>, Failure> {
    let mut arguments = Vec::new();
    let text = |key: &str| {
        said(state, release, key)
            .and_then(|value| value.as_text().map(ToString::to_string))
            .filter(|text| !text.is_empty())
    };
    let post_renderer = flags.text("post-renderer").map(str::to_owned).filter(|name| !name.is_empty());
    if let Some(post_renderer) = post_renderer.or_else(|| text("postRenderer")) {
        arguments.extend(["--post-renderer".to_owned(), post_renderer]);
    }
    let mut own = flags.all("post-renderer-args");
    if own.is_empty() {
        own = release.texts("postRendererArgs");
    }
    if own.is_empty() {
        own = state.default("postRendererArgs").map(|list| words(&joined(&list))).unwrap_or_default();
    }
    own.into_iter().for_each(|argument| arguments.extend(["--post-renderer-args".to_owned(), argument]));
    for path in flags.all("show-only") {
        arguments.extend(["--show-only".to_owned(), path]);
    }
    if writes_files(flags) {
        let folder = flags.text("output-dir").unwrap_or_default();
        let template = flags.text("output-dir-template").unwrap_or_default();
        let template = if template.is_empty() {
            "{{ .OutputDir }}/{{ .State.BaseName }}-{{ .State.AbsPathSHA1 }}-{{ .Release.Name}}"
        } else {
            template
        };
        let template = PathTemplate { text: template, output_dir: folder, chart_name: &release.chart_name };
        let path = state.path_for(release, template, &session.folder, &session.world)?;
        arguments.extend(["--output-dir".to_owned(), path]);
    }
    for (flag, helm) in [("no-hooks", "--no-hooks"), ("skip-tests", "--skip-tests")] {
        if flags.is_set(flag) {
            arguments.push(helm.to_owned());
        }
    }
    Ok(arguments)
}
