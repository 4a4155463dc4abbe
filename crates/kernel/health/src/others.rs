//! Kinds that make no pods.

use crate::conditions::Conditions;
use crate::{Health, text};
use serde_json::Value;

pub(crate) fn claim(object: &Value) -> Health {
    match text(object, "/status/phase") {
        Some("Bound" | "Pending") => Health::current(),
        Some("Lost") => Health::failed("its volume is gone"),
        _ => Health::in_progress("nobody has looked for a volume"),
    }
}

pub(crate) fn service(object: &Value) -> Health {
    let is_balanced = text(object, "/spec/type") == Some("LoadBalancer");
    let has_address =
        object.pointer("/status/loadBalancer/ingress").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    if is_balanced && !has_address { Health::in_progress("it has no address yet") } else { Health::current() }
}

pub(crate) fn namespace(object: &Value) -> Health {
    match text(object, "/status/phase") {
        Some("Active") | None => Health::current(),
        Some(phase) => Health::in_progress(format!("it is {phase}")),
    }
}

pub(crate) fn definition(conditions: &Conditions<'_>) -> Health {
    match (conditions.is("NamesAccepted"), conditions.is("Established")) {
        (Some(false), _) => Health::failed(conditions.message("NamesAccepted").unwrap_or_default()),
        (_, Some(true)) => Health::current(),
        _ => Health::in_progress("it is not served yet"),
    }
}

pub(crate) fn api_service(conditions: &Conditions<'_>) -> Health {
    match conditions.is("Available") {
        Some(true) => Health::current(),
        _ => {
            Health::in_progress(conditions.message("Available").unwrap_or_else(|| "it is not available yet".to_owned()))
        }
    }
}

/// A kind of which nothing is known: that it is ready is said by a condition of this name, where anything is said.
pub(crate) fn foreign(conditions: &Conditions<'_>) -> Health {
    match conditions.is("Ready") {
        Some(false) => Health::in_progress(conditions.message("Ready").unwrap_or_default()),
        _ => Health::current(),
    }
}
