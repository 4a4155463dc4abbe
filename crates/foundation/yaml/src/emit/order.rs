//! The order of keys.

use crate::Dialect;
use std::cmp::Ordering;

/// How go-yaml sorts the keys of a map: by characters, digits by the number they make, letters behind all else (v3:
/// but before it where a digit stood before).
///
/// Two keys that it holds for equal are parted by their characters, so that the order is total.
pub fn compare_keys(a: &str, b: &str, dialect: Dialect) -> Ordering {
    let shared = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let (left, right) = (a.as_bytes().get(shared), b.as_bytes().get(shared));
    let (Some(&left), Some(&right)) = (left, right) else { return a.len().cmp(&b.len()) };
    // Most keys differ first in a letter.
    if left.is_ascii_alphabetic() && right.is_ascii_alphabetic() {
        return left.cmp(&right);
    }
    if less(a, b, dialect) {
        Ordering::Less
    } else if less(b, a, dialect) {
        Ordering::Greater
    } else {
        a.cmp(b)
    }
}

/// go-yaml's own comparison.
fn less(a: &str, b: &str, dialect: Dialect) -> bool {
    let (left, right): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(at) = (0..left.len().min(right.len())).find(|at| left[*at] != right[*at]) else {
        return left.len() < right.len();
    };
    let after_digit = at > 0 && left[at - 1].is_ascii_digit();
    match (left[at].is_alphabetic(), right[at].is_alphabetic()) {
        (true, true) => return left[at] < right[at],
        (false, false) => {}
        (left_letter, right_letter) => {
            return if after_digit && dialect == Dialect::V3 { left_letter } else { right_letter };
        }
    }
    let mut start: (i64, i64) = (0, 0);
    if left[at] == '0' || right[at] == '0' {
        // A zero counts only behind another digit.
        let digits = left[..at].iter().rev().take_while(|character| character.is_ascii_digit());
        if digits.into_iter().any(|digit| *digit != '0') {
            start = (1, 1);
        }
    }
    let (left_number, left_end) = number(&left, at, start.0);
    let (right_number, right_end) = number(&right, at, start.1);
    if left_number != right_number {
        left_number < right_number
    } else if left_end != right_end {
        left_end < right_end
    } else {
        left[at] < right[at]
    }
}

fn number(text: &[char], from: usize, start: i64) -> (i64, usize) {
    let mut value = start;
    let mut at = from;
    while at < text.len() && text[at].is_ascii_digit() {
        let digit = i64::from(u32::from(text[at])) - i64::from(b'0');
        value = value.wrapping_mul(10).wrapping_add(digit);
        at += 1;
    }
    (value, at)
}
