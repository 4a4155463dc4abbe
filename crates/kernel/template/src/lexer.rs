//! Template text to tokens: [`Lexer`].

use onepane_bytes::Finder;
use onepane_value::format::quote;
use std::sync::LazyLock;

/// A token: its kind and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    /// Whether space parts it from the token before: in an action, space parts operands and says nothing else.
    pub(crate) spaced: bool,
    /// Whether a string says something else than what stands between its quotes.
    pub(crate) escaped: bool,
    start: u32,
    end: u32,
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

impl Token {
    /// The byte offset of its first character.
    pub(crate) fn position(self) -> u32 {
        self.start
    }

    /// The byte offset behind it.
    pub(crate) fn end(self) -> u32 {
        self.end
    }

    /// Its text; for an error, what is wrong.
    pub(crate) fn text(self, template: &str) -> &str {
        &template[self.start as usize..self.end as usize]
    }

    /// Whether there is none behind it.
    pub(crate) fn is_last(self) -> bool {
        matches!(self.kind, TokenKind::EndOfFile | TokenKind::Error(_))
    }

    /// As Go's messages show tokens: keywords in angle brackets, long ones cut.
    pub(crate) fn shown(self, template: &str) -> String {
        use TokenKind as Kind;
        let text = self.text(template);
        match self.kind {
            Kind::EndOfFile => "EOF".to_owned(),
            Kind::Error(error) => error.shown(text),
            Kind::Dot | Kind::Nil => format!("<{text}>"),
            Kind::Block | Kind::Break | Kind::Continue | Kind::Define | Kind::Else | Kind::End => format!("<{text}>"),
            Kind::If | Kind::Range | Kind::Template | Kind::With => format!("<{text}>"),
            _ if text.len() > 10 => {
                let start: String = text.chars().take(10).collect();
                format!("{}...", quote(start.as_bytes()))
            }
            _ => quote(text.as_bytes()),
        }
    }
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

impl LexError {
    fn shown(self, text: &str) -> String {
        let character = || code_point(text.chars().next().unwrap_or('\0'));
        let said = match self {
            Self::UnclosedAction => "unclosed action",
            Self::UnclosedComment => "unclosed comment",
            Self::CommentEndsEarly => "comment ends before closing delimiter",
            Self::UnclosedParenthesis => "unclosed left paren",
            Self::UnexpectedRightParenthesis => "unexpected right paren",
            Self::UnterminatedString => "unterminated quoted string",
            Self::UnterminatedRawString => "unterminated raw quoted string",
            Self::UnterminatedCharacter => "unterminated character constant",
            Self::ExpectedColonEquals => "expected :=",
            Self::BadNumber => return format!("bad number syntax: {}", quote(text.as_bytes())),
            Self::BadCharacter => return format!("bad character {}", character()),
            Self::UnrecognizedCharacter => return format!("unrecognized character in action: {}", character()),
        };
        said.to_owned()
    }
}

/// Go's `%#U`.
fn code_point(character: char) -> onepane_value::Text {
    let code = onepane_value::Data::Int(character as i64, onepane_value::IntKind::Bits32);
    onepane_value::format::sprintf(b"%#U", &[code.into()])
}

const LEFT: &[u8] = b"{{";
const RIGHT: &[u8] = b"}}";
const LEFT_COMMENT: &[u8] = b"/*";
const RIGHT_COMMENT: &[u8] = b"*/";

static LEFT_FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(LEFT));

/// Gives the tokens of a template one by one; the last one is the end of the file or an error.
#[derive(Clone)]
pub(crate) struct Lexer<'t> {
    text: &'t str,
    position: usize,
    inside_action: bool,
    /// Whether there is space behind the last token.
    spaced: bool,
    parentheses: usize,
}

