//! Which of several tags is the newest.

use onepane_diagnostics::{Diagnostic, Result};
use onepane_semver::{Constraint, Version};
use regex::{Regex, RegexBuilder};
use std::collections::BTreeMap;

/// By what a tag is the newest.
#[derive(Clone, Debug)]
pub enum Policy {
    /// The highest version that satisfies a constraint.
    SemVer(Constraint),
    /// The last by the order of letters.
    Alphabetical(Order),
    /// The last by the order of numbers.
    Numerical(Order),
}

/// Which end of an order counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The last one: the highest.
    #[default]
    Ascending,
    /// The first one.
    Descending,
}

/// Which tags count at all, and what of them.
#[derive(Clone, Debug, Default)]
pub struct TagFilter {
    pattern: Option<Regex>,
    /// What the policy looks at, with `$name` for what the pattern has captured; the whole tag if it is empty.
    extract: String,
}

impl Policy {
    /// By a constraint for versions, as `^1.2`.
    ///
    /// # Errors
    /// `image-policy` for what is none.
    pub fn semver(range: &str) -> Result<Self> {
        let constraint = Constraint::parse(range).map_err(|error| {
            Diagnostic::error("image-policy", format!("`{range}` is no range of versions: {error}"))
        })?;
        Ok(Self::SemVer(constraint))
    }

    /// The newest of `tags` that `filter` lets through; `None` where there is none that the policy can be about.
    pub fn newest<'t>(&self, filter: &TagFilter, tags: impl IntoIterator<Item = &'t str>) -> Option<&'t str> {
        // Where several tags are the same to the policy, the last one listed stands for them.
        let candidates: BTreeMap<String, &str> =
            tags.into_iter().filter_map(|tag| Some((filter.extract(tag)?, tag))).collect();
        let newest = match self {
            Self::SemVer(constraint) => {
                let versions = candidates.keys().filter_map(|text| Some((text, version(text)?)));
                let fitting = versions.filter(|(_, version)| constraint.check(version));
                // Of equal ones, as those that differ in metadata, the first in the order of letters.
                fitting.reduce(|best, other| if other.1 > best.1 { other } else { best }).map(|(text, _)| text)
            }
            Self::Alphabetical(Order::Ascending) => candidates.keys().next_back(),
            Self::Alphabetical(Order::Descending) => candidates.keys().next(),
            Self::Numerical(order) => {
                let numbers = candidates.keys().filter_map(|text| Some((text, text.parse::<f64>().ok()?)));
                let numbers = numbers.filter(|(_, number)| number.is_finite());
                let is_newer = |one: f64, other: f64| match order {
                    Order::Ascending => one > other,
                    Order::Descending => one < other,
                };
                numbers.reduce(|best, other| if is_newer(other.1, best.1) { other } else { best }).map(|(text, _)| text)
            }
        };
        newest.and_then(|text| candidates.get(text).copied())
    }
}

impl TagFilter {
    /// Only tags that `pattern` matches, and of them `extract`.
    ///
    /// # Errors
    /// `image-policy` for a pattern that can't be read.
    pub fn new(pattern: &str, extract: &str) -> Result<Self> {
        /// No pattern for tags needs a larger machine.
        const LARGEST: usize = 1 << 20;
        let compiled = RegexBuilder::new(pattern).size_limit(LARGEST).build();
        let compiled = compiled.map_err(|error| {
            Diagnostic::error("image-policy", format!("`{pattern}` is no pattern for tags: {error}"))
        })?;
        Ok(Self { pattern: Some(compiled), extract: extract.to_owned() })
    }

    fn extract(&self, tag: &str) -> Option<String> {
        let Some(pattern) = &self.pattern else { return Some(tag.to_owned()) };
        let captures = pattern.captures(tag)?;
        if self.extract.is_empty() {
            return Some(tag.to_owned());
        }
        let mut text = String::new();
        captures.expand(&self.extract, &mut text);
        Some(text)
    }
}

/// A whole version, which may have a `v` before it.
pub(crate) fn version(tag: &str) -> Option<Version> {
    Version::parse_strict(tag.strip_prefix('v').unwrap_or(tag)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn newest(policy: &Policy, pattern: &str, extract: &str, tags: &[&str]) -> Option<String> {
        let filter = if pattern.is_empty() {
            TagFilter::default()
        } else {
            TagFilter::new(pattern, extract).expect("it is one")
        };
        policy.newest(&filter, tags.iter().copied()).map(str::to_owned)
    }

    #[test]
    fn versions_are_compared_as_such() {
        let tags = ["1.9.0", "v1.10.0", "1.11.0-rc.1", "2.0.0", "latest", "1.2", "main-1a2b3c"];
        let policy = |range| Policy::semver(range).expect("it is one");
        assert_eq!(newest(&policy("1.x"), "", "", &tags).as_deref(), Some("v1.10.0"));
        assert_eq!(newest(&policy(">=1.0.0-0 <2"), "", "", &tags).as_deref(), Some("1.11.0-rc.1"));
        assert_eq!(newest(&policy("*"), "", "", &tags).as_deref(), Some("2.0.0"));
        assert_eq!(newest(&policy(">3"), "", "", &tags), None);
        Policy::semver("newest").expect_err("no range");
    }

    #[test]
    fn what_a_pattern_captures_is_compared() {
        let tags = ["main-a1-1700000009", "main-b2-1700000010", "dev-c3-1800000000", "main-x"];
        let pattern = "^main-[a-f0-9]+-(?P<ts>[0-9]+)$";
        let numerical = Policy::Numerical(Order::Ascending);
        assert_eq!(newest(&numerical, pattern, "$ts", &tags).as_deref(), Some("main-b2-1700000010"));
        let oldest = Policy::Numerical(Order::Descending);
        assert_eq!(newest(&oldest, pattern, "${ts}", &tags).as_deref(), Some("main-a1-1700000009"));
        let alphabetical = Policy::Alphabetical(Order::Ascending);
        assert_eq!(newest(&alphabetical, "^main", "", &tags).as_deref(), Some("main-x"));
        assert_eq!(
            newest(&Policy::Numerical(Order::Ascending), "", "", &["9", "10", "x", "inf"]).as_deref(),
            Some("10")
        );
        TagFilter::new("(", "").expect_err("no pattern");
        TagFilter::new(&"(a{1000}){1000}".repeat(3), "").expect_err("too large");
    }
}
