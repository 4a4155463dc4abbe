//! Which resources are meant: [`Query`].
//!
//! A query is terms that must all hold (`term`): `kind=Ingress`, `host=*.example.com`, `image!=*:latest`,
//! `spec.replicas>3`, `label:team`, or a word that a name contains. What a term is about (`subject`) is read from a
//! [`Found`] resource. What a Secret holds is no subject: it can neither be shown nor be guessed by asking.

mod hosts;
mod subject;
mod term;

pub use hosts::hosts;
pub use subject::Found;
pub use term::{Query, Term};