impl<'t> Lexer<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, position: 0, inside_action: false, spaced: false, parentheses: 0 }
    }

    /// The next token. There is none behind the end or an error.
    pub(crate) fn next(&mut self) -> Token {
        if self.inside_action { self.action_token() } else { self.outside() }
    }

    /// A token up to where the lexer stands.
    fn token(&mut self, kind: TokenKind, start: usize) -> Token {
        self.token_to(kind, start, self.position)
    }

    fn token_to(&mut self, kind: TokenKind, start: usize, end: usize) -> Token {
        let spaced = std::mem::take(&mut self.spaced);
        Token { kind, spaced, escaped: false, start: start as u32, end: end as u32 }
    }

    /// A token up to `end`, where the lexer stands from now on.
    fn token_to_here(&mut self, kind: TokenKind, start: usize, end: usize) -> Token {
        self.position = end;
        self.token_to(kind, start, end)
    }

    /// What is wrong at `start`.
    fn error(&mut self, error: LexError, start: usize) -> Token {
        self.token_to(TokenKind::Error(error), start, start)
    }

    /// Literal text, the start of an action, or the end.
    fn outside(&mut self) -> Token {
        let bytes = self.bytes();
        loop {
            let start = self.position;
            let length = bytes.len();
            // Behind a text a delimiter stands, which was looked for when the text was read.
            let offset = match bytes[start..] {
                [b'{', b'{', ..] => Some(0),
                ref rest => LEFT_FINDER.find(rest),
            };
            let Some(offset) = offset else {
                self.position = length;
                let kind = if start < length { TokenKind::Text } else { TokenKind::EndOfFile };
                return self.token_to(kind, start, length);
            };
            let delimiter = start + offset;
            let trims = matches!(bytes[delimiter + LEFT.len()..], [b'-', space, ..] if is_space(space));
            let before = &bytes[start..delimiter];
            let kept = if trims { trim_end(before) } else { before.len() };
            if kept > 0 {
                self.position = delimiter;
                return self.token_to(TokenKind::Text, start, start + kept);
            }
            self.position = delimiter + LEFT.len() + if trims { 2 } else { 0 };
            if let [b'/', b'*', ..] = self.rest() {
                if let Some(error) = self.comment() {
                    return error;
                }
                continue;
            }
            self.inside_action = true;
            self.parentheses = 0;
            return self.token_to(TokenKind::LeftDelimiter, delimiter, delimiter + LEFT.len());
        }
    }

    fn bytes(&self) -> &'t [u8] {
        self.text.as_bytes()
    }

    fn rest(&self) -> &'t [u8] {
        &self.bytes()[self.position..]
    }

    fn peek(&self) -> Option<char> {
        let byte = *self.bytes().get(self.position)?;
        if byte.is_ascii() { Some(byte.into()) } else { self.text[self.position..].chars().next() }
    }

    /// Steps over a comment and its closing delimiter; an error if that is not there.
    fn comment(&mut self) -> Option<Token> {
        let start = self.position;
        let Some(end) = onepane_bytes::find_text(RIGHT_COMMENT, &self.rest()[LEFT_COMMENT.len()..]) else {
            return Some(self.error(LexError::UnclosedComment, start));
        };
        self.position += LEFT_COMMENT.len() + end + RIGHT_COMMENT.len();
        match self.right_delimiter() {
            Some(trims) => self.skip_right_delimiter(trims),
            None => return Some(self.error(LexError::CommentEndsEarly, start)),
        }
        None
    }

    /// Whether a closing delimiter stands here, and whether it trims.
    fn right_delimiter(&self) -> Option<bool> {
        match *self.rest() {
            [b'}', b'}', ..] => Some(false),
            [space, b'-', b'}', b'}', ..] if is_space(space) => Some(true),
            _ => None,
        }
    }

    fn skip_right_delimiter(&mut self, trims: bool) {
        self.position += RIGHT.len() + if trims { 2 } else { 0 };
        if trims {
            self.position += self.rest().iter().take_while(|byte| is_space(**byte)).count();
        }
    }

    /// A token of an action, or its end.
    fn action_token(&mut self) -> Token {
        let bytes = self.bytes();
        let mut start = self.position;
        while bytes.get(start).copied().is_some_and(is_space) && !matches!(bytes[start + 1..], [b'-', b'}', b'}', ..]) {
            start += 1;
            self.spaced = true;
        }
        self.position = start;
        let Some(&byte) = bytes.get(start) else { return self.error(LexError::UnclosedAction, start) };
        let class = CLASSES[byte as usize];
        if class & WORD != 0 {
            return self.keyword_or_identifier(start);
        }
        if class & (SPACE | BRACE) != 0
            && let Some(trims) = self.right_delimiter()
        {
            return self.end_of_action(start, trims);
        }
        self.position += 1;
        let next = bytes.get(self.position).copied();
        let kind = match byte {
            b'=' => TokenKind::Assign,
            b':' if next == Some(b'=') => {
                self.position += 1;
                TokenKind::Declare
            }
            b':' => return self.error(LexError::ExpectedColonEquals, start),
            b'|' => TokenKind::Pipe,
            b'"' => return self.quoted(start, b'"', TokenKind::String, LexError::UnterminatedString),
            b'\'' => {
                return self.quoted(start, b'\'', TokenKind::CharacterConstant, LexError::UnterminatedCharacter);
            }
            b'`' => match onepane_bytes::find(b'`', self.rest()) {
                Some(end) => {
                    let escaped = onepane_bytes::find(b'\r', &self.rest()[..end]).is_some();
                    self.position += end + 1;
                    return Token { escaped, ..self.token(TokenKind::RawString, start) };
                }
                None => return self.error(LexError::UnterminatedRawString, start),
            },
            b'.' if !next.is_some_and(|next| next.is_ascii_digit()) => {
                self.word();
                let kind = if self.position == start + 1 { TokenKind::Dot } else { TokenKind::Field };
                return self.terminated(kind, start);
            }
            b'$' => {
                self.word();
                return self.terminated(TokenKind::Variable, start);
            }
            b'.' | b'+' | b'-' | b'0'..=b'9' => return self.number(start),
            b'(' => {
                self.parentheses += 1;
                TokenKind::LeftParenthesis
            }
            b')' if self.parentheses == 0 => return self.error(LexError::UnexpectedRightParenthesis, start),
            b')' => {
                self.parentheses -= 1;
                TokenKind::RightParenthesis
            }
            byte if byte.is_ascii_graphic() => TokenKind::Character,
            _ => return self.beyond_ascii(start),
        };
        self.token(kind, start)
    }

    /// What stands from `start`, inside an action, to the next closing delimiter, which is that of the action unless a
    /// string holds it.
    pub(crate) fn rest_of_action(&self, start: usize) -> Option<&'t [u8]> {
        let rest = &self.bytes()[start..];
        let ends = onepane_bytes::find_all(b'}', rest).find(|at| rest.get(at + 1) == Some(&b'}'))?;
        Some(&rest[..ends])
    }

    /// Goes on behind the closing delimiter of an action, which stands at `delimiter`.
    pub(crate) fn leave_action(&mut self, delimiter: usize) {
        let trims = matches!(self.bytes()[..delimiter], [.., space, b'-'] if is_space(space));
        self.position = delimiter - if trims { 2 } else { 0 };
        self.skip_right_delimiter(trims);
        self.inside_action = false;
        self.spaced = false;
    }

    fn end_of_action(&mut self, start: usize, trims: bool) -> Token {
        if self.parentheses > 0 {
            return self.error(LexError::UnclosedParenthesis, start);
        }
        let delimiter = start + if trims { 2 } else { 0 };
        self.skip_right_delimiter(trims);
        self.inside_action = false;
        self.token_to(TokenKind::RightDelimiter, delimiter, delimiter + RIGHT.len())
    }

    /// A word that starts with a letter beyond ASCII, or what is nothing in an action.
    fn beyond_ascii(&mut self, start: usize) -> Token {
        self.position = start;
        let character = self.peek().unwrap_or_default();
        if is_alphanumeric(character) {
            return self.keyword_or_identifier(start);
        }
        self.token_to(TokenKind::Error(LexError::UnrecognizedCharacter), start, start + character.len_utf8())
    }

    fn quoted(&mut self, start: usize, quote: u8, kind: TokenKind, unterminated: LexError) -> Token {
        let bytes = self.bytes();
        let mut escaped = false;
        let mut at = self.position;
        while let Some(&byte) = bytes.get(at).filter(|byte| **byte != b'\n') {
            at += 1;
            if byte == quote {
                self.position = at;
                return Token { escaped, ..self.token(kind, start) };
            }
            if byte == b'\\' {
                escaped = true;
                at += usize::from(bytes.get(at).is_some_and(|byte| *byte != b'\n'));
            }
        }
        self.error(unterminated, start)
    }

    fn keyword_or_identifier(&mut self, start: usize) -> Token {
        self.word();
        self.terminated(keyword(&self.bytes()[start..self.position]), start)
    }

    fn word(&mut self) {
        let bytes = self.bytes();
        let mut at = self.position;
        while bytes.get(at).is_some_and(|byte| CLASSES[*byte as usize] & (WORD | DIGIT) != 0) {
            at += 1;
        }
        if bytes.get(at).is_some_and(|byte| !byte.is_ascii()) {
            let rest = &self.text[at..];
            at += rest.len() - rest.trim_start_matches(is_alphanumeric).len();
        }
        self.position = at;
    }

    /// A word, if what follows ends it.
    fn terminated(&mut self, kind: TokenKind, start: usize) -> Token {
        let ends = match self.bytes().get(self.position) {
            Some(b'}') => self.bytes().get(self.position + 1) == Some(&b'}'),
            Some(byte) => CLASSES[*byte as usize] & (SPACE | BEHIND_WORD) != 0,
            None => true,
        };
        if ends {
            return self.token(kind, start);
        }
        let width = self.peek().map_or(0, char::len_utf8);
        self.token_to(TokenKind::Error(LexError::BadCharacter), self.position, self.position + width)
    }

    fn number(&mut self, start: usize) -> Token {
        let bytes = self.bytes();
        let class = |at: usize| bytes.get(at).map_or(SPACE, |byte| CLASSES[*byte as usize]);
        let digits = (start..).take_while(|at| class(*at) & DIGIT != 0).count();
        let end = start + digits;
        // Most numbers are a few digits, with space or a bracket behind them.
        if (digits == 1 || digits > 1 && bytes[start] != b'0') && class(end) & (SPACE | BRACE | PARENTHESIS) != 0 {
            return self.token_to_here(TokenKind::Number, start, end);
        }
        self.position = start;
        let mut ends_well = self.digits();
        if ends_well && matches!(self.peek(), Some('+' | '-')) {
            // `1+2i`: a complex number, without spaces and with an `i` at its end.
            ends_well = self.digits();
            if ends_well && !self.text[..self.position].ends_with('i') {
                return self.token(TokenKind::Error(LexError::BadNumber), start);
            }
        }
        if ends_well {
            return self.token(TokenKind::Number, start);
        }
        let width = self.peek().map_or(0, char::len_utf8);
        self.token_to(TokenKind::Error(LexError::BadNumber), start, self.position + width)
    }

    /// Steps over a number; whether nothing stands behind it that cannot.
    fn digits(&mut self) -> bool {
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
        !self.peek().is_some_and(is_alphanumeric)
    }
}

