//! Texts that `tpl` may be given: what of them can be followed.

use onepane_functions::HELM;
use onepane_template::syntax::{Definition, definitions};
use onepane_value::{Data, Value};

/// Longer texts are data that happen to hold braces.
const LONGEST: usize = 512 << 10;

/// A text as templates, itself last; `None` where it is none.
///
/// Charts put texts together, as in `cat "{{ with .a }}" text "{{ end }}"`: a piece that opens or closes a block is
/// completed. What is put between the pieces would see their dot, so that all of it is then read.
pub(crate) fn parse(text: &str) -> Option<Vec<Definition>> {
    if text.len() > LONGEST {
        return None;
    }
    let parse = |text: &str| definitions("tpl", None, text, &HELM).ok();
    parse(text)
        .or_else(|| parse(&format!("{text}{{{{ . }}}}{{{{ end }}}}")))
        .or_else(|| parse(&format!("{{{{ if true }}}}{text}")))
}

/// The paths behind `.Values` in a text that is no template by itself, as a part of one may be none.
pub(crate) fn paths(text: &str) -> Vec<Vec<String>> {
    let is_name = |character: char| character.is_alphanumeric() || character == '_';
    let found = text.split(".Values").skip(1).map(|rest| {
        let end = rest.find(|character| !is_name(character) && character != '.').unwrap_or(rest.len());
        rest[..end].split('.').filter(|name| !name.is_empty()).map(str::to_owned).collect()
    });
    found.take(1000).collect()
}

/// Calls `visit` with every string in a value that may be a template or a part of one, keys too.
pub(crate) fn strings_in(value: &Value, visit: &mut dyn FnMut(&str)) {
    let mut text = |text: &onepane_value::Text| {
        if text.windows(2).any(|pair| pair == b"{{") {
            visit(&text.to_str());
        }
    };
    match &value.data {
        Data::String(string) => text(string),
        Data::Map(map) => {
            map.for_each(|key, _| text(key));
            map.for_each(|_, value| strings_in(value, visit));
        }
        Data::List(list) => list.iter().for_each(|item| strings_in(item, visit)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_templates_are_completed() {
        for text in ["{{ .a }}", "{{ with .a }}", "{{ end }}"] {
            assert!(parse(text).is_some(), "{text}");
        }
        assert!(parse("{{").is_none());
    }

    #[test]
    fn paths_are_found_in_what_is_no_template() {
        assert_eq!(paths("{{ $x.Values.a.b }} {{ .Values }}"), [vec!["a".to_owned(), "b".to_owned()], vec![]]);
    }
}
