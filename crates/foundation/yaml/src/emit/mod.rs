//! Writing: [`Emitter`] turns nodes, given one after the other, into text.
//!
//! Three questions are kept apart. *Where does it go?* is answered here, from the open collections ([`Level`]) and
//! from how the last line ends ([`Page`]). *In which style?* is answered by one look at the text ([`Shape`]). *How do
//! its lines run?* is answered by the writers of quoted and of block scalars. Comments wait in [`Remarks`] for the
//! place that writes them.
//!
//! What is written is, byte for byte, what go-yaml writes; `tests/writing.tsv` holds its answers.

mod block;
mod comments;
mod inline;
mod order;
mod page;
mod shape;
mod tags;
mod values;

pub use comments::Remarks;
pub use order::{compare_keys, sort_by_keys};

use crate::{Dialect, Style};
use comments::Waiting;
use inline::Lines;
use page::{Ending, Page};
use shape::{Place, Shape};

/// The length beyond which a key, its anchor and its tag included, is written behind a `?`.
const LONGEST_SIMPLE_KEY: usize = 128;

/// Writes YAML as Go's libraries do, node by node.
///
/// Nodes come in the order of the text, keys and values of a mapping in turn, what is said around one just before it.
/// Trees are written with [`Emitter::scalar`], [`Emitter::alias`] and [`Emitter::begin`], Go's plain values with
/// [`Emitter::string`] and its like.
pub struct Emitter {
    page: Page,
    format: Format,
    levels: Vec<Level>,
    waiting: Waiting,
    /// Where the last node begins.
    node: usize,
}

/// What the libraries write differently.
#[derive(Clone, Copy)]
struct Format {
    dialect: Dialect,
    /// A sequence that is a value stands in the column of its key.
    compact: bool,
    /// The column behind which words go to the next line.
    width: Option<usize>,
}

/// A collection whose end is not yet written.
struct Level {
    kind: Kind,
    /// Where its entries begin.
    column: usize,
    /// How many nodes were written into it.
    count: usize,
    /// The last key has its `:` on the same line, without a `?` before.
    simple: bool,
    /// The comma behind the last entry is written, because a comment follows it.
    comma: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Sequence,
    Mapping,
    FlowSequence,
    FlowMapping,
}

impl Kind {
    fn is_flow(self) -> bool {
        matches!(self, Self::FlowSequence | Self::FlowMapping)
    }

    fn is_mapping(self) -> bool {
        matches!(self, Self::Mapping | Self::FlowMapping)
    }
}

/// What a node is to what surrounds it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Root,
    Item,
    SimpleKey,
    Key,
    SimpleValue,
    Value,
}

/// What must be known of a node before it is written.
#[derive(Clone, Copy)]
struct Incoming {
    /// As a key it needs no `?`.
    simple: bool,
    /// It is a collection; whether one that asks for brackets.
    collection: Option<bool>,
    /// It is an alias.
    alias: bool,
}

/// A scalar to write.
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

/// A sequence or a mapping to write; see [`Emitter::begin`].
pub struct CollectionNode<'a> {
    /// It is a mapping.
    pub is_mapping: bool,
    /// It has no entries, which shows as `[]` or `{}`.
    pub empty: bool,
    /// It is to stand in brackets.
    pub flow: bool,
    /// A tag to write, short: `!!seq`, `!custom`.
    pub tag: Option<&'a str>,
    /// An anchor to write, without `&`.
    pub anchor: Option<&'a str>,
}

impl Emitter {
    /// What sigs.k8s.io/yaml's `Marshal` writes with: sequences in the column of their key, lines folded behind
    /// column 80.
    pub fn sigs() -> Self {
        Self::new(Format { dialect: Dialect::V2, compact: true, width: Some(80) })
    }

    /// What kyaml's encoder writes with: sequences in the column of their key, no folding.
    pub fn kyaml() -> Self {
        Self::new(Format { dialect: Dialect::V3, compact: true, width: None })
    }

