//! What is asked about: [`Target`].

use crate::render::{deeper, leading_spaces};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};
use onepane_world::{EntryKind, World};
use std::ops::RangeInclusive;

/// Lines of a file, or all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    file: FileId,
    lines: Option<RangeInclusive<u32>>,
}

impl Target {
    /// All of the file `path`, or its lines `lines`; in a YAML file, a line stands for the whole value that it begins or is
    /// part of. The file may be one in a chart's archive.
    pub fn new(world: &dyn World, path: &Utf8Path, lines: Option<RangeInclusive<u32>>) -> Result<Self> {
        let error = |message: String| Diagnostic::error("impact-no-such-line", message);
        let file = FileId::new(path);
        let is_packed = path.ancestors().skip(1).any(|archive| world.kind(archive) == Some(EntryKind::File));
        if is_packed {
            let is_range = lines.as_ref().is_none_or(|lines| *lines.start() > 0 && !lines.is_empty());
            let none = || error(format!("`{path}` has no such lines"));
            return if is_range { Ok(Self { file, lines }) } else { Err(none()) };
        }
        let bytes = world.read(path).map_err(|cause| error(cause.to_string()))?;
        let text = String::from_utf8_lossy(&bytes);
        let Some(lines) = lines else { return Ok(Self { file, lines: None }) };
        let all: Vec<&str> = text.lines().collect();
        let (first, last) = (*lines.start(), *lines.end());
        if first == 0 || first > last || last as usize > all.len() {
            return Err(error(format!("`{path}` has the lines 1 to {}", all.len())));
        }
        let lines = if is_yaml(path) { whole_values(&all, first, last) } else { first..=last };
        Ok(Self { file, lines: Some(lines) })
    }

    /// The file.
    pub fn path(&self) -> Utf8PathBuf {
        self.file.path().to_owned()
    }

    /// The lines, where not the whole file is meant.
    pub fn lines(&self) -> Option<&RangeInclusive<u32>> {
        self.lines.as_ref()
    }

    /// The whole file that the lines are of.
    pub fn whole(&self) -> Self {
        Self { lines: None, file: self.file }
    }

    /// Whether all of it lies within `other`.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        let lies = |lines: &RangeInclusive<u32>| {
            other.lines.as_ref().is_none_or(|outer| outer.contains(lines.start()) && outer.contains(lines.end()))
        };
        self.file == other.file && self.lines.as_ref().is_some_and(lies)
    }

    /// Whether there is nothing in it but comments.
    pub fn is_comment(&self, world: &dyn World) -> bool {
        let Some(lines) = &self.lines else { return false };
        // What can't be read is no comment.
        let Ok(bytes) = world.read(self.file.path()) else { return false };
        let text = String::from_utf8_lossy(&bytes);
        let mut wanted = text.lines().skip(*lines.start() as usize - 1).take(lines.clone().count());
        wanted.all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
    }

    pub(super) fn covers(&self, span: Span) -> bool {
        span.file == self.file && self.lines.as_ref().is_none_or(|lines| lines.contains(&span.line))
    }
}

fn is_yaml(path: &Utf8Path) -> bool {
    // Templates are text in which no line goes on in those below it.
    matches!(path.extension(), Some("yaml" | "yml" | "gotmpl"))
        && !path.components().any(|part| part.as_str() == "templates")
}

/// The lines, with those that stand deeper below them; and where they are within a block of text, its first line.
fn whole_values(all: &[&str], first: u32, last: u32) -> RangeInclusive<u32> {
    let is_blank = |line: &str| line.trim().is_empty();
    let at = |line: u32| all[line as usize - 1];
    let begins_block = |line: &str| {
        let header = line.trim_end().rsplit(' ').next().unwrap_or_default();
        header.strip_prefix(['|', '>']).is_some_and(|rest| rest.bytes().all(|byte| b"+-0123456789".contains(&byte)))
    };
    let mut start = first;
    let mut deepest = leading_spaces(at(first));
    for line in (1..first).rev() {
        let text = at(line);
        if is_blank(text) || leading_spaces(text) >= deepest {
            continue;
        }
        deepest = leading_spaces(text);
        if begins_block(text) {
            start = line;
            break;
        }
    }
    let below = deeper(all[last as usize..].iter().copied(), leading_spaces(at(last)));
    let end = (last + 1..).zip(below).filter(|(_, text)| !is_blank(text)).last().map_or(last, |(line, _)| line);
    start..=end
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_world::MemoryWorld;

    const VALUES: &str = "a: 1\nimage:\n  # which\n  tag: x\n\nscript: |-\n  one\n    two\n\n  three\nb: >\n";

    fn lines(first: u32, last: u32) -> Option<RangeInclusive<u32>> {
        let world = MemoryWorld::new().with("values.yaml", VALUES).with("c/templates/a.yaml", VALUES);
        let of = |path: &str| Target::new(&world, path.into(), Some(first..=last)).ok()?.lines;
        let in_template = of("c/templates/a.yaml");
        assert!(in_template.is_none_or(|lines| lines == (first..=last)));
        of("values.yaml")
    }

    #[test]
    fn a_line_stands_for_the_value_that_it_begins_or_is_part_of() {
        assert_eq!(lines(1, 1), Some(1..=1));
        assert_eq!(lines(2, 2), Some(2..=4));
        assert_eq!(lines(4, 4), Some(4..=4));
        assert_eq!(lines(6, 6), Some(6..=10));
        assert_eq!(lines(8, 8), Some(6..=8));
        assert_eq!(lines(10, 10), Some(6..=10));
        assert_eq!(lines(1, 4), Some(1..=4));
        assert_eq!((lines(0, 1), lines(12, 12), lines(3, 2)), (None, None, None));
        let world = MemoryWorld::new().with("c.tgz", "");
        let packed = |first, last| Target::new(&world, "c.tgz/c/templates/a.yaml".into(), Some(first..=last));
        assert!(
            packed(0, 0).is_err() && packed(3, 2).is_err() && packed(1, 9).is_ok_and(|lines| !lines.is_comment(&world))
        );
    }

    #[test]
    fn comments_are_told_from_values() {
        let world = MemoryWorld::new().with("values.yaml", VALUES);
        let is_comment = |line| {
            Target::new(&world, "values.yaml".into(), Some(line..=line)).expect("it is there").is_comment(&world)
        };
        assert_eq!([1, 3, 5, 7].map(is_comment), [false, true, true, false]);
        assert!(Target::new(&world, "gone.yaml".into(), None).is_err());
    }
}
