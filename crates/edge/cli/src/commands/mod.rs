//! One file a command.

pub(crate) mod build;
pub(crate) mod helm;
pub(crate) mod init;
pub(crate) mod kustomize;
pub(crate) mod render;
pub(crate) mod why;
