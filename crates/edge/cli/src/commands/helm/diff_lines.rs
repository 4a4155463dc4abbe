//! Which lines of two texts are the same: [`compared`], Hirschberg's algorithm, whose memory grows with the texts and not with
//! their product. Where several answers are as short, it is the plugin helm-diff's.

use std::collections::HashMap;

/// A line of two texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'t> {
    pub(super) text: &'t str,
    pub(super) side: Side,
}

/// Which text has a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Both,
    Old,
    New,
}

/// Texts whose lines would have to be compared more often than so are not looked into: what was there goes, what is new
/// comes.
const MOST_COMPARISONS: usize = 2_000_000_000;

/// The lines of both texts, in order.
pub(super) fn compared<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<Line<'t>> {
    let start = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    // The first lines behind what is the same at the start are never a part of what is the same at the end.
    let most = old.len().min(new.len()).saturating_sub(start + 1);
    let end = old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(old, new)| old == new).count();
    let (middle_old, middle_new) = (&old[start..old.len() - end], &new[start..new.len() - end]);
    let mut lines: Vec<Line<'t>> = old[..start].iter().map(|text| both(text)).collect();
    if middle_old.len().saturating_mul(middle_new.len()) > MOST_COMPARISONS {
        lines.extend(middle_old.iter().map(|text| Line { text, side: Side::Old }));
        lines.extend(middle_new.iter().map(|text| Line { text, side: Side::New }));
    } else {
        // Numbers are compared faster than texts.
        let mut known: HashMap<&str, u32> = HashMap::new();
        let mut numbered = |lines: &[&'t str]| -> Vec<Numbered<'t>> {
            let number = |text: &&'t str| {
                let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
                (*known.entry(text).or_insert(next), *text)
            };
            lines.iter().map(number).collect()
        };
        let (middle_old, middle_new) = (numbered(middle_old), numbered(middle_new));
        between(&middle_old, &middle_new, &mut lines);
    }
    lines.extend(old[old.len() - end..].iter().map(|text| both(text)));
    lines
}

type Numbered<'t> = (u32, &'t str);

fn both<'t>(text: &'t str) -> Line<'t> {
    Line { text, side: Side::Both }
}

/// Half of the old text goes with the first part of the new one with which both halves have most in common.
fn between<'t>(old: &[Numbered<'t>], new: &[Numbered<'t>], lines: &mut Vec<Line<'t>>) {
    let added = |part: &[Numbered<'t>]| part.iter().map(|(_, text)| Line { text, side: Side::New }).collect::<Vec<_>>();
    match old {
        [] => lines.extend(added(new)),
        [(number, text)] => match new.iter().rposition(|(other, _)| other == number) {
            Some(at) => {
                lines.extend(added(&new[..at]));
                lines.push(both(text));
                lines.extend(added(&new[at + 1..]));
            }
            None => {
                lines.push(Line { text, side: Side::Old });
                lines.extend(added(new));
            }
        },
        _ if new.is_empty() => lines.extend(old.iter().map(|(_, text)| Line { text, side: Side::Old })),
        _ => {
            let (first, second) = old.split_at(old.len() / 2);
            let before = in_common(first.iter(), || new.iter());
            let behind = in_common(second.iter().rev(), || new.iter().rev());
            let score = |at: usize| before[at] + behind[new.len() - at];
            // Of several, the first.
            let at = (0..=new.len()).rev().max_by_key(|at| score(*at)).unwrap_or_default();
            between(first, &new[..at], lines);
            between(second, &new[at..], lines);
        }
    }
}

/// How many lines all of `old` has in common with the first 0, 1, … of `new`.
fn in_common<'l, I>(old: impl Iterator<Item = &'l Numbered<'l>>, new: impl Fn() -> I) -> Vec<u32>
where
    I: ExactSizeIterator<Item = &'l Numbered<'l>>,
{
    let mut row = vec![0; new().len() + 1];
    for (number, _) in old {
        let mut diagonal = 0;
        for (at, (other, _)) in new().enumerate() {
            let above = row[at + 1];
            row[at + 1] = if number == other { diagonal + 1 } else { above.max(row[at]) };
            diagonal = above;
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(old: &str, new: &str) -> String {
        let split = |text: &'static str| text.split(' ').collect::<Vec<_>>();
        let (old, new) = (split(Box::leak(old.into())), split(Box::leak(new.into())));
        let line = |line: &Line<'_>| match line.side {
            Side::Both => line.text.to_owned(),
            Side::Old => format!("-{}", line.text),
            Side::New => format!("+{}", line.text),
        };
        compared(&old, &new).iter().map(line).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn lines_are_compared_as_helm_diff_does() {
        for (old, new, wanted) in [
            ("a b c", "a b c", "a b c"),
            ("a b c", "a x c", "a -b +x c"),
            ("a", "b", "-a +b"),
            ("a b", "a a b", "a +a b"),
            ("a b c d e", "a c d x e", "a -b c d +x e"),
            ("k 1 2 3", "k 3 2 1", "k -1 -2 3 +2 +1"),
        ] {
            assert_eq!(shown(old, new), wanted, "{old} → {new}");
        }
    }
}