    /// What Helm's `toYamlPretty` writes with: go-yaml v3, sequences deeper than their key.
    pub fn pretty() -> Self {
        Self::new(Format { dialect: Dialect::V3, compact: false, width: None })
    }

    fn new(format: Format) -> Self {
        let page = Page::behind(String::new());
        Self { page, format, levels: Vec::new(), waiting: Waiting::default(), node: 0 }
    }

    /// Writes behind `text`, which ends with its last line.
    pub fn append_to(&mut self, text: String) {
        self.node = text.len();
        self.page = Page::behind(text);
    }

    /// Where the last node begins, its indicators included: an offset in [`Emitter::text`].
    pub fn node_position(&self) -> usize {
        self.node
    }

    /// What is written so far.
    pub fn text(&self) -> &str {
        self.page.text()
    }

    /// The text.
    pub fn finish(self) -> String {
        self.page.into_text()
    }

    /// Ends the document. The emitter may then write another, for whose `---` the caller sees.
    pub fn end_document(&mut self) {
        self.write_document_foot();
        if !self.page.is_blank() {
            self.page.end_line();
        }
    }

    /// Writes a scalar.
    pub fn scalar(&mut self, scalar: ScalarNode<'_>) {
        let shape = Shape::of(scalar.text, self.format.dialect);
        let length = scalar.text.len() + scalar.tag.map_or(0, str::len) + scalar.anchor.map_or(0, str::len);
        let simple = !shape.lines && length <= LONGEST_SIMPLE_KEY;
        let role = self.lead_in(Incoming { simple, collection: None, alias: false });
        self.properties(scalar.tag, scalar.anchor);
        let flow = self.levels.last().is_some_and(|level| level.kind.is_flow());
        let place = match role {
            _ if flow => Place::Flow,
            Role::SimpleKey => Place::SimpleKey,
            _ => Place::Block,
        };
        let style = shape.style(scalar.style, place);
        let column = self.inner_column();
        let width = self.format.width.filter(|_| role != Role::SimpleKey);
        let lines = Lines { column, width };
        match style {
            Style::Literal | Style::Folded => self.block_scalar(scalar.text, style, column),
            Style::SingleQuoted => inline::single(&mut self.page, scalar.text, lines),
            Style::DoubleQuoted => inline::double(&mut self.page, scalar.text, lines),
            Style::Plain | Style::Flow => inline::plain(&mut self.page, scalar.text, lines),
        }
        self.lead_out(role);
    }

    /// Writes `*name`.
    pub fn alias(&mut self, name: &str) {
        let simple = name.len() <= LONGEST_SIMPLE_KEY;
        let role = self.lead_in(Incoming { simple, collection: None, alias: true });
        self.page.word("*");
        self.page.push(name);
        self.lead_out(role);
    }

    /// Starts a sequence or a mapping.
    pub fn begin(&mut self, collection: CollectionNode<'_>) {
        let CollectionNode { is_mapping, empty, flow, tag, anchor } = collection;
        let length = tag.map_or(0, str::len) + anchor.map_or(0, str::len);
        let simple = empty && length <= LONGEST_SIMPLE_KEY;
        let role = self.lead_in(Incoming { simple, collection: Some(flow), alias: false });
        self.properties(tag, anchor);
        if !matches!(role, Role::Key | Role::SimpleKey) {
            // What waits since the end of another collection.
            self.write_behind_entry();
        }
        let within_flow = self.levels.last().is_some_and(|level| level.kind.is_flow());
        let kind = match (is_mapping, flow || empty || within_flow) {
            (false, false) => Kind::Sequence,
            (true, false) => Kind::Mapping,
            (false, true) => Kind::FlowSequence,
            (true, true) => Kind::FlowMapping,
        };
        let column = match (kind, self.levels.last()) {
            (Kind::Sequence | Kind::Mapping, None) => 0,
            (Kind::Sequence, Some(parent))
                if parent.kind == Kind::Mapping && self.format.compact && self.page.ending() != Ending::Hook =>
            {
                parent.column
            }
            _ => self.inner_column(),
        };
        match kind {
            Kind::FlowSequence => self.open_bracket("["),
            Kind::FlowMapping => self.open_bracket("{"),
            _ => {}
        }
        self.levels.push(Level { kind, column, count: 0, simple: false, comma: false });
    }

