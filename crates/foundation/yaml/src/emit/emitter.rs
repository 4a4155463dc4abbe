//! [`Emitter`]: collections and what stands between nodes.

use super::analyze::{Analysis, analyze};
use super::comments::Pending;
use crate::{Dialect, Style};

/// Writes YAML event by event.
///
/// Keys and values of a mapping come in turn. Collections must be told whether they are empty when they start,
/// because empty ones are written in flow style.
pub struct Emitter {
    pub(super) out: String,
    pub(super) column: usize,
    pub(super) dialect: Dialect,
    /// The column behind which lines are folded.
    pub(super) width: usize,
    /// Whether a sequence in a mapping stands in the column of its key.
    compact_sequences: bool,
    pub(super) indent: i32,
    indents: Vec<i32>,
    pub(super) flow_level: usize,
    /// Whether the last character was whitespace, as far as go-yaml keeps account of it.
    pub(super) whitespace: bool,
    /// Whether the line so far holds nothing but indentation and the indicators `-`, `?` and `:`.
    pub(super) indention: bool,
    node_start: usize,
    open: Vec<Open>,
    mapping_context: bool,
    pub(super) simple_key: bool,
    pub(super) comments: Pending,
}

/// A collection whose end is not yet written.
struct Open {
    flow: bool,
    mapping: bool,
    first: bool,
    /// v3 has already written the comma.
    trail: bool,
    expect: Expect,
}

#[derive(Clone, Copy, PartialEq)]
enum Expect {
    Key,
    SimpleValue,
    Value,
}

/// A scalar to write.
#[derive(Clone, Copy, Default)]
pub struct ScalarNode<'a> {
    /// Its text.
    pub text: &'a str,
    /// The style that is wished for; another is taken where the text cannot be written in it.
    pub style: Style,
    /// A tag to write, short: `!!str`, `!custom`.
    pub tag: Option<&'a str>,
    /// An anchor to write, without `&`.
    pub anchor: Option<&'a str>,
}

/// What kind of node is about to be written.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Upcoming {
    Scalar,
    BlockCollection,
    FlowCollection,
    Alias,
}

/// What remains to be done once the node is written.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum After {
    Nothing,
    Comments,
    CommaAndComments,
}

impl Emitter {
    /// What sigs.k8s.io/yaml's `Marshal` writes with: sequences in the column of their key, lines folded behind
    /// column 80.
    pub fn sigs() -> Self {
        Self::new(Dialect::V2, 80, true)
    }

    /// What kyaml's encoder writes with: sequences in the column of their key, no folding.
    pub fn kyaml() -> Self {
        Self::new(Dialect::V3, usize::MAX, true)
    }

    /// What Helm's `toYamlPretty` writes with: go-yaml v3, sequences deeper than their key.
    pub fn pretty() -> Self {
        Self::new(Dialect::V3, usize::MAX, false)
    }

    fn new(dialect: Dialect, width: usize, compact_sequences: bool) -> Self {
        Self {
            out: String::new(),
            column: 0,
            dialect,
            width,
            compact_sequences,
            indent: -1,
            indents: Vec::with_capacity(16),
            flow_level: 0,
            whitespace: true,
            indention: true,
            node_start: 0,
            open: Vec::with_capacity(16),
            mapping_context: false,
            simple_key: false,
            comments: Pending::default(),
        }
    }

    /// Writes behind `text`, which ends with its last line.
    pub fn append_to(&mut self, text: String) {
        self.out = text;
    }

    /// How many bytes are written.
    pub fn position(&self) -> usize {
        self.out.len()
    }

    /// Where the last node begins, its indicators included.
    pub fn node_position(&self) -> usize {
        self.node_start
    }

    /// What is written so far.
    pub fn text(&self) -> &str {
        &self.out
    }

    /// Ends the document. The emitter may then write another, for whose `---` the caller sees.
    pub fn end_document(&mut self) {
        if self.dialect == Dialect::V3 {
            self.end_document_comments();
        }
        self.write_indent();
        self.indent = -1;
    }

    /// The text.
    pub fn finish(self) -> String {
        self.out
    }

    /// Writes a scalar.
    pub fn scalar(&mut self, scalar: ScalarNode<'_>) {
        let analysis = analyze(scalar.text, self.dialect == Dialect::V3);
        let length = scalar.text.len() + scalar.anchor.map_or(0, str::len) + scalar.tag.map_or(0, str::len);
        let after = self.before_node(Upcoming::Scalar, !analysis.multiline && length <= 128);
        self.scalar_content(scalar, analysis);
        self.after_node(after);
    }

