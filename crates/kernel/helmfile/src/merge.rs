//! Laying maps over one another, in the ways in which Helmfile does.

use crate::fields::plain_text;
use onepane_value::{Data, List, Map, Value};

/// Values: maps merge, anything else is replaced, and null replaces nothing that is there. A list with a null in it
/// sets its other items only.
pub(crate) fn values(under: &Map, over: &Map) -> Map {
    laid(under, over, |list| list.iter().any(Value::is_nil))
}

/// Values that are set one by one: items of lists are, too.
pub(crate) fn overrides(under: &Map, over: &Map) -> Map {
    laid(under, over, |_| true)
}

fn laid(under: &Map, over: &Map, by_item: impl Fn(&List) -> bool + Copy) -> Map {
    let out = under.shallow_copy();
    over.for_each(|key, value| {
        let merged = match under.get(key) {
            Some(_) if value.is_nil() => return,
            Some(below) => laid_value(&below, value, by_item),
            None => value.clone(),
        };
        out.insert(key.clone(), merged);
    });
    out
}

fn laid_value(below: &Value, above: &Value, by_item: impl Fn(&List) -> bool + Copy) -> Value {
    match (&below.data, &above.data) {
        (Data::Map(under), Data::Map(over)) => {
            Value::from(laid(under, over, by_item)).with_origin(below.origin.clone())
        }
        (Data::List(under), Data::List(over)) if by_item(over) => {
            let mut items = under.to_vec();
            for (at, item) in over.iter().enumerate() {
                match items.get_mut(at) {
                    Some(_) if item.is_nil() => {}
                    Some(below) => *below = laid_value(below, item, by_item),
                    None => items.push(item.clone()),
                }
            }
            Value::from(items.into_iter().collect::<List>()).with_origin(above.origin.clone())
        }
        _ => above.clone().with_origin(above.origin.over(&below.origin)),
    }
}

/// The next part of a state file over those before it: what is not empty replaces, maps key by key.
pub(crate) fn part(under: &Map, over: &Map) -> Map {
    fields(under, over, |_, above| above)
}

/// A state over its bases, and documents of one part over one another: lists are joined, environments merge.
pub(crate) fn layer(under: &Map, over: &Map) -> Map {
    let out = fields(under, over, |below, above| below.into_iter().chain(above).collect());
    let environments = |map: &Map| map.get("environments").and_then(|value| value.as_map().cloned());
    if let (Some(below), Some(above)) = (environments(under), environments(over)) {
        let merged = below.shallow_copy();
        above.for_each(|name, environment| {
            let both = match (below.get(name).map(|value| value.data), &environment.data) {
                (Some(Data::Map(below)), Data::Map(above)) => {
                    let falls_back = [above, &below].iter().find_map(|map| map.get("mergeStrategy"));
                    let falls_back =
                        falls_back.is_some_and(|strategy| strategy.as_text().is_some_and(|s| *s == "fallback"));
                    Value::from(fields(&below, above, |below, above| {
                        let (first, second) = if falls_back { (above, below) } else { (below, above) };
                        first.into_iter().chain(second).collect()
                    }))
                }
                (Some(below), Data::Nil) => below.into(),
                _ => environment.clone(),
            };
            merged.insert(name.clone(), both);
        });
        out.insert("environments", merged.into());
    }
    out
}

/// What a release has over what it inherits: what is not empty wins, lists are joined, maps are key by key.
pub(crate) fn fill(under: &Map, release: &Map) -> Map {
    let out = under.shallow_copy();
    release.for_each(|key, value| {
        let merged = match (under.get(key).filter(Value::truth), &value.data) {
            (None, _) => value.clone(),
            (Some(Value { data: Data::List(first), origin }), Data::List(second)) => {
                Value::from(first.iter().chain(second.iter()).cloned().collect::<List>()).with_origin(origin)
            }
            (Some(Value { data: Data::Map(first), origin }), Data::Map(second)) => {
                let joined = first.shallow_copy();
                second.for_each(|key, value| {
                    joined.insert(key.clone(), value.clone());
                });
                Value::from(joined).with_origin(origin)
            }
            (Some(inherited), _) if !value.truth() => inherited,
            (Some(inherited), _) => value.clone().with_origin(value.origin.over(&inherited.origin)),
        };
        out.insert(key.clone(), merged);
    });
    out
}

fn fields(under: &Map, over: &Map, lists: impl Fn(Vec<Value>, Vec<Value>) -> Vec<Value>) -> Map {
    let out = under.shallow_copy();
    over.for_each(|key, value| {
        let merged = match (under.get(key), &value.data) {
            (Some(_), _) if !value.truth() => return,
            (Some(Value { data: Data::List(below), .. }), Data::List(above)) => {
                lists(below.to_vec(), above.to_vec()).into_iter().collect::<List>().into()
            }
            (Some(Value { data: Data::Map(below), .. }), Data::Map(above)) => {
                let joined = below.shallow_copy();
                above.for_each(|key, value| {
                    joined.insert(key.clone(), value.clone());
                });
                joined.into()
            }
            _ => value.clone(),
        };
        out.insert(key.clone(), merged);
    });
    out
}

/// What a state inherits from the one that names it, under what it says itself: gaps are filled, names in lists and
/// maps are joined, the state's own ones win.
pub(crate) fn inherited(above: &Map, own: &Map) -> Map {
    let out = own.shallow_copy();
    above.for_each(|key, handed| {
        let filled = match (own.get(key).filter(Value::truth), &handed.data) {
            (None, _) => handed.clone(),
            (Some(Value { data: Data::List(own), .. }), Data::List(handed)) => {
                let name = |item: &Value| match &item.data {
                    Data::Map(map) => map.get("name").map(|name| plain_text(&name)),
                    _ => Some(plain_text(item)),
                };
                let kept = handed.iter().filter(|item| !own.iter().any(|other| name(other) == name(item)));
                Value::from(kept.chain(own.iter()).cloned().collect::<List>())
            }
            (Some(Value { data: Data::Map(own), .. }), Data::Map(handed)) => {
                let joined = own.shallow_copy();
                handed.for_each(|key, value| {
                    if !own.get(key).is_some_and(|value| value.truth()) {
                        joined.insert(key.clone(), value.clone());
                    }
                });
                joined.into()
            }
            (Some(own), _) => own,
        };
        out.insert(key.clone(), filled);
    });
    out
}
