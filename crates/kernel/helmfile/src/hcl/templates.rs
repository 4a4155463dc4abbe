//! Text with `${…}` and `%{…}` in it: quoted, or a heredoc, whose lines may share an indentation that does not count.
//!
//! As there, white space is cut by `~` only from the literal text beside it, and that of a heredoc is a literal each line.

use super::conversion::convert;
use super::evaluation::{Outcome, Problem, Scope, evaluate, over, start, truth};
use super::value::{HEAVIEST, Type};
use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::template::{Directive, Element, HeredocTemplate, StringTemplate, Strip};
use unicode_segmentation::UnicodeSegmentation as _;

/// The value of quoted text. One that is a single `${…}` is what that is.
pub(super) fn quoted(template: &StringTemplate, scope: &Scope<'_>) -> Outcome {
    let mut parts = Vec::new();
    flatten(template.iter(), &mut parts, &|literal, _| vec![literal.to_owned()]);
    if let [Part { content: Content::Interpolation(expression), .. }] = parts.as_slice() {
        return evaluate(expression, scope);
    }
    trim(&mut parts);
    rendered(&parts, scope)
}

/// The value of a heredoc, which is text in any case.
pub(super) fn heredoc(template: &HeredocTemplate, whole: &Expression, scope: &Scope<'_>) -> Outcome {
    let mut parts = Vec::new();
    // What is written, since the lines of the tree may have lost some of their indentation.
    flatten(template.template.iter(), &mut parts, &|literal, span| {
        let written = span.and_then(|span| scope.text.get(span)).unwrap_or(literal);
        let text = written.replace("$${", "${").replace("%%{", "%{");
        text.split_inclusive('\n').map(str::to_owned).collect()
    });
    trim(&mut parts);
    if scope.text.get(start(whole)..).is_some_and(|text| text.starts_with("<<-")) {
        outdent(&mut parts);
    }
    rendered(&parts, scope)
}

/// A stretch of a template, in the order in which it is written.
struct Part<'a> {
    content: Content<'a>,
    /// `~` at its start and at its end.
    strip: (bool, bool),
}

