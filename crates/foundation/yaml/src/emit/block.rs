//! Block scalars: `|` and `>`.

use super::Emitter;
use super::shape::is_break;
use crate::Style;

impl Emitter {
    /// Writes a text as a literal or folded block whose lines begin in `column`. Lines are not folded: only v3 writes
    /// folded blocks, and it knows no width.
    pub(super) fn block_scalar(&mut self, text: &str, style: Style, column: usize) {
        let folded = style == Style::Folded;
        let first = text.trim_start_matches(is_break);
        // Breaks between lines count twice when they are folded, but for go-yaml not behind a line that begins with a
        // blank, nor anywhere in a text that begins with one.
        let doubles = folded && !first.starts_with([' ', '\t']);
        self.page.word(if folded { ">" } else { "|" });
        if text.starts_with(|first| first == ' ' || is_break(first)) {
            // Indentation is always by two.
            self.page.push("2");
        }
        self.page.push(chomping(text));
        self.write_block_comment(column);
        if !self.page.is_blank() {
            self.page.end_line();
        }
        let mut folds = false;
        for line in text.split_inclusive(is_break) {
            let content = line.trim_end_matches(is_break);
            if !content.is_empty() {
                self.page.start_line(column);
                self.page.push(content);
                folds = !content.starts_with([' ', '\t']);
            }
            if let Some(line_break) = line[content.len()..].chars().next() {
                if doubles && folds && line_break == '\n' {
                    self.page.end_line();
                }
                self.page.break_with(line_break);
                folds = false;
            }
        }
    }
}

/// What becomes of the breaks at the end: none there, one, or more that must be kept.
fn chomping(text: &str) -> &'static str {
    let Some(before) = text.strip_suffix(is_break) else { return "-" };
    if before.is_empty() || before.ends_with(is_break) { "+" } else { "" }
}
