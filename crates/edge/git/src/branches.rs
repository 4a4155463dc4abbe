//! Branches of a repository and of its submodules.

use crate::LocalRepository;
use camino::Utf8Path;
use gix::bstr::ByteSlice;

impl LocalRepository {
    /// The branch that is checked out; `None` where a commit is.
    pub fn branch(&self) -> Option<String> {
        self.git().head_name().ok()?.map(|name| name.shorten().to_str_lossy().into_owned())
    }

    /// The branch that changes come together in, of this repository or of a submodule that is checked out: what `origin` calls
    /// its own as far as this machine knows, or else `main` or `master`, whichever there is; `main` where nothing tells.
    pub fn main_branch(&self, submodule: Option<&Utf8Path>) -> String {
        let opened = submodule.map(|path| self.submodule(path));
        let repository = match &opened {
            Some(None) => return "main".to_owned(),
            Some(Some(submodule)) => submodule,
            None => self.git(),
        };
        let of_origin = || {
            let head = repository.try_find_reference("refs/remotes/origin/HEAD").ok()??;
            let name = head.target().try_name()?.as_bstr().to_str().ok()?.to_owned();
            name.strip_prefix("refs/remotes/origin/").map(str::to_owned)
        };
        let is_there = |name: &&str| {
            let mut places = ["heads", "remotes/origin"].iter().map(|place| format!("refs/{place}/{name}"));
            places.any(|name| repository.try_find_reference(&name).is_ok_and(|found| found.is_some()))
        };
        of_origin().unwrap_or_else(|| ["main", "master"].into_iter().find(is_there).unwrap_or("main").to_owned())
    }

    /// Whether a submodule has a branch of that name, here or on a remote as far as this machine knows; `None` where it is
    /// not checked out.
    pub fn has_branch(&self, submodule: &Utf8Path, branch: &str) -> Option<bool> {
        let repository = self.submodule(submodule)?;
        let remotes = repository.remote_names();
        let remotes = remotes.iter().map(|remote| format!("refs/remotes/{}/{branch}", remote.to_str_lossy()));
        let mut names = std::iter::once(format!("refs/heads/{branch}")).chain(remotes);
        Some(names.any(|name| repository.try_find_reference(&name).is_ok_and(|found| found.is_some())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_testkit::git;

    #[test]
    fn branches_are_found_here_and_on_remotes() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let top = Utf8Path::from_path(folder.path()).expect("it is UTF-8");
        let service = top.join("src/api");
        std::fs::create_dir_all(&service).expect("it can be made");
        for folder in [top, &service] {
            git(folder.as_std_path(), &["init", "--quiet", "--initial-branch", "feature/x"]);
            git(folder.as_std_path(), &["commit", "--quiet", "--allow-empty", "--message", "first"]);
        }
        git(service.as_std_path(), &["remote", "add", "origin", "https://example.com/api.git"]);
        git(service.as_std_path(), &["update-ref", "refs/remotes/origin/there", "HEAD"]);
        let repository = LocalRepository::of(top).expect("it is one");
        assert_eq!(repository.branch().as_deref(), Some("feature/x"));
        let has = |branch| repository.has_branch("src/api".into(), branch);
        assert_eq!(
            (has("feature/x"), has("there"), has("nowhere"), has("../x")),
            (Some(true), Some(true), Some(false), Some(false))
        );
        assert_eq!(repository.has_branch("src/none".into(), "there"), None);
    }
}
