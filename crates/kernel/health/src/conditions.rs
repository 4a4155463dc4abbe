//! The conditions in an object's status: [`Conditions`].

use serde_json::Value;

/// What controllers say of an object, by type.
pub(crate) struct Conditions<'o>(&'o [Value]);

impl<'o> Conditions<'o> {
    pub(crate) fn of(object: &'o Value) -> Self {
        Self(object.pointer("/status/conditions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default())
    }

    fn get(&self, kind: &str) -> Option<&'o Value> {
        self.0.iter().find(|condition| field(condition, "type") == kind)
    }

    /// Whether it is true; `None` where nobody has said anything of it.
    pub(crate) fn is(&self, kind: &str) -> Option<bool> {
        self.get(kind).map(|condition| field(condition, "status") == "True")
    }

    /// What is said of a condition that is true.
    pub(crate) fn true_message(&self, kind: &str) -> Option<String> {
        self.is(kind).filter(|is| *is)?;
        self.message(kind)
    }

    pub(crate) fn reason(&self, kind: &str) -> &'o str {
        self.get(kind).map_or("", |condition| field(condition, "reason"))
    }

    /// What is said of a condition: its message, else its reason, else its name.
    pub(crate) fn message(&self, kind: &str) -> Option<String> {
        let condition = self.get(kind)?;
        let said = [field(condition, "message"), field(condition, "reason"), kind];
        said.into_iter().find(|text| !text.is_empty()).map(str::to_owned)
    }
}

fn field<'o>(condition: &'o Value, name: &str) -> &'o str {
    condition.get(name).and_then(Value::as_str).unwrap_or_default()
}
