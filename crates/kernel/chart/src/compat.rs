//! Whose results are wanted where versions of Helm differ: [`Compat`].

/// A version of Helm. Helm 3 means 3.19.0, the last whose results the corpus holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compat {
    /// Helm 4.3.
    #[default]
    Helm4,
    /// Helm 3: nulls of chart defaults get into the values, manifests are trimmed, `.Chart` is a struct.
    Helm3,
}
