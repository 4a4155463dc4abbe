//! `ref+envsubst`: variables of the environment put into a text, as a8m's `envsubst` does it.

/// Replaces `$NAME`, `${NAME}`, `${NAME-WORD}`, `${NAME:-WORD}` and their like with `=`; `$$` is a dollar. A variable that
/// is not set is empty. What else stands behind a name in braces changes nothing.
///
/// # Errors
/// For braces without an end, and defaults that are a variable and more, of which `envsubst` drops the variable.
pub fn substitute(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let (name, behind) = name_at(after);
        if let Some(behind) = after.strip_prefix('$') {
            out.push('$');
            rest = behind;
        } else if let Some(inside) = after.strip_prefix('{') {
            let open = || "`${` has no `}`".to_owned();
            let (inside, behind) = inside.split_once('}').ok_or_else(open)?;
            if inside.contains(['\r', '\n']) {
                return Err(open());
            }
            out.push_str(&braced(inside, variable)?);
            rest = behind;
        } else if matches!(name, "" | "_") {
            out.push('$');
            rest = after;
        } else {
            out.push_str(&variable(name).unwrap_or_default());
            rest = behind;
        }
    }
    Ok(out + rest)
}

fn braced(inside: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let (name, behind) = name_at(inside);
    if name.is_empty() {
        return Ok(format!("${{{inside}}}"));
    }
    let value = variable(name);
    let operators = [(":-", true), (":=", true), ("-", false), ("=", false)];
    let given = operators.iter().find_map(|(operator, empty)| Some((behind.strip_prefix(operator)?, *empty)));
    let Some((word, for_empty)) = given.filter(|(word, _)| !word.is_empty()) else {
        return Ok(value.unwrap_or_default());
    };
    if let Some(value) = value.filter(|value| !for_empty || !value.is_empty()) {
        return Ok(value);
    }
    match word.strip_prefix('$').map(name_at) {
        Some((name, "")) if !name.is_empty() => Ok(variable(name).unwrap_or_default()),
        None => Ok(word.to_owned()),
        _ => Err(format!("the default of `{name}` is a variable and more")),
    }
}

/// The name that a text begins with.
fn name_at(text: &str) -> (&str, &str) {
    let end = text.find(|letter: char| letter != '_' && !letter.is_alphanumeric()).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Held against Helmfile 1.8.0's `ref+envsubst`.
    #[test]
    fn variables_are_put_in() {
        let variable = |name: &str| match name {
            "FOO" => Some("bar".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        for (text, wanted) in [
            ("$FOO/a", "bar/a"),
            ("/${FOO}", "/bar"),
            ("/${NONE:-dflt}/x", "/dflt/x"),
            ("/${NONE-dflt}/${NONE=d}/${NONE:=e}", "/dflt/d/e"),
            ("/${EMPTY:-dflt}/${EMPTY-d}/x", "/dflt//x"),
            ("/${NONE:-$FOO}/${FOO:-$NONE}", "/bar/bar"),
            ("/${FOO:x}/${FOO:-}/${NONE}", "/bar/bar/"),
            ("/${NONE:-a$FOO}", "/a$FOO"),
            ("$$FOO/$/$_/$NONE", "$FOO/$/$_/"),
            ("/${}/x", "/${}/x"),
        ] {
            assert_eq!(substitute(text, &variable).as_deref(), Ok(wanted), "{text}");
        }
        for text in ["/${FOO", "/${NONE:-$FOO/x}"] {
            assert!(substitute(text, &variable).is_err(), "{text}");
        }
    }
}
