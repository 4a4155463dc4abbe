//! A URL taken apart: [`Address`], Go's `url.URL`.

use super::escape::{Part, escape, unescape};
use onepane_value::{Text, Value, format};
use std::net::Ipv6Addr;

/// The parts of a URL, their escapes resolved.
#[derive(Default)]
pub struct Address {
    pub(super) scheme: Vec<u8>,
    pub(super) opaque: Vec<u8>,
    pub(super) user: Option<User>,
    /// With the port.
    pub host: Vec<u8>,
    /// What follows the host, up to the query.
    pub path: Vec<u8>,
    pub(super) query: Vec<u8>,
    pub(super) fragment: Vec<u8>,
}

/// What stands before `@`.
pub(super) struct User {
    name: Vec<u8>,
    password: Option<Vec<u8>>,
}

impl User {
    pub(super) fn escaped(&self) -> Vec<u8> {
        let mut out = escape(&self.name, Part::User);
        if let Some(password) = &self.password {
            out.push(b':');
            out.extend(escape(password, Part::User));
        }
        out
    }
}

/// The bytes as Go's `%q` prints them.
pub(super) fn quoted(bytes: &[u8]) -> Text {
    format::sprintf(b"%q", &[Value::string(Text::from(bytes))])
}

fn cut(text: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|byte| *byte == separator) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

impl Address {
    /// Whether `text` has a scheme and is a URL as a request would name it: Go's `url.ParseRequestURI`.
    pub fn is_request(text: &str) -> bool {
        Self::parse_without_fragment(text.as_bytes()).is_ok_and(|address| !address.scheme.is_empty())
    }

    /// Takes a URL apart; the error is Go's.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let (before, fragment) = cut(text, b'#');
        let mut address =
            Self::parse_without_fragment(before).map_err(|error| format!("parse {}: {error}", quoted(before)))?;
        if let Some(fragment) = fragment {
            address.fragment =
                unescape(fragment, Part::Fragment).map_err(|error| format!("parse {}: {error}", quoted(text)))?;
        }
        Ok(address)
    }

    fn parse_without_fragment(text: &[u8]) -> Result<Self, String> {
        if text.iter().any(|byte| *byte < b' ' || *byte == 0x7f) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        let mut address = Self::default();
        if text == b"*" {
            address.path = text.to_vec();
            return Ok(address);
        }
        let (scheme, rest) = split_scheme(text)?;
        address.scheme = scheme.to_ascii_lowercase();
        let (mut rest, query) = cut(rest, b'?');
        address.query = query.unwrap_or_default().to_vec();
        if !rest.starts_with(b"/") {
            if !scheme.is_empty() {
                address.opaque = rest.to_vec();
                return Ok(address);
            }
            if cut(rest, b'/').0.contains(&b':') {
                return Err("first path segment in URL cannot contain colon".to_owned());
            }
        }
        if rest.starts_with(b"//") && (!scheme.is_empty() || !rest.starts_with(b"///")) {
            let authority = &rest[2..];
            let end = authority.iter().position(|byte| *byte == b'/').unwrap_or(authority.len());
            rest = &authority[end..];
            address.parse_authority(&authority[..end])?;
        }
        address.path = unescape(rest, Part::Path)?;
        Ok(address)
    }

    fn parse_authority(&mut self, authority: &[u8]) -> Result<(), String> {
        let at = authority.iter().rposition(|byte| *byte == b'@');
        self.host = parse_host(&self.scheme, &authority[at.map_or(0, |at| at + 1)..])?;
        let Some(at) = at else { return Ok(()) };
        let user = &authority[..at];
        if !user.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte)) {
            return Err("net/url: invalid userinfo".to_owned());
        }
        let (name, password) = cut(user, b':');
        let name = unescape(name, Part::User)?;
        let password = password.map(|password| unescape(password, Part::User)).transpose()?;
        self.user = Some(User { name, password });
        Ok(())
    }

    /// The host without port and brackets.
    pub(super) fn hostname(&self) -> &[u8] {
        let host = &*self.host;
        let without_port = match host.iter().rposition(|byte| *byte == b':') {
            Some(colon) if host[colon + 1..].iter().all(u8::is_ascii_digit) => &host[..colon],
            _ => host,
        };
        match without_port {
            [b'[', inner @ .., b']'] => inner,
            other => other,
        }
    }

    /// Puts the parts together.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        let mut out = self.scheme;
        let has_scheme = !out.is_empty();
        if has_scheme {
            out.push(b':');
        }
        if !self.opaque.is_empty() {
            out.extend(&self.opaque);
        } else {
            if !self.host.is_empty() || self.user.is_some() || (has_scheme && !self.path.is_empty()) {
                out.extend(b"//");
            }
            if let Some(user) = &self.user {
                out.extend(user.escaped());
                out.push(b'@');
            }
            out.extend(escape(&self.host, Part::Host));
            let path = if self.path == b"*" { self.path } else { escape(&self.path, Part::Path) };
            if !path.is_empty() && path[0] != b'/' && !self.host.is_empty() {
                out.push(b'/');
            }
            if out.is_empty() && cut(&path, b'/').0.contains(&b':') {
                out.extend(b"./");
            }
            out.extend(path);
        }
        if !self.query.is_empty() {
            out.push(b'?');
            out.extend(&self.query);
        }
        if !self.fragment.is_empty() {
            out.push(b'#');
            out.extend(escape(&self.fragment, Part::Fragment));
        }
        out
    }
}

