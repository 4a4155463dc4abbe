//! The arguments that the configuration of a plugin gives it: `argsOneLiner` and `argsFromFile`.

use crate::decode::Decoder;
use crate::load::Loader;
use crate::parse::text_of;
use onepane_diagnostics::{Diagnostic, Result};
use onepane_yaml::Node;

/// The words of the line, then the lines of the file.
pub(super) fn arguments(config: &Node, loader: &Loader<'_>) -> Result<Vec<String>> {
    let decoder = Decoder::lenient("plugin");
    let mut arguments = Vec::new();
    let mut file = None;
    decoder.fields(config, &["argsOneLiner", "argsFromFile"], |field, value| {
        match field {
            "argsOneLiner" => {
                let line = decoder.string(value)?;
                let words = words(&line).map_err(|problem| {
                    Diagnostic::error("kustomize-plugin", format!("failed to parse argsOneLiner: {problem}"))
                })?;
                arguments.splice(0..0, words);
            }
            _ => file = Some(decoder.located(value)?),
        }
        Ok(())
    })?;
    if let Some(file) = file.filter(|file| !file.text.is_empty()) {
        let loaded = loader.load(&file.text, file.span)?;
        let lines = text_of(&loaded.bytes, loaded.file)?.split('\n').map(|line| line.trim_start_matches(' '));
        arguments.extend(lines.filter(|line| !line.is_empty()).map(str::to_owned));
    }
    Ok(arguments)
}

/// Words as a shell parts them, without its variables: quotes of both kinds, backslashes, and a comment at the end.
/// Empty quotes give no word.
fn words(line: &str) -> std::result::Result<Vec<String>, &'static str> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let (mut quote, mut escaped) = (None, false);
    for c in line.chars() {
        match (c, quote) {
            _ if escaped => {
                word.push(c);
                escaped = false;
            }
            ('\\', None | Some('"')) => escaped = true,
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            ('#', None) => break,
            (c, None) if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            (c, _) => word.push(c),
        }
    }
    if quote.is_some() {
        return Err("unclosed quote in string");
    }
    if !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn a_line_is_parted_as_by_a_shell() {
        for (line, wanted) in [
            ("", &[][..]),
            ("a  b\tc", &["a", "b", "c"]),
            (r#"a 'b c' "d e" f\ g"#, &["a", "b c", "d e", "f g"]),
            (r#"'a\' "b\"" '"'"#, &[r"a\", "b\"", "\""]),
            ("a'b'c #d", &["abc"]),
            ("a#b 'c", &["a"]),
            ("'' a", &["a"]),
            ("a\\", &["a"]),
        ] {
            assert_eq!(
                words(line).as_deref(),
                Ok(&wanted.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()[..]),
                "{line}"
            );
        }
        assert!(words("a 'b").is_err());
    }
}
