//! Go strings: [`Text`].

use onepane_diagnostics::Origin;
use std::borrow::{Borrow, Cow};
use std::cell::RefCell;
use std::fmt;
use std::ops::{Deref, Range};
use std::rc::Rc;

/// A Go string: bytes, usually UTF-8, shared by clones, with an optional record of where its stretches came from.
///
/// Equality, order and hash are those of the bytes.
#[derive(Clone)]
pub struct Text {
    bytes: Rc<[u8]>,
    marks: Option<Rc<Marks>>,
}

/// Where the stretches of a text came from: `(offset, origin)` sorted by offset, each valid up to the next.
///
/// Of two at one offset the first holds for nothing: it tells what decided that nothing is there ([`TextBuilder::point`]).
///
/// An origin that [has lines](Origin::has_lines) holds for as many lines of the text, each of which is its own; who asks
/// for one byte asks [`Text::origin_at`].
#[derive(Clone, Debug, Default)]
pub struct Marks(Vec<(u32, Origin)>);

impl Marks {
    /// The marks in order.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Origin)> {
        self.0.iter().map(|(offset, origin)| (*offset as usize, origin))
    }

    /// The mark that the byte at `offset` lies behind.
    fn before(&self, offset: usize) -> Option<&(u32, Origin)> {
        let after = self.0.partition_point(|(start, _)| *start as usize <= offset);
        self.0[..after].last()
    }
}

/// Bytes as UTF-8, with U+FFFD where they are not: what `String::from_utf8_lossy` gives, which alone is several times
/// slower where nothing is lost.
pub fn utf8_lossy(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

impl Text {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The text as UTF-8, with U+FFFD where it is not.
    pub fn to_str(&self) -> Cow<'_, str> {
        utf8_lossy(&self.bytes)
    }

    /// Where its stretches came from, where that is known.
    pub fn marks(&self) -> Option<&Marks> {
        self.marks.as_deref()
    }

    /// The origin of the byte at `offset`.
    pub fn origin_at(&self, offset: usize) -> Origin {
        match self.marks().and_then(|marks| marks.before(offset)) {
            None => Origin::UNKNOWN,
            Some((start, origin)) if origin.has_lines() => {
                origin.at_line(onepane_bytes::count(b'\n', &self.bytes[*start as usize..offset]))
            }
            Some((_, origin)) => origin.clone(),
        }
    }

    /// The marks, one for each line at least.
    pub fn marks_by_line(&self) -> Vec<(usize, Origin)> {
        let mut found = Vec::new();
        let mut marks = self.marks().into_iter().flat_map(Marks::iter).peekable();
        while let Some((start, origin)) = marks.next() {
            found.push((start, origin.clone()));
            if origin.has_lines() {
                let end = marks.peek().map_or(self.len(), |(next, _)| *next);
                let lines = onepane_bytes::find_all(b'\n', &self.bytes[start..end]).map(|at| start + at + 1);
                let lines = lines.enumerate().filter(|(_, line)| *line < end);
                found.extend(lines.map(|(before, line)| (line, origin.at_line(before + 1))));
            }
        }
        found
    }

    /// The same bytes, all of them from `origin`, unless the text already knows better.
    pub fn with_origin(self, origin: &Origin) -> Self {
        if self.marks.is_some() || !origin.is_known() || self.bytes.is_empty() {
            return self;
        }
        Self { marks: Some(Rc::new(Marks(vec![(0, origin.clone())]))), ..self }
    }

    /// The same bytes without marks.
    pub fn without_origin(self) -> Self {
        Self { marks: None, ..self }
    }

    /// The stretch `range`, which must lie within the text, with its marks.
    pub fn slice(&self, range: Range<usize>) -> Self {
        if range == (0..self.bytes.len()) {
            return self.clone();
        }
        if self.marks.is_none() {
            return Self { bytes: self.bytes[range].into(), marks: None };
        }
        let mut builder = TextBuilder::new();
        builder.push_slice(self, range);
        builder.finish()
    }
}

impl Deref for Text {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Borrow<[u8]> for Text {
    fn borrow(&self) -> &[u8] {
        &self.bytes
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::from("")
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Text {}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.bytes.cmp(&other.bytes)
    }
}

impl std::hash::Hash for Text {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        *self.bytes == *other.as_bytes()
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        *self.bytes == *other.as_bytes()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self { bytes: text.as_bytes().into(), marks: None }
    }
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        Self { bytes: bytes.into(), marks: None }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self { bytes: text.into_bytes().into(), marks: None }
    }
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes: bytes.into(), marks: None }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_str(), f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_str())
    }
}

thread_local! {
    /// Room that builders have left: a render puts thousands of texts together, and each would have to grow anew.
    static ROOM: RefCell<Vec<Room>> = const { RefCell::new(Vec::new()) };
}

