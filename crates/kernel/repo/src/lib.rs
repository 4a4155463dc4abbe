//! The repository's folders, and what is rendered, built and asked of them.
