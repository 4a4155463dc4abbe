//! How paths of fields are written: [`join_key`].

/// `path` and then `key`, as `spec.template` or `annotations["example.com/a"]`: in a form that reads back.
pub fn join_key(path: &str, key: &str) -> String {
    if key.contains(['.', '[', ']', '\\']) {
        return format!("{path}[\"{key}\"]");
    }
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
