//! How a release is told to Helm where it is compared with a cluster or brought to one.

use super::Failure;
use super::chartify::{ChangedChart, changed};
use super::charts::{download_arguments, is_on, said, version_arguments};
use super::helm_flags::{HelmCall, connection_arguments, extra_arguments, joined, words};
use super::session::Session;
use crate::commands::pflag::Parsed;
use onepane_helmfile::{Release, State};

/// Helm's own labels of a release, which users do not set.
const SYSTEM_LABELS: [&str; 6] = ["name", "owner", "status", "version", "createdAt", "modifiedAt"];

/// A text of a release, then of the command line, then what is said for all.
fn text(state: &State, release: &Release, flags: &Parsed, key: &str, flag: &str) -> Option<String> {
    let of = |value: Option<onepane_value::Value>| {
        value.and_then(|value| value.as_text().map(ToString::to_string)).filter(|text| !text.is_empty())
    };
    let given = || flags.text(flag).map(str::to_owned).filter(|text| !text.is_empty());
    of(release.field(key)).or_else(given).or_else(|| of(state.default(key)))
}

/// A whole number of a release or what is said for all.
pub(super) fn number(state: &State, release: &Release, key: &str) -> Option<i64> {
    let value = said(state, release, key)?;
    onepane_value::format::sprint(&[value]).to_string().parse().ok()
}

/// Whether something is said by the release or the command line or, where the release says nothing, for all.
fn is_wanted(state: &State, release: &Release, flags: &Parsed, key: &str, flag: &str) -> bool {
    flags.is_set(flag) || is_on(state, release, key)
}

/// The command line of `helm upgrade --install`.
pub(super) fn upgrade_call(
    session: &Session,
    state: &State,
    release: &Release,
    flags: &Parsed,
) -> Result<HelmCall, Failure> {
    let wanted = |key: &str, flag: &str| is_wanted(state, release, flags, key, flag);
    let refuse = |problem: &str| Err(Failure::text(problem.to_owned()));
    let (chart, call) = chart(session, state, release, flags)?;
    let mut arguments = vec![release.name.clone(), chart, "--install".to_owned()];
    let mut switch = |is_on: bool, flag: &str| {
        if is_on {
            arguments.push(flag.to_owned());
        }
    };
    let is_legacy = match text(state, release, flags, "trackMode", "track-mode").as_deref() {
        None | Some("helm") => false,
        Some("helm-legacy") => true,
        Some("kubedog") => return refuse("trackMode kubedog is not supported: releases are waited for as Helm does"),
        Some(other) => return Err(Failure::text(format!("invalid trackMode {other:?}: helm or helm-legacy"))),
    };
    let (forces, forces_conflicts) = (is_on(state, release, "force"), is_on(state, release, "forceConflicts"));
    if forces && forces_conflicts {
        return refuse(
            "force and forceConflicts are mutually exclusive (check both releases[].force/forceConflicts and \
             helmDefaults.force/forceConflicts)",
        );
    }
    let (atomic, rolls_back) = (is_on(state, release, "atomic"), is_on(state, release, "rollbackOnFailure"));
    if atomic && rolls_back {
        return refuse(
            "atomic and rollbackOnFailure are mutually exclusive (check both releases[].atomic/rollbackOnFailure and \
             helmDefaults.atomic/rollbackOnFailure)",
        );
    }
    switch(is_on(state, release, "enableDNS"), "--enable-dns");
    if wanted("wait", "wait") {
        switch(true, if is_legacy { "--wait=legacy" } else { "--wait" });
    }
    switch(wanted("waitForJobs", "wait-for-jobs"), "--wait-for-jobs");
    switch(forces, "--force-replace");
    switch(forces_conflicts, "--force-conflicts");
    switch(is_on(state, release, "recreatePods"), "--recreate-pods");
    switch(atomic || rolls_back, "--rollback-on-failure");
    switch(is_on(state, release, "cleanupOnFail"), "--cleanup-on-fail");
    switch(said(state, release, "createNamespace").is_none_or(|value| value.truth()), "--create-namespace");
    switch(is_on(state, release, "disableOpenAPIValidation"), "--disable-openapi-validation");
    switch(flags.is_set("hide-notes"), "--hide-notes");
    switch(wanted("takeOwnership", "take-ownership"), "--take-ownership");
    switch(wanted("skipSchemaValidation", "skip-schema-validation"), "--skip-schema-validation");
    switch(flags.is_set("skip-crds") || state.default("skipCRDs").is_some_and(|value| value.truth()), "--skip-crds");
    let seconds = flags.text("timeout").and_then(|text| text.parse().ok()).filter(|seconds| *seconds > 0);
    if let Some(seconds) = seconds.or_else(|| number(state, release, "timeout")).filter(|seconds| *seconds != 0) {
        arguments.extend(["--timeout".to_owned(), format!("{seconds}s")]);
    }
    // Unlike what else may be said for all, no release can take this back.
    let is_for_all = || state.default("syncReleaseLabels").is_some_and(|value| value.truth());
    if wanted("syncReleaseLabels", "sync-release-labels") || is_for_all() {
        let labels = release.labels.iter().filter(|(key, _)| !SYSTEM_LABELS.contains(&key.as_str()));
        let labels: Vec<String> = labels.map(|(key, value)| format!("{key}={value}")).collect();
        if !labels.is_empty() {
            arguments.extend(["--labels".to_owned(), labels.join(",")]);
        }
    }
    let description = flags.text("description").map(str::to_owned).filter(|text| !text.is_empty());
    let own = || release.field("description").and_then(|value| value.as_text().map(ToString::to_string));
    if let Some(description) = description.or_else(own).filter(|text| !text.is_empty()) {
        arguments.extend(["--description".to_owned(), description]);
    }
    arguments.extend(shared(state, release, flags)?);
    let sync_args = flags.text("sync-args").map(str::to_owned).filter(|text| !text.is_empty());
    let sync_args = sync_args.or_else(|| state.default("syncArgs").map(|list| joined(&list)));
    arguments.extend(words(&sync_args.unwrap_or_default()));
    arguments.extend(call.arguments);
    arguments.push(values_mode(state, release, flags));
    let most = number(state, release, "historyMax").unwrap_or(10);
    arguments.extend(["--history-max".to_owned(), most.to_string()]);
    arguments.extend(extra_arguments(state, flags));
    Ok(HelmCall { arguments, memory: call.memory })
}

