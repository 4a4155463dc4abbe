//! Reading, beside what go-yaml answers.
//!
//! `reading.tsv` holds texts and Go's answers to them. A line is one case; dropping in a line adds a test. A tree is
//! written as `kind@line:column`, then what a node has of `t`ag, `&`anchor, `H`ead, `L`ine and `F`oot comment, then its
//! parts in parentheses. Kinds: `D`ocument, `M`apping, `S`equence (`f` in brackets), `*alias`, and a scalar's text
//! behind `p` if it is plain and what it is introduced by if not.

use onepane_diagnostics::FileId;
use onepane_yaml::{Content, Dialect, EventKind, Events, Node, Style, go_syntax_error, read_documents};
use std::fmt::Write;

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            '\\' | '"' => quoted.extend(['\\', character]),
            _ => quoted.push(character),
        }
    }
    quoted + "\""
}

/// The text that a JSON string is, as far as the table uses JSON.
fn unquoted(json: &str) -> String {
    let mut text = String::new();
    let inner = json.strip_prefix('"').and_then(|json| json.strip_suffix('"'));
    let mut characters = inner.expect("the table holds JSON strings").chars();
    let mut high = None;
    while let Some(character) = characters.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        match characters.next().expect("an escape has a name") {
            'n' => text.push('\n'),
            't' => text.push('\t'),
            'r' => text.push('\r'),
            'u' => {
                let digits: String = characters.by_ref().take(4).collect();
                let unit = u16::from_str_radix(&digits, 16).expect("four digits");
                let units = high.take().into_iter().chain([unit]);
                match char::decode_utf16(units).next() {
                    Some(Ok(character)) => text.push(character),
                    _ => high = Some(unit),
                }
            }
            other => text.push(other),
        }
    }
    text
}

fn show_fields(fields: [(&str, &str); 5], into: &mut String) {
    for (name, value) in fields {
        if !value.is_empty() {
            let _ = write!(into, " {name}{}", quoted(value));
        }
    }
}

fn show(node: &Node, into: &mut String) {
    let scalar = match node.style {
        Style::SingleQuoted => '\'',
        Style::DoubleQuoted => '"',
        Style::Literal => '|',
        Style::Folded => '>',
        Style::Plain | Style::Flow => 'p',
    };
    match &node.content {
        Content::Scalar(text) => into.extend([scalar.to_string(), quoted(text)]),
        Content::Alias(name) => into.extend(["*", name]),
        Content::Sequence(_) => into.push('S'),
        Content::Mapping(_) => into.push('M'),
    }
    let flow = if node.style == Style::Flow { "f" } else { "" };
    let span = node.span.expect("it was read");
    let _ = write!(into, "{flow}@{}:{}", span.line, span.column);
    let comments = node.comments.as_deref().cloned().unwrap_or_default();
    // Go forgets the tag `!`.
    let tag = node.tag.as_deref().filter(|tag| *tag != "!").unwrap_or_default();
    let anchor = node.anchor.as_deref().unwrap_or_default();
    let [head, line, foot] = [&comments.head, &comments.line, &comments.foot];
    show_fields([("t", tag), ("&", anchor), ("H", head), ("L", line), ("F", foot)], into);
    let parts: Vec<&Node> = match &node.content {
        Content::Sequence(items) => items.iter().collect(),
        Content::Mapping(entries) => entries.iter().flat_map(|(key, value)| [key, value]).collect(),
        Content::Scalar(_) | Content::Alias(_) => return,
    };
    into.push('(');
    for (index, part) in parts.into_iter().enumerate() {
        into.push_str(if index > 0 { " , " } else { "" });
        show(part, into);
    }
    into.push(')');
}

/// What Kustomize would read.
fn tree(text: &str) -> String {
    if let Some(error) = go_syntax_error(text) {
        return format!("E {}", quoted(&error));
    }
    let mut shown = String::from("T");
    for document in read_documents(text, FileId::new("case.yaml")).expect("there is no error") {
        shown.push_str(" D");
        show_fields([("H", &document.head), ("F", &document.foot), ("", ""), ("", ""), ("", "")], &mut shown);
        shown.push('(');
        show(&document.root, &mut shown);
        shown.push(')');
    }
    shown
}

/// What Helm would say to the first document, aliases left alone.
fn first_document(text: &str) -> String {
    let read = || {
        let mut events = Events::new(text, None)?;
        while !matches!(events.next()?.kind, EventKind::DocumentEnd | EventKind::StreamEnd) {}
        Ok(())
    };
    let read: Result<(), Box<onepane_yaml::SyntaxError>> = read();
    read.map_or_else(|error| format!("E {}", quoted(&error.go_text(Dialect::V2))), |()| "ok".to_owned())
}

#[test]
fn we_read_as_go_does() {
    let mut failures = Vec::new();
    let mut cases = 0;
    for line in include_str!("reading.tsv").lines().filter(|line| !line.starts_with('#')) {
        let mut columns = line.split('\t');
        let text = unquoted(columns.next().expect("the text"));
        let v3 = columns.next().expect("v3's answer");
        let v2 = columns.next().unwrap_or(if v3.starts_with('T') { "ok" } else { v3 });
        cases += 1;
        for (go, ours) in [(v3, tree(&text)), (v2, first_document(&text))] {
            if go != ours && !go.contains("unknown anchor") {
                failures.push(format!("{text:?}\n  go:   {go}\n  ours: {ours}"));
            }
        }
    }
    assert!(cases > 300, "the table is there");
    assert!(failures.is_empty(), "{} of {cases} differ\n{}", failures.len(), failures.join("\n"));
}

/// Time is linear in the text, and no text costs the stack.
#[test]
fn hostile_texts_end_soon() {
    let many = 100_000;
    let texts = [
        "[".repeat(many),
        "- ".repeat(many),
        "? ".repeat(many),
        "{a: ".repeat(many),
        "[[[[a]]]], ".repeat(many / 10),
        format!("[{}]", "[[], [a: b]: c], ".repeat(many / 10)),
        format!("[{}", "é, [é], ".repeat(many / 10)),
        "a: [\n".repeat(many),
        "&a !b\n".repeat(many),
        "\"a\" ".repeat(many),
        "# c\n".repeat(many),
        format!("{}a", "- # c\n\n".repeat(many)),
        (0..900).map(|level| format!("{}a:\n", " ".repeat(level))).collect::<String>() + &"# c\n\n".repeat(many),
        format!("a: |\n{}", " \n".repeat(many)),
        format!("a: >\n{}", " b\n\n".repeat(many)),
        format!("\"{}", "a\n".repeat(many)),
        format!("a: b{}", "\n c\n".repeat(many)),
        "--- a\n".repeat(many),
    ];
    for text in &texts {
        let start = std::time::Instant::now();
        let _ = (tree_size(text), first_document(text));
        let seconds = start.elapsed().as_secs_f64();
        assert!(seconds < 5.0, "{seconds} s for {:?}", text.chars().take(20).collect::<String>());
    }
}

fn tree_size(text: &str) -> usize {
    read_documents(text, FileId::new("hostile.yaml")).map_or(0, |documents| documents.len())
}
