//! Addresses of files as editors write them: [`Roots`].

use camino::{Utf8Path, Utf8PathBuf};
use lsp_types::Uri;

/// Where the repository is: its real folder, and how the editor calls it.
#[derive(Clone, Debug)]
pub(crate) struct Roots {
    /// With no link on the way.
    pub(crate) real: Utf8PathBuf,
    /// As the editor has it.
    pub(crate) called: Utf8PathBuf,
}

impl Roots {
    /// The path of a file from the root of the repository; `None` for what is elsewhere, or no file.
    pub(crate) fn path(&self, uri: &Uri) -> Option<Utf8PathBuf> {
        let path = onepane_world::normalize(&path_of(uri)?);
        if let Ok(below) = path.strip_prefix(&self.real).or_else(|_| path.strip_prefix(&self.called)) {
            return (!below.as_str().is_empty()).then(|| below.to_owned());
        }
        let folder = path.parent()?.canonicalize_utf8().ok()?;
        Some(folder.strip_prefix(&self.real).ok()?.join(path.file_name()?))
    }

    /// The address of a file of the repository.
    pub(crate) fn uri(&self, path: &Utf8Path) -> Option<Uri> {
        uri_of(&self.called.join(path))
    }
}

/// The path that a `file:` address means.
pub(crate) fn path_of(uri: &Uri) -> Option<Utf8PathBuf> {
    let rest = uri.as_str().strip_prefix("file://")?;
    // Only this machine's own files.
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return None;
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, after @ ..] = rest {
        rest = match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digits = std::str::from_utf8(&[*high, *low]).ok()?.to_owned();
                bytes.push(u8::from_str_radix(&digits, 16).ok()?);
                after
            }
            (b'?' | b'#', _) => break,
            (other, after) => {
                bytes.push(*other);
                after
            }
        };
    }
    String::from_utf8(bytes).ok().filter(|path| !path.contains('\0')).map(Utf8PathBuf::from)
}

fn uri_of(path: &Utf8Path) -> Option<Uri> {
    let mut text = String::from("file://");
    for byte in path.as_str().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => text.push(byte as char),
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_back_and_others_are_none() {
        let roots = Roots { real: "/real/re po".into(), called: "/called/re po".into() };
        let uri = roots.uri("clusters/ä b.yaml".into()).expect("it has one");
        assert_eq!(uri.as_str(), "file:///called/re%20po/clusters/%C3%A4%20b.yaml");
        assert_eq!(roots.path(&uri), Some("clusters/ä b.yaml".into()));
        let path = |text: &str| roots.path(&text.parse().expect("it is a URI"));
        assert_eq!(path("file:///real/re%20po/a/../b"), Some("b".into()));
        for other in
            ["untitled:Untitled-1", "file:///etc/passwd", "file:///real/re%20po/../x", "http://h/real/re%20po/a"]
        {
            assert_eq!(path(other), None, "{other}");
        }
    }
}
