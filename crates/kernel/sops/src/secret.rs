//! What must never be shown: [`Secret`].

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
    }
}
