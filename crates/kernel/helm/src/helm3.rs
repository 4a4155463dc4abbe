//! What Helm 3 does and Helm 4 no longer: kinds are installed in another order.

use std::cmp::Ordering;

/// Compares kinds by when Helm 3 installs them: webhooks are kinds like any other to it.
pub(crate) fn compare_install(a: &str, b: &str) -> Ordering {
    let is_webhook = |kind: &str| matches!(kind, "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration");
    let is_known = |kind| !is_webhook(kind) && onepane_resource::is_known_to_install_order(kind);
    match (is_known(a), is_known(b)) {
        (true, true) => onepane_resource::compare_install(a, b),
        (false, false) => a.cmp(b),
        (known, _) => {
            if known {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
    }
}
