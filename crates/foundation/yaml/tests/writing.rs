//! Writing, beside what Go writes.
//!
//! `writing.tsv` holds trees and Go's text for them. A line is one case: who writes, the tree, the text as a JSON
//! string. `v2` is go-yaml v2 and `pretty` go-yaml v3, both given plain Go values; `kyaml` is kyaml's encoder, given
//! nodes. A tree is written so:
//!
//! - `"text"` is a scalar with a JSON string's escapes, a bare word a number, a boolean or null, `*name` an alias,
//!   `[…]` a sequence, `{…}` a mapping with keys and values in turn;
//! - before a node stand `^"head"`, `#"line"` and `_"foot"` comments, `&anchor`, `!tag` or `!"tag"`, `~` for brackets,
//!   `s`, `d`, `l` and `f` for single and double quotes, literal and folded blocks, `@` for a string that no file holds;
//! - `D^"head" _"foot";` before the root gives the document's own comments.

use onepane_diagnostics::{FileId, Span};
use onepane_yaml::{
    Comments, Content, Dialect, Document, Emitter, Node, Style, compare_keys, write_kyaml, write_kyaml_document,
};

#[test]
fn we_write_as_go_does() {
    let mut failures = Vec::new();
    let mut cases = 0;
    for line in include_str!("writing.tsv").lines().filter(|line| !line.starts_with('#')) {
        let [writer, tree, answer] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("three columns: {line}") };
        let go = Tree(answer).text();
        let ours = write(writer, tree);
        cases += 1;
        if ours != go {
            failures.push(format!("{writer} {tree}\n  go:   {go:?}\n  ours: {ours:?}"));
        }
    }
    assert!(failures.is_empty(), "{} of {cases} differ:\n{}", failures.len(), failures.join("\n"));
}

/// What we write of a tree.
pub fn write(writer: &str, tree: &str) -> String {
    let mut tree = Tree(tree);
    if writer == "kyaml" {
        return tree.write_documents();
    }
    let (mut emitter, dialect) = match writer {
        "v2" => (Emitter::sigs(), Dialect::V2),
        "pretty" => (Emitter::pretty(), Dialect::V3),
        other => panic!("no writer {other}"),
    };
    write_value(&tree.node(), &mut emitter, dialect);
    emitter.end_document();
    emitter.finish()
}

fn write_value(node: &Node, emitter: &mut Emitter, dialect: Dialect) {
    match &node.content {
        Content::Scalar(text) if node.tag.as_deref() == Some(BARE) => match text.parse::<f64>() {
            Ok(_) if text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok() => emitter.plain(text),
            Ok(number) => emitter.float(number),
            Err(_) => emitter.plain(text),
        },
        Content::Scalar(text) => emitter.string(text),
        Content::Alias(name) => emitter.alias(name),
        Content::Sequence(items) => {
            emitter.begin_sequence(items.is_empty());
            items.iter().for_each(|item| write_value(item, emitter, dialect));
            emitter.end();
        }
        Content::Mapping(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by(|(a, _), (b, _)| {
                compare_keys(a.as_str().unwrap_or_default(), b.as_str().unwrap_or_default(), dialect)
            });
            emitter.begin_mapping(entries.is_empty());
            for (key, value) in entries {
                write_value(key, emitter, dialect);
                write_value(value, emitter, dialect);
            }
            emitter.end();
        }
    }
}

/// The tag by which [`write_value`] knows what is no string.
const BARE: &str = "bare";

/// What is left of a tree's notation.
struct Tree<'a>(&'a str);

