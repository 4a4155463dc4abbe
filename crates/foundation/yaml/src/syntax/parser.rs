//! [`Parser`]: the collections that are open, and the events that are ready.

use super::characters;
use super::comments::{LastKind, Remarks, Role};
use super::cursor::Mark;
use super::document::{Phase, TagHandles};
use super::error::{Stage, SyntaxError};
use super::event::{Event, EventKind, Properties};
use super::lexer::{Lexer, Sign};
use super::node::merged;
use super::scout::{Candidate, Level, Scout};
use std::collections::{HashSet, VecDeque};

/// Reads a text event by event.
pub(crate) struct Parser<'a> {
    pub(super) lexer: Lexer<'a>,
    pub(super) phase: Phase,
    /// Where the last lexeme has ended, once something behind it has been looked for.
    pub(super) gap: Option<Mark>,
    /// Where the last block's end is, if comments behind the last lexeme say so, and whether what follows is further
    /// left.
    pub(super) block_end: Option<(bool, Mark)>,
    pub(super) handles: TagHandles,
    /// Whether the document began with `---`.
    pub(super) explicit: bool,
    pub(super) frames: Vec<Frame>,
    /// Events that are not yet given out. An empty slot stands before a collection in brackets that may turn out to be
    /// a key, for the start of the mapping that it is then the key of.
    slots: VecDeque<Option<Ready<'a>>>,
    given: usize,
    /// The collections in brackets that may still be keys: each one's slot and start, from the outermost.
    waiting: Vec<Waiting<'a>>,
    /// How many of those are known to be none.
    settled: usize,
    /// A node that might have been a key and where it ends, no `:` being next to it.
    pub(super) undecided: Option<(Candidate, usize)>,
    /// The comments, where they are wanted.
    pub(super) remarks: Option<Box<Remarks>>,
    /// The document's anchors so far, where comments are wanted: then aliases are looked up.
    pub(super) anchors: HashSet<&'a str>,
    /// How many lexemes go-yaml reads ahead.
    pub(super) ahead: usize,
    /// What is wrong behind the events that are ready.
    failed: Option<Box<SyntaxError>>,
}

/// A collection whose end is not yet read.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    pub(super) expect: Expect,
    /// Where it begins, its properties left out.
    pub(super) start: Mark,
    /// The column of its entries, or of the block's around it.
    pub(super) indent: i32,
    /// In brackets: where it begins, if it may be a key.
    pub(super) key: Option<Candidate>,
    /// In brackets: whether anything in it could have been a key.
    pub(super) tried: bool,
    /// In a sequence: where the last `- ` is. In a mapping: what was found where a value is missing.
    pub(super) entry: u32,
}

impl Frame {
    pub(super) fn new(kind: Kind, expect: Expect, start: Mark, indent: i32) -> Self {
        Self { kind, expect, start, indent, key: None, tried: false, entry: 0 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sequence,
    /// A sequence as a mapping's value, its entries in the column of the mapping's keys.
    Indentless,
    Mapping,
    FlowSequence,
    FlowMapping,
    /// A mapping of one entry, without braces in a sequence in brackets.
    FlowPair,
}

/// What a collection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// In brackets, the first entry.
    First,
    /// Another entry.
    Entry,
    /// The node behind `? `.
    Key,
    /// The `:` that should follow an explicit key.
    Colon,
    /// Nothing: in braces, a node that no `:` follows is a key all the same.
    NoValue,
    /// The node behind `:` or `-`.
    Value,
}

/// An event that may lack comments.
pub(super) struct Ready<'a> {
    pub(super) event: Event<'a>,
    pub(super) role: Role,
    pub(super) place: u32,
}

/// A collection in brackets that may turn out to be a key.
pub(super) struct Waiting<'a> {
    pub(super) slot: usize,
    pub(super) candidate: Candidate,
    /// The properties on lines before it: the mapping's if it is a key, its own if not.
    pub(super) outer: Properties<'a>,
    pub(super) outer_start: Option<Mark>,
    /// Where to go back to if it is no key because then it has two anchors or tags: the place, how many collections
    /// were open, and where the first properties end.
    pub(super) undo: Option<Box<(Lexer<'a>, usize, Mark)>>,
}

impl<'a> Parser<'a> {
    /// Starts on a text. Whoever wants comments gets go-yaml v3's errors, everyone else v2's.
    pub(crate) fn new(text: &'a str, comments: bool) -> Result<Self, Box<SyntaxError>> {
        characters::check(text)?;
        Ok(Self {
            lexer: Lexer::new(text),
            phase: Phase::First,
            gap: None,
            block_end: None,
            handles: TagHandles::default(),
            explicit: false,
            frames: Vec::with_capacity(16),
            slots: VecDeque::with_capacity(4),
            given: 0,
            waiting: Vec::new(),
            settled: 0,
            undecided: None,
            remarks: comments.then(Box::default),
            anchors: HashSet::new(),
            ahead: if comments { 3 } else { 1 },
            failed: None,
        })
    }

