//! `helm diff upgrade`, which Helm itself does not have: what an upgrade would change of what a release is made of, as the plugin
//! helm-diff tells it. It reads the last revision, renders the chart as `helm template` does, and writes nothing.

use super::diff_manifests::{Specs, parse as manifests};
use super::diff_report::{Format, Style, report};
use super::diff_secrets::Values;
use super::flags::{CHART_LOCATION, DEVELOPMENT, Flag, Kind, Parsed, SERVER, VALUES, flag, parse, short};
use super::namespace::namespace;
use super::release_chart::computed;
use super::release_flags::{check_name, cluster, session_in};
use super::{Failure, template};
use crate::redaction::redacted;
use camino::Utf8Path;
use onepane_release::{Hook, Release};
use onepane_value::to_yaml;
use onepane_world::{EntryKind, ReadError, World};
use regex::Regex;
use std::sync::Arc;

/// The plugin's flags.
pub(super) const FLAGS: &[&[Flag]] = &[OWN_FLAGS, VALUES, SERVER, CHART_LOCATION, DEVELOPMENT];

const OWN_FLAGS: &[Flag] = &[
    flag("allow-unreleased", Kind::Bool, "a release that is not there yet is all new"),
    short('a', "api-versions", Kind::Array, "API versions that the chart sees"),
    flag("color", Kind::Bool, "print with color"),
    short('C', "context", Kind::Integer, "how many lines around changes are printed"),
    flag("detailed-exitcode", Kind::Bool, "whether changes are told by the exit code"),
    flag("disable-openapi-validation", Kind::Bool, "don't hold manifests against schemas"),
    flag("disable-validation", Kind::Bool, "don't check manifests against the cluster"),
    flag("dry-run", Kind::OptionalText("client"), "server: ask the cluster, which is the default"),
    flag("enable-dns", Kind::Bool, "let templates look up hosts"),
    short('D', "find-renames", Kind::Number, ""),
    flag("include-crds", Kind::Bool, "compare the charts' crds/, too"),
    flag("include-tests", Kind::Bool, "compare hooks that are tests, too"),
    flag("install", Kind::Bool, "a release that is not there yet is all new"),
    flag("kube-version", Kind::Text, "the version of Kubernetes that the chart sees"),
    flag("no-color", Kind::Bool, "print without color"),
    flag("no-hooks", Kind::Bool, "don't compare hooks"),
    flag("normalize-manifests", Kind::Bool, ""),
    flag("output", Kind::Text, "diff, simple, json or template"),
    flag("post-renderer", Kind::Array, "the plugin to pass everything through"),
    flag("post-renderer-args", Kind::Array, "an argument for it"),
    flag("reset-then-reuse-values", Kind::Bool, "take the chart's values, and lay over them those given before"),
    flag("reset-values", Kind::Bool, "take the chart's values, and forget those given before"),
    flag("reuse-values", Kind::Bool, "take the values of the last revision"),
    flag("server-side", Kind::Text, "no effect on what is compared"),
    flag("show-secrets", Kind::Bool, "print the values of Secrets"),
    flag("show-secrets-decoded", Kind::Bool, "print what is encoded in them"),
    flag("skip-schema-validation", Kind::Bool, "don't hold values against values.schema.json"),
    flag("strip-trailing-cr", Kind::Bool, "don't compare carriage returns at the ends of lines"),
    flag("suppress", Kind::Array, "only say of this kind that it changes"),
    flag("suppress-output-line-regex", Kind::Array, "leave lines out that this fits"),
    short('q', "suppress-secrets", Kind::Bool, "only say of Secrets that they change"),
    flag("take-ownership", Kind::Bool, "resources that others own are taken"),
    flag("three-way-merge", Kind::Bool, ""),
];

/// Flags that rendering takes as they are.
const TO_RENDERING: [&str; 20] = [
    "api-versions",
    "ca-file",
    "cert-file",
    "disable-openapi-validation",
    "devel",
    "enable-dns",
    "include-crds",
    "insecure-skip-tls-verify",
    "key-file",
    "keyring",
    "kube-context",
    "kube-version",
    "kubeconfig",
    "no-hooks",
    "plain-http",
    "post-renderer",
    "post-renderer-args",
    "repo",
    "skip-schema-validation",
    "version",
];

