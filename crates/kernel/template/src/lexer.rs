//! Template text to tokens: [`tokens`].

use memchr::memmem::Finder;
use std::fmt;

/// A token: its kind, where it starts and the text of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'t> {
    pub(crate) kind: TokenKind,
    /// Byte offset of its first character.
    pub(crate) position: usize,
    /// Whether space parts it from the token before: in an action, space parts operands and says nothing else.
    pub(crate) spaced: bool,
    /// Its text; for an error, what is wrong.
    pub(crate) text: &'t str,
}

/// The kinds of tokens, as Go tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// Text outside of actions.
    Text,
    LeftDelimiter,
    RightDelimiter,
    Assign,
    Declare,
    Pipe,
    LeftParenthesis,
    RightParenthesis,
    /// Any other printable ASCII character.
    Character,
    /// A comma and the like.
    Bool,
    CharacterConstant,
    Number,
    String,
    RawString,
    Identifier,
    Field,
    Variable,
    Dot,
    Nil,
    Block,
    Break,
    Continue,
    Define,
    Else,
    End,
    If,
    Range,
    Template,
    With,
    /// The text cannot go on; the token says why.
    Error(LexError),
    EndOfFile,
}

/// Why the text cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LexError {
    UnclosedAction,
    UnclosedComment,
    CommentEndsEarly,
    UnclosedParenthesis,
    UnexpectedRightParenthesis,
    UnterminatedString,
    UnterminatedRawString,
    UnterminatedCharacter,
    BadNumber,
    BadCharacter,
    UnrecognizedCharacter,
    ExpectedColonEquals,
}

/// As Go's messages show tokens: keywords in angle brackets, long ones cut.
impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use TokenKind as Kind;
        match self.kind {
            Kind::EndOfFile => f.write_str("EOF"),
            Kind::Error(error) => error.describe(self.text, f),
            Kind::Dot | Kind::Nil => write!(f, "<{}>", self.text),
            Kind::Block | Kind::Break | Kind::Continue | Kind::Define | Kind::Else | Kind::End => {
                write!(f, "<{}>", self.text)
            }
            Kind::If | Kind::Range | Kind::Template | Kind::With => write!(f, "<{}>", self.text),
            _ if self.text.len() > 10 => {
                let start: String = self.text.chars().take(10).collect();
                write!(f, "{}...", onepane_value::format::quote(start.as_bytes()))
            }
            _ => f.write_str(&onepane_value::format::quote(self.text.as_bytes())),
        }
    }
}

impl LexError {
    fn describe(self, text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let character = || text.chars().next().unwrap_or('\0');
        match self {
            Self::UnclosedAction => f.write_str("unclosed action"),
            Self::UnclosedComment => f.write_str("unclosed comment"),
            Self::CommentEndsEarly => f.write_str("comment ends before closing delimiter"),
            Self::UnclosedParenthesis => f.write_str("unclosed left paren"),
            Self::UnexpectedRightParenthesis => f.write_str("unexpected right paren"),
            Self::UnterminatedString => f.write_str("unterminated quoted string"),
            Self::UnterminatedRawString => f.write_str("unterminated raw quoted string"),
            Self::UnterminatedCharacter => f.write_str("unterminated character constant"),
            Self::ExpectedColonEquals => f.write_str("expected :="),
            Self::BadNumber => write!(f, "bad number syntax: {}", onepane_value::format::quote(text.as_bytes())),
            Self::BadCharacter => write!(f, "bad character {}", code_point(character())),
            Self::UnrecognizedCharacter => {
                write!(f, "unrecognized character in action: {}", code_point(character()))
            }
        }
    }
}

/// Go's `%#U`.
fn code_point(character: char) -> onepane_value::Text {
    let code = onepane_value::Data::Int(character as i64, onepane_value::IntKind::Bits32);
    onepane_value::format::sprintf(b"%#U", &[code.into()])
}

/// All tokens of a template; the last one is the end of the file or an error.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let left = Finder::new(LEFT);
    // Most templates have fewer: half their text is literal, and a token of an action has some four bytes.
    let tokens = Vec::with_capacity(text.len() / 8 + 2);
    let mut lexer = Lexer { text, position: 0, spaced: false, parentheses: 0, tokens, left };
    if let Err((error, range)) = lexer.run() {
        lexer.push(TokenKind::Error(error), range.0, range.1);
    }
    lexer.tokens
}

const LEFT: &str = "{{";
const RIGHT: &str = "}}";
const LEFT_COMMENT: &str = "/*";
const RIGHT_COMMENT: &str = "*/";

struct Lexer<'t> {
    text: &'t str,
    position: usize,
    /// Whether there is space behind the last token.
    spaced: bool,
    parentheses: usize,
    tokens: Vec<Token<'t>>,
    left: Finder<'static>,
}

/// What is wrong, and the stretch of text that it is about.
type Stop = (LexError, (usize, usize));

