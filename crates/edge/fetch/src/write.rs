//! Files that are complete before they get their name, and a lock that Helm respects.

use crate::failure::{self, refused};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Result;
use std::fs::{File, TryLockError};
use std::io::Write;
use std::time::{Duration, Instant};

/// For how long Helm waits for another process that holds the lock.
const LOCK_PATIENCE: Duration = Duration::from_secs(30);

/// Writes `contents` to `path`, making its folder: to a temporary file beside it, which is then renamed. `mode` is
/// what the file's permissions become, whatever the umask says, as in Helm.
pub(crate) fn write(path: &Utf8Path, contents: &[u8], mode: u32) -> Result<()> {
    let replace = || -> std::io::Result<()> {
        let folder = parent(path);
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::Builder::new().prefix(".onepane-").tempfile_in(folder)?;
        file.write_all(contents)?;
        set_mode(file.as_file(), mode)?;
        file.persist(path)?;
        Ok(())
    };
    replace().map_err(|error| {
        failure::io("can't write", path, &error).hint("nothing was left half-written; free the path or the disk")
    })
}

#[cfg(unix)]
fn set_mode(file: &File, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &File, _: u32) -> std::io::Result<()> {
    Ok(())
}

/// Reads a file of at most `limit` bytes; `None` where nothing is.
pub(crate) fn read(path: &Utf8Path, limit: u64) -> Result<Option<Vec<u8>>> {
    use std::io::Read;
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failure::io("open", path, &error)),
    };
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| failure::io("read", path, &error))?;
    if bytes.len() as u64 > limit {
        return Err(failure::damaged(format!("{path} is larger than {limit} bytes")));
    }
    Ok(Some(bytes))
}

/// The folder of a path; a bare name is in the folder one works in.
pub(crate) fn parent(path: &Utf8Path) -> &Utf8Path {
    path.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."))
}

/// The lock beside a file, held until it is dropped. The lock file stays, as Helm leaves it.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "held, not read: closing the file lets go")] File);

impl Lock {
    /// Takes the lock for `path`, waiting for whoever has it: `repositories.yaml` is guarded by `repositories.lock`.
    pub(crate) fn take(path: &Utf8Path) -> Result<Self> {
        let place = place_of(path);
        let open = || -> std::io::Result<File> {
            std::fs::create_dir_all(parent(path))?;
            let mut options = File::options();
            options.create(true).truncate(false).read(true).write(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            options.open(&place)
        };
        let file = open().map_err(|error| failure::io("open", &place, &error))?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::Error(error)) => return Err(failure::io("lock", &place, &error)),
                Err(TryLockError::WouldBlock) if start.elapsed() > LOCK_PATIENCE => {
                    return Err(refused(format!("{place} is locked: another process changes {path}"))
                        .hint("run it again when that process has ended"));
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }
}

/// Helm's place for the lock: the extension becomes `.lock`.
fn place_of(path: &Utf8Path) -> Utf8PathBuf {
    let name = path.file_name().unwrap_or_default();
    match name.rfind('.') {
        Some(dot) => path.with_file_name(format!("{}.lock", &name[..dot])),
        None => path.with_file_name(format!("{name}.lock")),
    }
}