const GIVEN_VALUES: [&str; 6] = ["set", "set-file", "set-json", "set-literal", "set-string", "values"];

/// Where the values of the last revision are read from: no file on disk is called so.
const REUSED: &str = "/\u{1}last-revision/values.yaml";

/// A world that has the values of the last revision as well.
struct Reusing<'w> {
    world: &'w dyn World,
    values: Arc<[u8]>,
}

impl World for Reusing<'_> {
    onepane_world::answers_of!(world: now, random, env, list, canonical);

    fn read(&self, path: &Utf8Path) -> Result<Arc<[u8]>, ReadError> {
        if path == REUSED { Ok(self.values.clone()) } else { self.world.read(path) }
    }

    fn kind(&self, path: &Utf8Path) -> Option<EntryKind> {
        if path == REUSED { Some(EntryKind::File) } else { self.world.kind(path) }
    }
}

/// What is printed, and whether anything would change.
pub(super) fn difference(flags: &Parsed, world: &dyn World) -> Result<(Vec<u8>, bool), Failure> {
    for (name, variable) in [
        ("three-way-merge", Some("HELM_DIFF_THREE_WAY_MERGE")),
        ("normalize-manifests", Some("HELM_DIFF_NORMALIZE_MANIFESTS")),
        ("find-renames", None),
    ] {
        if flags.is_given(name) && flags.text(name) != Some("false") {
            return Err(format!("--{name} of helm-diff is not supported").into());
        }
        if let Some(variable) = variable.filter(|name| world.env(name).as_deref() == Some("true")) {
            return Err(format!("{variable} of helm-diff is not supported").into());
        }
    }
    if world.env("HELM_DIFF_USE_UPGRADE_DRY_RUN").as_deref() == Some("true") {
        return Err("HELM_DIFF_USE_UPGRADE_DRY_RUN of helm-diff is not supported".to_owned().into());
    }
    let style = style(flags, world)?;
    let [name, chart] = flags.arguments.as_slice() else {
        return Err("a diff needs a release and a chart".to_owned().into());
    };
    let namespace = namespace(flags, world);
    let before = last(flags, name, &namespace, world)?;
    let rendered = rendered(flags, name, chart, &namespace, before.as_ref(), world)
        .map_err(|failure| failure.after("Failed to render chart: "))?;
    let includes_tests = flags.is_set("include-tests");
    let mut said = |line: String| eprintln!("{}", redacted(&line));
    let specs = |text: &str, said: &mut dyn FnMut(String)| manifests(text, &namespace, includes_tests, said);
    let old = match &before {
        None => Specs::new(),
        Some(release) => specs(&stored(release, !flags.is_set("no-hooks")), &mut said)?,
    };
    let new = specs(&String::from_utf8_lossy(&rendered), &mut said)?;
    let (text, has_changes) = report(&old, &new, &style);
    // A value that was decrypted on the way is none of a Secret's alone.
    let text = if style.values == Values::Redacted { redacted(&text) } else { text };
    Ok((text.into_bytes(), has_changes))
}

/// The last revision; none, if there is no such release.
fn last(flags: &Parsed, name: &str, namespace: &str, world: &dyn World) -> Result<Option<Release>, Failure> {
    if flags.text("dry-run") == Some("client") {
        return Ok(None);
    }
    check_name(name, "releaseContent: Release name is invalid")?;
    let cluster = cluster(flags, world)?;
    let session = session_in(namespace, world, &cluster)?;
    match cluster.run(session.revision(name, 0)) {
        Err(onepane_release::Failure::NotFound) => Ok(None),
        release => {
            let failed = |failure| format!("Failed to get release {name} in namespace {namespace}: {failure}");
            Ok(Some(release.map_err(failed)?))
        }
    }
}