    fn scalar_content(&mut self, scalar: ScalarNode<'_>, analysis: Analysis) {
        let style = self.select_style(scalar, analysis);
        self.properties(scalar.anchor, scalar.tag);
        self.indents.push(self.indent);
        self.indent = if self.indent < 0 { 2 } else { self.indent + 2 };
        self.write_scalar(scalar.text, style);
        self.indent = self.indents.pop().unwrap_or(-1);
    }

    /// Writes `*name`.
    pub fn alias(&mut self, name: &str) {
        let after = self.before_node(Upcoming::Alias, name.len() <= 128);
        self.write_indicator("*", true, false, false);
        self.write_run(name);
        (self.whitespace, self.indention) = (false, false);
        self.after_node(after);
    }

    /// Starts a sequence.
    pub fn begin_sequence(&mut self, empty: bool, flow: bool, tag: Option<&str>, anchor: Option<&str>) {
        self.begin(false, empty, flow, tag, anchor);
    }

    /// Starts a mapping.
    pub fn begin_mapping(&mut self, empty: bool, flow: bool, tag: Option<&str>, anchor: Option<&str>) {
        self.begin(true, empty, flow, tag, anchor);
    }

    fn begin(&mut self, mapping: bool, empty: bool, flow: bool, tag: Option<&str>, anchor: Option<&str>) {
        let length = anchor.map_or(0, str::len) + tag.map_or(0, str::len);
        let upcoming = if flow { Upcoming::FlowCollection } else { Upcoming::BlockCollection };
        let after = self.before_node(upcoming, empty && length <= 128);
        self.properties(anchor, tag);
        self.after_node(after);
        let flow = flow || empty || self.flow_level > 0;
        self.open.push(Open { flow, mapping, first: true, trail: false, expect: Expect::Key });
    }

    /// Ends the innermost collection.
    pub fn end(&mut self) {
        let Some(open) = self.open.last() else { return };
        let (flow, mapping, first, trail) = (open.flow, open.mapping, open.first, open.trail);
        if !flow {
            if first {
                self.enter_block(mapping);
            }
            if mapping && self.dialect == Dialect::V3 {
                self.head_comment();
            }
            self.open.pop();
            self.indent = self.indents.pop().unwrap_or(-1);
            return;
        }
        if first {
            self.enter_flow(mapping);
        }
        if mapping && self.dialect == Dialect::V3 {
            self.comments_before_flow_end(first || trail);
        }
        self.open.pop();
        self.flow_level -= 1;
        self.indent = self.indents.pop().unwrap_or(-1);
        if self.dialect == Dialect::V3 && self.column == 0 && !mapping {
            self.write_indent();
        }
        self.write_indicator(if mapping { "}" } else { "]" }, false, false, false);
        self.line_and_foot_comments();
    }

    /// Writes what stands before a node: line break and indentation, `-`, `,`, `?` or `:`.
    fn before_node(&mut self, upcoming: Upcoming, may_be_simple_key: bool) -> After {
        let Some(open) = self.open.last_mut() else {
            self.head_comment();
            (self.mapping_context, self.simple_key) = (false, false);
            self.node_start = self.out.len();
            return After::Comments;
        };
        let (flow, mapping, expect) = (open.flow, open.mapping, open.expect);
        let first = std::mem::replace(&mut open.first, false);
        let trail = std::mem::replace(&mut open.trail, false);
        if expect == Expect::Key {
            match (flow, first) {
                (true, true) => self.enter_flow(mapping),
                (true, false) if !trail => self.write_indicator(",", false, false, false),
                (true, false) => {}
                (false, true) => self.enter_block(mapping),
                (false, false) => {}
            }
            self.head_comment();
            if !flow || self.dialect == Dialect::V3 && self.column == 0 || self.column > self.width {
                self.write_indent();
            }
        }
        (self.mapping_context, self.simple_key) = (mapping, false);
        self.node_start = self.out.len();
        match (mapping, expect, flow) {
            (false, _, false) => {
                self.write_indicator("-", true, false, true);
                After::Comments
            }
            (false, _, true) => self.after_flow_node(),
            (true, Expect::Key, _) => {
                if !flow {
                    self.save_key_comment();
                }
                self.simple_key = may_be_simple_key;
                if !may_be_simple_key {
                    self.write_indicator("?", true, false, !flow);
                }
                self.expect(if may_be_simple_key { Expect::SimpleValue } else { Expect::Value });
                After::Nothing
            }
            (true, _, _) => {
                if expect == Expect::SimpleValue {
                    self.write_indicator(":", false, false, false);
                } else {
                    if !flow || self.column > self.width {
                        self.write_indent();
                    }
                    self.write_indicator(":", true, false, !flow);
                }
                self.expect(Expect::Key);
                if flow {
                    self.after_flow_node()
                } else {
                    self.key_comment_before(upcoming);
                    After::Comments
                }
            }
        }
    }

