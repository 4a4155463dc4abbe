//! What of Go's standard library other languages of Helmfile use as well: text cases, times, patterns.

use crate::date::{Time, Zone, parse_duration as parse, read};
use crate::{letter_case, runes};

pub use crate::regex::Pattern;

/// `strings.ToUpper`
pub fn upper(text: &str) -> String {
    changed(text, runes::to_upper)
}

/// `strings.ToLower`
pub fn lower(text: &str) -> String {
    changed(text, runes::to_lower)
}

/// `strings.Title`
pub fn title(text: &str) -> String {
    String::from_utf8_lossy(&letter_case::titled(text.as_bytes())).into_owned()
}

fn changed(text: &str, change: fn(char) -> char) -> String {
    text.chars().map(change).collect()
}

/// `time.ParseDuration`, in nanoseconds. The error is Go's.
pub fn parse_duration(text: &str) -> Result<i64, String> {
    parse(text)
}

/// A moment with the offset in which it was written.
#[derive(Clone, Debug)]
pub struct Moment(Time);

impl Moment {
    /// `time.Parse`: reads `text` by Go's `layout`. The error is Go's.
    pub fn read(layout: &str, text: &str) -> Result<Self, String> {
        read(layout.as_bytes(), text.as_bytes(), &Zone::Utc).map(Self)
    }

    /// So many nanoseconds later.
    pub fn after(&self, nanoseconds: i64) -> Self {
        Self(self.0.add(nanoseconds))
    }

    /// By Go's `layout`.
    pub fn format(&self, layout: &str) -> String {
        String::from_utf8_lossy(&self.0.format(layout.as_bytes())).into_owned()
    }
}
