//! What happens on the way: [`Event`].

use crate::failure::Failure;
use crate::identity::Identity;
use onepane_health::{Health, Trouble};

/// Something that happened to an object.
#[derive(Clone, Debug)]
pub struct Event {
    /// The object.
    pub object: Identity,
    /// What happened.
    pub happened: Happened,
}

/// What may happen to an object.
#[derive(Clone, Debug)]
pub enum Happened {
    /// It was not there, and is.
    Created,
    /// It was changed.
    Configured,
    /// It is as it should be already.
    Unchanged,
    /// It is no more of the set, and was deleted.
    Pruned,
    /// It is no more of the set, and stays since it says so.
    Kept,
    /// It is no more of the set, and stays since this one does, which depends on it.
    KeptFor(Identity),
    /// It was deleted with the set.
    Deleted,
    /// It was not done.
    Failed(Failure),
    /// How it is has changed.
    Became(Health),
    /// A pod of it is in trouble.
    InTrouble {
        /// The pod.
        pod: String,
        /// What it is.
        trouble: Trouble,
    },
    /// What a container of one of its pods has said last before it failed.
    Said {
        /// The pod.
        pod: String,
        /// The container.
        container: String,
        /// The last lines of its log.
        log: String,
    },
}
