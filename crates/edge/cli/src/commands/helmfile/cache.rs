//! `helmfile cache`: where charts of registries and files from elsewhere are kept.

use super::session::cache_folder;
use super::{Failure, print};
use crate::commands::helm::current_folder;
use crate::commands::pflag::Parsed;
use camino::Utf8Path;
use onepane_world::OsWorld;

pub(super) fn run(flags: &Parsed) -> Result<(), Failure> {
    let world = OsWorld::unrestricted(current_folder()?);
    let folder = cache_folder(&world);
    match flags.arguments.first().map(String::as_str) {
        Some("info") => {
            print(&format!("Cache directory: {folder}\n"))?;
            names(&folder)?.iter().try_for_each(|name| print(&format!("- {name}\n")))
        }
        Some("cleanup") if folder.is_dir() => {
            print(&format!("Cleaning up cache directory: {folder}\n"))?;
            for name in names(&folder)? {
                print(&format!("- {name}\n"))?;
                let path = folder.join(name);
                // A link is not followed.
                let is_folder = path.symlink_metadata().is_ok_and(|entry| entry.is_dir());
                let removed = if is_folder { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
                removed.map_err(|error| Failure::text(format!("{path}: {error}")))?;
            }
            Ok(())
        }
        Some("cleanup") => Ok(()),
        _ => print(
            "Cache management.\n\nUsage:\n  helmfile cache [command]\n\nAvailable Commands:\n  cleanup   remove what is \
                    there\n  info      print where it is and what is there\n",
        ),
    }
}

/// What is in the folder, by name.
fn names(folder: &Utf8Path) -> Result<Vec<String>, Failure> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = folder.read_dir_utf8().map_err(|error| Failure::text(format!("{folder}: {error}")))?;
    let mut names: Vec<String> = entries.filter_map(|entry| Some(entry.ok()?.file_name().to_owned())).collect();
    names.sort();
    Ok(names)
}