impl<'t> Lexer<'t> {
    fn run(&mut self) -> Result<(), Stop> {
        loop {
            let rest = self.rest();
            let Some(offset) = self.left.find(rest.as_bytes()) else {
                self.push(TokenKind::Text, self.position, self.text.len());
                self.push(TokenKind::EndOfFile, self.text.len(), self.text.len());
                return Ok(());
            };
            let delimiter = self.position + offset;
            let after = &self.text[delimiter + LEFT.len()..];
            let trims = after.starts_with('-') && after[1..].starts_with(is_space);
            let before = &self.text[self.position..delimiter];
            let kept = if trims { before.trim_end_matches(is_space).len() } else { before.len() };
            self.push(TokenKind::Text, self.position, self.position + kept);
            let inside = delimiter + LEFT.len() + if trims { 2 } else { 0 };
            if self.text[inside..].starts_with(LEFT_COMMENT) {
                self.position = inside;
                self.comment()?;
            } else {
                self.push(TokenKind::LeftDelimiter, delimiter, delimiter + LEFT.len());
                self.position = inside;
                self.parentheses = 0;
                while self.inside_action()? {}
            }
        }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.position..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Adds a token; empty text is none.
    fn push(&mut self, kind: TokenKind, start: usize, end: usize) {
        if kind == TokenKind::Text && start == end {
            return;
        }
        let spaced = std::mem::take(&mut self.spaced);
        self.tokens.push(Token { kind, position: start, spaced, text: &self.text[start..end] });
    }

    /// Steps over a comment and its closing delimiter.
    fn comment(&mut self) -> Result<(), Stop> {
        let start = self.position;
        let Some(end) = self.rest()[LEFT_COMMENT.len()..].find(RIGHT_COMMENT) else {
            return Err((LexError::UnclosedComment, (start, start)));
        };
        self.position += LEFT_COMMENT.len() + end + RIGHT_COMMENT.len();
        match self.right_delimiter() {
            Some(trims) => self.skip_right_delimiter(trims),
            None => return Err((LexError::CommentEndsEarly, (start, start))),
        }
        Ok(())
    }

    /// Whether a closing delimiter stands here, and whether it trims.
    fn right_delimiter(&self) -> Option<bool> {
        match self.text.as_bytes()[self.position..] {
            [b'}', b'}', ..] => Some(false),
            [b' ' | b'\t' | b'\r' | b'\n', b'-', b'}', b'}', ..] => Some(true),
            _ => None,
        }
    }

    fn skip_right_delimiter(&mut self, trims: bool) {
        self.position += RIGHT.len() + if trims { 2 } else { 0 };
        if trims {
            let rest = self.rest();
            self.position += rest.len() - rest.trim_start_matches(is_space).len();
        }
    }

    /// One token of an action; false at its end.
    fn inside_action(&mut self) -> Result<bool, Stop> {
        let start = self.position;
        if let Some(trims) = self.right_delimiter() {
            if self.parentheses > 0 {
                return Err((LexError::UnclosedParenthesis, (start, start)));
            }
            let delimiter = start + if trims { 2 } else { 0 };
            self.push(TokenKind::RightDelimiter, delimiter, delimiter + RIGHT.len());
            self.skip_right_delimiter(trims);
            return Ok(false);
        }
        let Some(character) = self.peek() else { return Err((LexError::UnclosedAction, (start, start))) };
        self.position += character.len_utf8();
        let next = self.peek();
        let kind = match character {
            character if is_space(character) => {
                while self.right_delimiter().is_none() && self.peek().is_some_and(is_space) {
                    self.position += 1;
                }
                self.spaced = true;
                return Ok(true);
            }
            '=' => TokenKind::Assign,
            ':' if next == Some('=') => {
                self.position += 1;
                TokenKind::Declare
            }
            ':' => return Err((LexError::ExpectedColonEquals, (start, start))),
            '|' => TokenKind::Pipe,
            '"' => self.quoted('"', TokenKind::String, LexError::UnterminatedString)?,
            '\'' => self.quoted('\'', TokenKind::CharacterConstant, LexError::UnterminatedCharacter)?,
            '`' => match self.rest().find('`') {
                Some(end) => {
                    self.position += end + 1;
                    TokenKind::RawString
                }
                None => return Err((LexError::UnterminatedRawString, (start, start))),
            },
            '.' if !next.is_some_and(|next| next.is_ascii_digit()) => {
                self.word();
                self.terminated()?;
                if self.position == start + 1 { TokenKind::Dot } else { TokenKind::Field }
            }
            '$' => {
                self.word();
                self.terminated()?;
                TokenKind::Variable
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.position = start;
                self.number(start)?;
                if matches!(self.peek(), Some('+' | '-')) {
                    // `1+2i`: a complex number, without spaces and with an `i` at its end.
                    self.number(start)?;
                    if !self.text[..self.position].ends_with('i') {
                        return Err((LexError::BadNumber, (start, self.position)));
                    }
                }
                TokenKind::Number
            }
            character if is_alphanumeric(character) => {
                self.word();
                self.terminated()?;
                keyword(&self.text[start..self.position])
            }
            '(' => {
                self.parentheses += 1;
                TokenKind::LeftParenthesis
            }
            ')' if self.parentheses == 0 => return Err((LexError::UnexpectedRightParenthesis, (start, start))),
            ')' => {
                self.parentheses -= 1;
                TokenKind::RightParenthesis
            }
            character if character.is_ascii_graphic() => TokenKind::Character,
            _ => return Err((LexError::UnrecognizedCharacter, (start, self.position))),
        };
        self.push(kind, start, self.position);
        Ok(true)
    }

    fn quoted(&mut self, quote: char, kind: TokenKind, unterminated: LexError) -> Result<TokenKind, Stop> {
        let start = self.position - 1;
        let mut escaped = false;
        for (offset, character) in self.rest().char_indices() {
            match character {
                '\n' => break,
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                character if character == quote => {
                    self.position += offset + 1;
                    return Ok(kind);
                }
                _ => {}
            }
        }
        Err((unterminated, (start, start)))
    }

    fn word(&mut self) {
        let bytes = &self.text.as_bytes()[self.position..];
        self.position += bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        if self.text.as_bytes().get(self.position).is_some_and(|byte| !byte.is_ascii()) {
            let rest = self.rest();
            self.position += rest.len() - rest.trim_start_matches(is_alphanumeric).len();
        }
    }

    /// What follows a word must end it.
    fn terminated(&self) -> Result<(), Stop> {
        match self.peek() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => Ok(()),
            Some(character) if is_space(character) || self.rest().starts_with(RIGHT) => Ok(()),
            Some(character) => Err((LexError::BadCharacter, (self.position, self.position + character.len_utf8()))),
        }
    }

