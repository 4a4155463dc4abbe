//! Rules that definitions have for the resources of their kinds: [`findings`].

use crate::blame::blamed;
use crate::expression::{Evaluator, Unknown};
use crate::policies::one_line;
use cel::Value;
use onepane_rules::{Finding, Scene};
use onepane_schema::Rule;
use std::collections::HashSet;

/// What the definitions of a scene say of the resources to judge.
pub(crate) fn findings(scene: &Scene<'_>) -> Vec<Finding> {
    let mut evaluator = Evaluator::new();
    let mut found = Vec::new();
    let mut told = HashSet::new();
    for item in scene.judged() {
        let rules = scene.catalogue().rules(&item.document, item.node());
        // Rules take the types of values for granted.
        if rules.is_empty() || !scene.catalogue().violations(&item.document, item.node()).is_empty() {
            continue;
        }
        for rule in rules {
            let about = if rule.path.is_empty() { item.to_string() } else { format!("{} of {item}", rule.path) };
            let why = match evaluate(&mut evaluator, rule.expression, &rule) {
                Ok(Value::Bool(true)) => continue,
                Ok(Value::Bool(false)) => {
                    let message = format!("{about}: {}", said(&mut evaluator, &rule));
                    let named = rule.node.and_then(|node| blamed(node, "self", rule.expression, &mut |_, _| false));
                    found.push(Finding::new("schema-rule", named.unwrap_or(rule.at), message));
                    continue;
                }
                Ok(_) => "it is neither true nor false".to_owned(),
                Err(Unknown::Fails(why)) => format!("{why}, unless a cluster fills it in"),
                Err(Unknown::Missing(why) | Unknown::Invalid(why)) => why,
            };
            // What can't be evaluated for one resource can't be for any of its kind.
            if told.insert((item.resource.api_version(), item.resource.kind(), rule.expression)) {
                let shown = one_line(rule.expression);
                let message = format!("a rule for {about} is not evaluated: `{shown}`: {why}");
                found.push(Finding::new("policy-not-evaluated", rule.at, message));
            }
        }
    }
    found
}

fn evaluate(evaluator: &mut Evaluator, expression: &str, rule: &Rule<'_, '_>) -> Result<Value, Unknown> {
    evaluator.evaluate(expression, &vec![("self", (*rule.value).clone())], &[])
}

/// What is wrong with a value that a rule refuses.
fn said(evaluator: &mut Evaluator, rule: &Rule<'_, '_>) -> String {
    if let Some(message) = rule.message {
        return one_line(message);
    }
    match rule.message_expression.map(|expression| evaluate(evaluator, expression, rule)) {
        Some(Ok(Value::String(text))) if !text.trim().is_empty() => one_line(&text),
        _ => format!("`{}` is false", one_line(rule.expression)),
    }
}
