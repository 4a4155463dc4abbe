//! Letting go of values, however deep they are nested: [`release`].
//!
//! Rust drops a value inside a value by a call inside a call, and a template can nest a dict a million times in a loop.
//! Behind a certain depth what is to be dropped waits in a list instead.

use crate::Value;
use crate::sorted::Sorted;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// What a collection held that nobody else holds.
#[expect(dead_code, reason = "it is there to be dropped")]
pub(crate) enum Held {
    /// A list's items, perhaps shared after all.
    Items(Rc<[Value]>),
    /// A map's entries.
    Entries(Sorted),
}

/// How many calls deep values are dropped.
const DEEPEST: usize = 128;

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    static WAITING: RefCell<Vec<Held>> = const { RefCell::new(Vec::new()) };
}

/// Drops what a collection held.
pub(crate) fn release(held: Held) {
    // At the end of a thread its variables are gone: then as deep as it goes.
    let Ok(depth) = DEPTH.try_with(Cell::get) else { return };
    if depth >= DEEPEST {
        let _ = WAITING.try_with(|waiting| waiting.borrow_mut().push(held));
        return;
    }
    let set = |depth: usize| {
        let _ = DEPTH.try_with(|cell| cell.set(depth));
    };
    set(depth + 1);
    drop(held);
    if depth == 0 {
        while let Ok(Some(next)) = WAITING.try_with(|waiting| waiting.borrow_mut().pop()) {
            drop(next);
        }
    }
    set(depth);
}

#[cfg(test)]
mod tests {
    use crate::{List, Map, Value};

    #[test]
    fn a_million_levels_are_dropped_without_a_call_for_each() {
        let mut value = Value::int(1);
        for level in 0..1_000_000 {
            value = match level % 2 {
                0 => List::from_iter([value]).into(),
                _ => Map::from_iter([("x", value)]).into(),
            };
        }
        drop(value);
    }
}
