//! How large a value is, before it is copied or written: a list that holds one list twice over and over is small in
//! memory and endless on paper, and a dict can contain itself.

use onepane_value::{Data, Value};

/// How deep a value may be nested to be copied or compared: Go's stack gives out later, ours must not.
const DEPTH: usize = 1_000;

/// How many values may be copied, compared or written at once.
const VALUES: usize = 5_000_000;

/// How large a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// So many values in all.
    Values(usize),
    /// Nested deeper than it may be, perhaps in itself.
    TooDeep,
    /// More values than there may be.
    TooMany,
}

/// Walks the value and says.
pub(crate) fn extent(value: &Value) -> Extent {
    let mut left = VALUES;
    match walk(value, DEPTH, &mut left) {
        Ok(()) => Extent::Values(VALUES - left),
        Err(extent) => extent,
    }
}

fn walk(value: &Value, depth: usize, left: &mut usize) -> Result<(), Extent> {
    *left = left.checked_sub(1).ok_or(Extent::TooMany)?;
    match &value.data {
        Data::List(list) => {
            let depth = depth.checked_sub(1).ok_or(Extent::TooDeep)?;
            list.iter().try_for_each(|item| walk(item, depth, left))
        }
        Data::Map(map) => {
            let depth = depth.checked_sub(1).ok_or(Extent::TooDeep)?;
            map.try_for_each(|_, value| walk(value, depth, left))
        }
        _ => Ok(()),
    }
}
