//! `urlParse` and `urlJoin`: Go's package net/url.

mod address;
mod escape;

use crate::arguments::{Outcome, derived, fixed, map, text};
pub use address::Address;
use onepane_template::{Context, Function, FunctionError, Type};
use onepane_value::{Data, Map, Text, Value};

pub(crate) const FUNCTIONS: &[Function] =
    &[fixed("urlParse", &[Type::String], url_parse), fixed("urlJoin", &[Type::Map], url_join)];

fn url_parse(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let address = Address::parse(text(arguments, 0)?).map_err(|error| format!("unable to parse url: {error}"))?;
    let parts: [(&str, Vec<u8>); 8] = [
        ("hostname", address.hostname().to_vec()),
        ("userinfo", address.user.as_ref().map(address::User::escaped).unwrap_or_default()),
        ("scheme", address.scheme),
        ("host", address.host),
        ("path", address.path),
        ("query", address.query),
        ("opaque", address.opaque),
        ("fragment", address.fragment),
    ];
    let parts = parts.into_iter().map(|(key, part)| (key, derived(&arguments[0], Text::from(part))));
    Ok(derived(&arguments[0], parts.collect::<Map>()))
}

fn url_join(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let parts = map(arguments, 0)?;
    let part = |key: &str| match parts.get(key) {
        None => Ok(Vec::new()),
        Some(Value { data: Data::String(text), .. }) => Ok(text.to_vec()),
        Some(value) if value.is_nil() => Err(FunctionError::from(crate::arguments::NIL_DEREFERENCE)),
        Some(value) => Err(FunctionError::Message(format!(
            "unable to parse {key} key, must be of type string, but {} found",
            value.kind().name()
        ))),
    };
    let mut address = Address {
        scheme: part("scheme")?,
        host: part("host")?,
        path: part("path")?,
        query: part("query")?,
        opaque: part("opaque")?,
        fragment: part("fragment")?,
        ..Address::default()
    };
    let user = part("userinfo")?;
    if !user.is_empty() {
        let with_user = [b"proto://", &*user, b"@host"].concat();
        let parsed = Address::parse(&with_user);
        address.user = parsed.map_err(|error| format!("unable to parse userinfo in dict: {error}"))?.user;
    }
    Ok(derived(&arguments[0], Text::from(address.into_bytes())))
}
