//! Git repositories, one commit at a time: those from elsewhere, and the one that a folder is in.
//!
//! [`Repositories`] fetches a commit into a cache, if it is not there yet, and gives its files as a [`Tree`]: a
//! [`World`](onepane_world::World) that reads from the object database, so that nothing is checked out. What the user
//! has configured for Git (credentials, proxies, `url.<base>.insteadOf`) holds here too.
//!
//! [`LocalRepository`] gives the files of any revision of a repository of this machine, in the same form, and a [`Checkout`]
//! those on disk. [`Blame`] tells who touched a line of them last.
//!
//! [`LocalRepository::write_edit`] changes files on disk and pins as a set: whoever is killed leaves all of it, or nothing, to the
//! next.
//!
//! [`LocalRepository::sync`] brings services, which are submodules, to the commits that they are pinned to, as Git would leave
//! them.
//!
//! The cache has a bare repository for each commit. It is made under another name, so that a server that stops midway or a
//! process that is ended leaves nothing behind that counts.

mod blame;
mod branches;
mod checkout;
mod commit;
mod credentials;
mod edit;
mod fetch;
mod history;
mod journal;
mod local;
mod merge;
mod notes;
mod partial;
mod program;
mod remote;
mod repositories;
mod services;
mod submodules;
mod sync;
mod tree;
mod untouched;

pub use blame::{Blame, LastTouch};
pub use checkout::Checkout;
pub use commit::NewCommit;
pub use edit::LeftEdit;
pub use history::Histories;
pub use local::{Commit, LocalRepository, Range, short};
pub use merge::Merged;
pub use notes::{Notes, pause};
pub use repositories::{Fetched, Repositories, Wanted};
pub use services::{CheckedOut, Distance, Service};
pub use sync::{NewService, SwitchOptions, Switched, SwitchedTo, SyncOptions, Synced, SyncedTo};
pub use tree::Tree;
