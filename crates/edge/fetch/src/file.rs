//! A file by its address: [`Fetcher::file`], and those of which a folder keeps what was last there: [`KeptFiles`].

use crate::cache::Hash;
use crate::failure::unreachable;
use crate::repositories::Tls;
use crate::secret::{Credentials, shown};
use crate::session::{Access, DEFAULT_TIMEOUT};
use crate::{Fetcher, write};
use camino::Utf8PathBuf;
use onepane_diagnostics::{Diagnostic, Result};

/// No manifest is larger.
const LARGEST_FILE: u64 = 64 << 20;

impl Fetcher {
    /// What is at an HTTP address, which nobody's credentials are sent to.
    ///
    /// # Errors
    /// `fetch-unreachable` for a server that can't be reached or that is out of order, `fetch-status` for any other answer
    /// than 200, `fetch-damaged` for an answer that breaks off or is too large.
    pub fn file(&self, url: &str) -> Result<Vec<u8>> {
        let (credentials, tls) = (Credentials::default(), Tls::default());
        let access = Access {
            home: url,
            credentials: &credentials,
            pass_credentials_all: false,
            tls: &tls,
            timeout: DEFAULT_TIMEOUT,
        };
        self.session.get(url, access, None, LARGEST_FILE)
    }
}

/// Files by their addresses, of which a folder keeps what was last there: the contents under their SHA-256, and for each
/// address that was asked for the SHA-256 of what was seen there.
#[derive(Clone, Debug)]
pub struct KeptFiles {
    /// Where they are kept; it need not be there yet.
    pub cache: Utf8PathBuf,
    /// Whether no server is asked: what is not there yet can't be had.
    pub offline: bool,
}

impl KeptFiles {
    /// What is at an HTTP address. Where the server can't be reached, what was last seen there serves, with a warning
    /// that names its SHA-256.
    ///
    /// # Errors
    /// Those of [`Fetcher::file`] and of the folder.
    pub fn get(&self, url: &str, fetcher: &Fetcher) -> Result<(Vec<u8>, Option<Diagnostic>)> {
        let away = if self.offline {
            unreachable(format!("{}: nothing is fetched offline", shown(url)))
                .hint("run it once without `--offline`, which keeps the file")
        } else {
            match fetcher.file(url) {
                Ok(bytes) => {
                    self.keep(url, &bytes)?;
                    return Ok((bytes, None));
                }
                Err(error) if error.code == "fetch-unreachable" => error,
                Err(error) => return Err(error),
            }
        };
        let Some((bytes, hash)) = self.last_seen(url) else { return Err(away) };
        let message = format!(
            "{} is what was last seen there, SHA-256 {}, because of this: {}",
            shown(url),
            hash.as_str(),
            away.message
        );
        Ok((bytes, Some(*Diagnostic::warning("fetch-offline", message))))
    }

    fn keep(&self, url: &str, bytes: &[u8]) -> Result<()> {
        let hash = Hash::of(bytes);
        // Manifests may hold secrets: what is kept of them is for their owner.
        write::write(&self.cache.join(hash.as_str()), bytes, 0o600)?;
        write::write(&self.note(url), hash.as_str().as_bytes(), 0o600)
    }

    /// What is not as it was kept is not there.
    fn last_seen(&self, url: &str) -> Option<(Vec<u8>, Hash)> {
        let note = write::read(&self.note(url), 64).ok()??;
        let hash = Hash::parse(std::str::from_utf8(&note).ok()?).ok()??;
        let bytes = write::read(&self.cache.join(hash.as_str()), LARGEST_FILE).ok()??;
        (Hash::of(&bytes) == hash).then_some((bytes, hash))
    }

    fn note(&self, url: &str) -> Utf8PathBuf {
        self.cache.join(format!("{}.address", Hash::of(url.as_bytes()).as_str()))
    }
}
