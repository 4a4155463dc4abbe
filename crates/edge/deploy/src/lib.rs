//! Manifests brought to a cluster: [`Engine`].
//!
//! [`Server`] is the API server that a kubeconfig names: what it has, and requests to it, made again where that may help.
//! [`Engine::apply`] brings a set of manifests there by server-side apply, in waves (`waves`): what others live in or are
//! made of first, and what objects say that they depend on (`dependencies`). What is as it should be already is left alone
//! (`settled`). Objects that the set had and has no more are pruned in the reverse of that order (`removal`), and at last it is
//! waited until all have become what they should be (`wait`). Everything that happens is told as an [`Event`].
//! [`Engine::differences`] is what that would change.
//!
//! Which objects are a set's is noted as Kubernetes' ApplySets do (`set`): each carries a label, and a Secret names the kinds
//! and namespaces to look for it in. That Secret is widened before anything is applied, and narrowed when all is done, so
//! that whoever comes after a run that was killed finds all that it has left.
//!
//! It knows objects as JSON, and neither repositories nor the terminal.

mod compare;
mod dependencies;
mod engine;
mod event;
mod failure;
mod identity;
mod removal;
mod server;
mod set;
mod settled;
mod wait;
mod waves;

pub use compare::Difference;
pub use engine::{Engine, Options, Outcome};
pub use event::{Event, Happened};
pub use failure::{Conflict, Failure};
pub use identity::Identity;
pub use server::{Address, ClusterKind, Server};
