//! `regexMatch` and its family: Go's package regexp.
//!
//! The functions whose names begin with `must` give an error for a bad pattern where the others panic in Go; the text
//! is what differs.

mod class;
mod pattern;
mod syntax;

use crate::arguments::{Outcome, derived, fixed, int, text};
use onepane_template::{Context, Function, FunctionError, Type};
use onepane_value::{ElementType, List, Text, Value, format};
use std::rc::Rc;

pub use pattern::Pattern;

pub(crate) const FUNCTIONS: &[Function] = &[
    fixed("regexMatch", MATCH, |_, arguments| {
        let pattern = Pattern::compile(text(arguments, 0)?);
        let source = text(arguments, 1)?;
        Ok(pattern.is_ok_and(|pattern| pattern.matches(source)).into())
    }),
    fixed("mustRegexMatch", MATCH, |_, arguments| Ok(must(arguments)?.matches(text(arguments, 1)?).into())),
    fixed("regexFind", MATCH, |_, arguments| find(&*compiled(arguments)?, arguments)),
    fixed("mustRegexFind", MATCH, |_, arguments| find(&*must(arguments)?, arguments)),
    fixed("regexFindAll", COUNTED, |_, arguments| find_all(&*compiled(arguments)?, arguments)),
    fixed("mustRegexFindAll", COUNTED, |_, arguments| find_all(&*must(arguments)?, arguments)),
    fixed("regexReplaceAll", REPLACE, |context, arguments| replace_all(context, &*compiled(arguments)?, arguments)),
    fixed("mustRegexReplaceAll", REPLACE, |context, arguments| replace_all(context, &*must(arguments)?, arguments)),
    fixed("regexReplaceAllLiteral", REPLACE, |context, arguments| {
        replace_all_literally(context, &*compiled(arguments)?, arguments)
    }),
    fixed("mustRegexReplaceAllLiteral", REPLACE, |context, arguments| {
        replace_all_literally(context, &*must(arguments)?, arguments)
    }),
    fixed("regexSplit", COUNTED, |_, arguments| split(&*compiled(arguments)?, arguments)),
    fixed("mustRegexSplit", COUNTED, |_, arguments| split(&*must(arguments)?, arguments)),
    fixed("regexQuoteMeta", &[Type::String], |_, arguments| {
        Ok(derived(&arguments[0], quote_meta(text(arguments, 0)?)))
    }),
];

const MATCH: &[Type] = &[Type::String, Type::String];
const COUNTED: &[Type] = &[Type::String, Type::String, Type::Int];
const REPLACE: &[Type] = &[Type::String, Type::String, Type::String];

/// The pattern in the first argument.
fn must(arguments: &[Value]) -> Result<Rc<Pattern>, FunctionError> {
    Pattern::compile(text(arguments, 0)?).map_err(FunctionError::Message)
}

/// The same with the text of Go's panic.
fn compiled(arguments: &[Value]) -> Result<Rc<Pattern>, FunctionError> {
    let pattern = text(arguments, 0)?;
    Pattern::compile(pattern).map_err(|error| {
        let can_backquote = std::str::from_utf8(pattern)
            .is_ok_and(|p| p.chars().all(|c| !matches!(c, '`' | '\u{feff}' | '\x7f') && (c == '\t' || c >= ' ')));
        let quoted =
            if can_backquote { format!("`{pattern}`") } else { format::sprintf(b"%q", &arguments[..1]).to_string() };
        FunctionError::Message(format!("regexp: Compile({quoted}): {error}"))
    })
}

fn find(pattern: &Pattern, arguments: &[Value]) -> Outcome {
    let source = text(arguments, 1)?;
    let found = pattern.find(source).map(|range| source.slice(range)).unwrap_or_default();
    Ok(derived(&arguments[1], found))
}