    /// Steps over a number, which is or belongs to a token that started at `start`.
    fn number(&mut self, start: usize) -> Result<(), Stop> {
        let mut accept = |set: &str, most: usize| {
            let rest = &self.text[self.position..];
            let length = rest.chars().take(most).take_while(|character| set.contains(*character)).count();
            self.position += length;
            length > 0
        };
        accept("+-", 1);
        let mut digits = "0123456789_";
        let mut decimal = true;
        if accept("0", 1) {
            if accept("xX", 1) {
                (digits, decimal) = ("0123456789abcdefABCDEF_", false);
            } else if accept("oO", 1) {
                (digits, decimal) = ("01234567_", false);
            } else if accept("bB", 1) {
                (digits, decimal) = ("01_", false);
            }
        }
        accept(digits, usize::MAX);
        if accept(".", 1) {
            accept(digits, usize::MAX);
        }
        if decimal && accept("eE", 1) || digits.len() == 23 && accept("pP", 1) {
            accept("+-", 1);
            accept("0123456789_", usize::MAX);
        }
        accept("i", 1);
        match self.peek() {
            Some(character) if is_alphanumeric(character) => {
                Err((LexError::BadNumber, (start, self.position + character.len_utf8())))
            }
            _ => Ok(()),
        }
    }
}

fn keyword(word: &str) -> TokenKind {
    match word {
        "true" | "false" => TokenKind::Bool,
        "nil" => TokenKind::Nil,
        "block" => TokenKind::Block,
        "break" => TokenKind::Break,
        "continue" => TokenKind::Continue,
        "define" => TokenKind::Define,
        "else" => TokenKind::Else,
        "end" => TokenKind::End,
        "if" => TokenKind::If,
        "range" => TokenKind::Range,
        "template" => TokenKind::Template,
        "with" => TokenKind::With,
        _ => TokenKind::Identifier,
    }
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

fn is_alphanumeric(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        tokens(text).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn markers_trim_and_comments_vanish() {
        assert_eq!(shown("a  {{- .b -}}  c{{/* d */}}e"), r#""a" "{{" ".b" "}}" "c" "e" EOF"#);
        assert_eq!(shown("{{-3}}"), r#""{{" "-3" "}}" EOF"#);
        assert_eq!(shown("{{- /* d */ -}} x"), r#""x" EOF"#);
        assert_eq!(
            tokens("{{a.b .c}}").iter().map(|token| token.spaced).collect::<Vec<_>>(),
            [false, false, false, true, false, false]
        );
    }

    #[test]
    fn what_cannot_go_on_says_why() {
        let cases = [
            ("{{", "unclosed action"),
            ("{{/* a", "unclosed comment"),
            ("{{/* a */ }}", "comment ends before closing delimiter"),
            ("{{(}}", "unclosed left paren"),
            ("{{)}}", "unexpected right paren"),
            ("{{\"a}}", "unterminated quoted string"),
            ("{{3k}}", "bad number syntax: \"3k\""),
            ("{{a#}}", "bad character U+0023 '#'"),
            ("{{\u{1}}}", "unrecognized character in action: U+0001"),
        ];
        for (text, error) in cases {
            assert!(shown(text).ends_with(error), "{text}: {}", shown(text));
        }
    }
}