impl Tree<'_> {
    fn write_documents(&mut self) -> String {
        let mut text = String::new();
        loop {
            self.0 = self.0.trim_start();
            if self.0.is_empty() {
                return text;
            }
            if !text.is_empty() {
                text.push_str("---\n");
            }
            if let Some(rest) = self.0.strip_prefix('D') {
                self.0 = rest;
                let mut comments = Comments::default();
                self.0 = self.0.trim_start();
                while self.0.starts_with(['^', '_']) {
                    self.comment(&mut comments);
                    self.0 = self.0.trim_start();
                }
                self.0 = self.0.trim_start_matches(';');
                let document = Document { head: comments.head, root: self.node(), foot: comments.foot };
                text.push_str(&write_kyaml_document(&document));
            } else {
                text.push_str(&write_kyaml(&self.node()));
            }
        }
    }

    fn comment(&mut self, comments: &mut Comments) {
        let sign = self.0.as_bytes()[0];
        self.0 = &self.0[1..];
        let text = self.text().into();
        match sign {
            b'^' => comments.head = text,
            b'#' => comments.line = text,
            _ => comments.foot = text,
        }
    }

    fn node(&mut self) -> Node {
        let mut node = Node::scalar("");
        node.span = Some(Span::new(FileId::new("case.yaml"), 1, 1));
        loop {
            self.0 = self.0.trim_start();
            let (sign, quoted) = (self.0.as_bytes()[0], self.0.as_bytes().get(1) == Some(&b'"'));
            match sign {
                b'^' | b'#' | b'_' => {
                    self.comment(node.comments.get_or_insert_default());
                    continue;
                }
                b'&' => {
                    self.0 = &self.0[1..];
                    node.anchor = Some(self.word().into());
                    continue;
                }
                b'!' if quoted => {
                    self.0 = &self.0[1..];
                    node.tag = Some(self.text().into());
                    continue;
                }
                b'!' => {
                    node.tag = Some(self.word().into());
                    continue;
                }
                b'@' => {
                    node.tag = Some("!!str".into());
                    node.span = None;
                }
                b'~' => node.style = Style::Flow,
                b's' if quoted => node.style = Style::SingleQuoted,
                b'd' if quoted => node.style = Style::DoubleQuoted,
                b'l' if quoted => node.style = Style::Literal,
                b'f' if quoted => node.style = Style::Folded,
                _ => break,
            }
            self.0 = &self.0[1..];
        }
        node.content = match self.0.as_bytes()[0] {
            b'"' => Content::Scalar(self.text().into()),
            b'*' => {
                self.0 = &self.0[1..];
                Content::Alias(self.word().into())
            }
            b'[' => Content::Sequence(self.nodes()),
            b'{' => {
                let mut nodes = self.nodes().into_iter();
                let mut entries = Vec::new();
                while let (Some(key), Some(value)) = (nodes.next(), nodes.next()) {
                    entries.push((key, value));
                }
                Content::Mapping(entries)
            }
            _ => {
                node.tag = Some(BARE.into());
                Content::Scalar(self.word().into())
            }
        };
        node
    }

    fn nodes(&mut self) -> Vec<Node> {
        self.0 = &self.0[1..];
        let mut nodes = Vec::new();
        loop {
            self.0 = self.0.trim_start();
            if self.0.starts_with([']', '}']) {
                self.0 = &self.0[1..];
                return nodes;
            }
            nodes.push(self.node());
        }
    }

    fn word(&mut self) -> &str {
        let end = self.0.find([' ', '[', ']', '{', '}']).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        self.0 = rest;
        word
    }

    /// A JSON string.
    fn text(&mut self) -> String {
        let mut text = String::new();
        let mut rest = self.0[1..].chars();
        let code = |digits: &str| u32::from_str_radix(digits, 16).expect("four digits");
        while let Some(character) = rest.next() {
            match character {
                '"' => break,
                '\\' => text.push(match rest.next().expect("an escape") {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'b' => '\u{8}',
                    'f' => '\u{C}',
                    'u' => {
                        let mut number = code(&rest.as_str()[..4]);
                        rest = rest.as_str()[4..].chars();
                        if (0xD800..0xDC00).contains(&number) {
                            number = 0x10000 + ((number - 0xD800) << 10) + (code(&rest.as_str()[2..6]) - 0xDC00);
                            rest = rest.as_str()[6..].chars();
                        }
                        char::from_u32(number).expect("a character")
                    }
                    other => other,
                }),
                other => text.push(other),
            }
        }
        self.0 = &self.0[self.0.len() - rest.as_str().len()..];
        text
    }
}
