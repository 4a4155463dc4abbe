//! Addresses as Helm compares and joins them.

use crate::failure::refused;
use crate::secret::shown;
use onepane_diagnostics::Result;
use url::Url;

/// An address in an index, relative to its repository's. The repository's query is carried over, as in Helm.
///
/// Error: `fetch-refused` for what is no address.
pub(crate) fn resolve(base: &str, reference: &str) -> Result<String> {
    if Url::parse(reference).is_ok() {
        return Ok(reference.to_owned());
    }
    let failed = |text: &str| refused(format!("failed to parse {} as URL", shown(text)));
    let mut base = Url::parse(base).map_err(|_| failed(base))?;
    let query = base.query().map(str::to_owned);
    let path = format!("{}/", base.path().strip_suffix('/').unwrap_or(base.path()));
    base.set_path(&path);
    let mut joined = base.join(reference).map_err(|_| failed(reference))?;
    joined.set_query(query.as_deref());
    Ok(joined.into())
}

/// Whether two addresses are the same but for slashes and dots in their paths.
pub(crate) fn same(a: &str, b: &str) -> bool {
    normal(a) == normal(b)
}

fn normal(address: &str) -> String {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    let (place, query) = rest.split_at(end);
    let (host, path) = place.split_at(place.find('/').unwrap_or(place.len()));
    format!("{scheme}://{host}{}{query}", clean(path))
}

/// An absolute path without dots and doubled slashes.
fn clean(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// `base` with more of a path: `URLJoin` of Helm, for `repo index --url`. What is no address is joined as a path.
pub(crate) fn join(base: &str, path: &str) -> String {
    if base.is_empty() {
        return path.trim_matches('/').to_owned();
    }
    let (scheme, rest) = match base.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), base),
    };
    let (place, query) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
    let (host, folder) = place.split_at(place.find('/').unwrap_or(place.len()));
    let folder = clean(&format!("{folder}/{path}"));
    // A bare host stays bare.
    let folder = if folder == "/" && path.is_empty() { "" } else { &folder };
    format!("{scheme}{host}{folder}{query}")
}

/// The last component of an address's path, decoded: the file that an archive is saved as.
pub(crate) fn file_name(address: &str) -> Result<String> {
    let url = crate::session::parse(address)?;
    let path = decoded(url.path());
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    if name.is_empty() || name == "." || name == ".." || name.contains(['\\', '\0']) {
        return Err(refused(format!("invalid chart URL format: {}", shown(address)))
            .hint("the address must end in the name of an archive"));
    }
    Ok(name)
}

fn decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_joined_and_compared_as_helm_does() {
        for (base, reference, wanted) in [
            ("http://h/a", "x.tgz", "http://h/a/x.tgz"),
            ("http://h/a/", "b/x.tgz", "http://h/a/b/x.tgz"),
            ("http://h/a?t=1", "x.tgz", "http://h/a/x.tgz?t=1"),
            ("http://h/a", "/x.tgz", "http://h/x.tgz"),
            ("http://h/a", "https://o/x.tgz", "https://o/x.tgz"),
        ] {
            assert_eq!(resolve(base, reference).expect(base), wanted);
        }
        assert!(same("http://h", "http://h/") && same("http://h/a//b/", "http://h/a/b"));
        assert!(!same("http://h/a", "https://h/a") && !same("http://h/a", "http://h/b"));
        assert_eq!(join("http://h:1", ""), "http://h:1");
        assert_eq!(join("http://h:1/a/", "b"), "http://h:1/a/b");
        assert_eq!(join("charts", "b"), "charts/b");
        assert_eq!(file_name("http://h/a/b-1.0.0%2Bx.tgz").expect("it has one"), "b-1.0.0+x.tgz");
        assert_eq!(file_name("http://h/a/..%2F..%2Fb").expect("it has one"), "b");
        file_name("http://h/").expect_err("it has none");
    }
}
