//! The characters that no YAML may contain.

use super::cursor::Mark;
use super::error::{Stage, SyntaxError};
use onepane_bytes::any_byte;

/// Refuses control characters other than tab and line breaks, and what is no character at all.
pub(super) fn check(text: &str) -> Result<(), Box<SyntaxError>> {
    const PIECE: usize = 1 << 10;
    let bytes = text.as_bytes();
    let suspicious = |byte: u8| {
        let is_control = (byte < b' ') & (byte != b'\t') & (byte != b'\n') & (byte != b'\r');
        is_control | (byte == 0x7F) | (byte == 0xC2) | (byte == 0xEF)
    };
    for (index, piece) in bytes.chunks(PIECE).enumerate().filter(|(_, piece)| any_byte(piece, suspicious)) {
        for (offset, byte) in piece.iter().enumerate() {
            let at = index * PIECE + offset;
            if suspicious(*byte) && is_refused(&bytes[at..]) {
                return Err(refused(text, at));
            }
        }
    }
    Ok(())
}

fn is_refused(rest: &[u8]) -> bool {
    match rest {
        [0xC2, second, ..] => *second < 0xA0 && *second != 0x85,
        [0xEF, 0xBF, third, ..] => *third >= 0xBE,
        [0xEF, ..] => false,
        _ => true,
    }
}

fn refused(text: &str, at: usize) -> Box<SyntaxError> {
    let before = &text.as_bytes()[..at];
    let line = before.iter().filter(|byte| **byte == b'\n').count();
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count();
    let mark = Mark { offset: at as u32, line: line as u32, column: column as u32 };
    let problem = "control characters are not allowed".into();
    Box::new(SyntaxError { problem, mark, context: None, stage: Stage::Reader })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_refused_where_they_stand() {
        for (text, place) in [
            ("a\tb\r\n\u{85}\u{A0}\u{2028}\u{FEFF}\u{FFFD}\u{1F600}", None),
            ("a\n b\u{7}", Some((1, 2))),
            ("\0", Some((0, 0))),
            ("\u{7F}", Some((0, 0))),
            ("\u{80}", Some((0, 0))),
            ("\u{9F}", Some((0, 0))),
            ("\u{FFFE}", Some((0, 0))),
        ] {
            let refused = check(text).err().map(|error| (error.mark.line, error.mark.column));
            assert_eq!(refused, place, "{text:?}");
        }
    }
}
