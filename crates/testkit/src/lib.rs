//! What tests share.
//!
//! [`conformance`] turns the corpora of upstream behaviour into tests, one a case: a folder that is dropped into a
//! corpus is a test, with no code to touch. A list of known failures by name may only shrink: a listed case that
//! passes fails the run, and so does an unlisted one that fails.

pub mod conformance;
mod corpus;
mod forge;
mod git_server;
mod process;
mod random;
mod registry;
mod semantic;

pub use corpus::{Corpus, corpus};
pub use forge::{Forge, PostedStatus};
pub use git_server::{GitServer, Mood, git};
pub use process::{Finished, peer, run, run_once, run_with};
pub use random::Random;
pub use registry::{Doors, LONG_PASSWORD, Registry};
pub use semantic::{masked_equal, parse_documents};
