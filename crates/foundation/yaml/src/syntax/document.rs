//! Documents: their directives, starts and ends.

use super::comments::{LastKind, Role};
use super::error::SyntaxError;
use super::event::{Event, EventKind};
use super::lexeme::{self, Directive, Tag};
use super::lexer::Sign;
use super::parser::Parser;

/// Where in a stream, no collection being open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Before the first document, which needs no `---`.
    First,
    /// Before another.
    Between,
    /// Before a document's root.
    Root,
    /// Behind it.
    Behind,
    /// At the stream's end.
    Ended,
}

/// What `%TAG` says.
#[derive(Debug, Default)]
pub(super) struct TagHandles(Vec<Tag>);

impl TagHandles {
    const STANDARD: &'static str = "tag:yaml.org,2002:";

    /// A tag in its short form; `None` if nothing says what its handle means.
    pub(super) fn resolve(&self, tag: Tag) -> Option<Box<str>> {
        let prefix = match (&*tag.handle, self.0.iter().find(|known| known.handle == tag.handle)) {
            ("", _) => "",
            (_, Some(known)) => &known.suffix,
            ("!", None) => "!",
            ("!!", None) => return Some(format!("!!{}", tag.suffix).into()),
            (_, None) => return None,
        };
        let whole = if prefix.is_empty() { tag.suffix } else { prefix.to_owned() + &tag.suffix };
        Some(match whole.strip_prefix(Self::STANDARD) {
            Some(short) => format!("!!{short}").into(),
            None => whole.into(),
        })
    }
}

impl<'a> Parser<'a> {
    /// Goes on where no collection is open.
    pub(super) fn document_step(&mut self) -> Result<(), Box<SyntaxError>> {
        self.skip();
        let sign = self.lexer.sign();
        match self.phase {
            Phase::First | Phase::Between => self.document_start(sign),
            Phase::Root => {
                self.phase = Phase::Behind;
                let mark = self.lexer.mark(sign);
                self.block_content(sign, mark)
            }
            Phase::Behind => {
                self.phase = Phase::Between;
                let start = self.lexer.mark(sign);
                if !matches!(sign, Sign::End | Sign::DocumentStart | Sign::DocumentEnd) {
                    // go-yaml looks at what follows a document.
                    if let Some(key) = self.foresee(0)? {
                        let context = Some((key, "this block mapping"));
                        return Err(SyntaxError::grammar("did not find expected key", start, context));
                    }
                }
                if sign == Sign::DocumentEnd {
                    self.pass_document_mark();
                }
                let event = Event::new(EventKind::DocumentEnd, start, self.lexer.mark(sign));
                self.emit(event, Role::DocumentEnd, start);
                Ok(())
            }
            Phase::Ended => {
                let mark = self.lexer.mark(sign);
                self.emit(Event::new(EventKind::StreamEnd, mark, mark), Role::Silent, mark);
                Ok(())
            }
        }
    }

    fn document_start(&mut self, mut sign: Sign) -> Result<(), Box<SyntaxError>> {
        while self.phase == Phase::Between && sign == Sign::DocumentEnd {
            self.pass_document_mark();
            self.skip();
            sign = self.lexer.sign();
        }
        let start = self.lexer.mark(sign);
        self.handles = TagHandles::default();
        let implicit = !matches!(sign, Sign::DocumentStart | Sign::Directive | Sign::End);
        if sign == Sign::End {
            self.phase = Phase::Ended;
            self.emit(Event::new(EventKind::StreamEnd, start, start), Role::Silent, start);
            return Ok(());
        }
        self.explicit = !(implicit && self.phase == Phase::First);
        if self.explicit {
            self.directives(&mut sign)?;
            if sign != Sign::DocumentStart {
                return Err(self.refuse("did not find expected <document start>", sign, None));
            }
            self.pass_document_mark();
        }
        self.phase = Phase::Root;
        let role = if self.explicit { Role::Silent } else { Role::Document };
        self.anchors.clear();
        self.emit(Event::new(EventKind::DocumentStart, start, start), role, start);
        Ok(())
    }

    fn pass_document_mark(&mut self) {
        let start = self.lexer.cursor.mark();
        self.lexer.cursor.at += 3;
        self.lexer.key_allowed = false;
        self.passed(LastKind::Entry, start);
    }

    fn directives(&mut self, sign: &mut Sign) -> Result<(), Box<SyntaxError>> {
        let mut version = false;
        while *sign == Sign::Directive {
            let mark = self.lexer.cursor.mark();
            let before = self.lexer.clone();
            let directive = lexeme::directive(&mut self.lexer.cursor)?;
            let problem = match &directive {
                Directive::Version(..) if version => Some("found duplicate %YAML directive"),
                Directive::Version(1, 1) => None,
                Directive::Version(..) => Some("found incompatible YAML document"),
                Directive::Tag(tag) if self.handles.0.iter().any(|known| known.handle == tag.handle) => {
                    Some("found duplicate %TAG directive")
                }
                Directive::Tag(_) => None,
            };
            if let Some(problem) = problem {
                self.lexer = before;
                let error = self.refuse(problem, *sign, None);
                return Err(Box::new(SyntaxError {
                    mark: if error.problem == problem { mark } else { error.mark },
                    ..*error
                }));
            }
            match directive {
                Directive::Version(..) => version = true,
                Directive::Tag(tag) => self.handles.0.push(tag),
            }
            self.lexer.key_allowed = false;
            self.passed_to(mark, mark.line);
            self.skip();
            *sign = self.lexer.sign();
        }
        Ok(())
    }
}
