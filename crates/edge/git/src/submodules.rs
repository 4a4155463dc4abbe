//! Repositories within repositories: [`mount_submodules`].

use crate::credentials::shown_url;
use crate::repositories::{Fetched, Repositories, Wanted, tree_of};
use camino::{Utf8Path, Utf8PathBuf};
use gix::bstr::BStr;
use onepane_diagnostics::{Diagnostic, Result};
use onepane_world::{World, normalize};

/// Submodules may have submodules; a chain longer than this is not meant.
const DEEPEST: usize = 16;

/// A submodule as `.gitmodules` has it.
struct Submodule {
    path: Utf8PathBuf,
    url: String,
}

/// Fetches the commits that the submodules of the repository at `top` within `into` are pinned to.
pub(crate) fn mount_submodules(
    repositories: &Repositories,
    into: &mut Fetched,
    top: &Utf8Path,
    wanted: Wanted<'_>,
    depth: usize,
) -> Result<()> {
    let Ok(text) = into.tree.read(&top.join(".gitmodules")) else { return Ok(()) };
    for submodule in read(&text, wanted.url)? {
        let path = top.join(&submodule.path);
        // One that is not in the tree was removed.
        let Some(commit) = into.tree.pinned(&path) else { continue };
        if depth >= DEEPEST {
            let message = format!("{}: submodules are nested deeper than {DEEPEST}", shown_url(wanted.url));
            return Err(Diagnostic::error("git-submodule", message));
        }
        let reference = commit.to_string();
        let wanted = Wanted { url: &submodule.url, reference: Some(&reference), ..wanted };
        let within = |error: Box<Diagnostic>| error.trace(format!("as the submodule `{path}`"), None);
        let (repository, commit, _) = repositories.commit(wanted).map_err(within)?;
        let tree = tree_of(&repository, commit, wanted.url).map_err(within)?;
        into.tree.mount(path.clone(), repository.into_sync(), tree);
        mount_submodules(repositories, into, &path, wanted, depth + 1)?;
    }
    Ok(())
}

/// The submodules of a repository that was fetched from `base`.
fn read(text: &[u8], base: &str) -> Result<Vec<Submodule>> {
    let fail = |what: String| Diagnostic::error("git-submodule", format!("{}: {what}", shown_url(base)));
    let config = gix::config::File::try_from(BStr::new(text))
        .map_err(|error| fail(format!("`.gitmodules` can't be read: {error}")))?;
    let mut submodules = Vec::new();
    for section in config.sections_by_name("submodule").into_iter().flatten() {
        let value = |key| section.value(key).map(|value| String::from_utf8_lossy(&value).into_owned());
        let (Some(path), Some(url)) = (value("path"), value("url")) else { continue };
        let url =
            absolute(&url, base).ok_or_else(|| fail(format!("the submodule `{path}` has no usable URL: {url}")))?;
        submodules.push(Submodule { path: normalize(path.as_str().into()), url });
    }
    Ok(submodules)
}

/// A submodule's URL, which may be relative to that of its repository.
fn absolute(url: &str, base: &str) -> Option<String> {
    if !url.starts_with("./") && !url.starts_with("../") {
        // Git itself takes neither paths of this machine nor commands from a repository of elsewhere.
        let schemes = ["https://", "http://", "ssh://", "git://"];
        let named = schemes.iter().any(|scheme| url.starts_with(scheme));
        let local = url.starts_with("file://") && base.starts_with("file://");
        let short = !url.contains("://") && url.split_once(':').is_some_and(|(host, _)| host.contains('@'));
        return (named || local || short).then(|| url.to_owned());
    }
    let (mut base, mut rest) = (base.trim_end_matches('/'), url);
    loop {
        if let Some(behind) = rest.strip_prefix("./") {
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix("../") {
            let parent = base.rfind(['/', ':'])?;
            // Not beyond the host.
            base = Some(&base[..parent]).filter(|base| !base.ends_with('/') && !base.is_empty())?;
            rest = behind;
        } else {
            return Some(format!("{base}/{rest}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_submodules_are_relative_to_that_of_the_repository() {
        let cases = [
            ("https://h/o/r.git", "../s.git", Some("https://h/o/s.git")),
            ("https://h/o/r.git/", "./s", Some("https://h/o/r.git/s")),
            ("https://h/o/r", "../../p/s", Some("https://h/p/s")),
            ("https://h/o/r", "../../../p", None),
            ("file:///srv/r", "../s", Some("file:///srv/s")),
            ("file:///srv/r", "file:///srv/s", Some("file:///srv/s")),
            ("https://h/o/r", "file:///etc", None),
            ("https://h/o/r", "/etc", None),
            ("https://h/o/r", "ext::sh -c id", None),
            ("https://h/o/r", "git@h:o/s.git", Some("git@h:o/s.git")),
            ("https://h/o/r", "https://x/s", Some("https://x/s")),
        ];
        for (base, url, wanted) in cases {
            assert_eq!(absolute(url, base).as_deref(), wanted, "{url} of {base}");
        }
    }

    #[test]
    fn submodules_are_read_as_git_configuration() {
        let text = b"[submodule \"a b\"]\n\tpath = x/y\n\turl = ../s.git\n[submodule \"no url\"]\n path = z\n";
        let found = read(text, "https://h/o/r").expect("it is well-formed");
        let found: Vec<_> = found.iter().map(|one| (one.path.as_str(), one.url.as_str())).collect();
        assert_eq!(found, [("x/y", "https://h/o/s.git")]);
        assert!(read(b"[submodule", "https://h/o/r").is_err());
    }
}
