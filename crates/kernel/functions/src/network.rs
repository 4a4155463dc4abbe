//! `getHostByName`: nothing unless the host of the engine allows the network.

use crate::arguments::{fixed, text};
use onepane_template::{Function, Type};

pub(crate) const FUNCTIONS: &[Function] = &[fixed("getHostByName", &[Type::String], |context, arguments| {
    let host = text(arguments, 0)?.to_str().into_owned();
    Ok(context.host().resolve(&host).into())
})];
