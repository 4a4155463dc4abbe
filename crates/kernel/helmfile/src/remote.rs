//! Addresses of files and folders elsewhere, as states name them: [`RemoteSource`].

use crate::outside::Outside;
use crate::reference;
use camino::Utf8PathBuf;
use onepane_diagnostics::{Diagnostic, Result, Span};
use sha2::{Digest, Sha256};

/// An address in the form of Helmfile and go-getter: `git::https://host/repository.git@path/to/file?ref=v1`, or that of
/// a file at an HTTP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteSource {
    /// What stands before `::`; empty for the address of a file.
    pub getter: String,
    /// `https`, `ssh`, `file` and so on.
    pub scheme: String,
    /// The user and perhaps a password.
    pub user: String,
    /// The server, with a port where one is named.
    pub host: String,
    /// The path of the repository or folder, without a slash in front.
    pub folder: String,
    /// The path of the file or folder in it.
    pub file: String,
    /// What stands behind `?`, in its order, decoded.
    pub query: Vec<(String, String)>,
    /// Whether what is wanted of the repository stands behind an `@`.
    pub has_selector: bool,
    /// The address as it is written.
    pub address: String,
}

impl RemoteSource {
    /// The address in `text`; `None` for the path of a file on this machine.
    pub fn parse(text: &str) -> Option<Self> {
        let (getter, address) = match text.split("::").collect::<Vec<_>>().as_slice() {
            [getter, address] => (*getter, *address),
            _ => ("", text),
        };
        let (scheme, rest) = address.split_once("://")?;
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        let is_file = getter.is_empty() && ["s3", "http", "https"].contains(&&*scheme.to_ascii_lowercase());
        if !is_scheme || rest.contains("://") || getter.is_empty() && !is_file {
            return None;
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (server, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, host) = server.rsplit_once('@').unwrap_or(("", server));
        let path = decoded(path);
        let parts: Vec<&str> = path.split('@').collect();
        let has_selector = !is_file && parts.len() == 2;
        let (folder, file) =
            if has_selector { (parts[0], parts[1]) } else { path.rsplit_once('/').unwrap_or(("", &path)) };
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(&key.replace('+', " ")), decoded(&value.replace('+', " ")))
        });
        Some(Self {
            getter: getter.to_owned(),
            scheme: scheme.to_ascii_lowercase(),
            user: user.to_owned(),
            host: host.to_owned(),
            folder: folder.to_owned(),
            file: file.to_owned(),
            query: pairs.collect(),
            has_selector,
            address: text.to_owned(),
        })
    }

    /// Whether it is the address of one file rather than of something in a repository.
    pub fn is_file(&self) -> bool {
        self.getter.is_empty()
    }

    /// The first value of a parameter behind `?`.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether a parameter of this name is nothing to show.
    pub fn is_secret(parameter: &str) -> bool {
        let lower = parameter.to_lowercase();
        ["token", "password", "secret", "key", "signature"].iter().any(|word| lower.contains(word))
    }

    /// The address without passwords and tokens, for messages.
    pub fn shown(&self) -> String {
        let address = self.address.split('?').next().unwrap_or_default();
        let Some((user, _)) = self.user.split_once(':') else { return address.to_owned() };
        address.replacen(&self.user, &format!("{user}:***"), 1)
    }

    /// Where Helmfile's cache has the folder that it is in. Parameters that are secret are in it as digests.
    pub fn cached_as(&self, shelf: &str) -> Utf8PathBuf {
        let server = format!("{}://{}", self.scheme, self.host);
        let whole = if self.is_file() { server } else { format!("{server}/{}", self.folder) };
        let mut key = whole.replace(':', "").replace("//", "_").replace(['/', '.'], "_");
        let mut query: Vec<(&str, String)> = Vec::new();
        for (name, value) in self.query.iter().filter(|(name, _)| name != "cache") {
            let digest = || Sha256::digest(value)[..4].iter().map(|byte| format!("{byte:02x}")).collect();
            query.push((name, if Self::is_secret(name) { digest() } else { value.clone() }));
        }
        query.sort_by_key(|(name, _)| *name);
        if !query.is_empty() {
            let pairs: Vec<String> =
                query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
            key = format!("{key}.{}", pairs.join("_"));
        }
        match self.is_file() {
            // Files of all states are together.
            true => Utf8PathBuf::from(key).join(&self.folder),
            false => Utf8PathBuf::from(shelf).join(key),
        }
    }
}

/// A part of an address without its escapes; with wrong ones it stays as it is written, so that it is known and not shown.
fn decoded(text: &str) -> String {
    reference::decoded(text).unwrap_or_else(|_| text.to_owned())
}

/// A part of a query as Go writes it.
fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b' ' => "+".to_owned(),
        byte if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// The path of what is elsewhere, once it is on this machine.
pub(crate) fn fetch(outside: &dyn Outside, source: &RemoteSource, shelf: &str, span: Span) -> Result<Utf8PathBuf> {
    outside.fetch(source, shelf).map_err(|problem| {
        let message = format!("`{}` can't be fetched: {problem}", source.shown());
        Diagnostic::error("helmfile-remote", message).at(span)
    })
}

#[cfg(test)]
mod tests {
    use super::RemoteSource;

    fn parse(text: &str) -> RemoteSource {
        RemoteSource::parse(text).unwrap_or_else(|| panic!("{text} is an address"))
    }

    #[test]
    fn addresses_are_told_from_paths() {
        for text in
            ["helmfile.yaml", "/abs/helmfile.yaml", "../x/*.yaml", "shop/web", "oci://registry/web", "a::b::c", "c:/x"]
        {
            assert_eq!(RemoteSource::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_file_of_a_repository_stands_behind_an_at() {
        let source = parse("git::https://me@host:8443/org/repo.git@dir/helmfile.yaml?ref=v1.0&depth=1");
        assert_eq!((&*source.getter, &*source.scheme, &*source.user), ("git", "https", "me"));
        assert_eq!((&*source.host, &*source.folder, &*source.file), ("host:8443", "org/repo.git", "dir/helmfile.yaml"));
        assert_eq!((source.parameter("ref"), source.has_selector), (Some("v1.0"), true));
    }

    #[test]
    fn helmfile_and_this_have_one_cache() {
        // What Helmfile 1.8 names its folders.
        for (text, wanted) in [
            ("git::https://host/org/repo.git@helmfile.yaml?ref=0.1.0", "states/https_host_org_repo_git.ref=0.1.0"),
            ("git::ssh://git@host/org/repo.git@x.yaml", "states/ssh_host_org_repo_git"),
            ("https://host/values/prod.yaml", "https_host/values"),
            ("https://host:8080/a/b.yaml?token=x&a=b c", "https_host8080.a=b+c_token=2d711642/a"),
        ] {
            assert_eq!(parse(text).cached_as("states"), wanted, "{text}");
        }
    }

    #[test]
    fn passwords_and_tokens_are_not_shown() {
        let source = parse("git::https://me:secret@host/repo.git@x?sshkey=abc");
        assert_eq!(source.shown(), "git::https://me:***@host/repo.git@x");
    }
}
