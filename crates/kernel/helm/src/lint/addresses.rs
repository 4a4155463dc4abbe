//! Mail and web addresses, as far as the libraries that Helm asks take them for such: Go's net/url and govalidator.

use onepane_functions::Address;
use regex::Regex;
use std::sync::LazyLock;

/// Letters beyond ASCII that mail addresses may have.
const WIDE: &str = r"\x{A0}-\x{D7FF}\x{F900}-\x{FDCF}\x{FDF0}-\x{FFEF}";
/// Letters that hosts may have.
const LETTER: &str = r"a-zA-Z\x{A1}-\x{FFFF}";

/// What has a scheme, and a request could name.
pub(super) fn is_request_url(text: &str) -> bool {
    Address::is_request(text)
}

/// `people@example.com`
pub(super) fn is_email(text: &str) -> bool {
    static EMAIL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&email()).ok());
    EMAIL.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

fn email() -> String {
    let atom = format!(r"[a-zA-Z0-9!#$%&'*+\-/=?^_`{{|}}~{WIDE}]+");
    let blanks = r"(?:(?:[ \t]*\r\n)?[ \t]+)?";
    let quotable = format!(r"[\x01-\x08\x0B\x0C\x0E-\x1F\x7F!\x23-\x5B\x5D-\x7E{WIDE}]");
    // Two slips of govalidator: what it means to escape with a backslash, it escapes with a parenthesis, and each
    // character of the quoted text wants a quotation mark before it.
    let escaped = format!(r"\([\x01-\x09\x0B-\x7F{WIDE}]");
    let quoted = format!(r#"(?:"{blanks}(?:{quotable}|{escaped}))*{blanks}""#);
    // A part's middle may have dots: `a@b..c` is one part and a last one.
    let part = format!(r"[a-zA-Z0-9{WIDE}](?:[a-zA-Z0-9\-._~{WIDE}]*[a-zA-Z0-9{WIDE}])?");
    let last = format!(r"[a-zA-Z{WIDE}](?:[a-zA-Z0-9\-_~{WIDE}]*[a-zA-Z{WIDE}])?");
    format!(r"^(?:{atom}(?:\.{atom})*|{quoted})@(?:{part}\.)+{last}\.?$")
}

/// A web address as people write it, with or without a scheme: `example.com/people`.
pub(super) fn is_url(text: &str) -> bool {
    const LONGEST: usize = 2083;
    const SHORTEST: usize = 4;
    if text.len() < SHORTEST || text.chars().count() >= LONGEST || text.starts_with('.') {
        return false;
    }
    let without_scheme = text.contains(':') && !text.contains("://");
    let address = if without_scheme {
        Address::parse(format!("http://{text}").as_bytes())
    } else {
        Address::parse(text.as_bytes())
    };
    let Ok(address) = address else { return false };
    if address.host.starts_with(b".")
        || address.host.is_empty() && !address.path.is_empty() && !address.path.contains(&b'.')
    {
        return false;
    }
    static URL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&url()).ok());
    URL.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

fn url() -> String {
    let blank = r"\t\n\x0C\r ";
    let user = format!(r"[^{blank}]+(?::[^{blank}]*)?@");
    let first = r"(?:[1-9][0-9]?|1[0-9][0-9]|2[01][0-9]|22[0-3]|24[0-9]|25[0-5])";
    let byte = r"(?:[0-9]{1,2}|1[0-9][0-9]|2[0-4][0-9]|25[0-5])";
    let labels = r"[a-zA-Z0-9](?:[a-zA-Z0-9\-_]+)?[a-zA-Z0-9](?:[-.][a-zA-Z0-9]+)*";
    let below = r"www\.|[a-zA-Z0-9]+(?:[-_.]?[a-zA-Z0-9])*[a-zA-Z0-9]\.[a-zA-Z0-9]+";
    let name = format!(r"(?:{labels}|{below})?(?:[{LETTER}0-9]+-?-?)*[{LETTER}0-9]+(?:\.[{LETTER}]+)?");
    let ip_v6 = ip_v6();
    format!(
        r"^(?:(?:ftp|tcp|udp|wss?|https?)://)?(?:{user})?(?:{first}(?:\.{byte}){{3}}|\[(?:{ip_v6})\]|{name})\.?(?::[0-9]{{1,5}})?(?:[/?#][^{blank}]*)?$"
    )
}

/// The eight groups of an IPv6 address, one run of which `::` may stand for, the last two of which may be IPv4.
fn ip_v6() -> String {
    let group = "[0-9a-fA-F]{1,4}";
    let byte = r"(?:25[0-5]|(?:2[0-4]|1?[0-9])?[0-9])";
    let ip_v4 = format!(r"(?:{byte}\.){{3}}{byte}");
    let mut forms = vec![format!("(?:{group}:){{7}}{group}"), format!("(?:{group}:){{1,7}}:")];
    forms.extend((1..7).map(|after| format!("(?:{group}:){{1,{}}}(?::{group}){{1,{after}}}", 7 - after)));
    forms.push(format!(":(?:(?::{group}){{1,7}}|:)"));
    forms.push("fe80:(?::[0-9a-fA-F]{0,4}){0,4}%[0-9a-zA-Z]+".to_owned());
    forms.push(format!("::(?:ffff(?::0{{1,4}})?:)?{ip_v4}"));
    forms.push(format!("(?:{group}:){{1,4}}:{ip_v4}"));
    forms.join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers of govalidator.
    #[test]
    fn quoted_names_of_mail_addresses_are_an_odd_lot() {
        for text in ["\"a\"@c.de", "\"@c.de", "\"a\"b\"@c.de", "\" a\"@c.de", "\"(\"\"@c.de", " \"@c.de"] {
            assert!(is_email(text), "{text}");
        }
        for text in ["\"a b\"@c.de", "\"ab\"@c.de", "\"\"@c.de", "\"a\\\"b\"@c.de"] {
            assert!(!is_email(text), "{text}");
        }
    }
}
