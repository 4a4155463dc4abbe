//! Folders of a checkout whose digests are known without reading: only those that are as a commit has them.

use camino::{Utf8Path, Utf8PathBuf};
use onepane_git::{Checkout, LocalRepository, Tree};
use onepane_testkit::{Random, git};
use onepane_world::{EntryKind, World};
use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

/// All folders below `folder`, itself included, as the files on disk or of a commit have them.
fn folders(world: &dyn World, folder: &Utf8Path, found: &mut Vec<Utf8PathBuf>) {
    found.push(folder.to_owned());
    for entry in world.list(folder).expect("it is a folder") {
        if entry.kind == EntryKind::Folder && !entry.link && entry.name != ".git" {
            folders(world, &folder.join(entry.name), found);
        }
    }
}

/// Everything that is below a folder, with what is in it.
fn contents(world: &dyn World, folder: &Utf8Path, found: &mut Vec<String>) {
    for entry in world.list(folder).expect("it is a folder") {
        let path = folder.join(&entry.name);
        found.push(format!("{path} {:?} {}", entry.kind, entry.link));
        match entry.kind {
            EntryKind::Folder => contents(world, &path, found),
            EntryKind::File => found.push(format!("{:?}", world.digest(&path).expect("it can be read"))),
            EntryKind::Other => {}
        }
    }
}

fn of(world: &dyn World, folder: &Utf8Path) -> Vec<String> {
    let mut found = Vec::new();
    contents(world, folder, &mut found);
    found
}

/// Files in folders three deep, some of them links, all of them committed and an hour old.
fn repository(top: &Utf8Path) {
    for a in 0..12 {
        for b in 0..3 {
            let folder = top.join(format!("a{a}/b{b}/c"));
            fs::create_dir_all(&folder).expect("nothing is there yet");
            for file in ["x.yaml", "y.yaml"] {
                fs::write(folder.join(file), format!("{a} {b} {file}")).expect("its folder is there");
            }
            fs::write(folder.with_file_name("c-d"), "sorts before what is in c").expect("its folder is there");
        }
    }
    symlink("../b1/c", top.join("a3/b0/link")).expect("nothing is there yet");
    git(top.as_std_path(), &["init", "--quiet"]);
    git(top.as_std_path(), &["add", "--all"]);
    git(top.as_std_path(), &["commit", "--quiet", "--message", "all"]);
}

/// What is written in the moment in which the index is could be written once more: so the index is a moment younger.
fn age(top: &Utf8Path) {
    let now = SystemTime::now() + Duration::from_secs(10);
    fs::File::open(top.join(".git/index")).and_then(|file| file.set_modified(now)).expect("there is an index");
}

fn commit_of(top: &Utf8Path) -> Tree {
    let repository = LocalRepository::of(top).expect("it is a repository");
    repository.files(&repository.commit("HEAD").expect("there is a commit")).expect("it has files")
}

#[test]
fn a_folder_has_the_digest_of_its_commit_only_while_it_has_its_contents() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let top = Utf8Path::from_path(folder.path()).expect("its path is text");
    repository(top);
    age(top);
    let tree = commit_of(top);
    let checkout = Checkout::new(top).expect("it is a folder");
    assert_eq!(checkout.folder_digest("a1".into()), None, "nobody has looked");
    checkout.look_at_all();
    let mut all = Vec::new();
    folders(&tree, "".into(), &mut all);
    assert_eq!(all.len(), 1 + 12 * (1 + 3 * 2));
    for folder in all.iter().filter(|folder| !folder.as_str().is_empty()) {
        let expected = tree.folder_digest(folder);
        assert_eq!(checkout.folder_digest(folder), expected, "{folder}");
        assert_eq!(expected.is_none(), folder == "a3/b0", "{folder}");
        assert_eq!(checkout.folder_digest(&top.canonicalize_utf8().expect("it is there").join(folder)), expected);
    }

    let mut random = Random(7);
    for round in 0..120 {
        git(top.as_std_path(), &["reset", "--quiet", "--hard"]);
        git(top.as_std_path(), &["clean", "-dffxq"]);
        for _ in 0..=random.below(2) {
            touch(top, &mut random);
        }
        age(top);
        let checkout = Checkout::new(top).expect("it is a folder");
        checkout.look_at_all();
        let mut known = 0;
        let mut all = Vec::new();
        folders(&checkout, "".into(), &mut all);
        for folder in &all {
            let Some(digest) = checkout.folder_digest(folder) else { continue };
            known += 1;
            assert_eq!(tree.folder_digest(folder), Some(digest), "{round}: {folder}");
            assert_eq!(of(&checkout, folder), of(&tree, folder), "{round}: {folder}");
        }
        assert!(known >= 12 * 7 - 1 - 3 * 7, "{round}: {known}");
    }
}

/// Does something to one file or folder.
fn touch(top: &Utf8Path, random: &mut Random) {
    let folder = top.join(format!("a{}/b{}/c", random.below(12), random.below(3)));
    let file = folder.join("x.yaml");
    // What was done before may stand in the way.
    let _ = match random.below(9) {
        0 => fs::write(&file, "other"),
        1 => fs::remove_file(&file),
        2 => fs::write(folder.join("new"), ""),
        3 => fs::create_dir(folder.join("empty")),
        4 => fs::remove_dir_all(&folder),
        5 => fs::remove_file(&file).and_then(|()| symlink("y.yaml", &file)),
        6 => fs::remove_file(&file).and_then(|()| fs::create_dir(&file)),
        7 => fs::rename(&folder, folder.with_file_name("moved")),
        _ => fs::write(&file, "staged").map(|()| _ = git(top.as_std_path(), &["add", "--", file.as_str()])),
    };
}

#[test]
fn of_a_folder_in_a_repository_only_what_is_below_it_counts() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let top = Utf8Path::from_path(folder.path()).expect("its path is text");
    repository(top);
    age(top);
    fs::write(top.join("a1/new"), "").expect("its folder is there");
    let tree = commit_of(top);
    let inside = Checkout::new(&top.join("a2")).expect("it is a folder");
    inside.look_at_all();
    for (path, whole) in [("", "a2"), ("b1", "a2/b1"), ("b1/c", "a2/b1/c")] {
        let digest = inside.folder_digest(path.into());
        assert!(digest.is_some() && digest == tree.folder_digest(whole.into()), "{path}");
    }
}
