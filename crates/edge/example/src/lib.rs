//! The example company, *shop*, and the skeleton of a new repository.
//!
//! Both are plain files beside this source (`shop/`, `services/`, `skeleton/`), embedded in the binary so that they
//! can be written on any machine without a network. [`write_skeleton`] starts a user's own repository. The example is
//! made in two steps, because the charts are rendered by the caller in between and belong into the first commit:
//!
//! ```no_run
//! # fn main() -> Result<(), onepane_example::Error> {
//! # let dir = std::path::Path::new("shop");
//! onepane_example::write_files(dir)?;
//! // … the caller renders the charts into dir/helm-charts/rendered …
//! let company = onepane_example::commit(dir, "Everything that runs")?;
//! # Ok(())
//! # }
//! ```
//!
//! The result is a Git repository like a company's: the services are submodules, and every repository has an origin,
//! a bare repository in `<dir>.origins/`. This crate starts no process, and knows nothing of charts or Kustomize.

mod company;
mod embedded;
mod error;
mod git;
mod place;
mod skeleton;

pub use company::{Company, Service, commit, write_files};
pub use error::Error;
pub use skeleton::write_skeleton;
