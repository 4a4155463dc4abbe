//! The files of a commit in a new folder, with the index that Git would have of them: [`write_files`].

use camino::Utf8Path;
use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::index::extension::Tree;
use gix::index::write::{Extensions, Options};
use gix::objs::tree::EntryKind;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Trees that are nested deeper are not meant.
const DEEPEST: usize = 1 << 10;

/// Writes the files of `commit` into the empty folder `into`, and their index to `index`. `None` for what only Git itself
/// does: programs that files go through.
pub(crate) fn write_files(
    repository: &gix::Repository,
    commit: ObjectId,
    into: &Utf8Path,
    index: &Utf8Path,
) -> gix::Result<Option<()>> {
    let tree = repository.find_commit(commit)?.tree_id()?.detach();
    let Some(extension) = cached(repository, b"", tree, 0)? else { return Ok(None) };
    let protect = repository.checkout_options(gix::worktree::stack::state::attributes::Source::IdMapping)?;
    let mut state = gix::index::State::from_tree(&tree, &repository.objects, protect.validate)?;
    let mut options = protect;
    options.destination_is_initially_empty = true;
    options.thread_limit = Some(1);
    let outcome = gix::worktree::state::checkout(
        &mut state,
        into.as_std_path(),
        repository.objects.clone().into_arc().map_err(gix::Error::from_error)?,
        &gix::progress::Discard,
        &gix::progress::Discard,
        &AtomicBool::new(false),
        options,
    )?;
    let is_whole = outcome.collisions.is_empty()
        && outcome.errors.is_empty()
        && outcome.delayed_paths_unknown.is_empty()
        && outcome.delayed_paths_unprocessed.is_empty();
    if !is_whole {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    state.write_to(&mut bytes, Options { extensions: Extensions::None, skip_hash: false })?;
    // Git's cache of trees, by which a commit is known to be that of the index without a look at them.
    extension.write_to(&mut bytes).map_err(gix::Error::from_error)?;
    let mut hasher = gix::hash::hasher(repository.object_hash());
    hasher.update(&bytes);
    let digest = hasher.try_finalize().map_err(gix::Error::from_error)?;
    bytes.extend_from_slice(digest.as_bytes());
    let newest = state.entries().iter().map(|entry| (entry.stat.mtime.secs, entry.stat.mtime.nsecs)).max();
    write_after(index, &bytes, newest.unwrap_or_default()).map_err(gix::Error::from_error)?;
    Ok(Some(()))
}

/// Writes a file that is newer than a time: files that are as new as the index may have been changed once more.
fn write_after(path: &Utf8Path, bytes: &[u8], time: (u32, u32)) -> std::io::Result<()> {
    fs::write(path, bytes)?;
    for _ in 0..20 {
        let metadata = path.metadata()?;
        if (metadata.mtime() as u32, metadata.mtime_nsec() as u32) > time {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
        File::options().write(true).open(path)?.set_modified(std::time::SystemTime::now())?;
    }
    Ok(())
}

/// What Git's cache of trees says of one; `None` where files go through programs.
fn cached(repository: &gix::Repository, name: &[u8], id: ObjectId, depth: usize) -> gix::Result<Option<Tree>> {
    if depth > DEEPEST {
        return Ok(None);
    }
    let tree = repository.find_tree(id)?;
    let (mut count, mut children) = (0, Vec::new());
    for entry in tree.iter() {
        let entry = entry.map_err(gix::Error::from_error)?;
        match entry.mode().kind() {
            EntryKind::Tree => {
                let Some(child) = cached(repository, entry.filename(), entry.object_id(), depth + 1)? else {
                    return Ok(None);
                };
                count += child.num_entries.unwrap_or_default();
                children.push(child);
            }
            EntryKind::Blob | EntryKind::BlobExecutable if entry.filename() == ".gitattributes" => {
                let text = repository.find_blob(entry.object_id())?;
                if text.data.find(b"filter").is_some() {
                    return Ok(None);
                }
                count += 1;
            }
            _ => count += 1,
        }
    }
    // In Git's order.
    children.sort_by(|a: &Tree, b: &Tree| (a.name.len(), &a.name[..]).cmp(&(b.name.len(), &b.name[..])));
    Ok(Some(Tree { name: name.into(), id, num_entries: Some(count), children }))
}
