//! What `.gitmodules` declares, and what of it is refused: whoever may write to a repository may write anything there.

use camino::{Utf8Path, Utf8PathBuf};
use gix::bstr::{BStr, ByteSlice};
use onepane_diagnostics::{Diagnostic, Result};
use std::collections::BTreeSet;

/// A `.gitmodules` that is larger is not meant.
const LARGEST: u64 = 4 << 20;

/// A submodule as `.gitmodules` declares it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Declared {
    pub(crate) name: String,
    /// Where it is below the top of the repository.
    pub(crate) path: Utf8PathBuf,
    /// Where it is from, as it is written: it may be relative.
    pub(crate) url: Option<String>,
    /// Whether its history is not wanted.
    pub(crate) is_shallow: bool,
    /// Whether it is left as it is: `update = none`.
    pub(crate) is_left_alone: bool,
    /// What is wrong with it, so that nothing is done with it.
    pub(crate) refused: Option<String>,
}

/// The submodules that the repository with its files at `top` declares, by path.
pub(crate) fn declared(top: &Utf8Path) -> Result<Vec<Declared>> {
    let file = top.join(".gitmodules");
    let fail = |why: String| Diagnostic::error("git-submodule", format!("`{file}` can't be read: {why}"));
    match file.symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fail(error.to_string())),
        Ok(metadata) if !metadata.is_file() => return Err(fail("it is no file".to_owned())),
        Ok(metadata) if metadata.len() > LARGEST => return Err(fail(format!("it is larger than {LARGEST} bytes"))),
        Ok(_) => {}
    }
    let text = std::fs::read(&file).map_err(|error| fail(error.to_string()))?;
    read(&text).map_err(fail)
}

fn read(text: &[u8]) -> std::result::Result<Vec<Declared>, String> {
    let config = gix::config::File::try_from(BStr::new(text)).map_err(|error| error.to_string())?;
    let sections = config.sections_by_name("submodule").into_iter().flatten();
    let names: BTreeSet<String> =
        sections.filter_map(|section| Some(section.header().subsection_name()?.to_str_lossy().into_owned())).collect();
    let mut declared = Vec::new();
    for name in &names {
        let value = |key| {
            let value = config.string_by("submodule", Some(BStr::new(name.as_str())), key);
            value.map(|value| value.to_str_lossy().into_owned())
        };
        let Some(path) = value("path") else { continue };
        let is_true = |text: String| ["true", "yes", "on", "1"].contains(&text.to_ascii_lowercase().as_str());
        let mut one = Declared {
            path: path.trim_end_matches('/').into(),
            url: value("url"),
            is_shallow: value("shallow").is_some_and(is_true),
            is_left_alone: value("update").as_deref() == Some("none"),
            name: name.clone(),
            refused: None,
        };
        one.refused = refusal(&one, &names);
        declared.push(one);
    }
    declared.sort_by(|a, b| a.path.cmp(&b.path));
    for at in 1..declared.len() {
        if declared[at].path == declared[at - 1].path {
            declared[at].refused = Some("`.gitmodules` declares the path twice".to_owned());
        }
    }
    Ok(declared)
}

/// What is wrong with a declaration, by what it says alone.
pub(crate) fn refusal(one: &Declared, names: &BTreeSet<String>) -> Option<String> {
    let is_plain = |text: &str| !text.chars().any(char::is_control);
    let leaves = |text: &str| text.split(['/', '\\']).any(|part| matches!(part, "" | "." | ".."));
    let is_option = |text: &str| text.starts_with('-');
    let is_git = |part: &str| {
        let part = part.trim_end_matches(['.', ' ']).to_ascii_lowercase();
        part == ".git" || part == "git~1"
    };
    if !is_plain(&one.name) || leaves(&one.name) {
        return Some("its name leads out of the folder that Git keeps submodules in".to_owned());
    }
    let mut above = Utf8Path::new(&one.name).ancestors().skip(1).filter(|above| !above.as_str().is_empty());
    if let Some(above) = above.find(|above| names.contains(above.as_str())) {
        return Some(format!("its name puts it into the Git folder of the submodule `{above}`"));
    }
    let path = one.path.as_str();
    if !is_plain(path) || leaves(path) || is_option(path) || path.split(['/', '\\']).any(is_git) {
        return Some("its path is none of a submodule".to_owned());
    }
    match &one.url {
        None => Some("`.gitmodules` has no URL for it".to_owned()),
        Some(url) if url.is_empty() || !is_plain(url) || is_option(url) => Some("its URL is none".to_owned()),
        Some(_) => None,
    }
}

