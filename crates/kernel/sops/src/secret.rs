//! What must never be shown: [`Secret`].

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use zeroize::Zeroizing;

/// Plain text that was encrypted or is to be. It has no `Display`, its `Debug` hides it, and it is overwritten when it
/// is dropped.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes bytes in.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The bytes, for the one place that uses, sends or stores them.
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }

    /// The text, if they are one; for the same one place.
    pub fn reveal_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl Secret {
    /// The texts as which it may stand somewhere: as it is, in base64, and within quotes of JSON. For finding it where
    /// it must not be; none for what is no text.
    pub fn forms(&self) -> Vec<Zeroizing<String>> {
        let Some(text) = self.reveal_text().filter(|text| !text.is_empty()) else { return Vec::new() };
        let quoted = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t");
        let mut forms = vec![text.to_owned(), STANDARD.encode(text)];
        forms.extend(Some(quoted).filter(|quoted| quoted != text));
        forms.into_iter().map(Zeroizing::new).collect()
    }
}

/// A text with `***` in the place of secrets, in any of their forms. Those of fewer than four characters stay: they
/// stand everywhere.
pub fn redacted(text: &str, secrets: &[Secret]) -> String {
    let mut forms: Vec<Zeroizing<String>> = secrets.iter().flat_map(Secret::forms).collect();
    // Of one that is a part of another nothing is left over.
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    let forms = forms.iter().filter(|form| form.len() >= 4);
    forms.fold(
        text.to_owned(),
        |text, form| if text.contains(form.as_str()) { text.replace(form.as_str(), "***") } else { text },
    )
}

impl From<Zeroizing<Vec<u8>>> for Secret {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The key that a file's values are encrypted with.
pub(crate) struct DataKey(Zeroizing<[u8; DataKey::LENGTH]>);

impl DataKey {
    pub(crate) const LENGTH: usize = 32;

    /// `None` where it is not as long as a key is.
    pub(crate) fn new(secret: &Secret) -> Option<Self> {
        Some(Self(Zeroizing::new(secret.reveal().try_into().ok()?)))
    }

    pub(crate) fn bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let secret = Secret::new("hush");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "*** Some(***)");
        assert_eq!(secret.reveal_text(), Some("hush"));
        assert!(DataKey::new(&secret).is_none());
        let multi = Secret::new("a\n\"b\"");
        let said = redacted("hush aHVzaA== a\\n\\\"b\\\" hus", &[secret, multi]);
        assert_eq!(said, "*** *** *** hus");
    }
}
