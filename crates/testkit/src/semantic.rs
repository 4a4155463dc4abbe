//! Comparing YAML output whose random parts are masked.

use onepane_diagnostics::FileId;
use onepane_yaml::{Content, Node};
use std::collections::BTreeMap;

/// The documents of an output that are not empty.
pub fn parse_documents(text: &[u8]) -> Result<Vec<Node>, String> {
    let text = std::str::from_utf8(text).map_err(|error| error.to_string())?;
    onepane_yaml::read(text, FileId::new("output")).map_err(|error| error.to_string())
}

/// Whether two outputs are equal but for what is at the `masks`: paths of a document's index and then keys.
///
/// What is masked must still be of the same kind on both sides.
pub fn masked_equal(expected: &[Node], actual: &[Node], masks: &[Vec<String>]) -> Result<(), String> {
    if expected.len() != actual.len() {
        return Err(format!("{} documents were expected, there are {}", expected.len(), actual.len()));
    }
    let mut path = Vec::new();
    compare_items(expected, actual, masks, &mut path)
}

fn compare_items(
    expected: &[Node],
    actual: &[Node],
    masks: &[Vec<String>],
    path: &mut Vec<String>,
) -> Result<(), String> {
    if expected.len() != actual.len() {
        return Err(format!("{path:?}: {} items were expected, there are {}", expected.len(), actual.len()));
    }
    for (index, (expected, actual)) in expected.iter().zip(actual).enumerate() {
        path.push(index.to_string());
        compare(expected, actual, masks, path)?;
        path.pop();
    }
    Ok(())
}

fn compare(expected: &Node, actual: &Node, masks: &[Vec<String>], path: &mut Vec<String>) -> Result<(), String> {
    let masked = masks.contains(path);
    match (&expected.content, &actual.content) {
        (Content::Scalar(_), Content::Scalar(_)) if masked => Ok(()),
        (Content::Scalar(a), Content::Scalar(b)) if a == b => Ok(()),
        (Content::Scalar(a), Content::Scalar(b)) => Err(format!("{path:?}: expected {a:?}, got {b:?}")),
        (Content::Sequence(a), Content::Sequence(b)) => compare_items(a, b, masks, path),
        (Content::Mapping(a), Content::Mapping(b)) => {
            let (a, b) = (last_of_each(a), last_of_each(b));
            for (name, value) in &a {
                let other = b.get(name).ok_or_else(|| format!("{path:?}: there is no {name:?}"))?;
                path.push((*name).to_owned());
                compare(value, other, masks, path)?;
                path.pop();
            }
            if a.len() == b.len() { Ok(()) } else { Err(format!("{path:?}: there are more keys than expected")) }
        }
        _ => Err(format!("{path:?}: not of the same kind")),
    }
}

/// Charts print keys twice; of those the last one counts, as it does for most readers.
fn last_of_each(entries: &[(Node, Node)]) -> BTreeMap<&str, &Node> {
    entries.iter().map(|(key, value)| (key.as_str().unwrap_or_default(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_masked_may_differ() {
        let documents = |text: &str| parse_documents(text.as_bytes()).expect("it is YAML");
        let expected = documents("a: {secret: x, open: y}\n");
        let masks = [["0", "a", "secret"].map(str::to_owned).to_vec()];
        assert_eq!(masked_equal(&expected, &documents("a: {secret: z, open: y}\n"), &masks), Ok(()));
        assert!(masked_equal(&expected, &documents("a: {secret: z, open: z}\n"), &masks).is_err());
        assert!(masked_equal(&expected, &documents("a: {secret: [], open: y}\n"), &masks).is_err());
    }
}
