//! What must never be shown: [`Secret`], [`Credentials`], and addresses with a user in them.

use std::fmt;
use url::Url;

/// A password or token. It has no `Display`, and its `Debug` hides it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a text in.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that sends or stores it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "none" } else { "***" })
    }
}

/// A user name and a password, either of which may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub username: String,
    /// The password or token.
    pub password: Secret,
}

impl Credentials {
    /// Both parts, if Helm would send them: it sends nothing where one is empty.
    pub(crate) fn complete(&self) -> Option<(&str, &str)> {
        let complete = !self.username.is_empty() && !self.password.is_empty();
        complete.then(|| (self.username.as_str(), self.password.reveal()))
    }
}

/// `address` without the password that it may hold, and without a query, which may hold a token; for messages.
pub fn shown(address: &str) -> String {
    let Ok(mut url) = Url::parse(address) else {
        // Not an address that could be parsed; a user before an `@` is cut off all the same.
        return match address.rsplit_once('@') {
            Some((before, rest)) if before.contains(':') => {
                let scheme = before.split_once("://").map_or("", |(scheme, _)| scheme);
                if scheme.is_empty() { rest.to_owned() } else { format!("{scheme}://{rest}") }
            }
            _ => address.to_owned(),
        };
    };
    let mut changed = false;
    if url.password().is_some() {
        // Go prints `xxxxx` there.
        changed |= url.set_password(Some("xxxxx")).is_ok();
    }
    if url.query().is_some_and(|query| !query.is_empty()) {
        url.set_query(Some("xxxxx"));
        changed = true;
    }
    // What was not changed is shown as it was given: `Url` adds a slash to a bare host.
    if changed { url.to_string() } else { address.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let credentials = Credentials { username: "u".into(), password: Secret::new("hush") };
        assert_eq!(format!("{credentials:?}"), "Credentials { username: \"u\", password: *** }");
        assert_eq!(shown("https://u:hush@h/x"), "https://u:xxxxx@h/x");
        assert_eq!(shown("https://h/x?token=hush"), "https://h/x?xxxxx");
        assert_eq!(shown("https://h"), "https://h");
        assert_eq!(shown("https://me@h/x"), "https://me@h/x");
        assert_eq!(shown("https://me:secret@h/x@y"), "https://me:xxxxx@h/x@y");
        assert_eq!(shown("https://me:se@cret@h/"), "https://me:xxxxx@h/");
        assert_eq!(shown("https://u:hush@h:99999999/x"), "https://h:99999999/x");
    }
}
