//! Why something was not done: [`Failure`].

use std::fmt;

/// Why something was not done. What it prints is Helm's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is no such release, or no such revision of it.
    NotFound,
    /// There is such a revision already.
    Exists,
    /// No revision of the release is what the cluster has.
    NotDeployed {
        /// Of this name.
        release: String,
    },
    /// Somebody else is at work on it.
    Busy,
    /// Something else.
    Other(String),
}

impl Failure {
    /// The same, with `before` in front of it.
    pub(crate) fn after(self, before: &str) -> Self {
        Self::Other(format!("{before}: {self}"))
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Other(message)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("release: not found"),
            Self::Exists => f.write_str("release: already exists"),
            Self::NotDeployed { release } => write!(f, "{release:?} has no deployed releases"),
            Self::Busy => f.write_str("another operation (install/upgrade/rollback) is in progress"),
            Self::Other(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Failure {}
