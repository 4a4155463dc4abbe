//! [`Indented`]: go-yaml's emitter with another indentation than two.
//!
//! `onepane-yaml` writes what indents by two. What it writes is taken line by line, and each line is moved to where
//! its nesting puts it with another indentation: within a sequence two behind it, elsewhere at the next multiple.

use onepane_yaml::{Emitter, Remarks, ScalarNode};

/// The indentation of the emitter that is wrapped.
const NARROW: usize = 2;

pub(super) struct Indented {
    emitter: Emitter,
    indent: usize,
    levels: Vec<Level>,
    /// How much of the emitter's text was moved.
    done: usize,
    text: String,
}

/// A collection that is open.
#[derive(Clone, Copy)]
struct Level {
    is_list: bool,
    /// Where its entries begin here.
    column: usize,
}

impl Indented {
    pub(super) fn new(indent: usize) -> Self {
        // As go-yaml does with others.
        let indent = if (2..=9).contains(&indent) { indent } else { 2 };
        Self { emitter: Emitter::pretty(), indent, levels: Vec::new(), done: 0, text: String::new() }
    }

    /// What is said around the node that comes next or the collection that ends next.
    pub(super) fn remark(&mut self, remarks: Remarks<'_>) {
        self.emitter.remark(remarks);
    }

    pub(super) fn begin_mapping(&mut self) {
        self.emitter.begin_mapping(false);
        self.open(false);
    }

    pub(super) fn begin_list(&mut self) {
        self.emitter.begin_sequence(false);
        self.open(true);
    }

    pub(super) fn empty_mapping(&mut self) {
        self.emitter.begin_mapping(true);
        self.emitter.end();
        self.take(usize::MAX);
    }

    pub(super) fn empty_list(&mut self) {
        self.emitter.begin_sequence(true);
        self.emitter.end();
        self.take(usize::MAX);
    }

    pub(super) fn end(&mut self) {
        self.emitter.end();
        self.take(usize::MAX);
        self.levels.pop();
    }

    /// A scalar that needs no quotes.
    pub(super) fn plain(&mut self, text: &str) {
        self.emitter.plain(text);
        self.take(usize::MAX);
    }

    pub(super) fn string(&mut self, text: &str) {
        self.emitter.string(text);
        self.take_scalar(text);
    }

    pub(super) fn scalar(&mut self, scalar: ScalarNode<'_>) {
        let text = scalar.text;
        self.emitter.scalar(scalar);
        self.take_scalar(text);
    }

    pub(super) fn finish(mut self) -> String {
        self.emitter.end_document();
        self.take(usize::MAX);
        self.text
    }

    fn open(&mut self, is_list: bool) {
        self.take(usize::MAX);
        let column = if self.levels.is_empty() { 0 } else { self.inner_column() };
        self.levels.push(Level { is_list, column });
    }

    /// The column of what belongs to a node of the innermost collection.
    fn inner_column(&self) -> usize {
        match self.levels.last() {
            Some(level) if level.is_list => level.column + NARROW,
            Some(level) => self.indent * (level.column / self.indent + 1),
            None => self.indent,
        }
    }

    /// Takes what a scalar made, which has lines of its own where it is a block.
    fn take_scalar(&mut self, text: &str) {
        let from = self.emitter.node_position();
        let written = &self.emitter.text()[from..];
        let block = written.trim_start_matches([' ', ':', '-', '?']).trim_start_matches("!!binary ");
        let end = written.find('\n').map(|at| from + at);
        let (Some(end), true) = (end, block.starts_with('|') && text.contains('\n')) else {
            return self.take(usize::MAX);
        };
        if block.starts_with("|2") {
            // A hint of how far the text is indented, which begins with blanks.
            let hint = self.emitter.text().len() - block.len() + 1;
            self.take(hint);
            self.text.push_str(&self.indent.to_string());
            self.done += 1;
        }
        self.take(end);
        self.take_lines();
    }

    /// Moves the lines of a block: those that are indented as its text is. Comments may follow, which are less so.
    fn take_lines(&mut self) {
        let narrow = " ".repeat(NARROW * self.levels.len());
        let wide = " ".repeat(self.inner_column());
        let chunk = self.emitter.text()[self.done..].to_owned();
        for line in chunk.split_inclusive('\n') {
            match line.strip_prefix(&*narrow) {
                Some(content) => {
                    self.text.push_str(&wide);
                    self.text.push_str(content);
                }
                None => self.text.push_str(&self.moved(line, self.text.ends_with('\n'))),
            }
        }
        self.done += chunk.len();
    }

    /// Moves what the emitter wrote since, up to `end`.
    fn take(&mut self, end: usize) {
        let end = end.min(self.emitter.text().len());
        let chunk = self.emitter.text()[self.done..end].to_owned();
        let mut starts = self.text.is_empty() || self.text.ends_with('\n');
        for line in chunk.split_inclusive('\n') {
            let line = self.moved(line, starts);
            self.text.push_str(&line);
            starts = true;
        }
        self.done = end;
    }

    /// A line whose entries begin in the column of one of the open collections.
    fn moved(&self, line: &str, starts: bool) -> String {
        let content = line.trim_start_matches(' ');
        if !starts || content.is_empty() || self.levels.is_empty() {
            return line.to_owned();
        }
        let depth = (line.len() - content.len()) / NARROW;
        let column = self.levels.get(depth).map_or_else(|| self.inner_column(), |level| level.column);
        " ".repeat(column) + content
    }
}
