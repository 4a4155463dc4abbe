//! Git repositories from elsewhere, one commit at a time.
//!
//! [`Repositories`] fetches a commit into a cache, if it is not there yet, and gives its files as a [`Tree`]: a
//! [`World`](onepane_world::World) that reads from the object database, so that nothing is checked out. What the user
//! has configured for Git (credentials, proxies, `url.<base>.insteadOf`) holds here too.
//!
//! The cache has a bare repository for each commit. It is made under another name, so that a server that stops midway or a
//! process that is ended leaves nothing behind that counts.

mod fetch;
mod repositories;
mod submodules;
mod tree;

pub use repositories::{Fetched, Repositories, Wanted};
pub use tree::Tree;
