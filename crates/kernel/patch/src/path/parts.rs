//! Paths into parts.

/// A dotted path into its parts, as replacements write it.
///
/// `\.` is a dot within a part, and so is one between brackets: `[name=a.b]` stays as it is, and a bracket without `=`
/// is the name of a field: `metadata.annotations.[a.b/c]`.
pub fn split(path: &str) -> Vec<String> {
    let mut result = Vec::new();
    let mut parts = split_at(path, '.').into_iter();
    while let Some(part) = parts.next() {
        if !part.starts_with('[') || part.ends_with(']') {
            result.push(part);
            continue;
        }
        let mut bracketed = part;
        for part in parts.by_ref() {
            bracketed.push('.');
            bracketed.push_str(&part);
            if part.ends_with(']') {
                break;
            }
        }
        if bracketed.contains('=') {
            result.push(bracketed);
        } else {
            result.push(bracketed.trim_matches(['[', ']']).to_owned());
        }
    }
    result
}

/// The parts of a path between `separator`s that no `\` precedes. A separator at the start is left out.
pub(super) fn split_at(path: &str, separator: char) -> Vec<String> {
    let mut pieces = path.split(separator);
    let mut result: Vec<String> = Vec::new();
    if path.starts_with(separator) {
        pieces.next();
    }
    for piece in pieces {
        match result.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push(separator);
                last.push_str(piece);
            }
            _ => result.push(piece.to_owned()),
        }
    }
    result
}

/// What a part of a dotted path asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'p> {
    /// `name`
    Field(&'p str),
    /// `0`, as Go's Atoi reads it; may be negative.
    Index(i64),
    /// `-`
    Last,
    /// `*`
    Every,
    /// `[key=value]`, or `[=value]` with an empty key.
    Element { key: &'p str, value: &'p str },
    /// `[…]` without `=`
    Malformed,
}

impl<'p> Part<'p> {
    pub(super) fn parse(part: &'p str) -> Self {
        if let Some(index) = parse_index(part) {
            return Self::Index(index);
        }
        match part {
            "-" => Self::Last,
            "*" => Self::Every,
            _ => match part.strip_prefix('[').and_then(|part| part.strip_suffix(']')) {
                Some(inner) => match inner.split_once('=') {
                    Some((key, value)) => Self::Element { key, value },
                    None => Self::Malformed,
                },
                None => Self::Field(part),
            },
        }
    }

    /// Whether what this part looks into is a list.
    pub(super) fn is_of_list(&self) -> bool {
        match self {
            Self::Index(index) => *index >= 0,
            Self::Element { .. } | Self::Malformed => true,
            Self::Field(_) | Self::Last | Self::Every => false,
        }
    }
}

/// `strconv.Atoi`: an optional sign and decimal digits.
fn parse_index(part: &str) -> Option<i64> {
    let digits = part.strip_prefix(['+', '-']).unwrap_or(part);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    part.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotted_paths_keep_brackets_and_escapes() {
        for (path, parts) in [
            ("a.b.c", &["a", "b", "c"][..]),
            (".a.b", &["a", "b"]),
            ("a.b\\.c.d", &["a", "b.c", "d"]),
            ("spec.containers.[name=a.b].image", &["spec", "containers", "[name=a.b]", "image"]),
            ("metadata.annotations.[a.b.c/d]", &["metadata", "annotations", "a.b.c/d"]),
            ("a.[b].c", &["a", "[b]", "c"]),
            ("a.[b.c", &["a", "b.c"]),
            ("", &[""]),
            ("a.", &["a", ""]),
            ("a\\", &["a\\"]),
        ] {
            assert_eq!(split(path), parts, "{path}");
        }
    }

    #[test]
    fn parts_are_told_apart() {
        for (text, part) in [
            ("a", Part::Field("a")),
            ("12", Part::Index(12)),
            ("-1", Part::Index(-1)),
            ("99999999999999999999", Part::Field("99999999999999999999")),
            ("-", Part::Last),
            ("*", Part::Every),
            ("[a=b=c]", Part::Element { key: "a", value: "b=c" }),
            ("[=x]", Part::Element { key: "", value: "x" }),
            ("[a]", Part::Malformed),
            ("[", Part::Field("[")),
        ] {
            assert_eq!(Part::parse(text), part, "{text}");
        }
    }
}
