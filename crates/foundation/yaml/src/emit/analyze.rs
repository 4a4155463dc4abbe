//! Which styles a scalar's text can be written in.

/// What may be done with a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Analysis {
    pub(super) multiline: bool,
    pub(super) flow_plain: bool,
    pub(super) block_plain: bool,
    pub(super) single_quoted: bool,
    pub(super) block: bool,
}

/// Bytes that never decide anything, wherever in a text they stand.
const HARMLESS: [bool; 256] = {
    let mut harmless = [false; 256];
    let mut byte = 0x21;
    while byte < 0x7F {
        harmless[byte] = true;
        byte += 1;
    }
    let deciding = b"#,[]{}&*!|>'\"%@`?:-";
    let mut i = 0;
    while i < deciding.len() {
        harmless[deciding[i] as usize] = false;
        i += 1;
    }
    harmless
};

/// Whether go-yaml writes the character as it is.
pub(super) fn is_printable(character: char) -> bool {
    matches!(character,
        '\n' | ' '..='~' | '\u{A0}'..='\u{FEFE}' | '\u{FF00}'..='\u{FFFD}')
}

/// Line breaks of YAML 1.1.
pub(super) fn is_break(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Looks at `text`. `tabs_in_blocks` tells whether block scalars may hold tabs: v3's may, v2 quotes them.
pub(super) fn analyze(text: &str, tabs_in_blocks: bool) -> Analysis {
    let bytes = text.as_bytes();
    if bytes.is_empty() {
        let (multiline, flow_plain, block_plain, single_quoted, block) = (false, false, true, true, false);
        return Analysis { multiline, flow_plain, block_plain, single_quoted, block };
    }
    let document_indicator = bytes.starts_with(b"---") || bytes.starts_with(b"...");
    let everything =
        Analysis { multiline: false, flow_plain: true, block_plain: true, single_quoted: true, block: true };
    // A `-` inside a text decides nothing, and most texts are words of harmless characters.
    if !document_indicator && HARMLESS[bytes[0] as usize] && bytes.iter().all(|b| HARMLESS[*b as usize] || *b == b'-') {
        return everything;
    }
    let mut found = Findings::default();
    if document_indicator {
        (found.block_indicators, found.flow_indicators) = (true, true);
    }
    found.scan(text);
    let Findings { block_indicators, flow_indicators, line_breaks, special, tabs, .. } = found;
    let mut analysis = Analysis { multiline: line_breaks, ..everything };
    if found.leading_space || found.leading_break || found.trailing_space || found.trailing_break {
        (analysis.flow_plain, analysis.block_plain) = (false, false);
    }
    if found.trailing_space {
        analysis.block = false;
    }
    let tabs_are_special = tabs && !tabs_in_blocks;
    if found.break_space || found.space_break || special || tabs {
        (analysis.flow_plain, analysis.block_plain, analysis.single_quoted) = (false, false, false);
    }
    if found.space_break || special || tabs_are_special {
        analysis.block = false;
    }
    if line_breaks {
        (analysis.flow_plain, analysis.block_plain) = (false, false);
    }
    analysis.flow_plain &= !flow_indicators;
    analysis.block_plain &= !block_indicators;
    analysis
}

#[derive(Default)]
struct Findings {
    block_indicators: bool,
    flow_indicators: bool,
    line_breaks: bool,
    special: bool,
    tabs: bool,
    leading_space: bool,
    leading_break: bool,
    trailing_space: bool,
    trailing_break: bool,
    /// A space behind a break.
    break_space: bool,
    /// A break behind a space.
    space_break: bool,
}

impl Findings {
    fn scan(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut after_whitespace = true;
        let mut after_space = false;
        let mut after_break = false;
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if HARMLESS[byte as usize] {
                (after_space, after_break, after_whitespace) = (false, false, false);
                at += 1;
                continue;
            }
            let character = match byte {
                0..0x80 => char::from(byte),
                _ => text[at..].chars().next().unwrap_or(char::REPLACEMENT_CHARACTER),
            };
            let end = at + character.len_utf8();
            let last = end == bytes.len();
            if character == ' ' {
                self.leading_space |= at == 0;
                self.trailing_space |= last;
                self.break_space |= after_break;
                (after_space, after_break, after_whitespace) = (true, false, true);
                at = end;
                continue;
            }
            let before_whitespace = bytes.get(end).is_none_or(|next| matches!(next, b' ' | b'\t'));
            self.indicator(character, at == 0, after_whitespace, before_whitespace);
            if character == '\t' {
                self.tabs = true;
            } else if !is_printable(character) {
                self.special = true;
            }
            let breaks = is_break(character);
            if breaks {
                self.line_breaks = true;
                self.leading_break |= at == 0;
                self.trailing_break |= last;
                self.space_break |= after_space;
            }
            (after_space, after_break) = (false, breaks);
            after_whitespace = breaks || matches!(character, '\t' | '\0');
            at = end;
        }
    }

    fn indicator(&mut self, character: char, first: bool, after_whitespace: bool, before_whitespace: bool) {
        let (flow, block) = match character {
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' if first => {
                (true, true)
            }
            '?' if first => (true, before_whitespace),
            '-' if first => (before_whitespace, before_whitespace),
            ':' => (true, before_whitespace),
            ',' | '?' | '[' | ']' | '{' | '}' => (true, false),
            '#' => (after_whitespace, after_whitespace),
            _ => return,
        };
        self.flow_indicators |= flow;
        self.block_indicators |= block;
    }
}