    /// The next event; behind the stream's end, again the stream's end.
    #[allow(clippy::should_implement_trait, reason = "an error ends it, a stream's end does not")]
    pub(crate) fn next(&mut self) -> Result<Event<'a>, Box<SyntaxError>> {
        loop {
            while self.is_ready()? {
                self.given += 1;
                if let Some(Some(Ready { mut event, role, place })) = self.slots.pop_front() {
                    if let Some(remarks) = &mut self.remarks {
                        remarks.assign(&mut event, role, place);
                    }
                    return Ok(event);
                }
            }
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            let step = match self.frames.last() {
                None => self.document_step(),
                Some(frame) => match frame.kind {
                    Kind::Sequence | Kind::Indentless | Kind::Mapping => self.block_step(),
                    Kind::FlowSequence | Kind::FlowMapping | Kind::FlowPair => self.flow_step(),
                },
            };
            if let Err(error) = step {
                if error.stage == Stage::Scanner {
                    return Err(error);
                }
                self.waiting.clear();
                self.failed = Some(error);
            }
        }
    }

    /// What go-yaml comes upon in looking at what is behind `read` lexemes: an error, or that the node before is a key.
    pub(super) fn foresee(&self, read: usize) -> Result<Option<Mark>, Box<SyntaxError>> {
        self.scout(None, read).run(self.ahead)
    }

    /// Whether the first of the slots may be given out. Comments that belong to an event may stand behind the next two.
    fn is_ready(&mut self) -> Result<bool, Box<SyntaxError>> {
        const HELD: usize = 3;
        let complete = self.phase == Phase::Ended || self.failed.is_some();
        let enough = self.remarks.is_none() || complete || self.slots.len() > HELD;
        Ok(enough && !self.slots.is_empty() && self.is_settled()?)
    }

    /// Whether the first of the slots is out of reach of any `:` to come.
    fn is_settled(&mut self) -> Result<bool, Box<SyntaxError>> {
        while let Some(waiting) = self.waiting.get_mut(self.settled) {
            let Candidate { mark, required, .. } = waiting.candidate;
            if self.lexer.reaches(mark) {
                return Ok(waiting.slot > self.given);
            }
            if required {
                return Err(self.lexer.no_colon(mark, false));
            }
            let (outer, undo) = (std::mem::take(&mut waiting.outer), waiting.undo.take());
            let waiting = Waiting { outer, undo, ..*waiting };
            self.settled += 1;
            self.no_mapping(waiting);
        }
        Ok(true)
    }

    /// A collection in brackets is no key: the properties before it are its own.
    pub(super) fn no_mapping(&mut self, waiting: Waiting<'a>) {
        let Waiting { slot, outer, outer_start, undo, .. } = waiting;
        if let Some(undo) = undo {
            let (lexer, depth, end) = *undo;
            self.lexer = lexer;
            self.frames.truncate(depth);
            self.slots.truncate(slot.saturating_sub(self.given));
            self.waiting.retain(|waiting| waiting.slot < slot);
            self.settled = self.settled.min(self.waiting.len());
            let start = outer_start.unwrap_or(end);
            return self.emit_empty(outer, start, end);
        }
        let Some(Some(Ready { event, .. })) = self.slot(slot + 1) else { return };
        if let EventKind::SequenceStart { properties, .. } | EventKind::MappingStart { properties, .. } =
            &mut event.kind
        {
            *properties = merged(outer, std::mem::take(properties));
            event.start = outer_start.unwrap_or(event.start);
            event.end = event.start;
        }
    }

    /// `place` is where the lexeme begins that the event is made of.
    pub(super) fn emit(&mut self, event: Event<'a>, role: Role, place: Mark) {
        if self.remarks.is_some()
            && let EventKind::Scalar(_, _, properties)
            | EventKind::SequenceStart { properties, .. }
            | EventKind::MappingStart { properties, .. } = &event.kind
            && let Some(anchor) = properties.anchor
        {
            self.anchors.insert(anchor);
        }
        self.slots.push_back(Some(Ready { event, role, place: place.offset }));
    }

    /// The error for an alias without an anchor, if that is for this parser to say.
    pub(super) fn unknown_alias(&self, name: &str, start: Mark) -> Option<Box<SyntaxError>> {
        let known = self.remarks.is_none() || self.anchors.contains(name);
        (!known).then(|| SyntaxError::composer(format!("unknown anchor '{name}' referenced"), start))
    }

    /// A lexeme on a single line has been read.
    pub(super) fn passed(&mut self, kind: LastKind, start: Mark) {
        (self.gap, self.block_end) = (None, None);
        let line = self.lexer.cursor.line();
        if let Some(remarks) = &mut self.remarks {
            remarks.passed(kind, start, line);
        }
    }

    /// A scalar that ends on `line` has been read.
    pub(super) fn passed_to(&mut self, start: Mark, line: u32) {
        (self.gap, self.block_end) = (None, None);
        if let Some(remarks) = &mut self.remarks {
            remarks.passed(LastKind::Other, start, line);
        }
    }

    /// Goes behind the indicator here.
    pub(super) fn pass_indicator(&mut self, kind: LastKind) {
        let start = self.lexer.cursor.mark();
        self.lexer.cursor.at += 1;
        self.passed(kind, start);
    }

    pub(super) fn emit_empty(&mut self, properties: Properties<'a>, start: Mark, end: Mark) {
        let scalar = EventKind::Scalar("".into(), crate::Style::Plain, properties);
        self.emit(Event::new(scalar, start, end), Role::Silent, start);
    }

    /// Leaves a slot free for the start of a mapping.
    pub(super) fn hold(&mut self, waiting: Waiting<'a>) {
        let slot = self.given + self.slots.len();
        self.slots.push_back(None);
        self.waiting.push(Waiting { slot, ..waiting });
    }

    /// A slot that is still held back.
    pub(super) fn slot(&mut self, slot: usize) -> Option<&mut Option<Ready<'a>>> {
        self.slots.get_mut(slot.checked_sub(self.given)?)
    }

    /// The innermost collection that might have been a key has ended: gives it if it still may be one.
    pub(super) fn release(&mut self) -> Option<Waiting<'a>> {
        let waiting = self.waiting.pop()?;
        let settled = self.settled > self.waiting.len();
        self.settled = self.settled.min(self.waiting.len());
        (!settled).then_some(waiting)
    }

    /// What is expected of the innermost collection from now on.
    pub(super) fn expect(&mut self, expect: Expect) {
        if let Some(frame) = self.frames.last_mut() {
            frame.expect = expect;
        }
    }

    pub(super) fn push_block(&mut self, kind: Kind, expect: Expect, start: Mark) {
        let indent = start.column as i32;
        self.frames.push(Frame::new(kind, expect, start, indent));
        self.lexer.indent = indent;
    }

    pub(super) fn pop(&mut self) -> Option<Frame> {
        let frame = self.frames.pop();
        self.lexer.indent = self.frames.last().map_or(-1, |frame| frame.indent);
        frame
    }

    pub(super) fn skip(&mut self) {
        let begin = match &mut self.remarks {
            Some(remarks) => remarks.skip(&mut self.lexer),
            None => {
                let begin = self.lexer.cursor.mark();
                self.lexer.skip();
                begin
            }
        };
        self.gap.get_or_insert(begin);
    }

    /// The error for a lexeme that has no place where it stands, or for one that cannot be read and that go-yaml comes
    /// upon first.
    pub(super) fn refuse(
        &self,
        problem: &'static str,
        sign: Sign,
        context: Option<(Mark, &'static str)>,
    ) -> Box<SyntaxError> {
        self.refuse_behind(None, problem, sign, context)
    }

    /// [`refuse`](Self::refuse) where a node has been read that must be a key.
    pub(super) fn refuse_behind(
        &self,
        required: Option<Candidate>,
        problem: &'static str,
        sign: Sign,
        context: Option<(Mark, &'static str)>,
    ) -> Box<SyntaxError> {
        let scout = self.scout(required, usize::from(required.is_some()));
        let mark = self.lexer.mark(sign);
        match scout.run(self.ahead) {
            Err(error) => error,
            Ok(Some(key)) if self.lexer.flow == 0 => {
                let problem = "did not find expected key";
                SyntaxError::grammar(problem, mark, Some((key, "this block mapping")))
            }
            Ok(_) => SyntaxError::grammar(problem, mark, context),
        }
    }

    fn scout(&self, required: Option<Candidate>, read: usize) -> Scout<'a> {
        let indents = self.frames.iter().filter(|frame| matches!(frame.kind, Kind::Sequence | Kind::Mapping));
        let indents = indents.map(|frame| frame.indent).collect();
        let mut levels = Vec::with_capacity(self.lexer.flow + 1);
        let mut tried = (Mark::default(), true);
        for frame in &self.frames {
            if matches!(frame.kind, Kind::FlowSequence | Kind::FlowMapping) {
                let candidate = frame.key.filter(|key| key.required || self.lexer.reaches(key.mark));
                levels.push(Level { candidate, start: tried.0, tried: tried.1 });
                tried = (frame.start, frame.tried);
            }
        }
        let here = self.lexer.cursor.at;
        let undecided = self.undecided.filter(|(candidate, end)| {
            self.lexer.reaches(candidate.mark)
                && *end <= here
                && self.lexer.cursor.slice(*end..here).bytes().all(|byte| matches!(byte, b' ' | b'\t'))
        });
        let candidate = required.or(undecided.map(|(candidate, _)| candidate));
        levels.push(Level { candidate, start: tried.0, tried: tried.1 });
        Scout::new(self.lexer.clone(), indents, levels, read)
    }
}
