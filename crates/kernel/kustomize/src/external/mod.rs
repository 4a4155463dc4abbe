//! Generators, transformers and validators that are not built in: functions, which run in containers or as executables
//! and speak the `ResourceList` protocol, and the plugins of old, which are executables in a folder of the user's.
//!
//! This room knows what they are told and what becomes of what they print. It starts none: whoever asks for a build
//! hands in [`Functions`], or nothing, and then every one of them is an error.

mod adopt;
mod arguments;
mod exchange;
mod host;
mod memories;
mod run;
mod specification;

pub use host::{FunctionCall, Functions};
pub(crate) use run::External;
pub use specification::{ContainerFunction, ExecutableFunction, FunctionSpecification, Mount};