/// The command line of `helm diff upgrade`.
pub(super) fn diff_call(
    session: &Session,
    state: &State,
    release: &Release,
    flags: &Parsed,
    skips_validation: bool,
    has_color: bool,
) -> Result<HelmCall, Failure> {
    let (chart, call) = chart(session, state, release, flags)?;
    let mut arguments = vec![release.name.clone(), chart, "--allow-unreleased".to_owned()];
    let skips_validation = said(state, release, "disableValidation").map_or(skips_validation, |value| value.truth());
    for (is_on, flag) in [
        (is_on(state, release, "enableDNS"), "--enable-dns"),
        (is_on(state, release, "disableOpenAPIValidation"), "--disable-openapi-validation"),
        (skips_validation, "--disable-validation"),
        (is_wanted(state, release, flags, "takeOwnership", "take-ownership"), "--take-ownership"),
        (
            is_wanted(state, release, flags, "skipSchemaValidation", "skip-schema-validation"),
            "--skip-schema-validation",
        ),
        (flags.is_set("strip-trailing-cr"), "--strip-trailing-cr"),
        (flags.is_set("include-tests"), "--include-tests"),
        (flags.is_set("suppress-secrets"), "--suppress-secrets"),
        (flags.is_set("show-secrets"), "--show-secrets"),
        (flags.is_set("no-hooks"), "--no-hooks"),
        (has_color, "--color"),
    ] {
        if is_on {
            arguments.push(flag.to_owned());
        }
    }
    arguments.extend(capabilities(release, flags));
    arguments.extend(shared(state, release, flags)?);
    let mut patterns = release.texts("suppressOutputLineRegex");
    if patterns.is_empty() {
        patterns = flags.all("suppress-output-line-regex");
    }
    if patterns.is_empty() {
        let list = state.default("suppressOutputLineRegex").and_then(|list| list.as_list().map(|list| list.to_vec()));
        let texts = list.unwrap_or_default().into_iter();
        patterns = texts.filter_map(|text| text.as_text().map(ToString::to_string)).collect();
    }
    let patterns = patterns.into_iter().filter(|pattern| !pattern.is_empty());
    arguments.extend(patterns.map(|pattern| format!("--suppress-output-line-regex={pattern}")));
    arguments.extend(flags.all("suppress").into_iter().map(|kind| format!("--suppress={kind}")));
    if let Some(lines) = flags.text("context").and_then(|text| text.parse::<i64>().ok()).filter(|lines| *lines > 0) {
        arguments.push(format!("--context={lines}"));
    }
    if let Some(output) = flags.text("output").filter(|output| !output.is_empty()) {
        arguments.push(format!("--output={output}"));
    }
    arguments.extend(call.arguments);
    arguments.push(values_mode(state, release, flags));
    let diff_args = flags.text("diff-args").map(str::to_owned).filter(|text| !text.is_empty());
    let diff_args = diff_args.or_else(|| state.default("diffArgs").map(|list| joined(&list)));
    arguments.extend(words(&diff_args.unwrap_or_default()));
    arguments.extend(words(&template_arguments(state, flags)));
    arguments.extend(extra_arguments(state, flags));
    Ok(HelmCall { arguments, memory: call.memory })
}