/// The URL of a submodule, which may be relative to that of its repository.
pub(crate) fn resolved(url: &str, base: &str) -> std::result::Result<String, String> {
    if !url.starts_with("./") && !url.starts_with("../") {
        return Ok(url.to_owned());
    }
    let (mut base, mut rest, mut separator) = (base.trim_end_matches('/'), url.trim_end_matches('/'), '/');
    loop {
        if let Some(behind) = rest.strip_prefix("./") {
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix("../") {
            // As in `git@host:repository`.
            let parent = base.rfind(['/', ':']).ok_or_else(|| format!("{url} leads out of that of its repository"))?;
            separator = if base[parent..].starts_with(':') { ':' } else { '/' };
            base = &base[..parent];
            if base.ends_with(['/', ':']) || base.is_empty() && parent != 0 {
                return Err(format!("{url} leads out of that of its repository"));
            }
            rest = behind;
        } else {
            return Ok(format!("{base}{separator}{rest}"));
        }
    }
}

/// Refuses what Git would not ask on behalf of a repository: folders of this machine, programs, and what is switched off.
pub(crate) fn is_allowed(url: &str, config: &gix::config::Snapshot<'_>) -> std::result::Result<(), String> {
    let is_scheme = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    if url.split_once("::").is_some_and(|(helper, _)| is_scheme(helper)) {
        return Err("its URL names a program to be run".to_owned());
    }
    let scheme = match url.split_once("://") {
        Some((scheme, _)) if is_scheme(scheme) => scheme.to_ascii_lowercase(),
        // `git@host:repository`, but `./a:b` is a path.
        _ if url.split_once(':').is_some_and(|(host, _)| !host.contains('/')) => "ssh".to_owned(),
        _ => "file".to_owned(),
    };
    let scheme = match scheme.as_str() {
        "git+ssh" | "ssh+git" => "ssh",
        other => other,
    };
    if !["https", "http", "ssh", "git", "file"].contains(&scheme) {
        return Err(format!("its URL is one of `{scheme}`, which is not asked for submodules"));
    }
    if let Ok(allowed) = std::env::var("GIT_ALLOW_PROTOCOL") {
        let is_named = allowed.split(':').any(|one| one == scheme);
        return if is_named { Ok(()) } else { Err(format!("`{scheme}` is not in GIT_ALLOW_PROTOCOL")) };
    }
    let said = config.string(format!("protocol.{scheme}.allow").as_str());
    let said = said.or_else(|| config.string("protocol.allow")).map(|value| value.to_str_lossy().into_owned());
    match said.as_deref() {
        Some("always") => Ok(()),
        None if scheme != "file" => Ok(()),
        None | Some("user") if scheme == "file" => {
            Err("Git asks no folder of this machine on behalf of a repository, \
             which might name any: `git config --global protocol.file.allow always` allows it"
                .to_owned())
        }
        _ => Err(format!("Git's configuration does not allow `{scheme}` for submodules")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_relative_to_that_of_the_repository() {
        let cases = [
            ("https://h/o/r.git", "../s.git", Some("https://h/o/s.git")),
            ("https://h/o/r.git/", "./s/", Some("https://h/o/r.git/s")),
            ("https://h/o/r", "../../p/s", Some("https://h/p/s")),
            ("https://h/o/r", "../../../../p", None),
            ("git@h:o/r", "../s", Some("git@h:o/s")),
            ("git@h:r", "../s", Some("git@h:s")),
            ("/srv/git/r", "../s", Some("/srv/git/s")),
            ("/r", "../s", Some("/s")),
            ("https://h/o/r", "https://x/s", Some("https://x/s")),
        ];
        for (base, url, wanted) in cases {
            assert_eq!(resolved(url, base).ok().as_deref(), wanted, "{url} of {base}");
        }
    }

    #[test]
    fn what_leads_elsewhere_is_refused() {
        let text = br#"
[submodule "../../hooks"]
	path = a
	url = https://h/a
[submodule "b"]
	path = ../b
	url = https://h/b
[submodule "b/hooks"]
	path = c
	url = https://h/c
[submodule "d"]
	path = .GIT/hooks
	url = https://h/d
[submodule "e"]
	path = -e
	url = https://h/e
[submodule "f"]
	path = f
	url = -ucommand
[submodule "g"]
	path = g
[submodule "h"]
	path = h
	url = "https://h/h\n"
[submodule "i"]
	path = "i\u000d"
	url = https://h/i
[submodule "fine"]
	path = src/fine/
	url = ../fine
	shallow = true
[submodule "also"]
	path = src/fine
	url = ../fine
"#;
        let text = String::from_utf8_lossy(text).replace("\\u000d", "\r\"\n#\"");
        let declared = read(text.as_bytes()).expect("it is well-formed");
        let refused: Vec<_> = declared.iter().map(|one| (one.name.as_str(), one.refused.is_some())).collect();
        let fine: Vec<_> = refused.iter().filter(|(_, refused)| !refused).map(|(name, _)| *name).collect();
        assert_eq!((fine, refused.len()), (vec!["also"], 11), "{declared:#?}");
        assert!(read(b"[submodule").is_err());
    }
}