type Room = (Vec<u8>, Vec<(u32, Origin)>);

/// As many builders as are at work at once; deeper nesting is rare.
const MOST_ROOMS: usize = 8;

/// Not to hold on to what one large text took.
const LARGEST_ROOM: usize = 1 << 20;

/// Puts a [`Text`] together, keeping the marks of what goes in.
#[derive(Debug, Default)]
pub struct TextBuilder {
    /// The text that is all there is yet: often nothing more comes, and it is passed on as it is.
    whole: Option<Text>,
    bytes: Vec<u8>,
    marks: Vec<(u32, Origin)>,
}

impl TextBuilder {
    /// An empty one.
    pub fn new() -> Self {
        let (bytes, marks) = ROOM.with_borrow_mut(Vec::pop).unwrap_or_default();
        Self { bytes, marks, whole: None }
    }

    /// An empty one with room for `bytes`.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), ..Self::default() }
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }

    /// The bytes so far.
    pub fn as_bytes(&self) -> &[u8] {
        self.whole.as_deref().unwrap_or(&self.bytes)
    }

    /// Adds bytes that came from `origin`.
    pub fn push(&mut self, bytes: &[u8], origin: &Origin) {
        if !bytes.is_empty() {
            self.mark(origin);
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// Adds bytes of the builder's own making; they belong to whatever stands before them.
    pub fn push_plain(&mut self, bytes: &[u8]) {
        self.copy_whole();
        self.bytes.extend_from_slice(bytes);
    }

    /// Adds a text with its marks.
    pub fn push_text(&mut self, text: &Text) {
        self.push_slice(text, 0..text.len());
    }

    /// Adds a stretch of a text with its marks.
    pub fn push_slice(&mut self, text: &Text, range: Range<usize>) {
        if range.is_empty() && text.marks.is_none() {
            return;
        }
        if range.len() == text.len() && self.is_empty() && self.marks.is_empty() {
            self.whole = Some(text.clone());
            return;
        }
        self.copy_whole();
        self.copy_slice(text, range);
    }

    fn copy_whole(&mut self) {
        if let Some(text) = self.whole.take() {
            self.copy_slice(&text, 0..text.len());
        }
    }

    fn copy_slice(&mut self, text: &Text, range: Range<usize>) {
        let base = self.bytes.len();
        match text.marks() {
            None => self.mark(&Origin::UNKNOWN),
            Some(marks) => {
                let from = marks.0.partition_point(|(offset, _)| (*offset as usize) < range.start);
                let mut rest = marks.0[from..].iter().peekable();
                let is_point =
                    |(offset, origin): &(u32, Origin), at: usize| *offset as usize == at && origin.is_decision_only();
                while let Some((_, point)) = rest.next_if(|mark| is_point(mark, range.start)) {
                    self.marks.push((base as u32, point.clone()));
                }
                if !range.is_empty() {
                    self.mark(&text.origin_at(range.start));
                }
                for mark in rest.skip_while(|(offset, _)| *offset as usize <= range.start) {
                    let offset = mark.0 as usize;
                    if offset >= range.end && !is_point(mark, range.end) {
                        break;
                    }
                    self.marks.push(((base + offset - range.start) as u32, mark.1.clone()));
                }
            }
        }
        self.bytes.extend_from_slice(&text[range]);
    }

    /// The text.
    pub fn finish(mut self) -> Text {
        let text = self.whole.take().unwrap_or_else(|| {
            let marks = (!self.marks.is_empty()).then(|| {
                let mut marks = Vec::with_capacity(self.marks.len());
                marks.append(&mut self.marks);
                Rc::new(Marks(marks))
            });
            Text { bytes: self.bytes.as_slice().into(), marks }
        });
        ROOM.with_borrow_mut(|rooms| {
            if rooms.len() < MOST_ROOMS && (1..=LARGEST_ROOM).contains(&self.bytes.capacity()) {
                self.bytes.clear();
                self.marks.clear();
                rooms.push((self.bytes, self.marks));
            }
        });
        text
    }

    /// Notes at a point that `by` decided on what stands there, which may be nothing.
    pub fn point(&mut self, by: &Origin) {
        if by.is_known() {
            self.copy_whole();
            self.marks.push((self.bytes.len() as u32, Origin::UNKNOWN.decided_by(by)));
        }
    }

    /// What is added next came from `origin`.
    pub fn mark(&mut self, origin: &Origin) {
        self.copy_whole();
        match self.marks.last() {
            None if !origin.is_known() => {}
            Some((_, last)) if last.same(origin) && !origin.has_lines() => {}
            _ => self.marks.push((self.bytes.len() as u32, origin.clone())),
        }
    }
}

impl fmt::Write for TextBuilder {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_plain(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_diagnostics::{FileId, SourceText, Span, Step};
    use std::sync::Arc;

    #[test]
    fn what_decided_that_nothing_is_there_stays_where_that_is() {
        let points = |text: &Text| -> Vec<usize> {
            let marks = text.marks().into_iter().flat_map(Marks::iter);
            marks.filter(|(_, origin)| origin.is_decision_only()).map(|(at, _)| at).collect()
        };
        let mut builder = TextBuilder::new();
        builder.point(&origin(1));
        builder.push(b"ab", &origin(2));
        builder.point(&origin(3));
        builder.push(b"cd", &origin(2));
        builder.point(&origin(4));
        let text = builder.finish();
        assert_eq!((&*text, points(&text)), (&b"abcd"[..], vec![0, 2, 4]));
        let line = |at: usize| text.origin_at(at).span().map(|span| span.line);
        assert_eq!([0, 1, 2, 3].map(line), [Some(2); 4]);
        assert_eq!(points(&text.slice(1..3)), [1]);
        assert_eq!(points(&text.slice(0..2)), [0, 2]);
        assert_eq!(points(&text.slice(2..4)), [0, 2]);
        assert_eq!(points(&text.slice(4..4)), [0]);
        let mut around = TextBuilder::new();
        around.point(&origin(5));
        around.push_text(&text.slice(1..1));
        around.push_text(&text);
        around.push(b"e", &Origin::UNKNOWN);
        let around = around.finish();
        assert_eq!((&*around, points(&around)), (&b"abcde"[..], vec![0, 0, 2, 4]));
        assert!(!around.origin_at(4).is_known());
    }

    fn origin(line: u32) -> Origin {
        Origin::at(Step::Source, Span::new(FileId::new("text"), line, 1))
    }

    fn lines(text: &Text) -> Vec<Option<u32>> {
        (0..text.len()).map(|at| text.origin_at(at).span().map(|span| span.line)).collect()
    }

    #[test]
    fn each_line_of_literal_text_is_its_own() {
        let source = Arc::new(SourceText::new(Some(FileId::new("template")), "x\n{{ a }} b\n  c\nd\n"));
        let literal = Origin::literal(&source, 9, 18);
        let mut builder = TextBuilder::new();
        builder.push(b" b\n  c\nd\n", &literal);
        let text = builder.finish();
        assert_eq!(lines(&text), [2, 2, 2, 3, 3, 3, 3, 4, 4].map(Some));
        let columns = |text: &Text, at: usize| text.origin_at(at).span().map(|span| (span.column, span.length));
        assert_eq!((columns(&text, 0), columns(&text, 3)), (Some((9, 1)), Some((3, 1))));

        // Twice, behind what printed it, from the middle on, and between other lines.
        let mut twice = TextBuilder::new();
        let printed = Origin::printed(&source, 5, None, vec![literal.clone()]);
        twice.push(&text, &printed);
        twice.push(&text, &printed);
        let twice = twice.finish().slice(1..14);
        let inner = |at: usize| twice.origin_at(at).record()?.inputs.first()?.span().map(|span| span.line);
        assert_eq!((0..13).map(inner).collect::<Vec<_>>(), [2, 2, 3, 3, 3, 3, 4, 4, 2, 2, 2, 3, 3].map(Some));
        assert_eq!(lines(&twice), [Some(2); 13]);
        let by_line: Vec<_> = twice.marks_by_line().into_iter().map(|(at, _)| at).collect();
        assert_eq!(by_line, [0, 2, 6, 8, 11]);
        let mut indented = TextBuilder::new();
        indented.push_plain(b"\n\n");
        indented.push_slice(&text, 7..9);
        assert_eq!(lines(&indented.finish()), [None, None, Some(4), Some(4)]);
    }

    #[test]
    fn slices_and_joins_keep_the_origin_of_every_byte() {
        let mut builder = TextBuilder::new();
        builder.push(b"ab", &origin(1));
        builder.push(b"cd", &origin(2));
        let text = builder.finish();
        assert_eq!(lines(&text), [Some(1), Some(1), Some(2), Some(2)]);
        let mut builder = TextBuilder::new();
        builder.push_text(&Text::from("x"));
        builder.push_text(&text.slice(1..3));
        builder.push_text(&Text::from("y"));
        assert_eq!(lines(&builder.finish()), [None, Some(1), Some(2), None]);
        let mut builder = TextBuilder::new();
        builder.push_text(&text);
        assert_eq!(builder.as_bytes(), b"abcd");
        builder.push_plain(b"z");
        assert_eq!(lines(&builder.finish()), [Some(1), Some(1), Some(2), Some(2), Some(2)]);
    }
}
