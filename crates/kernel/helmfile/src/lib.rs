//! Helmfile state: environments, releases, selectors.