enum Content<'a> {
    Literal(String),
    Interpolation(&'a Expression),
    If(&'a Expression),
    For { key: Option<&'a str>, value: &'a str, collection: &'a Expression },
    Else,
    EndIf,
    EndFor,
}

type Literals<'f> = &'f dyn Fn(&str, Option<std::ops::Range<usize>>) -> Vec<String>;

fn flatten<'a>(elements: impl Iterator<Item = &'a Element>, parts: &mut Vec<Part<'a>>, literals: Literals<'_>) {
    let strips = |strip: Strip| match strip {
        Strip::None => (false, false),
        Strip::Start => (true, false),
        Strip::End => (false, true),
        Strip::Both => (true, true),
    };
    for element in elements {
        match element {
            Element::Literal(text) => {
                let texts = literals(text.value(), text.span());
                parts.extend(
                    texts.into_iter().map(|text| Part { content: Content::Literal(text), strip: (false, false) }),
                );
            }
            Element::Interpolation(one) => {
                parts.push(Part { content: Content::Interpolation(&one.expr), strip: strips(one.strip) });
            }
            Element::Directive(directive) => match &**directive {
                Directive::If(branch) => {
                    let first = &branch.if_expr;
                    parts.push(Part { content: Content::If(&first.cond_expr), strip: strips(first.strip) });
                    flatten(first.template.iter(), parts, literals);
                    if let Some(other) = &branch.else_expr {
                        parts.push(Part { content: Content::Else, strip: strips(other.strip) });
                        flatten(other.template.iter(), parts, literals);
                    }
                    parts.push(Part { content: Content::EndIf, strip: strips(branch.endif_expr.strip) });
                }
                Directive::For(each) => {
                    let first = &each.for_expr;
                    let content = Content::For {
                        key: first.key_var.as_ref().map(|name| name.value().as_str()),
                        value: first.value_var.value().as_str(),
                        collection: &first.collection_expr,
                    };
                    parts.push(Part { content, strip: strips(first.strip) });
                    flatten(first.template.iter(), parts, literals);
                    parts.push(Part { content: Content::EndFor, strip: strips(each.endfor_expr.strip) });
                }
            },
        }
    }
}

fn trim(parts: &mut [Part<'_>]) {
    for at in 0..parts.len() {
        let (before, behind) = parts[at].strip;
        if before
            && let Some(Part { content: Content::Literal(text), .. }) =
                at.checked_sub(1).and_then(|at| parts.get_mut(at))
        {
            text.truncate(text.trim_end().len());
        }
        if behind && let Some(Part { content: Content::Literal(text), .. }) = parts.get_mut(at + 1) {
            *text = text.trim_start().to_owned();
        }
    }
}

/// Takes from each line the white space that all have at their start.
fn outdent(parts: &mut [Part<'_>]) {
    let spaces = |text: &str| text[..text.len() - text.trim_start().len()].graphemes(true).count();
    let mut least = usize::MAX;
    let mut starts = Vec::new();
    let mut is_start = true;
    for (at, part) in parts.iter().enumerate() {
        let literal = match &part.content {
            Content::Literal(text) => Some(text),
            _ => None,
        };
        if std::mem::take(&mut is_start) {
            match literal {
                Some(text) if text.trim_start().is_empty() && text.ends_with('\n') => {}
                Some(text) => {
                    starts.push(at);
                    least = least.min(spaces(text));
                }
                None => least = 0,
            }
        }
        is_start = literal.is_some_and(|text| text.ends_with('\n'));
    }
    for at in starts {
        if let Content::Literal(text) = &mut parts[at].content {
            let cut: usize = text.graphemes(true).take(least).map(str::len).sum();
            text.drain(..cut);
        }
    }
}

fn rendered(parts: &[Part<'_>], scope: &Scope<'_>) -> Outcome {
    let mut text = String::new();
    let mut rest = parts;
    while !rest.is_empty() {
        render_one(&mut rest, scope, Some(&mut text))?;
    }
    Ok(text.into())
}

/// Renders what is next, with all that belongs to it; without `text` it is passed over.
fn render_one(rest: &mut &[Part<'_>], scope: &Scope<'_>, mut text: Option<&mut String>) -> Result<(), Problem> {
    let Some((part, behind)) = rest.split_first() else { return Ok(()) };
    *rest = behind;
    match &part.content {
        Content::Literal(literal) => {
            if let Some(text) = text {
                text.push_str(literal);
            }
        }
        Content::Interpolation(expression) => {
            if let Some(text) = text {
                let at = start(expression);
                let wrong = |message: String| Problem { message, at };
                let value = convert(&evaluate(expression, scope)?, &Type::String)
                    .map_err(|message| wrong(format!("this can't stand in text: {message}")))?;
                text.push_str(value.as_str().ok_or_else(|| wrong("a null can't stand in text".to_owned()))?);
                if text.len() as u64 > HEAVIEST * 16 {
                    return Err(wrong("the text is too large".to_owned()));
                }
            }
        }
        Content::If(condition) => {
            let is_true = match text {
                Some(_) => truth(evaluate(condition, scope)?, start(condition))?,
                None => false,
            };
            let mut taken = is_true;
            while let Some(next) = rest.first() {
                match next.content {
                    Content::Else => {
                        taken = !is_true;
                        *rest = &rest[1..];
                    }
                    Content::EndIf => {
                        *rest = &rest[1..];
                        break;
                    }
                    _ => render_one(rest, scope, text.as_deref_mut().filter(|_| taken))?,
                }
            }
        }
        Content::For { key, value, collection } => {
            let body = *rest;
            let body_once = |scope: &Scope<'_>, mut text: Option<&mut String>| {
                let mut rest = body;
                while let Some(next) = rest.first() {
                    if matches!(next.content, Content::EndFor) {
                        rest = &rest[1..];
                        break;
                    }
                    render_one(&mut rest, scope, text.as_deref_mut())?;
                }
                Ok::<_, Problem>(rest)
            };
            if let Some(text) = text {
                over(collection, *key, value, scope, |scope| body_once(scope, Some(text)).map(drop))?;
            }
            *rest = body_once(scope, None)?;
        }
        Content::Else | Content::EndIf | Content::EndFor => {}
    }
    Ok(())
}
