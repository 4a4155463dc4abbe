//! A Kubernetes cluster as a render asks it: what it serves, what is there, whose it is. By itself it changes nothing in it.
//!
//! [`Cluster::connect`] takes the [`Settings`] that flags and environment give, finds the cluster by the rules of
//! kubeconfig files, and asks for its version. From then on it answers `lookup` (it is a
//! [`Host`](onepane_template::Host)), says what templates see in `.Capabilities`, and checks manifests as Helm does
//! before it would install them: [`Cluster::check`].
//!
//! [`data_of`] reads one Secret or ConfigMap and asks nothing else, for references in values.
//!
//! [`Cluster::build`] makes [`Resource`]s of manifests, and [`Cluster::ask`] makes [`Request`]s for who has something done to
//! them (`edge/release`); it is asynchronous, so that many are on the way at once, within [`Cluster::run`].
//!
//! It does not know charts, flags or the terminal. Errors are Helm's texts, for which most of this crate has to talk as
//! client-go does; tokens and keys are in none of them. What Helm logs beside its errors is handed to the caller as
//! [`Logged`]. A runtime is started when the first request is made, on the calling thread. The one program that may be
//! started is the credential plugin that the user's kubeconfig names. No redirect is followed, no answer is waited for
//! longer than two minutes or read beyond 128 MiB.

mod cause;
mod check;
mod client;
mod cluster;
mod credentials;
mod data;
mod discovery;
mod exec_plugin;
mod failure;
mod identity;
mod kubeconfig;
mod kubeconfig_file;
mod lookup;
mod proxy;
mod request;
mod resource;
mod schema;
mod settings;
mod unmarshal;
mod value;

pub use check::{Check, Ownership, Validation, foreign};
pub use client::Verb;
pub use cluster::Cluster;
pub use data::{Holder, data_of};
pub use failure::{Level, Logged};
pub use request::{Refusal, Request};
pub use resource::Resource;
pub use settings::Settings;
