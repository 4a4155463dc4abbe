//! All rules: [`RULES`].

use Severity::{Error, Note, Warning};
use onepane_diagnostics::Severity;

/// What a code stands for.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its stable name.
    pub code: &'static str,
    /// How bad what it finds is.
    pub severity: Severity,
    /// What it finds, in a line.
    pub summary: &'static str,
    /// Whether it is looked at without being asked for.
    pub is_on: bool,
}

/// The rule of a code.
pub fn rule(code: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.code == code)
}

const fn on(code: &'static str, severity: Severity, summary: &'static str) -> Rule {
    Rule { code, severity, summary, is_on: true }
}

const fn off(code: &'static str, summary: &'static str) -> Rule {
    Rule { code, severity: Note, summary, is_on: false }
}

/// All rules in the order in which reports list them.
pub const RULES: &[Rule] = &[
    on("schema-unknown-field", Error, "a field that its kind has none of"),
    on("schema-type", Error, "a value of another type than its field has"),
    on("schema-missing-field", Error, "a field that has to be there and is not"),
    on("schema-value", Error, "a value that its field can't have: of an enumeration, a range, a pattern, a format"),
    on("schema-rule", Error, "what a rule in CEL of a CustomResourceDefinition refuses"),
    on("schema-duplicate", Error, "two items of a list that have to differ"),
    on("schema-unknown-kind", Error, "a kind that the version of Kubernetes does not know"),
    on("schema-no-definition", Note, "a custom resource whose definition is not in the repository: it is not checked"),
    on("api-deprecated", Warning, "an API version that is on its way out"),
    on("api-removed", Error, "an API version that the version of Kubernetes has no more"),
    on("name-invalid", Error, "a name, label or annotation that the API server refuses"),
    on("duplicate-resource", Error, "a resource that is there twice, in two API versions"),
    on("missing-config-map", Error, "pods that need a ConfigMap which is not there"),
    on("missing-secret", Warning, "pods that need a Secret which is not there"),
    on("missing-claim", Error, "pods that need a PersistentVolumeClaim which is not there"),
    on("missing-service-account", Error, "pods that run as a ServiceAccount which is not there"),
    on("missing-key", Error, "a key of a ConfigMap or Secret that is not in it"),
    on("service-no-pods", Warning, "a Service that selects no pods"),
    on("service-port", Error, "a Service whose target port no container has"),
    on("ingress-backend", Error, "an Ingress or route to a Service, or a port of one, that is not there"),
    on("ingress-duplicate", Warning, "two Ingresses for the same host and path"),
    on("scale-target", Error, "an autoscaler of something that is not there"),
    on("scale-range", Error, "an autoscaler whose least is more than its most"),
    on("budget-no-pods", Warning, "a PodDisruptionBudget that selects no pods"),
    on(
        "budget-blocks",
        Warning,
        "a PodDisruptionBudget that no eviction ever satisfies, so that nodes can't be drained",
    ),
    on("network-policy-no-pods", Warning, "a NetworkPolicy that selects no pods"),
    on("binding-role", Error, "a binding of a role that is not there"),
    on("binding-subject", Warning, "a binding to a ServiceAccount that is not there"),
    on("webhook-service", Error, "a webhook or API service that is served by a Service which is not there"),
    on("stateful-set-service", Warning, "a StatefulSet whose Service is not there"),
    on("selector-mismatch", Error, "a workload that does not select its own pods"),
    on("volume-missing", Error, "a container that mounts a volume which its pod has none of"),
    on("port-missing", Error, "a probe of a port that its container has none of"),
    on("requests-over-limits", Error, "a container that requests more than it may use"),
    on("cron-schedule", Error, "a schedule of a CronJob that is none"),
    on("port-invalid", Error, "a port that is none"),
    on("image-missing", Error, "a container without an image"),
    on("image-no-tag", Warning, "an image without a tag and a digest"),
    on("image-latest", Warning, "an image with the tag `latest`"),
    on("policy-denied", Error, "what a ValidatingAdmissionPolicy of the repository denies"),
    on("policy-warned", Warning, "what a ValidatingAdmissionPolicy of the repository warns of or audits"),
    on("policy-not-evaluated", Note, "an expression of a policy or a definition that can't be evaluated here, and why"),
    on("policy-invalid", Error, "an expression of a policy that is no CEL, or a binding without its policy"),
    on("values-unread", Warning, "a key of a values file that no template reads"),
    on("rendered-stale", Warning, "a rendered file that is not what its release renders to"),
    on("unused-file", Warning, "a file that no cluster, group or release is made of"),
    on("unused-group", Warning, "a group that no cluster has"),
    on("unused-component", Warning, "a component that no cluster has"),
    on("unused-chart", Warning, "a chart that no release, kustomization or chart uses"),
    on("unused-release", Warning, "a release whose rendered files no cluster has"),
    on("submodule-not-pinned", Warning, "a submodule of .gitmodules that no commit is pinned for"),
    on("submodule-not-pushed", Error, "a submodule that is pinned to a commit which no remote branch or tag has"),
    on("suppression-invalid", Warning, "a suppression without a code that there is, or without a reason"),
    on("suppression-unused", Warning, "a suppression of nothing"),
    on("baseline-stale", Note, "an entry of the baseline that is mended"),
    off("opinion-probes", "a container without a readiness probe, of a workload that a Service selects"),
    off("opinion-requests", "a container that requests no cpu or memory"),
    off("opinion-memory-limit", "a container without a limit of memory"),
    off("opinion-root", "a container that may run as root"),
    off("opinion-privileged", "a container that is privileged or may gain privileges"),
    off("opinion-host", "pods that share the host's network, processes or files"),
    off("opinion-writable-root", "a container that may write to its own root"),
    off("opinion-certificate", "an Ingress whose certificate is in a Secret that is not there"),
    off(
        "opinion-single-replica",
        "a workload behind a Service that has one pod, so that a rollout or a drain interrupts it",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart() {
        for (index, one) in RULES.iter().enumerate() {
            assert!(RULES[..index].iter().all(|other| other.code != one.code), "{}", one.code);
            assert!(one.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", one.code);
        }
    }
}
