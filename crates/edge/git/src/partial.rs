//! What a partial clone lacks: [`fetch_tree`] gets the files of a commit in one go, where reading them one by one would ask the
//! server for each.

use crate::sync::Program;
use camino::Utf8Path;
use gix::ObjectId;

/// The remote that a repository counts on for what it lacks.
pub(crate) fn promisor(repository: &gix::Repository) -> Option<String> {
    let config = repository.config_snapshot();
    let is_promisor = |name: &str| config.boolean(format!("remote.{name}.promisor").as_str()) == Some(true);
    repository.remote_names().iter().map(|name| name.to_string()).find(|name| is_promisor(name))
}

/// Gets a tree and all that is below it.
pub(crate) fn fetch_tree(repository: &gix::Repository, tree: ObjectId) -> Result<(), String> {
    let remote = promisor(repository).ok_or("it is no partial clone")?;
    let git_dir = Utf8Path::from_path(repository.git_dir()).ok_or("its path is no text")?;
    let tree = tree.to_string();
    // As Git itself asks for what is missing, but for no more than one filter: none.
    let arguments = ["--git-dir=.", "-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", "--no-tags"];
    let more = ["--no-write-fetch-head", "--recurse-submodules=no", "--no-filter", &remote, &tree];
    Program { lock: None }.run(git_dir, &[&arguments[..], &more].concat()).map(|_| ())
}

#[cfg(test)]
mod tests {
    use crate::LocalRepository;
    use camino::Utf8Path;
    use onepane_testkit::git;
    use onepane_world::World;
    use std::fs;

    #[test]
    fn files_of_other_commits_are_asked_for_at_once() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let origin = folder.path().join("origin");
        fs::create_dir_all(origin.join("deep")).expect("nothing is there yet");
        git(&origin, &["init", "--quiet"]);
        git(&origin, &["config", "uploadpack.allowFilter", "true"]);
        for number in 0..2 {
            for name in ["a", "b"] {
                fs::write(origin.join("deep").join(name), format!("{name}{number}")).expect("it can be written");
            }
            git(&origin, &["add", "--all"]);
            git(&origin, &["commit", "--quiet", "--message", "one"]);
        }
        let url = format!("file://{}", origin.display());
        git(folder.path(), &["clone", "--quiet", "--filter=tree:0", &url, "here"]);
        let here = folder.path().join("here");
        git(&here, &["config", "protocol.file.allow", "always"]);
        let opened = |folder: &std::path::Path| {
            LocalRepository::of(Utf8Path::from_path(folder).expect("it is UTF-8")).expect("it is one")
        };
        let repository = opened(&here);
        let old = repository.commit("HEAD~1").expect("it has two");
        let files = repository.files(&old).expect("it is there");
        let read = |name: &str| files.read(Utf8Path::new(name)).expect("the server has it").to_vec();
        git(folder.path(), &["clone", "--quiet", "--filter=tree:0", &url, "other"]);
        assert_eq!(read("deep/a"), b"a0");
        fs::rename(&origin, folder.path().join("away")).expect("it can be moved");
        assert_eq!(read("deep/b"), b"b0");
        // Where there is no server, it is told.
        let other = folder.path().join("other");
        let files = opened(&other).files(&old).expect("the commit is there");
        let failed = files.read(Utf8Path::new("deep/a")).expect_err("nobody has it").to_string();
        assert!(failed.contains("a partial clone has not got it yet"), "{failed}");
    }
}
