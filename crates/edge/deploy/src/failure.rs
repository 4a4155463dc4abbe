//! Why something was not done: [`Failure`].

use serde_json::Value;
use std::fmt;

/// A field that somebody else has set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The field manager that has.
    pub owner: String,
    /// The field, as the API server writes it: `.spec.replicas`.
    pub field: String,
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server can't be reached, or did not answer to the end.
    Connection(String),
    /// It refused.
    Refused {
        /// The status in HTTP.
        code: u16,
        /// Kubernetes' word for it: `NotFound`, `Invalid`.
        reason: String,
        /// What it said.
        message: String,
    },
    /// Others have set fields that would be changed.
    Conflicts(Vec<Conflict>),
    /// It was not tried.
    Guarded(String),
}

impl Failure {
    /// What a server says in its answer.
    pub(crate) fn of(code: u16, body: &[u8]) -> Self {
        let status: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| status.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let causes = status.pointer("/details/causes").and_then(Value::as_array);
        let conflicts: Vec<Conflict> = causes.into_iter().flatten().filter_map(conflict).collect();
        if code == 409 && !conflicts.is_empty() {
            return Self::Conflicts(conflicts);
        }
        let said = text("message");
        let message = if said.is_empty() { String::from_utf8_lossy(body).trim().to_owned() } else { said };
        Self::Refused { code, reason: text("reason"), message }
    }

    /// Whether there is no such object, or kind.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Refused { code: 404, .. })
    }
}

/// A cause that names the owner of a field.
fn conflict(cause: &Value) -> Option<Conflict> {
    let text = |name: &str| cause.get(name).and_then(Value::as_str);
    if text("reason") != Some("FieldManagerConflict") {
        return None;
    }
    let owner = text("message")?.split('"').nth(1)?.to_owned();
    Some(Conflict { owner, field: text("field").unwrap_or_default().to_owned() })
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(why) => write!(f, "the API server can't be reached: {why}"),
            Self::Refused { message, .. } | Self::Guarded(message) => f.write_str(message),
            Self::Conflicts(conflicts) => {
                let fields: Vec<String> =
                    conflicts.iter().map(|one| format!("{} belongs to {}", one.field, one.owner)).collect();
                f.write_str(&fields.join(", "))
            }
        }
    }
}

impl std::error::Error for Failure {}