/// What a revision is made of, as `helm get manifest` and `helm get hooks` print it.
fn stored(release: &Release, has_hooks: bool) -> String {
    let mut text = release.manifest.clone() + "\n";
    for Hook { path, manifest, .. } in release.hooks.iter().filter(|_| has_hooks) {
        text += &format!("---\n# Source: {path}\n{manifest}\n");
    }
    text
}

fn rendered(
    flags: &Parsed,
    name: &str,
    chart: &str,
    namespace: &str,
    before: Option<&Release>,
    world: &dyn World,
) -> Result<Vec<u8>, Failure> {
    let mut arguments = vec![name.to_owned(), chart.to_owned(), "--namespace".to_owned(), namespace.to_owned()];
    let mut pass = |name: &str| arguments.extend(flags.all(name).iter().map(|value| format!("--{name}={value}")));
    TO_RENDERING.iter().for_each(|name| pass(name));
    let mut reused = String::new();
    let reuses = flags.is_set("reuse-values");
    if let Some(release) = before.filter(|_| !flags.is_set("reset-values")) {
        let given_none = GIVEN_VALUES.iter().all(|name| flags.all(name).is_empty());
        if reuses || flags.is_set("reset-then-reuse-values") || given_none {
            let all = if flags.is_set("reset-then-reuse-values") && !reuses {
                super::release_chart::given(release)?
            } else {
                computed(release, &mut |_| {})?
            };
            reused = to_yaml(&all.into())?.to_str().into_owned();
            arguments.push(format!("--values={REUSED}"));
        }
    }
    let mut pass = |name: &str| arguments.extend(flags.all(name).iter().map(|value| format!("--{name}={value}")));
    GIVEN_VALUES.iter().filter(|name| **name != "values").for_each(|name| pass(name));
    // Each is read as CSV once more.
    arguments.extend(flags.all("values").iter().map(|path| format!("--values=\"{}\"", path.replace('"', "\"\""))));
    if !flags.is_set("disable-validation") && flags.text("dry-run") != Some("client") {
        arguments.push("--dry-run=server".to_owned());
    }
    if flags.is_set("take-ownership") {
        arguments.push("--take-ownership".to_owned());
    }
    if before.is_some() {
        arguments.push("--is-upgrade".to_owned());
    }
    let flags = parse(template::COMMAND.flags, &arguments)?;
    template::rendered(&flags, &Reusing { world, values: reused.into_bytes().into() })
}

fn style(flags: &Parsed, world: &dyn World) -> Result<Style, Failure> {
    let said = |flag: &str, variable: &str| flags.text(flag).map(str::to_owned).or_else(|| world.env(variable));
    let format = match said("output", "HELM_DIFF_OUTPUT").as_deref().map(str::trim) {
        None | Some("" | "diff") => Format::Diff,
        Some("simple") => Format::Simple,
        Some("json") => Format::Json,
        Some("template") if world.env("HELM_DIFF_TPL").is_none() => Format::Json,
        Some("template") => return Err("HELM_DIFF_TPL of helm-diff is not supported".to_owned().into()),
        Some(other @ ("structured" | "dyff")) => {
            return Err(
                format!("--output {other} of helm-diff is not supported: diff, simple, json or template").into()
            );
        }
        // The plugin takes whatever it does not know for the first.
        Some(_) => Format::Diff,
    };
    let patterns: Result<Vec<Regex>, regex::Error> =
        flags.all("suppress-output-line-regex").iter().map(|pattern| Regex::new(pattern)).collect();
    let mut suppressed = flags.all("suppress");
    if flags.is_set("suppress-secrets") {
        suppressed.push("Secret".to_owned());
    }
    Ok(Style {
        format,
        context: said("context", "HELM_DIFF_OUTPUT_CONTEXT").and_then(|text| text.parse().ok()),
        strips_carriage_returns: flags.is_set("strip-trailing-cr"),
        values: if flags.is_set("show-secrets-decoded") {
            Values::Decoded
        } else if flags.is_set("show-secrets") {
            Values::AsTheyAre
        } else {
            Values::Redacted
        },
        suppressed,
        suppressed_lines: patterns.map_err(|error| format!("--suppress-output-line-regex: {error}"))?,
        has_color: flags.is_set("color") && !flags.is_set("no-color"),
    })
}
