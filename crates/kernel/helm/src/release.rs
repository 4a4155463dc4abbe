//! The release that templates are told about: [`Release`].

use onepane_diagnostics::Origin;
use onepane_value::{Map, Value};

/// What `.Release` says.
#[derive(Clone, Debug, Default)]
pub struct Release {
    /// Its name.
    pub name: String,
    /// The namespace it goes to.
    pub namespace: String,
    /// Whether this is its first revision or another.
    pub action: Action,
    /// The revision, where a cluster knows better than that it is the first; else 0.
    pub revision: i64,
    /// What gave it its name.
    pub name_origin: Origin,
    /// What said its namespace.
    pub namespace_origin: Origin,
}

/// What is done with a release.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// It is installed.
    #[default]
    Install,
    /// It is upgraded.
    Upgrade,
    /// It is only looked at, by `helm lint`.
    Lint,
}

impl Release {
    /// What templates see.
    pub(crate) fn to_map(&self) -> Map {
        Map::from_iter([
            ("Name", Value::string(self.name.as_str()).with_origin(self.name_origin.clone())),
            ("Namespace", Value::string(self.namespace.as_str()).with_origin(self.namespace_origin.clone())),
            ("IsInstall", (self.action == Action::Install).into()),
            ("IsUpgrade", (self.action == Action::Upgrade).into()),
            ("Revision", Value::int(self.revision.max(i64::from(self.action != Action::Lint)))),
            ("Service", "Helm".into()),
        ])
    }

    /// Checks a release's name by Helm's rule. The error is Helm's text.
    pub fn check_name(name: &str) -> Result<(), String> {
        if name.is_empty() {
            return Err("no name provided".to_owned());
        }
        let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let label = |label: &str| {
            let bytes = label.as_bytes();
            bytes.first().is_some_and(|byte| alphanumeric(*byte))
                && bytes.last().is_some_and(|byte| alphanumeric(*byte))
                && bytes.iter().all(|byte| alphanumeric(*byte) || *byte == b'-')
        };
        if name.len() > 53 || !name.split('.').all(label) {
            return Err("invalid release name, must match regex \
                        ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be \
                        longer than 53"
                .to_owned());
        }
        Ok(())
    }
}