fn keyword(word: &[u8]) -> TokenKind {
    match word {
        b"true" | b"false" => TokenKind::Bool,
        b"nil" => TokenKind::Nil,
        b"block" => TokenKind::Block,
        b"break" => TokenKind::Break,
        b"continue" => TokenKind::Continue,
        b"define" => TokenKind::Define,
        b"else" => TokenKind::Else,
        b"end" => TokenKind::End,
        b"if" => TokenKind::If,
        b"range" => TokenKind::Range,
        b"template" => TokenKind::Template,
        b"with" => TokenKind::With,
        _ => TokenKind::Identifier,
    }
}

// What a byte of an action is, as far as most of them go.
/// A letter or an underscore.
const WORD: u8 = 1;
const DIGIT: u8 = 2;
const SPACE: u8 = 4;
/// `}`
const BRACE: u8 = 8;
const PARENTHESIS: u8 = 16;
/// May stand right behind a word, besides space.
const BEHIND_WORD: u8 = 32;

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => WORD,
            b'0'..=b'9' => DIGIT,
            b' ' | b'\t' | b'\r' | b'\n' => SPACE,
            b'}' => BRACE,
            b'(' | b')' => PARENTHESIS | BEHIND_WORD,
            b'.' | b',' | b'|' | b':' => BEHIND_WORD,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

fn is_space(byte: u8) -> bool {
    CLASSES[byte as usize] & SPACE != 0
}

/// How long the text is without the space at its end.
fn trim_end(text: &[u8]) -> usize {
    text.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1)
}

fn is_alphanumeric(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All tokens of a template.
    fn tokens(text: &str) -> Vec<Token> {
        let mut lexer = Lexer::new(text);
        let mut tokens = vec![lexer.next()];
        while !tokens[tokens.len() - 1].is_last() {
            tokens.push(lexer.next());
        }
        tokens
    }

    fn shown(text: &str) -> String {
        tokens(text).iter().map(|token| token.shown(text)).collect::<Vec<_>>().join(" ")
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