    fn open_bracket(&mut self, bracket: &str) {
        self.page.space();
        self.page.touch(bracket, Ending::Bracket);
    }

    /// Ends the innermost collection.
    pub fn end(&mut self) {
        if self.levels.last().is_some_and(|level| level.kind.is_mapping()) {
            self.write_last();
        }
        let Some(level) = self.levels.pop() else { return };
        match level.kind {
            Kind::FlowSequence => {
                if self.page.is_blank() {
                    self.page.start_line(level.column.saturating_sub(2));
                }
                self.page.push("]");
            }
            Kind::FlowMapping => self.page.push("}"),
            _ => return,
        }
        self.write_behind();
    }

    /// The column of what belongs to a node of the innermost collection: its lines behind the first, its entries.
    fn inner_column(&self) -> usize {
        self.levels.last().map_or(2, |level| level.column + 2)
    }

    fn properties(&mut self, tag: Option<&str>, anchor: Option<&str>) {
        if let Some(anchor) = anchor {
            self.page.word("&");
            self.page.push(anchor);
        }
        if let Some(tag) = tag {
            self.page.space();
            tags::write(&mut self.page, tag);
        }
    }

    /// Writes what stands before a node.
    fn lead_in(&mut self, incoming: Incoming) -> Role {
        let Some(level) = self.levels.last_mut() else {
            self.node = self.page.text().len();
            self.write_head();
            return Role::Root;
        };
        let (kind, column, first) = (level.kind, level.column, level.count == 0);
        let is_value = kind.is_mapping() && level.count % 2 == 1;
        level.count += 1;
        let comma = !first && !is_value && !std::mem::take(&mut level.comma);
        let role = match kind {
            Kind::Sequence | Kind::FlowSequence => Role::Item,
            _ if is_value && level.simple => Role::SimpleValue,
            _ if is_value => Role::Value,
            _ if incoming.simple => Role::SimpleKey,
            _ => Role::Key,
        };
        if kind.is_mapping() && !is_value {
            level.simple = incoming.simple;
        }
        if is_value {
            self.colon(role, kind, column, incoming);
            return role;
        }
        if kind.is_flow() {
            if comma {
                self.page.touch(",", Ending::Word);
            }
            self.write_tail();
            self.write_head();
            if self.page.is_blank() {
                self.page.start_line(column);
            }
        } else {
            self.write_tail();
            self.write_head();
            let hangs = first && self.page.ending() == Ending::Hook;
            if !hangs {
                self.page.start_line(column);
            }
        }
        self.node = self.page.text().len();
        match role {
            Role::Key => self.hook("?"),
            Role::Item if kind == Kind::Sequence => self.hook("-"),
            _ => {}
        }
        if kind == Kind::Mapping {
            self.waiting.set_aside();
        }
        role
    }

    fn hook(&mut self, indicator: &str) {
        self.page.space();
        self.page.touch(indicator, Ending::Hook);
    }

    fn colon(&mut self, role: Role, kind: Kind, column: usize, incoming: Incoming) {
        self.node = self.page.text().len();
        if role == Role::SimpleValue {
            self.page.touch(":", Ending::Word);
        } else {
            if !kind.is_flow() {
                self.page.start_line(column);
            }
            self.hook(":");
        }
        if kind.is_flow() {
            return;
        }
        match incoming.collection {
            Some(false) => self.write_key_line(),
            None if !incoming.alias => self.waiting.take_up(),
            _ => {}
        }
    }

    /// Writes what stands behind a node.
    fn lead_out(&mut self, role: Role) {
        if !matches!(role, Role::Key | Role::SimpleKey) {
            self.write_behind_entry();
        }
    }
}
