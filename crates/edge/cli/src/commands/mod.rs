//! One file a command.

pub(crate) mod helm;
pub(crate) mod kustomize;
