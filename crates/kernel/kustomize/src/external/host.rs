//! Who runs functions: [`Functions`].

use super::specification::FunctionSpecification;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_resource::GroupVersionKind;

/// Runs the functions and plugins that kustomizations ask for, and may refuse to.
pub trait Functions {
    /// Where the executable lies that is the plugin for configurations of this type.
    ///
    /// # Errors
    /// Why there is none, as Kustomize says it.
    fn plugin(&self, of: &GroupVersionKind) -> Result<Utf8PathBuf, String>;

    /// Runs it and gives what it printed; `None` for a kind of function that is not enabled, which changes nothing then.
    ///
    /// # Errors
    /// Why it did not run to a good end. What a function says to standard error goes there.
    fn run(&self, call: &FunctionCall<'_>) -> Result<Option<Vec<u8>>, String>;
}

/// What is to run.
#[derive(Clone, Copy, Debug)]
pub enum FunctionCall<'a> {
    /// A function.
    Function {
        /// Where its configuration says it is found.
        specification: &'a FunctionSpecification,
        /// The folder of the kustomization that asks for it.
        folder: &'a Utf8Path,
        /// A `ResourceList`, for standard input.
        input: &'a str,
    },
    /// An executable that [`Functions::plugin`] found.
    Plugin {
        /// Where it lies.
        program: &'a Utf8Path,
        /// Its arguments behind the first, which is a file that holds the configuration.
        arguments: &'a [String],
        /// The configuration.
        configuration: &'a str,
        /// The folder of the kustomization that asks for it.
        folder: &'a Utf8Path,
        /// Manifests, for standard input.
        input: &'a str,
    },
}
