//! Paths by text: `base`, `dir`, `ext`, `clean`, `isAbs`, and the `os` ones, which are the same wherever a slash parts
//! paths. That a result does not depend on the machine is worth more than Windows' rules.

use crate::arguments::{Outcome, any, derived, fixed, text};
use onepane_bytes::rfind;
use onepane_template::{Context, Function, Type};
use onepane_value::{Text, Value};

pub(crate) const FUNCTIONS: &[Function] = &[
    fixed("base", &[Type::String], |_, arguments| changed(arguments, base)),
    fixed("osBase", &[Type::String], |_, arguments| changed(arguments, base)),
    fixed("dir", &[Type::String], |_, arguments| changed(arguments, dir)),
    fixed("osDir", &[Type::String], |_, arguments| changed(arguments, dir)),
    fixed("ext", &[Type::String], |_, arguments| changed(arguments, ext)),
    fixed("osExt", &[Type::String], |_, arguments| changed(arguments, ext)),
    fixed("clean", &[Type::String], |_, arguments| changed(arguments, clean)),
    fixed("osClean", &[Type::String], |_, arguments| changed(arguments, clean)),
    fixed("isAbs", &[Type::String], is_absolute),
    fixed("osIsAbs", &[Type::String], is_absolute),
];

fn changed(arguments: &[Value], change: fn(&[u8]) -> Vec<u8>) -> Outcome {
    Ok(derived(any(arguments, 0), Text::from(change(text(arguments, 0)?))))
}

fn is_absolute(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    Ok(text(arguments, 0)?.starts_with(b"/").into())
}

fn base(path: &[u8]) -> Vec<u8> {
    let Some(last) = path.iter().rposition(|byte| *byte != b'/') else {
        return if path.is_empty() { b".".to_vec() } else { b"/".to_vec() };
    };
    let start = rfind(b'/', &path[..last]).map_or(0, |slash| slash + 1);
    path[start..=last].to_vec()
}

fn dir(path: &[u8]) -> Vec<u8> {
    clean(&path[..rfind(b'/', path).map_or(0, |slash| slash + 1)])
}

fn ext(path: &[u8]) -> Vec<u8> {
    let name = &path[rfind(b'/', path).map_or(0, |slash| slash + 1)..];
    rfind(b'.', name).map_or_else(Vec::new, |dot| name[dot..].to_vec())
}

/// The shortest path that means the same: no empty and `.` parts, `..` resolved where something stands before it.
fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.starts_with(b"/");
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|last| *last != b"..") => {
                parts.pop();
            }
            b".." if rooted => {}
            _ => parts.push(part),
        }
    }
    let joined = parts.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/", joined.as_slice()].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}
