//! The versions of Kubernetes that are known: [`KubernetesVersion`].

use crate::table;
use std::fmt;

/// A version of Kubernetes, as far as its API is concerned: `1.35`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KubernetesVersion {
    minor: u32,
}

impl KubernetesVersion {
    /// All that are known, the oldest first.
    pub fn all() -> Vec<Self> {
        table::minors().map(|minor| Self { minor }).collect()
    }

    /// The newest that is known.
    pub fn newest() -> Self {
        Self::all().pop().expect("the table has versions")
    }

    /// Its two numbers.
    pub fn numbers(self) -> (u32, u32) {
        (1, self.minor)
    }

    pub(crate) fn minor(self) -> u32 {
        self.minor
    }
}

impl std::str::FromStr for KubernetesVersion {
    type Err = String;

    /// `1.35`, `v1.35`, `1.35.2`: the patch makes no difference.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut numbers = text.strip_prefix('v').unwrap_or(text).split('.');
        let minor = match (numbers.next(), numbers.next().and_then(|minor| minor.parse::<u32>().ok())) {
            (Some("1"), Some(minor)) => Some(Self { minor }),
            _ => None,
        };
        let known = Self::all();
        minor.filter(|version| known.contains(version)).ok_or_else(|| {
            let known: Vec<String> = known.iter().map(Self::to_string).collect();
            format!("`{text}` is no version of Kubernetes that is known here: these are {}", known.join(", "))
        })
    }
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.minor)
    }
}
