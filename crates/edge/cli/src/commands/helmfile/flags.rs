//! Helmfile's flags, and what states are read for by them.

use super::Failure;
use crate::commands::pflag::{Flag, Kind, Parsed, flag, short};
use onepane_chart::{SetKind, set_into};
use onepane_helmfile::{Choice, Needed, Request};
use onepane_world::World;

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
    short('i', "interactive", Kind::Bool, "no effect here"),
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
    flag("concurrency", Kind::Integer, "no effect here"),
    flag("set", Kind::Array, "set values of all releases"),
    flag("skip-cleanup", Kind::Bool, "no effect here: nothing is written that had to be cleaned up"),
    flag("values", Kind::Array, "read values of all releases from a file"),
];

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
