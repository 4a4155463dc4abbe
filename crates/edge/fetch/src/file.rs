//! A file by its address: [`Fetcher::file`].

use crate::Fetcher;
use crate::repositories::Tls;
use crate::secret::Credentials;
use crate::session::{Access, DEFAULT_TIMEOUT};
use onepane_diagnostics::Result;

/// No manifest is larger.
const LARGEST_FILE: u64 = 64 << 20;

impl Fetcher {
    /// What is at an HTTP address, which nobody's credentials are sent to.
    ///
    /// # Errors
    /// `fetch-unreachable` for a server that can't be reached or that answers anything but 200, `fetch-damaged` for an
    /// answer that breaks off or is too large.
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