fn template_arguments(state: &State, flags: &Parsed) -> String {
    let given = flags.text("template-args").map(str::to_owned).filter(|text| !text.is_empty());
    given.or_else(|| state.default("templateArgs").map(|list| joined(&list))).unwrap_or_default()
}

fn capabilities(release: &Release, flags: &Parsed) -> Vec<String> {
    let mut arguments = Vec::new();
    for version in release.texts("apiVersions") {
        arguments.extend(["--api-versions".to_owned(), version]);
    }
    let own = release.field("kubeVersion").and_then(|value| value.as_text().map(ToString::to_string));
    if let Some(version) = own.filter(|version| !version.is_empty()) {
        arguments.extend(["--kube-version".to_owned(), version]);
    }
    if let Some(path) = flags.text("kubeconfig").filter(|path| !path.is_empty()) {
        arguments.extend(["--kubeconfig".to_owned(), path.to_owned()]);
    }
    arguments
}

/// The chart as Helm is to find it, and the values to render it with: where it is changed before, it is in memory.
fn chart(session: &Session, state: &State, release: &Release, flags: &Parsed) -> Result<(String, HelmCall), Failure> {
    let mut arguments = version_arguments(state, release);
    arguments.extend(download_arguments(state, release)?);
    if let [context, name, ..] = connection_arguments(state, release, flags).as_slice()
        && context == "--kube-context"
    {
        arguments.extend([context.clone(), name.clone()]);
    }
    let mut call = HelmCall::with_values_alone(arguments, session, state, release, flags)?;
    let for_rendering = |chart: &str| {
        let mut arguments = vec![release.name.clone(), chart.to_owned()];
        arguments.extend(call.arguments.iter().cloned());
        arguments.extend(capabilities(release, flags));
        arguments.extend(words(&template_arguments(state, flags)));
        if flags.is_set("validate") {
            arguments.push("--validate".to_owned());
        }
        arguments
    };
    let changed: Option<ChangedChart> = changed(session, state, release, &for_rendering, &call.memory)?;
    let path = match changed {
        Some(chart) => {
            call.memory = chart.put(call.memory);
            chart.path.into_string()
        }
        None => session.chart(release),
    };
    Ok((path, call))
}

/// What a diff and an upgrade are told alike.
fn shared(state: &State, release: &Release, flags: &Parsed) -> Result<Vec<String>, Failure> {
    let mut arguments = Vec::new();
    if let Some(path) = flags.text("kubeconfig").filter(|path| !path.is_empty()) {
        arguments.extend(["--kubeconfig".to_owned(), path.to_owned()]);
    }
    if let Some(post_renderer) = text(state, release, flags, "postRenderer", "post-renderer") {
        // Scripts are plugins of their name in Helm 4.
        let name = post_renderer.rsplit('/').next().unwrap_or_default();
        let name = name.strip_suffix(".bash").or_else(|| name.strip_suffix(".sh"));
        arguments.push(format!("--post-renderer={}", name.unwrap_or(&post_renderer)));
    }
    let mut own = release.texts("postRendererArgs");
    if own.is_empty() {
        own = flags.all("post-renderer-args");
    }
    if own.is_empty() {
        own = state.default("postRendererArgs").map(|list| words(&joined(&list))).unwrap_or_default();
    }
    arguments.extend(own.into_iter().map(|argument| format!("--post-renderer-args={argument}")));
    if let Some(value) = text(state, release, flags, "serverSide", "server-side") {
        if !matches!(value.as_str(), "true" | "false" | "auto") {
            return Err(Failure::text(format!(
                "invalid serverSide value {value:?}: must be \"true\", \"false\", or \"auto\""
            )));
        }
        arguments.push(format!("--server-side={value}"));
    }
    Ok(arguments)
}

fn values_mode(state: &State, release: &Release, flags: &Parsed) -> String {
    let reuses = is_wanted(state, release, flags, "reuseValues", "reuse-values");
    if reuses && !flags.is_set("reset-values") { "--reuse-values" } else { "--reset-values" }.to_owned()
}

/// The command line of `helm uninstall` for `--cascade` and what the release says.
pub(super) fn uninstall_call(
    state: &State,
    release: &Release,
    flags: &Parsed,
    waits: Option<bool>,
    seconds: Option<i64>,
) -> Vec<String> {
    let mut arguments = vec![release.name.clone()];
    arguments.extend(connection_arguments(state, release, flags));
    if waits.unwrap_or_else(|| is_on(state, release, "deleteWait")) {
        arguments.push("--wait".to_owned());
        if let Some(seconds) =
            seconds.or_else(|| number(state, release, "deleteTimeout")).filter(|seconds| *seconds != 0)
        {
            arguments.extend(["--timeout".to_owned(), format!("{seconds}s")]);
        }
    }
    if let Some(cascade) = text(state, release, flags, "cascade", "cascade") {
        arguments.extend(["--cascade".to_owned(), cascade]);
    }
    arguments.extend(extra_arguments(state, flags));
    arguments
}
