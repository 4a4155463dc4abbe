//! [`Events`]: a text event by event, for whoever builds something else than nodes of it.

use crate::place::Places;
use crate::read::without_byte_order_mark;
use crate::syntax::{Event, Parser, SyntaxError};
use onepane_diagnostics::{FileId, Span};

/// Reads a text event by event. Comments are passed over, anchors are not looked up.
pub struct Events<'a> {
    parser: Parser<'a>,
    places: Option<Places<'a>>,
}

impl<'a> Events<'a> {
    /// Starts on `text`; with `file`, events can be placed.
    pub fn new(text: &'a str, file: Option<FileId>) -> Result<Self, Box<SyntaxError>> {
        let text = without_byte_order_mark(text);
        let places = file.map(|file| Places::new(file, text));
        Ok(Self { parser: Parser::new(text, false)?, places })
    }

    /// The next event; behind the stream's end, again the stream's end.
    #[allow(clippy::should_implement_trait, reason = "an error ends it, a stream's end does not")]
    pub fn next(&mut self) -> Result<Event<'a>, Box<SyntaxError>> {
        self.parser.next()
    }

    /// Where an event stands, if a file was given. Cheapest in the order of the text.
    #[inline]
    pub fn span(&mut self, event: &Event<'_>) -> Option<Span> {
        self.places.as_mut().map(|places| places.span(event.start, event.end))
    }

    /// What is wrong with the value that an event is or starts.
    pub fn error(&self, event: &Event<'_>, problem: String) -> Box<SyntaxError> {
        SyntaxError::composer(problem, event.start)
    }
}
