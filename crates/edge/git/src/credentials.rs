//! Addresses without what gets somebody in.

/// An address to be shown: `https://user:password@host` is `https://***@host`. A user alone may be a token where HTTP is
/// spoken; with ssh it is a name.
pub(crate) fn shown_url(url: &str) -> String {
    match credentials(url) {
        Some(secret) => url.replacen(&format!("{secret}@"), "***@", 1),
        None => url.to_owned(),
    }
}

/// A text about an address, in which neither its user nor its password stands, nor those of other addresses in it.
pub(crate) fn without_credentials(text: &str, url: &str) -> String {
    let mut text = shown_urls(text);
    if let Some(secret) = credentials(url) {
        text = text.replace(secret, "***");
        if let Some((_, password)) = secret.split_once(':')
            && !password.is_empty()
        {
            text = text.replace(password, "***");
        }
    }
    text
}

/// A text with all addresses in it as they may be shown.
pub(crate) fn shown_urls(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let begin = rest[..at].rfind(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '-' | '.'));
        let begin = begin.map_or(0, |before| before + rest[before..].chars().next().map_or(1, char::len_utf8));
        let end =
            rest[at..].find(|c: char| c.is_whitespace() || matches!(c, '\'' | '"')).map_or(rest.len(), |end| at + end);
        clean.push_str(&rest[..begin]);
        clean.push_str(&shown_url(&rest[begin..end]));
        rest = &rest[end..];
    }
    clean.push_str(rest);
    clean
}

/// `user:password`, or a token, as addresses of HTTP have it; of ssh it is a name only, unless a password is with it.
fn credentials(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split('/').next()?;
    let (secret, _) = host.rsplit_once('@')?;
    (scheme.starts_with("http") || secret.contains(':')).then_some(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_shown() {
        let cases = [
            ("https://user:secret@h/o/r", "https://***@h/o/r"),
            ("https://ghp_token@h/o/r", "https://***@h/o/r"),
            ("ssh://git@h/o/r", "ssh://git@h/o/r"),
            ("ssh://git:pw@h/o/r", "ssh://***@h/o/r"),
            ("git@h:o/r@1", "git@h:o/r@1"),
            ("https://h/o/@r", "https://h/o/@r"),
        ];
        for (url, shown) in cases {
            assert_eq!(shown_url(url), shown);
        }
        let told =
            "fatal: can't ask 'https://user:secret@h/o/r' as user:secret, with secret, or ä http://a:b@c@i/ first";
        assert_eq!(
            without_credentials(told, "https://user:secret@h/o/r"),
            "fatal: can't ask 'https://***@h/o/r' as ***, with ***, or ä http://***@i/ first"
        );
        assert_eq!(shown_urls("nothing: here"), "nothing: here");
    }
}
