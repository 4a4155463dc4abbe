//! Helmfile's flags, and what states are read for by them.

use super::Failure;
use crate::commands::pflag::{Flag, Kind, Parsed, flag, short};
use onepane_chart::{SetKind, set_into};
use onepane_helmfile::{Choice, Needed, Request};
use onepane_world::World;
use std::io::IsTerminal;

/// Flags of every command.
pub(super) const GLOBAL: &[Flag] = &[
    flag("allow-failed-releases", Kind::Bool, "no effect here"),
    flag("allow-no-matching-release", Kind::Bool, "don't fail where no release is selected"),
    short('c', "chart", Kind::Text, "the chart of all releases"),
    flag("color", Kind::Bool, "print with color"),
    flag("debug", Kind::Bool, "no effect here"),
    flag("disable-force-update", Kind::Bool, "leave repositories of the same name in Helm's file"),
    flag("enable-live-output", Kind::Bool, "no effect here"),
    flag("enforce-plugin-verification", Kind::Bool, "no effect here"),
    short('e', "environment", Kind::Text, "the environment; default: $HELMFILE_ENVIRONMENT, else \"default\""),
    short(
        'f',
        "file",
        Kind::Text,
        "the state file or a folder of them; default: $HELMFILE_FILE_PATH, else helmfile.yaml,",
    ),
    short('b', "helm-binary", Kind::Text, "no effect here: charts are rendered by onepane itself"),
    short('i', "interactive", Kind::Bool, "ask before a cluster is changed"),
    flag("kube-context", Kind::Text, "the context of the kubeconfig, of all releases"),
    flag("kubeconfig", Kind::Text, "the kubeconfig to use"),
    short('k', "kustomize-binary", Kind::Text, "no effect here: patches are applied by onepane itself"),
    flag("log-level", Kind::Text, "warn and error: don't say what is done"),
    short('n', "namespace", Kind::Text, "the namespace of all releases"),
    flag("no-color", Kind::Bool, "print without color"),
    flag("oci-plain-http", Kind::Bool, "talk HTTP to registries, without encryption"),
    flag("otel-tracing", Kind::Bool, "no effect here"),
    short('q', "quiet", Kind::Bool, "print warnings and errors only"),
    flag("repo-retries", Kind::Integer, "how often to try again where a repository or registry fails"),
    flag("sandbox", Kind::Bool, "run no program: neither `exec` nor hooks (onepane's own)"),
    short('l', "selector", Kind::Array, "releases with these labels only: tier=web,env!=prod; again for others too"),
    flag("sequential-helmfiles", Kind::Bool, "no effect here: files are read one after the other"),
    flag("skip-deps", Kind::Bool, "don't fetch the charts that charts depend on"),
    flag("skip-refresh", Kind::Bool, "don't refresh chart repositories"),
    flag("state-values-file", Kind::Array, "read state values from a file"),
    flag("state-values-set", Kind::Array, "set state values: key1=val1,key2=val2"),
    flag("state-values-set-string", Kind::Array, "set state values to strings: key1=val1,key2=val2"),
    flag("strip-args-values-on-exit-error", Kind::Bool, "no effect here"),
];

/// What of the needs of selected releases goes with them.
pub(super) const NEEDS: &[Flag] = &[
    flag("enforce-needs-are-installed", Kind::Bool, "fail where a need is not to be installed"),
    flag("include-needs", Kind::Bool, "releases that selected ones need go with them"),
    flag("include-transitive-needs", Kind::Bool, "the same, and what those need"),
    flag("skip-needs", Kind::Bool, "needs of selected releases need not be selected (default)"),
];

/// Flags of commands that go through releases with Helm.
pub(super) const RELEASES: &[Flag] = &[
    flag("args", Kind::Text, "arguments for helm"),
    flag("concurrency", Kind::Integer, "how many releases are worked on at once, where a cluster is; 0: all that can"),
    flag("set", Kind::Array, "set values of all releases"),
    flag("skip-cleanup", Kind::Bool, "no effect here: nothing is written that had to be cleaned up"),
    flag("values", Kind::Array, "read values of all releases from a file"),
];

/// How a command that reaches a cluster names releases to Helm: [`RELEASES`] without values.
pub(super) const REACH: &[Flag] = &[
    flag("args", Kind::Text, "arguments for helm"),
    flag("concurrency", Kind::Integer, "how many releases are worked on at once; 0: all that can"),
];

