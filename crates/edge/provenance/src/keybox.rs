//! GnuPG's keyboxes, `pubring.kbx`: the public keys in them as one stream of packets.

/// A blob starts with its length and its type.
const HEAD: usize = 16;
const OPENPGP: u8 = 2;

/// Whether these are a keybox's bytes: the first blob has its mark.
pub(crate) fn is_keybox(bytes: &[u8]) -> bool {
    bytes.get(8..12) == Some(b"KBXf")
}

/// The keys of a keybox, one behind the other.
pub(crate) fn keys(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let number = |at: usize| -> Option<usize> {
        let four: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes(four)).ok()
    };
    let damaged = |at: usize| format!("the keybox is damaged at byte {at}");
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let length = number(at).filter(|length| *length >= 5).ok_or_else(|| damaged(at))?;
        let blob = bytes.get(at..at.saturating_add(length)).ok_or_else(|| damaged(at))?;
        if blob[4] == OPENPGP {
            if blob.len() < HEAD {
                return Err(damaged(at));
            }
            let (offset, size) = (number(at + 8).unwrap_or(0), number(at + 12).unwrap_or(0));
            let key = blob.get(offset..offset.saturating_add(size)).ok_or_else(|| damaged(at))?;
            found.extend_from_slice(key);
        }
        at += length;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_taken_out_and_damage_is_an_error() {
        let mut bytes = vec![0, 0, 0, 12, 1, 1, 0, 0];
        bytes.extend_from_slice(b"KBXf");
        bytes.extend_from_slice(&[0, 0, 0, 19, OPENPGP, 1, 0, 0, 0, 0, 0, 16, 0, 0, 0, 3, 7, 8, 9]);
        assert!(is_keybox(&bytes));
        assert_eq!(keys(&bytes), Ok(vec![7, 8, 9]));
        for cut in 1..bytes.len() {
            if cut != 12 {
                assert!(keys(&bytes[..cut]).is_err(), "{cut}");
            }
        }
        let last = bytes.len() - 4;
        bytes[last] = 200;
        assert!(keys(&bytes).is_err());
    }
}