    fn expect(&mut self, expect: Expect) {
        if let Some(open) = self.open.last_mut() {
            open.expect = expect;
        }
    }

    fn after_flow_node(&mut self) -> After {
        if self.comments.none_behind() {
            return After::Comments;
        }
        if let Some(open) = self.open.last_mut() {
            open.trail = true;
        }
        After::CommaAndComments
    }

    fn after_node(&mut self, after: After) {
        if after == After::Nothing {
            return;
        }
        if after == After::CommaAndComments && !self.comments.none_behind() {
            self.write_indicator(",", false, false, false);
        }
        self.line_and_foot_comments();
    }

    fn enter_flow(&mut self, mapping: bool) {
        self.write_indicator(if mapping { "{" } else { "[" }, true, true, false);
        self.indents.push(self.indent);
        self.indent = if self.indent < 0 { 2 } else { self.indent + 2 };
        self.flow_level += 1;
    }

    fn enter_block(&mut self, mapping: bool) {
        self.indents.push(self.indent);
        if self.indent < 0 {
            self.indent = 0;
            return;
        }
        let at_line_start = self.dialect == Dialect::V3 && self.column == 0;
        let compact = !mapping && self.compact_sequences && self.mapping_context && (at_line_start || !self.indention);
        if !compact {
            self.indent += 2;
        }
    }

    fn properties(&mut self, anchor: Option<&str>, tag: Option<&str>) {
        if let Some(anchor) = anchor {
            self.write_indicator("&", true, false, false);
            self.write_run(anchor);
            (self.whitespace, self.indention) = (false, false);
        }
        let Some(tag) = tag else { return };
        let (handle, suffix) = match tag.strip_prefix("!!") {
            Some(suffix) => ("!!", suffix),
            None => tag.strip_prefix('!').map_or(("", tag), |suffix| ("!", suffix)),
        };
        if handle.is_empty() {
            self.write_indicator("!<", true, false, false);
            self.write_tag(suffix);
            self.write_indicator(">", false, false, false);
            return;
        }
        if !self.whitespace {
            self.write_run(" ");
        }
        self.write_run(handle);
        self.write_tag(suffix);
        (self.whitespace, self.indention) = (false, false);
    }

    fn write_tag(&mut self, suffix: &str) {
        for byte in suffix.bytes() {
            if byte.is_ascii_alphanumeric() || b"_-;/?:@&=+$,.~*'()[]".contains(&byte) {
                self.out.push(char::from(byte));
                self.column += 1;
            } else {
                self.write_run(&format!("%{byte:02X}"));
            }
        }
    }

    pub(super) fn write_indent(&mut self) {
        let indent = self.indent.max(0);
        let column = indent as usize;
        if !self.indention || self.column > column || (self.column == column && !self.whitespace) {
            self.put_break();
        }
        if self.dialect == Dialect::V3 && self.comments.foot_indent == indent {
            self.put_break();
        }
        while self.column < column {
            self.out.push(' ');
            self.column += 1;
        }
        self.whitespace = true;
        self.comments.foot_indent = -1;
        if self.dialect == Dialect::V2 {
            self.indention = true;
        }
    }

    pub(super) fn write_indicator(&mut self, indicator: &str, needs_space: bool, is_space: bool, is_indention: bool) {
        if needs_space && !self.whitespace {
            self.out.push(' ');
            self.column += 1;
        }
        self.out.push_str(indicator);
        self.column += indicator.len();
        self.whitespace = is_space;
        self.indention &= is_indention;
    }

    pub(super) fn put_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
        if self.dialect == Dialect::V3 {
            self.indention = true;
        }
    }

    /// Writes a stretch of a line.
    pub(super) fn write_run(&mut self, run: &str) {
        self.out.push_str(run);
        self.column += if run.is_ascii() { run.len() } else { run.chars().count() };
    }
}