/// Flags of commands that compare releases with what a cluster has.
pub(super) const DIFFERENCES: &[Flag] = &[
    flag("context", Kind::Integer, "how many lines around changes are printed; 0: all"),
    flag("detailed-exitcode", Kind::Bool, "exit with 2 where something changes"),
    flag("diff-args", Kind::Text, "more arguments for helm diff"),
    flag("include-tests", Kind::Bool, "compare test hooks, too"),
    flag("no-hooks", Kind::Bool, "don't compare hooks"),
    flag("output", Kind::Text, "how differences are printed: diff, simple, json or template"),
    flag("post-renderer", Kind::Text, "the plugin to pass everything through"),
    flag("post-renderer-args", Kind::Array, "an argument for it"),
    flag("reset-values", Kind::Bool, "forget the values of the last revision, whatever the state says"),
    flag("reuse-values", Kind::Bool, "lay values over those of the last revision"),
    flag("server-side", Kind::Text, "let the server merge what is applied: true, false or auto"),
    flag("show-secrets", Kind::Bool, "print the values of Secrets"),
    flag("skip-crds", Kind::Bool, "don't make the definitions of the charts' crds/"),
    flag("skip-diff-on-install", Kind::Bool, "don't compare releases that are not there yet"),
    flag("skip-diff-validation-on-install", Kind::Bool, "don't check those against the cluster"),
    flag("skip-schema-validation", Kind::Bool, "don't hold values against values.schema.json"),
    flag("strip-trailing-cr", Kind::Bool, "don't compare carriage returns at the ends of lines"),
    flag("suppress", Kind::Array, "only say of this kind that it changes"),
    flag("suppress-diff", Kind::Bool, "don't print differences"),
    flag("suppress-output-line-regex", Kind::Array, "leave lines out that this fits"),
    flag("suppress-secrets", Kind::Bool, "only say of Secrets that they change"),
    flag("take-ownership", Kind::Bool, "take resources that others own"),
    flag("template-args", Kind::Text, "more arguments where a chart is changed before, and for helm diff"),
    flag("validate", Kind::Bool, "ask the cluster where a chart is changed before"),
];

/// Flags of commands that bring releases to a cluster.
pub(super) const CHANGES: &[Flag] = &[
    flag("cascade", Kind::Text, "what becomes of what belongs to resources: background, foreground or orphan"),
    flag("description", Kind::Text, "what the history says of all releases"),
    flag("helm-stuck-grace", Kind::Integer, "with --track-mode kubedog only"),
    flag("hide-notes", Kind::Bool, "don't print the charts' notes"),
    flag("sync-args", Kind::Text, "more arguments for helm upgrade"),
    flag("sync-release-labels", Kind::Bool, "give releases their labels"),
    flag("timeout", Kind::Integer, "how many seconds each thing is waited for"),
    flag("track-fail-on-error", Kind::Bool, "with --track-mode kubedog only"),
    flag("track-failed-logs", Kind::Bool, "with --track-mode kubedog only"),
    flag("track-logs", Kind::Bool, "with --track-mode kubedog only"),
    flag("track-mode", Kind::Text, "helm or helm-legacy: how it is waited; kubedog is not supported"),
    flag("track-timeout", Kind::Integer, "with --track-mode kubedog only"),
    flag("wait", Kind::Bool, "wait until resources are ready"),
    flag("wait-for-jobs", Kind::Bool, "wait until Jobs have completed, too"),
];

/// Whether what is printed is to have colors, by the flags, the environment and where it goes.
pub(super) fn has_color(flags: &Parsed, world: &dyn World) -> bool {
    flags.is_set("color") || (!is_plain(flags, world) && std::io::stdout().is_terminal())
}

/// Whether colors are refused.
pub(super) fn is_plain(flags: &Parsed, world: &dyn World) -> bool {
    let refuses = world.env("HELMFILE_NO_COLOR").as_deref() == Some("true")
        || world.env("NO_COLOR").is_some_and(|value| !value.is_empty());
    flags.is_set("no-color") || (!flags.is_set("color") && refuses)
}

/// What the flags and the environment say that states are read for.
pub(super) fn request(flags: &Parsed, world: &dyn World) -> Result<Request, Failure> {
    if flags.is_set("color") && flags.is_set("no-color") {
        return Err(Failure::text("--color and --no-color cannot be specified at the same time"));
    }
    let said = |flag: &str, variable: &str| -> String {
        let given = flags.text(flag).map(str::to_owned).filter(|value| !value.is_empty());
        given.or_else(|| world.env(variable)).unwrap_or_default()
    };
    let mut request = Request {
        environment: said("environment", "HELMFILE_ENVIRONMENT"),
        values: flags.all("state-values-file").iter().map(|path| path.as_str().into()).collect(),
        namespace: said("namespace", "HELMFILE_NAMESPACE"),
        kube_context: said("kube-context", "HELMFILE_KUBE_CONTEXT"),
        chart: said("chart", ""),
        ..Request::default()
    };
    if request.environment.is_empty() {
        "default".clone_into(&mut request.environment);
    }
    for (flag, kind) in [("state-values-set-string", SetKind::String), ("state-values-set", SetKind::Typed)] {
        for values in flags.all(flag) {
            set_into(&request.set, &values, kind, None).map_err(Failure::text)?;
        }
    }
    for selector in flags.all("selector") {
        request.selectors.push(selector.parse().map_err(Failure::Text)?);
    }
    Ok(request)
}

/// Which releases [`NEEDS`] choose.
pub(super) fn choice(flags: &Parsed) -> Choice {
    let includes = flags.is_set("include-needs") || flags.is_set("include-transitive-needs");
    let skips = flags.text("skip-needs").is_none_or(|value| value == "true");
    let needed = match (includes, skips) {
        (true, _) => Needed::Included,
        (false, true) => Needed::Skipped,
        (false, false) => Needed::Chosen,
    };
    Choice { needed, enforces_installed: flags.is_set("enforce-needs-are-installed") }
}
