//! [`Page`]: the text so far and how its last line ends, which decides how whatever comes next joins it.

/// How the last line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Nothing but indentation stands on it.
    Blank,
    /// With a bracket that opened: what follows touches it.
    Bracket,
    /// With a `-`, `?` or `:` on which a block collection may hang, its first entry on the same line.
    Hook,
    /// With anything else: what follows keeps a space's distance.
    Word,
}

/// The text so far.
pub(super) struct Page {
    text: String,
    /// Where the last line begins.
    line: usize,
    ending: Ending,
    /// The column of the comment above where it is a foot comment. An empty line parts it from what follows in the
    /// same column.
    foot: Option<usize>,
}

impl Page {
    /// Writes behind `text`, which ends with its last line.
    pub(super) fn behind(text: String) -> Self {
        Self { line: text.len(), text, ending: Ending::Blank, foot: None }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn ending(&self) -> Ending {
        self.ending
    }

    pub(super) fn is_blank(&self) -> bool {
        self.ending == Ending::Blank
    }

    /// How many characters stand on the last line.
    pub(super) fn width(&self) -> usize {
        self.text[self.line..].chars().count()
    }

    /// Whether `text` ends before column `width` of this line. May deny it where characters take several bytes.
    pub(super) fn has_room(&self, text: &str, width: usize) -> bool {
        self.text.len() - self.line + text.len() <= width
    }

    /// Goes to `column` of a line on which nothing stands yet.
    pub(super) fn start_line(&mut self, column: usize) {
        if self.ending != Ending::Blank || self.text.len() - self.line > column {
            self.end_line();
        }
        if self.foot.take() == Some(column) {
            self.end_line();
        }
        self.pad(column);
    }

    /// Fills a blank line up to `column`.
    fn pad(&mut self, column: usize) {
        const BLANKS: &str = "                                                                ";
        let mut missing = column.saturating_sub(self.text.len() - self.line);
        while missing > 0 {
            let some = missing.min(BLANKS.len());
            self.text.push_str(&BLANKS[..some]);
            missing -= some;
        }
    }

    /// Leaves a line empty.
    pub(super) fn empty_line(&mut self) {
        if !self.is_blank() {
            self.end_line();
        }
        self.end_line();
        self.foot = None;
    }

    /// Ends the line.
    pub(super) fn end_line(&mut self) {
        self.break_with('\n');
    }

    /// Ends the line with a line break of the text's own.
    pub(super) fn break_with(&mut self, line_break: char) {
        self.text.push(line_break);
        self.line = self.text.len();
        self.ending = Ending::Blank;
    }

    /// Writes the space that what follows keeps from what stands on the line, if it does.
    pub(super) fn space(&mut self) {
        if matches!(self.ending, Ending::Hook | Ending::Word) {
            self.text.push(' ');
        }
    }

    /// Writes `word`, a space's distance from the one before.
    pub(super) fn word(&mut self, word: &str) {
        self.space();
        self.touch(word, Ending::Word);
    }

    /// Writes right behind what stands there, and leaves the line ending so.
    pub(super) fn touch(&mut self, text: &str, ending: Ending) {
        self.text.push_str(text);
        self.ending = ending;
    }

    /// Writes a part of a word.
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ending = Ending::Word;
    }

    /// Remembers that the comment above is a foot comment.
    pub(super) fn mark_foot(&mut self, column: usize) {
        self.foot = Some(column);
    }
}
