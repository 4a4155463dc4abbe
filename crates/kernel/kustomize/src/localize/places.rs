//! Where what is named by URL goes in a copy, and how one folder is named from another.

use crate::remote::RepositoryUrl;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_world::normalize;
use std::fmt::Write as _;

/// The folder beside a kustomization for what it names by URL.
pub(super) const REMOTE_FOLDER: &str = "localized-files";

/// Where repositories of this machine go within that.
const FILE_FOLDER: &str = "file-schemed";

/// The place of an HTTP file: below its host, by its path.
pub(super) fn file_place(url: &str) -> Option<Utf8PathBuf> {
    let url = url.split('#').next().unwrap_or_default();
    let url = url.split('?').next().unwrap_or_default();
    let (_, rest) = url.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    Some(below(host_name(authority)?, &escaped(path)))
}

/// The place of the folder `within` a repository: below host, path and revision.
///
/// # Errors
/// Where the host can't be told.
pub(super) fn repository_place(url: &RepositoryUrl, within: &Utf8Path) -> Option<Utf8PathBuf> {
    let (host, path) = url.host_and_path();
    let host = match host.split_once("://") {
        Some(("file", _)) => FILE_FOLDER,
        Some((_, host)) => host_name(host)?,
        None => host_name(host)?,
    };
    let path = path.strip_suffix(".git").unwrap_or(path);
    let revision = url.reference.as_deref().unwrap_or_default();
    Some(normalize(&below(host, path).join(revision).join(within)))
}

/// `localized-files/<host>/<path>`; dots in the path lead nowhere above the host.
fn below(host: &str, path: &str) -> Utf8PathBuf {
    let path = normalize(&Utf8Path::new("/").join(path.trim_start_matches('/')));
    Utf8Path::new(REMOTE_FOLDER).join(host).join(path.strip_prefix("/").unwrap_or(&path))
}

/// The name in `user:password@name:port/`.
fn host_name(authority: &str) -> Option<&str> {
    let authority = authority.trim_end_matches('/');
    let authority = authority.strip_suffix(':').unwrap_or(authority);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (name, port) = match host.strip_prefix('[') {
        Some(address) => address.split_once(']')?,
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let port = port.strip_prefix(':').unwrap_or(port);
    (port.bytes().all(|byte| byte.is_ascii_digit()) && !matches!(name, "" | "." | "..")).then_some(name)
}

/// A path as Go asks a server for it: as it is written where that is allowed, else escaped anew.
fn escaped(path: &str) -> String {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@!'()*[]%".contains(&byte);
    if path.bytes().all(allowed) {
        return path.to_owned();
    }
    let mut text = String::with_capacity(path.len());
    for byte in unescaped(path) {
        if byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte) {
            text.push(char::from(byte));
        } else {
            _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

fn unescaped(path: &str) -> Vec<u8> {
    let (bytes, mut plain) = (path.as_bytes(), Vec::with_capacity(path.len()));
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = (byte == b'%').then(|| path.get(at + 1..at + 3)).flatten();
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                plain.push(byte);
                at += 3;
            }
            None => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    plain
}

/// The path that leads from one folder to another; both are absolute.
pub(super) fn relative(from: &Utf8Path, to: &Utf8Path) -> Utf8PathBuf {
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| "..");
    let path: Utf8PathBuf = up.chain(to.components().skip(shared).map(|part| part.as_str())).collect();
    if path.as_str().is_empty() { Utf8PathBuf::from(".") } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_files_go_below_their_host() {
        for (url, wanted) in [
            ("https://user:word@Host.example:8080/a/b.yaml?x=y#z", "Host.example/a/b.yaml"),
            ("http://[::1]:80/a/../../b", "::1/b"),
            // An escaped slash is escaped no more where the whole is escaped anew.
            ("https://host/a%2fb c/ü!", "host/a/b%20c/%C3%BC%21"),
            ("https://host/a%2fb!", "host/a%2fb!"),
            ("HTTPS://host", "host"),
        ] {
            assert_eq!(file_place(url), Some(Utf8Path::new(REMOTE_FOLDER).join(wanted)), "{url}");
        }
        for url in ["https://../x", "https://host:port/x", "https:///x"] {
            assert_eq!(file_place(url), None, "{url}");
        }
    }

    #[test]
    fn repositories_go_below_host_path_and_revision() {
        for (url, wanted) in [
            ("https://github.com/org/repo/x?ref=v1", "github.com/org/repo/v1/in"),
            ("git@github.com:org/repo.git?ref=a/b", "github.com/org/repo/a/b/in"),
            ("ssh://git@host:2222/org/repo.git//x?ref=v1", "host/org/repo/v1/in"),
            ("file:///srv/../repo.git?version=v1", "file-schemed/repo/v1/in"),
            ("me@host:org/repo/a?ref=v1", "host/org/repo/v1/in"),
        ] {
            let url = RepositoryUrl::parse(url).expect("it names a repository");
            let place = repository_place(&url, "in".into());
            assert_eq!(place, Some(Utf8Path::new(REMOTE_FOLDER).join(wanted)), "{url:?}");
        }
    }

    #[test]
    fn folders_are_named_from_one_another() {
        for (from, to, wanted) in
            [("/a/b", "/a/c/d", "../c/d"), ("/a", "/a", "."), ("/a", "/a/b", "b"), ("/", "/a", "a")]
        {
            assert_eq!(relative(from.into(), to.into()), wanted, "{from} {to}");
        }
    }
}
