//! Keeping the folder small: [`remove_oldest`].

use camino::{Utf8Path, Utf8PathBuf};
use std::time::{Duration, SystemTime};

/// What files are called until they are whole.
pub(crate) const UNFINISHED: &str = ".unfinished-";

/// Who has not finished a file by then was ended.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// Removes results, those first that nobody used for longest, until a tenth of `most_bytes` is free; and what processes that
/// were ended left behind. What others remove at the same time is gone, and that is all right.
pub(crate) fn remove_oldest(folder: &Utf8Path, most_bytes: u64) {
    let mut files = Vec::new();
    let mut total = 0;
    for program in entries(folder) {
        for part in entries(&program) {
            for path in entries(&part) {
                let Ok(metadata) = std::fs::symlink_metadata(&path) else { continue };
                let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                let is_unfinished = path.file_name().is_some_and(|name| name.starts_with(UNFINISHED));
                if is_unfinished {
                    let age = SystemTime::now().duration_since(used).unwrap_or_default();
                    if age > ABANDONED {
                        let _ = std::fs::remove_file(&path);
                    }
                    continue;
                }
                total += metadata.len();
                files.push((used, metadata.len(), path));
            }
        }
    }
    if total <= most_bytes {
        return;
    }
    files.sort();
    for (_, size, path) in files {
        if total <= most_bytes - most_bytes / 10 {
            break;
        }
        if std::fs::remove_file(&path).is_ok() {
            total -= size;
        }
    }
}

/// What is in a folder; links are nobody's.
fn entries(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Ok(entries) = folder.read_dir_utf8() else { return Vec::new() };
    let entries = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_symlink()));
    entries.map(|entry| entry.into_path()).collect()
}
