//! Laying maps over one another, in the ways in which Helmfile does.

use onepane_value::{Data, List, Map, Value};

/// Values: maps merge, anything else is replaced, and null replaces nothing that is there.
pub(crate) fn values(under: &Map, over: &Map) -> Map {
    let out = under.shallow_copy();
    over.for_each(|key, value| {
        let merged = match (under.get(key), &value.data) {
            (Some(_), Data::Nil) => return,
            (Some(Value { data: Data::Map(below), origin }), Data::Map(above)) => {
                Value::from(values(&below, above)).with_origin(origin)
            }
            (Some(below), _) => value.clone().with_origin(value.origin.over(&below.origin)),
            (None, _) => value.clone(),
        };
        out.insert(key.clone(), merged);
    });
    out
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

/// What a release has over what it inherits: as odd as it looks, what is inherited wins, lists are joined.
pub(crate) fn fill(under: &Map, release: &Map) -> Map {
    let out = under.shallow_copy();
    release.for_each(|key, value| {
        let merged = match (under.get(key).filter(Value::truth), &value.data) {
            (None, _) => value.clone(),
            (Some(Value { data: Data::List(first), origin }), Data::List(second)) => {
                Value::from(first.iter().chain(second.iter()).cloned().collect::<List>()).with_origin(origin)
            }
            (Some(Value { data: Data::Map(first), origin }), Data::Map(second)) => {
                Value::from(fill(&first, second)).with_origin(origin)
            }
            (Some(inherited), _) => inherited,
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
