//! What a value may look like: [`Shape`].

use crate::conditions::Conditions;
use regex::Regex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The shape of a value.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// Nothing is known of it.
    Any,
    Text(Text),
    Boolean,
    /// A whole number; whether it has to fit 32 bits.
    Integer {
        short: bool,
        range: Range,
    },
    Number(Range),
    IntOrString,
    Quantity,
    /// A point in time.
    Time,
    /// Bytes as base64.
    Bytes,
    List(Box<List>),
    Map(Box<Shape>),
    /// A mapping with fields of its own, by its number among the [`Structs`].
    Struct(usize),
    /// A value of this shape, of which more has to be true.
    Conditional(Box<Shape>, Arc<Conditions>),
}

/// The mappings that shapes refer to: they may contain one another.
pub(crate) type Structs = Vec<Struct>;

/// A mapping with named fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct Struct {
    pub(crate) fields: BTreeMap<Box<str>, Field>,
    /// The shape of fields that have no name here; `None` where there are none.
    pub(crate) others: Option<Shape>,
    /// Whether a whole resource stands there, which has `apiVersion`, `kind` and `metadata` too.
    pub(crate) is_resource: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) shape: Shape,
    /// Whether it has to be there, and nobody fills it in.
    pub(crate) required: bool,
    pub(crate) nullable: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct List {
    pub(crate) items: Shape,
    /// By which fields items are told apart; none where that is not said.
    pub(crate) keys: Vec<Box<str>>,
    /// Whether the items themselves have to differ.
    pub(crate) is_set: bool,
    pub(crate) length: Range,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Text {
    /// The values that there are; none where that is left open.
    pub(crate) values: Vec<Box<str>>,
    pub(crate) pattern: Option<Regex>,
    pub(crate) length: Range,
}

/// Bounds, both of them included.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Range {
    pub(crate) least: Option<f64>,
    pub(crate) most: Option<f64>,
}

impl Range {
    /// What is wrong with `value`: `at least 1`, `at most 5`.
    pub(crate) fn refuses(self, value: f64) -> Option<String> {
        match (self.least, self.most) {
            (Some(least), _) if value < least => Some(format!("at least {least}")),
            (_, Some(most)) if value > most => Some(format!("at most {most}")),
            _ => None,
        }
    }
}
