//! Which values of a file are encrypted: [`Selection`].

use crate::failure::malformed;
use onepane_diagnostics::Result;
use regex::Regex;

/// What decides which values are encrypted. A file has exactly one such rule.
#[derive(Clone, Debug)]
pub enum Selection {
    /// All, which SOPS says of binary files only.
    All,
    /// `unencrypted_suffix`: all but those under a key that ends so.
    UnencryptedSuffix(String),
    /// `encrypted_suffix`: those under a key that ends so.
    EncryptedSuffix(String),
    /// `unencrypted_regex`: all but those under a key that matches.
    UnencryptedRegex(Regex),
    /// `encrypted_regex`: those under a key that matches.
    EncryptedRegex(Regex),
    /// `unencrypted_comment_regex`: all but those under or beside a comment that matches.
    UnencryptedCommentRegex(Regex),
    /// `encrypted_comment_regex`: those under or beside a comment that matches.
    EncryptedCommentRegex(Regex),
}

impl Default for Selection {
    /// What SOPS takes where nothing is said.
    fn default() -> Self {
        Self::UnencryptedSuffix("_unencrypted".to_owned())
    }
}

impl Selection {
    /// The fields of metadata and of creation rules that say it.
    pub const FIELDS: [&str; 6] = [
        "unencrypted_suffix",
        "encrypted_suffix",
        "unencrypted_regex",
        "encrypted_regex",
        "unencrypted_comment_regex",
        "encrypted_comment_regex",
    ];

    /// From the field that says it; `None` where none does.
    ///
    /// # Errors
    /// `sops-format` where two do, or where a regular expression is none.
    pub fn from_fields(field: impl Fn(&'static str) -> Option<String>) -> Result<Option<Self>> {
        let mut said =
            Self::FIELDS.into_iter().filter_map(|name| Some((name, field(name)?))).filter(|(_, text)| !text.is_empty());
        let Some((name, text)) = said.next() else { return Ok(None) };
        if let Some((other, _)) = said.next() {
            return Err(malformed(format!("`{name}` and `{other}` exclude one another")).hint("keep one of them"));
        }
        Ok(Some(match name {
            "unencrypted_suffix" => Self::UnencryptedSuffix(text),
            "encrypted_suffix" => Self::EncryptedSuffix(text),
            "unencrypted_regex" => Self::UnencryptedRegex(compile(name, &text)?),
            "encrypted_regex" => Self::EncryptedRegex(compile(name, &text)?),
            "unencrypted_comment_regex" => Self::UnencryptedCommentRegex(compile(name, &text)?),
            _ => Self::EncryptedCommentRegex(compile(name, &text)?),
        }))
    }

    /// The field that says it, and its text.
    pub fn field(&self) -> Option<(&'static str, &str)> {
        Some(match self {
            Self::All => return None,
            Self::UnencryptedSuffix(text) => (Self::FIELDS[0], text),
            Self::EncryptedSuffix(text) => (Self::FIELDS[1], text),
            Self::UnencryptedRegex(regex) => (Self::FIELDS[2], regex.as_str()),
            Self::EncryptedRegex(regex) => (Self::FIELDS[3], regex.as_str()),
            Self::UnencryptedCommentRegex(regex) => (Self::FIELDS[4], regex.as_str()),
            Self::EncryptedCommentRegex(regex) => (Self::FIELDS[5], regex.as_str()),
        })
    }

    /// Whether it names `key`.
    pub(crate) fn names_key(&self, key: &str) -> bool {
        match self {
            Self::UnencryptedSuffix(suffix) | Self::EncryptedSuffix(suffix) => key.ends_with(suffix),
            Self::UnencryptedRegex(regex) | Self::EncryptedRegex(regex) => regex.is_match(key),
            Self::All | Self::UnencryptedCommentRegex(_) | Self::EncryptedCommentRegex(_) => false,
        }
    }

    /// Whether it names a comment by its text.
    pub(crate) fn names_comment(&self, text: &str) -> bool {
        match self {
            Self::UnencryptedCommentRegex(regex) | Self::EncryptedCommentRegex(regex) => regex.is_match(text),
            _ => false,
        }
    }

    /// Whether what it names is encrypted, rather than everything else.
    pub(crate) fn names_encrypted(&self) -> bool {
        matches!(self, Self::EncryptedSuffix(_) | Self::EncryptedRegex(_) | Self::EncryptedCommentRegex(_))
    }
}

/// A regular expression that somebody wrote for Go. SOPS takes one that can't be read for one that never matches, which
/// would leave secrets plain.
pub(crate) fn compile(field: &str, text: &str) -> Result<Regex> {
    Regex::new(text).map_err(|_| malformed(format!("`{field}` is no regular expression: `{text}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_rule_is_said_in_one_field() {
        let rule = |fields: &'static [(&str, &str)]| {
            Selection::from_fields(|name| fields.iter().find(|field| field.0 == name).map(|field| field.1.to_owned()))
        };
        assert!(rule(&[]).expect("nothing is said").is_none());
        let regex = rule(&[("encrypted_regex", "^(data|stringData)$")]).expect("it is one").expect("it is said");
        assert_eq!(regex.field(), Some(("encrypted_regex", "^(data|stringData)$")));
        assert!(regex.names_key("data") && !regex.names_key("metadata") && regex.names_encrypted());
        assert!(rule(&[("encrypted_regex", "a"), ("encrypted_suffix", "b")]).is_err());
        assert!(rule(&[("encrypted_regex", "(")]).is_err());
    }
}
