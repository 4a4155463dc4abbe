//! Kustomizations: accumulate, generate, transform, replace.
