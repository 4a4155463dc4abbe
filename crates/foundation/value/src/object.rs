//! Go structs that templates see: [`Object`].

use crate::{Kind, Text, Value};
use std::borrow::Cow;
use std::fmt;

/// A Go struct or a value with methods: `.Files`, `.Capabilities`, a time, a certificate, a semantic version.
pub trait Object: fmt::Debug {
    /// The type as Go's `%T` prints it: `*chart.Metadata`.
    fn type_name(&self) -> Cow<'static, str>;

    /// What Go's reflect calls it.
    fn kind(&self) -> Kind {
        Kind::Struct
    }

    /// An exported field, or what `.Name` gives for a map-like type.
    fn field(&self, name: &str) -> Option<Value>;

    /// Whether there is a method `name`; methods win over fields.
    fn has_method(&self, _name: &str) -> bool {
        false
    }

    /// Calls method `name`; the error is the text of Go's `error`.
    fn call(&self, name: &str, _arguments: &[Value]) -> Result<Value, String> {
        Err(format!("{} has no method {name}", self.type_name()))
    }

    /// What `String()` or `Error()` gives, where the type has one: fmt prints that.
    fn display(&self) -> Option<Text> {
        None
    }

    /// The plain value that Go's encoders write and that `range` walks: a map of the exported fields under their
    /// JSON names, a string, a list.
    fn plain(&self) -> Value;

    /// A struct's exported fields under their JSON names in the order of their declaration, which encoding/json keeps
    /// and a map does not.
    fn declared_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        None
    }

    /// Whether a condition takes it for true. Structs always are.
    fn truth(&self) -> bool {
        true
    }

    /// For functions that need to know the very type.
    fn as_any(&self) -> &dyn std::any::Any;
}
