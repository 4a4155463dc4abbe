//! The order in which go-yaml writes the keys of a map.

use crate::Dialect;
use std::cmp::Ordering;

/// Compares two keys as the encoders do that sort a map's: numbers within them by value, letters behind everything
/// else. v3 puts letters before everything else where they follow a digit.
///
/// Digits are those of ASCII; Go takes those of other scripts for digits too.
///
/// Two keys that it holds for equal are parted by their characters, so that the order is total for any two.
pub fn compare_keys(a: &str, b: &str, dialect: Dialect) -> Ordering {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    // Characters differ, not bytes.
    let same = (0..=same).rev().find(|at| a.is_char_boundary(*at)).unwrap_or(0);
    let (common, a, b) = (&a[..same], &a[same..], &b[same..]);
    let (Some(first), Some(second)) = (a.chars().next(), b.chars().next()) else { return a.len().cmp(&b.len()) };
    match (is_letter(first), is_letter(second)) {
        (true, true) => return first.cmp(&second),
        (false, false) => {}
        (letter, _) => {
            let letters_first = dialect == Dialect::V3 && common.ends_with(|last: char| last.is_ascii_digit());
            return if letter == letters_first { Ordering::Less } else { Ordering::Greater };
        }
    }
    let (a, b) = (digits(a), digits(b));
    // A zero counts behind digits that both have, unless those are zeros too.
    let started = (first == '0' || second == '0')
        && common.bytes().rev().take_while(u8::is_ascii_digit).any(|digit| digit != b'0');
    value(a, started).cmp(&value(b, started)).then(a.len().cmp(&b.len())).then(first.cmp(&second))
}

/// Sorts a map's entries by their keys as [`compare_keys`] compares them.
///
/// That order runs in circles, `10` before `1a` before `2` before `10`, for which the standard library's sorts may panic
/// and Go's leave what the random order of its maps makes of it; a merge leaves the same each time.
pub fn sort_by_keys<K: AsRef<str>, V>(entries: &mut Vec<(K, V)>, dialect: Dialect) {
    let key_order = |a: &(K, V), b: &(K, V)| compare_keys(a.0.as_ref(), b.0.as_ref(), dialect).is_le();
    if entries.is_sorted_by(key_order) {
        return;
    }
    let mut order: Vec<usize> = (0..entries.len()).collect();
    merge_sort(&mut order, &mut Vec::new(), &|a, b| key_order(&entries[a], &entries[b]));
    let mut unsorted: Vec<Option<(K, V)>> = entries.drain(..).map(Some).collect();
    entries.extend(order.into_iter().filter_map(|at| unsorted[at].take()));
}

fn merge_sort(order: &mut [usize], left: &mut Vec<usize>, in_order: &impl Fn(usize, usize) -> bool) {
    let middle = order.len() / 2;
    if middle == 0 {
        return;
    }
    merge_sort(&mut order[..middle], left, in_order);
    merge_sort(&mut order[middle..], left, in_order);
    left.clear();
    left.extend_from_slice(&order[..middle]);
    let (mut from_left, mut from_right) = (0, middle);
    for at in 0..order.len() {
        let Some(&next) = left.get(from_left) else { break };
        if from_right < order.len() && !in_order(next, order[from_right]) {
            order[at] = order[from_right];
            from_right += 1;
        } else {
            order[at] = next;
            from_left += 1;
        }
    }
}

/// As Go's `unicode.IsLetter`, but for vowel signs of Indic scripts, which are marks to Go.
fn is_letter(character: char) -> bool {
    character.is_alphabetic() && !character.is_numeric()
}

fn digits(text: &str) -> &[u8] {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    &text.as_bytes()[..end]
}

/// The value of digits in Go's 64 bits, behind a one where others went before.
fn value(digits: &[u8], started: bool) -> i64 {
    digits.iter().fold(i64::from(started), |value, digit| value.wrapping_mul(10).wrapping_add(i64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_order() {
        for (dialect, keys) in [
            (Dialect::V2, "-,--,1,1-,2,9,09,10,A,a,a-,a1,a2,a02,a10,aA,b"),
            (Dialect::V3, "-,--,1,1a,1-,2,9,09,10,A,a,a-,a1,a1x,a1-,a2,a02,a10,aA,b"),
        ] {
            let keys: Vec<_> = keys.split(',').collect();
            for pair in keys.windows(2) {
                assert_eq!(compare_keys(pair[0], pair[1], dialect), Ordering::Less, "{pair:?} {dialect:?}");
                assert_eq!(compare_keys(pair[1], pair[0], dialect), Ordering::Greater, "{pair:?} {dialect:?}");
            }
        }
    }
    #[test]
    fn an_order_that_runs_in_circles_is_sorted_nonetheless() {
        assert_eq!(compare_keys("10", "1a", Dialect::V2), Ordering::Less);
        assert_eq!(compare_keys("1a", "2", Dialect::V2), Ordering::Less);
        assert_eq!(compare_keys("2", "10", Dialect::V2), Ordering::Less);
        let keys = (0..2000_u32).map(|at| format!("{:x}", at.wrapping_mul(2_654_435_761) >> 17));
        let mut entries: Vec<_> = keys.map(|key| (key, ())).collect();
        let mut expected = entries.clone();
        sort_by_keys(&mut entries, Dialect::V2);
        entries.sort();
        expected.sort();
        assert_eq!(entries, expected, "no key is lost, none comes twice");
    }
}
