//! Which other values an expression uses, so that they are evaluated first, and what of its syntax is not Helmfile's.
//!
//! Helmfile takes every reference for one, whatever its root is called: `other.name` needs a value `name` too. A root
//! stands before a name; it can't be used as a whole, nor with an index.

use super::evaluation::{Problem, start};
use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ObjectKey, Traversal, TraversalOperator};
use hcl_edit::template::{Directive, Element, Template};
use std::collections::BTreeSet;
use std::ops::Range;

/// The names behind the roots of an expression of a file's text. `apart` is a root that is evaluated before all of these.
pub(super) fn used(expression: &Expression, text: &str, apart: Option<&str>) -> Result<BTreeSet<String>, Problem> {
    let mut walk = Walk { text, apart, hidden: Vec::new(), found: BTreeSet::new() };
    walk.expression(expression)?;
    Ok(walk.found)
}

struct Walk<'a> {
    text: &'a str,
    apart: Option<&'a str>,
    /// Variables of the loops around.
    hidden: Vec<&'a str>,
    found: BTreeSet<String>,
}

type Walked = Result<(), Problem>;

impl<'a> Walk<'a> {
    fn expression(&mut self, expression: &'a Expression) -> Walked {
        match expression {
            Expression::Null(_) | Expression::Bool(_) | Expression::Number(_) => Ok(()),
            Expression::String(_) => self.line(expression.span()),
            Expression::Array(items) => items.iter().try_for_each(|item| self.expression(item)),
            Expression::Object(object) => object.iter().try_for_each(|(key, value)| {
                if let ObjectKey::Expression(key) = key {
                    self.expression(key)?;
                }
                self.expression(value.expr())
            }),
            Expression::StringTemplate(template) => {
                template
                    .iter()
                    .filter(|element| element.is_literal())
                    .try_for_each(|literal| self.line(literal.span()))?;
                self.elements(template.iter())
            }
            Expression::HeredocTemplate(template) => self.template(&template.template),
            Expression::Parenthesis(inner) => self.expression(inner.inner()),
            Expression::Variable(name) => self.reference(name.value(), None, start(expression)),
            Expression::Conditional(conditional) => {
                [&conditional.cond_expr, &conditional.true_expr, &conditional.false_expr]
                    .into_iter()
                    .try_for_each(|one| self.expression(one))
            }
            Expression::FuncCall(call) => call.args.iter().try_for_each(|argument| self.expression(argument)),
            Expression::Traversal(traversal) => self.traversal(traversal),
            Expression::UnaryOp(operation) => self.expression(&operation.expr),
            Expression::BinaryOp(operation) => {
                self.expression(&operation.lhs_expr)?;
                self.expression(&operation.rhs_expr)
            }
            Expression::ForExpr(each) => {
                self.expression(&each.intro.collection_expr)?;
                let key = each.intro.key_var.as_ref().map(|name| name.value().as_str());
                self.hiding(key, each.intro.value_var.value(), |walk| {
                    let parts = each.key_expr.iter().chain([&each.value_expr]);
                    parts.chain(each.cond.as_ref().map(|cond| &cond.expr)).try_for_each(|part| walk.expression(part))
                })
            }
        }
    }

    fn traversal(&mut self, traversal: &'a Traversal) -> Walked {
        match &traversal.expr {
            Expression::Variable(name) => {
                let first = traversal.operators.first().map(|operator| operator.value());
                self.reference(name.value(), first, start(&traversal.expr))?;
            }
            other => self.expression(other)?,
        }
        let is_number = |at: usize| matches!(traversal.operators[at].value(), TraversalOperator::LegacyIndex(_));
        if let Some(at) = (1..traversal.operators.len()).find(|at| is_number(at - 1) && is_number(*at)) {
            let at = traversal.operators[at].span().map_or(start(&traversal.expr), |span| span.start);
            return Err(Problem { message: "of several indices each stands in brackets".to_owned(), at });
        }
        traversal.operators.iter().try_for_each(|operator| match operator.value() {
            TraversalOperator::Index(key) => self.expression(key),
            _ => Ok(()),
        })
    }

    fn reference(&mut self, root: &str, first: Option<&TraversalOperator>, at: usize) -> Walked {
        if self.hidden.contains(&root) || self.apart == Some(root) {
            return Ok(());
        }
        match first {
            Some(TraversalOperator::GetAttr(name)) => {
                self.found.insert(name.value().to_string());
                Ok(())
            }
            _ => Err(Problem { message: format!("`{root}` can only be used as `{root}.NAME`"), at }),
        }
    }

    /// Text in quotes ends on its line.
    fn line(&self, span: Option<Range<usize>>) -> Walked {
        match span.and_then(|span| Some((span.start, self.text.get(span)?))) {
            Some((at, text)) if text.contains('\n') => Err(Problem {
                message: "text in quotes ends on its line: `\\n` breaks it, or a heredoc".to_owned(),
                at,
            }),
            _ => Ok(()),
        }
    }

    fn hiding(&mut self, key: Option<&'a str>, value: &'a str, walk: impl FnOnce(&mut Self) -> Walked) -> Walked {
        let before = self.hidden.len();
        self.hidden.extend(key);
        self.hidden.push(value);
        let outcome = walk(self);
        self.hidden.truncate(before);
        outcome
    }

    fn template(&mut self, template: &'a Template) -> Walked {
        self.elements(template.iter())
    }

    fn elements(&mut self, mut elements: impl Iterator<Item = &'a Element>) -> Walked {
        elements.try_for_each(|element| match element {
            Element::Literal(_) => Ok(()),
            Element::Interpolation(one) => self.expression(&one.expr),
            Element::Directive(directive) => match &**directive {
                Directive::If(branch) => {
                    self.expression(&branch.if_expr.cond_expr)?;
                    self.template(&branch.if_expr.template)?;
                    branch.else_expr.as_ref().map_or(Ok(()), |other| self.template(&other.template))
                }
                Directive::For(each) => {
                    let each = &each.for_expr;
                    self.expression(&each.collection_expr)?;
                    let key = each.key_var.as_ref().map(|name| name.value().as_str());
                    self.hiding(key, each.value_var.value(), |walk| walk.template(&each.template))
                }
            },
        })
    }
}
