//! References to charts in registries: `oci://host/path/chart:tag@digest`.

use crate::failure::refused;
use onepane_diagnostics::Result;
use std::fmt;

/// The scheme, with what follows it.
pub(crate) const SCHEME: &str = "oci://";

/// Whether a chart reference or a repository's address is a registry's.
pub fn is_oci(reference: &str) -> bool {
    reference.starts_with(SCHEME)
}

/// A reference, its parts checked by the rules of the distribution specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// `host` or `host:port`
    pub(crate) registry: String,
    /// The path below it.
    pub(crate) repository: String,
    /// The tag, `+` as `_`; empty where there is none.
    pub(crate) tag: String,
    /// `sha256:…`; empty where there is none.
    pub(crate) digest: String,
}

impl Reference {
    /// Reads a reference, with or without `oci://`.
    ///
    /// Error: `fetch-refused` with ORAS's words.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let raw = text.strip_prefix(SCHEME).unwrap_or(text);
        let invalid = |what: &str, part: &str| refused(format!("invalid reference: invalid {what} {part:?}"));
        let (raw, digest) = raw.rsplit_once('@').unwrap_or((raw, ""));
        let Some((registry, path)) = raw.split_once('/') else {
            return Err(refused("invalid reference: missing registry or repository")
                .hint("a chart in a registry is named `oci://host/path/chart`"));
        };
        let (repository, tag) = path.split_once(':').unwrap_or((path, ""));
        // Versions may have a `+`, tags may not.
        let tag = tag.replace('+', "_");
        if !is_registry(registry) {
            // Before an `@` stands what is nobody else's business.
            return Err(invalid("registry", registry.rsplit('@').next().unwrap_or_default()));
        }
        if !is_repository(repository) {
            return Err(invalid("repository", repository));
        }
        if !tag.is_empty() && !is_tag(&tag) {
            return Err(invalid("tag", &tag));
        }
        if !digest.is_empty() && sha256_of(digest).is_none() {
            return Err(invalid("digest", digest));
        }
        Ok(Self { registry: registry.to_owned(), repository: repository.to_owned(), tag, digest: digest.to_owned() })
    }

    /// The same chart under a tag, which is made of a version.
    pub(crate) fn with_version(&self, version: &str) -> Result<Self> {
        Self::parse(&format!("{}/{}:{version}", self.registry, self.repository))
    }

    /// The file that Helm saves the chart as.
    pub(crate) fn file_name(&self, version: &str) -> String {
        let name = self.repository.rsplit('/').next().unwrap_or_default();
        if self.digest.is_empty() {
            format!("{name}-{version}.tgz")
        } else {
            // Helm parts the last component at its last colon, which is the digest's.
            format!("{name}@{}.tgz", self.digest.replace(':', "-"))
        }
    }

    pub(crate) fn to_oci(&self) -> oci_client::Reference {
        let (registry, repository) = (self.registry.clone(), self.repository.clone());
        if self.digest.is_empty() {
            oci_client::Reference::with_tag(registry, repository, self.tag.clone())
        } else {
            oci_client::Reference::with_digest(registry, repository, self.digest.clone())
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if !self.digest.is_empty() {
            write!(f, "@{}", self.digest)
        } else if !self.tag.is_empty() {
            write!(f, ":{}", self.tag)
        } else {
            Ok(())
        }
    }
}

/// The hexadecimal digits of `sha256:…`.
pub(crate) fn sha256_of(digest: &str) -> Option<&str> {
    let digits = digest.strip_prefix("sha256:")?;
    let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (digits.len() == 64 && digits.bytes().all(hexadecimal)).then_some(digits)
}

fn is_registry(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']' | '_');
    !text.is_empty() && text.chars().all(allowed)
}

fn is_repository(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.split('/').all(|part| {
        let separators: Vec<&str> = part.split(is_word).filter(|separator| !separator.is_empty()).collect();
        let known = |separator: &&str| matches!(*separator, "." | "_" | "__") || separator.bytes().all(|b| b == b'-');
        part.starts_with(is_word) && part.ends_with(is_word) && separators.iter().all(known)
    })
}

fn is_tag(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.len() <= 128 && text.starts_with(is_word) && text.chars().all(|c| is_word(c) || c == '.' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_and_shown() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (text, shown) in [
            ("oci://h:5000/a/b", "h:5000/a/b".to_owned()),
            ("oci://h/a/b:1.0.0+x", "h/a/b:1.0.0_x".to_owned()),
            (&format!("h/a:1@{digest}"), format!("h/a@{digest}")),
        ] {
            assert_eq!(Reference::parse(text).expect(text).to_string(), shown);
        }
        let reference = Reference::parse(&format!("h/a/b@{digest}")).expect("it is good");
        assert_eq!(reference.file_name(""), format!("b@sha256-{}.tgz", "a".repeat(64)));
        for (text, wanted) in [
            ("oci://h", "invalid reference: missing registry or repository"),
            ("oci://h/A", "invalid reference: invalid repository \"A\""),
            ("oci://h/a/../b", "invalid reference: invalid repository \"a/../b\""),
            ("oci://h/a:-1", "invalid reference: invalid tag \"-1\""),
            ("oci://h/a@sha256:1", "invalid reference: invalid digest \"sha256:1\""),
            ("oci://u?p/a", "invalid reference: invalid registry \"u?p\""),
            (&format!("oci://u:hush@h/a@{digest}"), "invalid reference: invalid registry \"h\""),
        ] {
            assert_eq!(Reference::parse(text).expect_err(text).message, wanted);
        }
    }
}
