//! Which field a denial is about: [`blamed`].

use onepane_yaml::Node;

/// The node of `object` that an expression is most likely about, from the fields that it names: along the longest path
/// `NAME.a.b` that is there, where it is called `name`; in a list, the item for which `is_to_blame` holds (by the path of the list and the index),
/// and of that the field that is named, too.
pub(crate) fn blamed<'n>(
    object: &'n Node,
    name: &str,
    expression: &str,
    is_to_blame: &mut dyn FnMut(&[&str], usize) -> bool,
) -> Option<&'n Node> {
    let (mut best, mut keys): (Option<(&Node, &Node)>, Vec<&str>) = (None, Vec::new());
    for path in paths(name, expression) {
        let mut current = object;
        let mut found = None;
        let mut taken = 0;
        for key in &path {
            let Some((name, value)) = entry(current, key) else { break };
            (found, current, taken) = (Some((name, value)), value, taken + 1);
        }
        if found.is_some() && taken > keys.len() {
            best = found;
            keys = path[..taken].to_vec();
        }
    }
    let (key, value) = best?;
    let Some(items) = value.items().filter(|items| !items.is_empty()) else { return Some(key) };
    let culprit = (0..items.len()).find(|index| is_to_blame(&keys, *index));
    let item = &items[culprit?];
    let named = item
        .entries()
        .unwrap_or_default()
        .iter()
        .rev()
        .find(|(key, _)| key.as_str().is_some_and(|key| says(expression, key)));
    Some(
        named.or_else(|| item.entries()?.first()).map_or(item, |(_, value)| {
            if value.as_str().is_some() { value } else { named.map_or(value, |(key, _)| key) }
        }),
    )
}

/// The paths that an expression names: of `object.spec.containers.all(c, c.image)`, `spec`, `containers`.
fn paths<'e>(name: &str, expression: &'e str) -> Vec<Vec<&'e str>> {
    let is_name = |character: char| character.is_alphanumeric() || character == '_';
    let mut paths = Vec::new();
    for (index, word) in expression.match_indices(&format!("{name}.")) {
        // `oldObject`, `namespaceObject` and fields of that name are others.
        if expression[..index].ends_with(|before: char| is_name(before) || before == '.') {
            continue;
        }
        let rest = &expression[index + word.len()..];
        let end = rest.find(|c: char| !is_name(c) && !matches!(c, '.' | '?')).unwrap_or(rest.len());
        let mut path: Vec<&str> = rest[..end].split('.').map(|key| key.trim_start_matches('?')).collect();
        // What is called is no field.
        if rest[end..].starts_with('(') {
            path.pop();
        }
        paths.push(path);
    }
    paths
}

fn says(expression: &str, word: &str) -> bool {
    let is_name = |character: char| character.is_alphanumeric() || character == '_';
    expression.match_indices(word).any(|(index, _)| {
        let (before, after) = (&expression[..index], &expression[index + word.len()..]);
        !before.ends_with(is_name) && !after.starts_with(is_name)
    })
}

fn entry<'n>(node: &'n Node, wanted: &str) -> Option<(&'n Node, &'n Node)> {
    node.entries()?.iter().find(|(key, _)| key.as_str() == Some(wanted)).map(|(key, value)| (key, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_diagnostics::FileId;

    #[test]
    fn the_field_that_is_named_is_to_blame() {
        let text = "spec:\n  replicas: 1\n  containers:\n  - name: a\n    image: a:1\n  - name: b\n    image: b\n";
        let node = onepane_yaml::read(text, FileId::new("a.yaml")).expect("it is YAML").swap_remove(0);
        let line = |expression: &str| {
            blamed(&node, "object", expression, &mut |_, index| index == 1)
                .and_then(|node| node.span)
                .map(|span| span.line)
        };
        assert_eq!(line("object.spec.replicas > 1"), Some(2));
        assert_eq!(line("object.spec.containers.all(c, c.image.contains(':'))"), Some(7));
        assert_eq!(line("object.spec.containers.size() < 2"), Some(6));
        assert_eq!(line("has(object.spec.absent)"), Some(1));
        assert_eq!(line("true"), None);
    }
}