/// The scheme, empty where there is none, and what stands behind its colon.
fn split_scheme(text: &[u8]) -> Result<(&[u8], &[u8]), String> {
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return Err("missing protocol scheme".to_owned()),
            b':' => return Ok((&text[..at], &text[at + 1..])),
            _ => break,
        }
    }
    Ok((&[], text))
}

fn parse_host(scheme: &[u8], host: &[u8]) -> Result<Vec<u8>, String> {
    match host.iter().rposition(|byte| *byte == b'[') {
        Some(0) => return parse_bracketed_host(host),
        Some(_) => return Err("invalid IP-literal".to_owned()),
        None => {}
    }
    let first = host.iter().position(|byte| *byte == b':');
    // Only for the web's own schemes does Go refuse a second colon.
    let colon = if matches!(scheme, b"http" | b"https") { first } else { host.iter().rposition(|byte| *byte == b':') };
    check_port(&host[colon.unwrap_or(host.len())..])?;
    unescape(host, Part::Host)
}

/// `[fe80::1%25eth0]:80`
fn parse_bracketed_host(host: &[u8]) -> Result<Vec<u8>, String> {
    let close = host.iter().rposition(|byte| *byte == b']').ok_or("missing ']' in host")?;
    let port = &host[close + 1..];
    check_port(port)?;
    let name = &host[1..close];
    let zone = name.windows(3).position(|window| window == b"%25").unwrap_or(name.len());
    let mut address = unescape(&name[..zone], Part::Host)?;
    address.extend(unescape(&name[zone..], Part::Zone)?);
    let text = String::from_utf8_lossy(&address);
    let (ip, zone) = text.split_once('%').map_or((&*text, None), |(ip, zone)| (ip, Some(zone)));
    if ip.parse::<std::net::Ipv4Addr>().is_ok() {
        return Err("invalid IP-literal".to_owned());
    }
    if ip.parse::<Ipv6Addr>().is_err() || zone == Some("") {
        let reason = if zone == Some("") { "zone must be a non-empty string" } else { "unable to parse IP" };
        return Err(format!("invalid host: ParseAddr({}): {reason}", quoted(&address)));
    }
    Ok([b"[", &*address, b"]", port].concat())
}

fn check_port(port: &[u8]) -> Result<(), String> {
    match port {
        [] => Ok(()),
        [b':', digits @ ..] if digits.iter().all(u8::is_ascii_digit) => Ok(()),
        _ => Err(format!("invalid port {} after host", quoted(port))),
    }
}