fn find_all(pattern: &Pattern, arguments: &[Value]) -> Outcome {
    let source = text(arguments, 1)?;
    let limit = usize::try_from(int(arguments, 2)?).unwrap_or(usize::MAX);
    let found = pattern.find_all(source, limit);
    if found.is_empty() {
        return Ok(List::nil(ElementType::String).into());
    }
    Ok(strings(&arguments[1], found.into_iter().map(|range| source.slice(range))))
}

fn split(pattern: &Pattern, arguments: &[Value]) -> Outcome {
    Ok(match pattern.split(text(arguments, 1)?, int(arguments, 2)?) {
        None => List::nil(ElementType::String).into(),
        Some(pieces) => strings(&arguments[1], pieces.into_iter()),
    })
}

fn strings(source: &Value, items: impl Iterator<Item = Text>) -> Value {
    let items: Rc<[Value]> = items.map(|item| derived(source, item)).collect();
    derived(source, List::of(ElementType::String, items))
}

fn replace_all(context: &mut dyn Context, pattern: &Pattern, arguments: &[Value]) -> Outcome {
    let (source, template) = (text(arguments, 1)?, text(arguments, 2)?);
    let with_groups = template.contains(&b'$');
    let mut charged = Ok(());
    let replaced = pattern.replace_all(source, with_groups, |out, captures| {
        if charged.is_ok() {
            let before = out.len();
            pattern.expand(out, template, source, captures);
            charged = context.charge(out.len() - before);
        }
    });
    charged?;
    Ok(derived(&arguments[1], replaced.unwrap_or_else(|| source.clone())))
}

fn replace_all_literally(context: &mut dyn Context, pattern: &Pattern, arguments: &[Value]) -> Outcome {
    let (source, replacement) = (text(arguments, 1)?, text(arguments, 2)?);
    let mut charged = Ok(());
    let replaced = pattern.replace_all(source, false, |out, _| {
        if charged.is_ok() {
            out.push_text(replacement);
            charged = context.charge(replacement.len());
        }
    });
    charged?;
    Ok(derived(&arguments[1], replaced.unwrap_or_else(|| source.clone())))
}

fn quote_meta(text: &Text) -> Text {
    let is_special = |byte: &u8| br"\.+*?()|[]{}^$".contains(byte);
    if !text.iter().any(is_special) {
        return text.clone();
    }
    let mut quoted = Vec::with_capacity(text.len() + 8);
    for byte in text.iter() {
        if is_special(byte) {
            quoted.push(b'\\');
        }
        quoted.push(*byte);
    }
    quoted.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_patterns_are_refused_or_run_in_bounded_space() {
        let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
        assert!(Pattern::compile(nested(900).as_bytes()).is_ok_and(|pattern| pattern.matches(b"a")));
        for (pattern, wanted) in [
            (nested(1001), "expression nests too deeply"),
            (nested(100_000), "expression nests too deeply"),
            ("((x{10}){10}){11}".to_owned(), "invalid repeat count"),
            (r"((\pL{30}){30}\pL){1}\pN{1000}(\p{Cn}{31}){31}".repeat(50), "expression too large"),
        ] {
            let error = Pattern::compile(pattern.as_bytes()).expect_err("it must be refused");
            assert!(error.starts_with(&format!("error parsing regexp: {wanted}: ")), "{error}");
        }
        // Backtracking engines take for ever.
        let pattern = Pattern::compile(b"(a*)*b").expect("a good pattern");
        assert!(!pattern.matches(&[b'a'; 100_000]));
    }

    #[test]
    fn pieces_keep_the_origin_of_what_they_were_cut_from() {
        use onepane_diagnostics::{FileId, Origin, Span, Step};
        let origin = Origin::at(Step::ValuesFile, Span::new(FileId::new("values.yaml"), 7, 1));
        let source = Text::from("a-b").with_origin(&origin);
        let pattern = Pattern::compile(b"-").expect("a good pattern");
        for piece in pattern.split(&source, -1).expect("pieces") {
            assert!(piece.origin_at(0).same(&origin));
        }
    }
}
