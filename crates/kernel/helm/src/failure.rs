//! Errors of templates, put the way Helm 4 prints them.

/// `text`, the error of parsing the file `name`, as Helm shows it: the place and the last part of the message.
pub(crate) fn parse_error(name: &str, text: &str) -> String {
    let mut tokens = text.split(": ");
    let (_, place) = (tokens.next(), tokens.next());
    match (place, text.rsplit(": ").next()) {
        (Some(place), Some(last)) => format!("parse error at ({place}): {last}"),
        _ => format!("parse error in ({name}): {text}"),
    }
}

/// `text`, an error of execution as text/template words it, as Helm shows it.
///
/// What `fail` and `required` say stands alone behind the outermost place. A chain that the engine itself made, from
/// include to include, is laid out a template a paragraph. Where a function's own error ends the chain, Helm leaves the
/// text as it is.
pub(crate) fn execution_error(text: &str) -> String {
    let mut tokens = text.splitn(3, ": ");
    let (Some(_), Some(place), Some(rest)) = (tokens.next(), tokens.next(), tokens.next()) else {
        return format!("execution error in ({text})");
    };
    use onepane_functions::{FAILURE_END, FAILURE_START};
    if let Some(start) = rest.find(FAILURE_START)
        && let Some(end) = rest.rfind(FAILURE_END)
        && start + FAILURE_START.len() <= end
    {
        return format!("execution error at ({place}): {}", &rest[start + FAILURE_START.len()..end]);
    }
    match chain(text) {
        Some(steps) => layout(&steps),
        None => text.to_owned(),
    }
}

/// A link of the chain: where, in what, and what is wrong there.
#[derive(PartialEq)]
struct Step<'a> {
    place: &'a str,
    call: Option<(&'a str, &'a str)>,
    message: &'a str,
}

/// The links from the outermost to the innermost; `None` where a link is no error of the engine.
fn chain(text: &str) -> Option<Vec<Step<'_>>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    let mut current = text;
    loop {
        let rest = current.strip_prefix("template: ")?;
        if rest.starts_with("no template ") {
            steps.push(Step { place: "", call: None, message: current });
            return Some(steps);
        }
        let Some((place, after)) = rest.split_once(": executing ") else {
            let (place, message) = rest.rsplit_once(": ")?;
            steps.push(Step { place, call: None, message });
            return Some(steps);
        };
        let (function, after) = after.strip_prefix('"')?.split_once('"')?;
        let (node, message) = after.strip_prefix(" at <")?.split_once(">: ")?;
        let own = message.find(" template:").map_or(message, |cut| &message[..cut]);
        let step = Step { place, call: Some((function, node)), message: own };
        if steps.last() != Some(&step) {
            steps.push(step);
        }
        // A call's error holds the callee's; whatever else is the end.
        let Some(called) = message.strip_prefix("error calling ") else { return Some(steps) };
        (_, current) = called.split_once(": ")?;
    }
}

fn layout(steps: &[Step<'_>]) -> String {
    let mut out = String::new();
    for step in steps {
        if !step.place.is_empty() {
            out += &format!("{}\n  ", step.place);
        }
        if let Some((function, node)) = step.call {
            out += &format!("executing \"{function}\" at <{node}>:\n    ");
        }
        if !step.message.is_empty() {
            out += &format!("{}\n", step.message);
        }
    }
    out.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_read_as_helm_prints_them() {
        let parse = "template: c/templates/a.yaml:1: unexpected \"}\" in operand";
        assert_eq!(parse_error("x", parse), "parse error at (c/templates/a.yaml:1): unexpected \"}\" in operand");
        // Each from running Helm 4.3.1.
        let cases = [
            (
                "template: c/a.yaml:1:7: executing \"c/a.yaml\" at <fail \"xx\">: error calling fail: \
                 HELM_ERR_STARTxxHELM_ERR_END",
                "execution error at (c/a.yaml:1:7): xx",
            ),
            (
                "template: c/a.yaml:1:161: executing \"c/a.yaml\" at <.Files.Get>: wrong number of args for Get: want 1 got 0",
                "c/a.yaml:1:161\n  executing \"c/a.yaml\" at <.Files.Get>:\n    wrong number of args for Get: want 1 got 0",
            ),
            (
                "template: c/a.yaml:1:3: executing \"c/a.yaml\" at <include \"x\" .>: error calling include: template: \
                 c/_h.tpl:2:4: executing \"x\" at <.a.b.c>: nil pointer evaluating interface {}.c",
                "c/a.yaml:1:3\n  executing \"c/a.yaml\" at <include \"x\" .>:\n    error calling include:\nc/_h.tpl:2:4\n  \
                 executing \"x\" at <.a.b.c>:\n    nil pointer evaluating interface {}.c",
            ),
            (
                "template: c/a.yaml:1:3: executing \"c/a.yaml\" at <semver \"x\">: error calling semver: invalid semantic version",
                "template: c/a.yaml:1:3: executing \"c/a.yaml\" at <semver \"x\">: error calling semver: invalid semantic version",
            ),
        ];
        for (text, wanted) in cases {
            assert_eq!(execution_error(text), wanted);
        }
    }
}
