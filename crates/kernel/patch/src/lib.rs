//! Patches: strategic merge, JSON6902 and JSON merge, over YAML trees.
