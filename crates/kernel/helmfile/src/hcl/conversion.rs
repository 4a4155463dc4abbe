//! Which types convert to which, and the type that several can become: cty's package convert.
//!
//! Objects become maps and tuples become lists where all elements can be of one type; numbers and booleans become
//! strings, and strings numbers and booleans where their text is one.

use super::number::Number;
use super::value::{Data, Type, Value};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The value as `wanted`. The error says what is required instead.
pub(super) fn convert(value: &Value, wanted: &Type) -> Result<Value, String> {
    if value.kind == *wanted {
        return Ok(value.clone());
    }
    if !converts(&value.kind, wanted) {
        return Err(format!("{} required", article(&wanted.name())));
    }
    apply(value, wanted)
}

fn article(name: &str) -> String {
    let an = name.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {name}", if an { "an" } else { "a" })
}

/// Whether there is a way from a type to a different one. That a value goes it is not said.
fn converts(from: &Type, to: &Type) -> bool {
    let element = |from: &Type, to: &Type| from == to || converts(from, to);
    // Elements whose type is left open become one that they have in common.
    let all = |kinds: &mut dyn Iterator<Item = &Type>, of: &Type| {
        let kinds: Vec<&Type> = kinds.collect();
        if kinds.is_empty() {
            return true;
        }
        let common;
        let of = if *of == Type::Any {
            let Some(found) = unify(kinds.iter().copied()) else { return false };
            if found == Type::Any && kinds.iter().any(|kind| **kind != Type::Any) {
                return false;
            }
            common = found;
            &common
        } else {
            of
        };
        kinds.iter().all(|kind| element(kind, of))
    };
    match (from, to) {
        (_, Type::Any) | (Type::Any, _) => true,
        (Type::Number | Type::Bool, Type::String) | (Type::String, Type::Number | Type::Bool) => true,
        (Type::Object(from), Type::Object(to)) => {
            to.iter().all(|(name, to)| from.get(name).is_some_and(|from| element(from, to)))
        }
        (Type::Tuple(from), Type::Tuple(to)) => {
            from.len() == to.len() && from.iter().zip(&**to).all(|(from, to)| element(from, to))
        }
        (Type::List(from) | Type::Set(from), Type::List(to) | Type::Set(to)) => element(from, to),
        (Type::Map(from), Type::Map(to)) => element(from, to),
        (Type::Tuple(from), Type::List(of) | Type::Set(of)) => all(&mut from.iter(), of),
        (Type::Object(from), Type::Map(of)) => all(&mut from.values(), of),
        (Type::Map(from), Type::Object(to)) => to.values().all(|to| element(from, to)),
        _ => false,
    }
}

/// Goes the way that [`converts`] knows of.
fn apply(value: &Value, wanted: &Type) -> Result<Value, String> {
    if value.kind == *wanted || *wanted == Type::Any {
        return Ok(value.clone());
    }
    if value.is_null() {
        return Ok(Value::null(filled(&value.kind, wanted)));
    }
    let uneven = || "all elements must be of the same type".to_owned();
    match (&value.kind, wanted) {
        (_, Type::String) => match &value.data {
            Data::Number(number) => Ok(number.text().into()),
            Data::Bool(value) => Ok(if *value { "true" } else { "false" }.into()),
            _ => Err("a string is required".to_owned()),
        },
        (_, Type::Number) => {
            let number = value.as_str().and_then(Number::parse);
            number.map(Value::from).ok_or_else(|| "a number is required".to_owned())
        }
        (_, Type::Bool) => match value.as_str() {
            Some("true" | "1") => Ok(true.into()),
            Some("false" | "0") => Ok(false.into()),
            _ => Err("a bool is required: true or false".to_owned()),
        },
        (Type::Object(_) | Type::Map(_), Type::Object(kinds)) => {
            let mut entries = Vec::new();
            for (name, kind) in kinds.iter() {
                let entry = value.get(name).ok_or_else(|| format!("the map has no element {name:?}"))?;
                entries.push((name.clone(), apply(&entry, kind)?));
            }
            Ok(Value::object(entries))
        }
        (Type::Tuple(_), Type::Tuple(kinds)) => {
            let parts: Result<Vec<_>, _> =
                value.items().zip(kinds.iter()).map(|(item, kind)| apply(&item, kind)).collect();
            Ok(Value::tuple(parts?))
        }
        (_, Type::List(of) | Type::Set(of)) => {
            let of = match (&**of, &value.kind) {
                (Type::Any, Type::Tuple(kinds)) if !kinds.is_empty() => &unify(kinds.iter()).ok_or_else(uneven)?,
                (Type::Any, Type::List(own) | Type::Set(own)) => own,
                (of, _) => of,
            };
            let parts: Vec<Value> = value.items().map(|item| apply(&item, of)).collect::<Result<_, _>>()?;
            match wanted {
                Type::Set(_) => Value::set(of, parts),
                _ => Value::list(of, evened(parts)?),
            }
            .ok_or_else(uneven)
        }
        (_, Type::Map(of)) => {
            let of = match (&**of, &value.kind) {
                (Type::Any, Type::Object(kinds)) if !kinds.is_empty() => &unify(kinds.values()).ok_or_else(uneven)?,
                (Type::Any, Type::Map(own)) => own,
                (of, _) => of,
            };
            let entries = value.entries().map(|(name, entry)| Ok((name, apply(&entry, of)?)));
            let (names, parts): (Vec<_>, Vec<_>) = entries.collect::<Result<Vec<_>, String>>()?.into_iter().unzip();
            let parts = if of.is_primitive() { parts } else { evened(parts)? };
            Value::map(of, names.into_iter().zip(parts)).ok_or_else(uneven)
        }
        (kind, _) => Err(format!("{} required, not {}", article(&wanted.name()), article(&kind.name()))),
    }
}

/// Elements that became of one type, but for parts of it that were left open.
fn evened(parts: Vec<Value>) -> Result<Vec<Value>, String> {
    let Some(common) = unify(parts.iter().map(|part| &part.kind)) else {
        return if parts.is_empty() { Ok(parts) } else { Err("all elements must be of the same type".to_owned()) };
    };
    parts.iter().map(|part| apply(part, &common)).collect()
}

/// The type of a null that was of `from`: what `to` leaves open is as it was.
fn filled(from: &Type, to: &Type) -> Type {
    let common = |kinds: &mut dyn Iterator<Item = &Type>, to: &Type| match unify(kinds) {
        Some(kind) => filled(&kind, to),
        None => to.clone(),
    };
    match (from, to) {
        (Type::Any, to) => to.clone(),
        (from, Type::Any) => from.clone(),
        (Type::Map(from), Type::Map(to)) => Type::map(filled(from, to)),
        (Type::Object(from), Type::Map(to)) => Type::map(common(&mut from.values(), to)),
        (Type::List(from) | Type::Set(from), Type::List(to)) => Type::list(filled(from, to)),
        (Type::List(from) | Type::Set(from), Type::Set(to)) => Type::set(filled(from, to)),
        (Type::Tuple(from), Type::List(to)) => Type::list(common(&mut from.iter(), to)),
        (Type::Tuple(from), Type::Set(to)) => Type::set(common(&mut from.iter(), to)),
        (Type::Tuple(from), Type::Tuple(to)) => {
            Type::Tuple(from.iter().zip(&**to).map(|(from, to)| filled(from, to)).collect())
        }
        (Type::Object(from), Type::Object(to)) => {
            let kind = |name: &Rc<str>, to: &Type| from.get(name).map_or(to.clone(), |from| filled(from, to));
            Type::Object(Rc::new(to.iter().map(|(name, to)| (name.clone(), kind(name, to))).collect()))
        }
        (_, to) => to.clone(),
    }
}

/// The type that all can become; nothing where there is none, and for no types.
pub(super) fn unify<'a>(kinds: impl IntoIterator<Item = &'a Type>) -> Option<Type> {
    let kinds: Vec<Type> = kinds.into_iter().cloned().collect();
    unified(&kinds)
}

fn unified(kinds: &[Type]) -> Option<Type> {
    if kinds.is_empty() {
        return None;
    }
    let count = |is: fn(&Type) -> bool| kinds.iter().filter(|kind| is(kind)).count();
    let maps = count(|kind| matches!(kind, Type::Map(_)));
    let lists = count(|kind| matches!(kind, Type::List(_)));
    let sets = count(|kind| matches!(kind, Type::Set(_)));
    let objects = count(|kind| matches!(kind, Type::Object(_)));
    let tuples = count(|kind| matches!(kind, Type::Tuple(_)));
    let open = count(|kind| *kind == Type::Any);
    let all = |counted: usize| counted + open == kinds.len();
    if open > 0 && open < kinds.len() && [maps, lists, sets, objects, tuples].into_iter().any(all) {
        // What `null` would be beside a collection is left open.
        return Some(Type::Any);
    }
    let elements = || -> Option<Type> {
        let elements: Vec<Type> = kinds.iter().filter_map(|kind| kind.element().cloned()).collect();
        unified(&elements)
    };
    if maps > 0 && all(maps) {
        return elements().map(Type::map);
    } else if maps > 0 && all(maps + objects) {
        if let Some(kind @ Type::Map(_)) = beside(kinds, |kind| matches!(kind, Type::Object(_)), objects_as_map) {
            return Some(kind);
        }
    } else if lists > 0 && all(lists) {
        return elements().map(Type::list);
    } else if lists > 0 && all(lists + tuples) {
        if let Some(kind @ Type::List(_)) = beside(kinds, |kind| matches!(kind, Type::Tuple(_)), tuples_as_list) {
            return Some(kind);
        }
    } else if sets > 0 && all(sets) {
        return elements().map(Type::set);
    } else if objects > 0 && all(objects) {
        return unified_objects(kinds);
    } else if tuples > 0 && all(tuples) {
        return unified_tuples(kinds);
    } else if objects > 0 && tuples > 0 {
        return None;
    }
    let reaches = |wanted: &Type| kinds.iter().all(|kind| kind == wanted || converts(kind, wanted));
    preferred(kinds).into_iter().map(|at| &kinds[at]).find(|wanted| reaches(wanted)).cloned()
}

/// All objects (or tuples) as one map (or list), and that with the rest.
fn beside(kinds: &[Type], is: fn(&Type) -> bool, as_one: fn(&[Type]) -> Option<Type>) -> Option<Type> {
    let some: Vec<Type> = kinds.iter().filter(|kind| is(kind)).cloned().collect();
    let one = as_one(&some)?;
    let rest = kinds.iter().map(|kind| if is(kind) { one.clone() } else { kind.clone() });
    unified(&rest.collect::<Vec<_>>())
}

fn unified_objects(kinds: &[Type]) -> Option<Type> {
    let all: Vec<&BTreeMap<Rc<str>, Type>> = kinds
        .iter()
        .filter_map(|kind| match kind {
            Type::Object(kinds) => Some(&**kinds),
            _ => None,
        })
        .collect();
    let first = all.first()?;
    if all.iter().any(|other| !other.keys().eq(first.keys())) {
        return objects_as_map(kinds);
    }
    let mut common = BTreeMap::new();
    for name in first.keys() {
        common.insert(name.clone(), unify(all.iter().filter_map(|kinds| kinds.get(name)))?);
    }
    Some(Type::Object(Rc::new(common)))
}

fn objects_as_map(kinds: &[Type]) -> Option<Type> {
    let parts = kinds.iter().filter_map(|kind| match kind {
        Type::Object(kinds) => Some(kinds.values()),
        _ => None,
    });
    let map = Type::map(unify(parts.flatten())?);
    kinds.iter().all(|kind| *kind == map || converts(kind, &map)).then_some(map)
}

fn unified_tuples(kinds: &[Type]) -> Option<Type> {
    let all: Vec<&[Type]> = kinds
        .iter()
        .filter_map(|kind| match kind {
            Type::Tuple(kinds) => Some(&**kinds),
            _ => None,
        })
        .collect();
    let first = all.first()?;
    if all.iter().any(|other| other.len() != first.len()) {
        return tuples_as_list(kinds);
    }
    let common: Option<Vec<Type>> = (0..first.len()).map(|at| unify(all.iter().map(|kinds| &kinds[at]))).collect();
    Some(Type::Tuple(common?.into()))
}

fn tuples_as_list(kinds: &[Type]) -> Option<Type> {
    let parts = kinds.iter().filter_map(|kind| match kind {
        Type::Tuple(kinds) => Some(kinds.iter()),
        _ => None,
    });
    let list = Type::list(unify(parts.flatten())?);
    kinds.iter().all(|kind| *kind == list || converts(kind, &list)).then_some(list)
}

/// In which order types are tried: more general ones first, otherwise as they come.
fn preferred(kinds: &[Type]) -> Vec<usize> {
    // Many elements are of few types.
    let mut distinct: Vec<usize> = Vec::new();
    for at in 0..kinds.len() {
        if !distinct.iter().any(|known| kinds[*known] == kinds[at]) {
            distinct.push(at);
        }
    }
    let before = |a: usize, b: usize| generality(&kinds[a], &kinds[b]) == Ordering::Less;
    let mut order = Vec::new();
    let mut left = distinct;
    while !left.is_empty() {
        let free: Vec<usize> =
            left.iter().copied().filter(|at| !left.iter().any(|other| before(*other, *at))).collect();
        if free.is_empty() {
            break;
        }
        left.retain(|at| !free.contains(at));
        order.extend(free);
    }
    order
}

/// `Less` where the first is the more general one.
fn generality(a: &Type, b: &Type) -> Ordering {
    let both = |pairs: &mut dyn Iterator<Item = (&Type, &Type)>| {
        let orders: Vec<Ordering> = pairs.map(|(a, b)| generality(a, b)).collect();
        match (orders.contains(&Ordering::Less), orders.contains(&Ordering::Greater)) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            _ => Ordering::Equal,
        }
    };
    match (a, b) {
        (Type::Any, Type::Any) => Ordering::Equal,
        (Type::Any, _) => Ordering::Greater,
        (_, Type::Any) => Ordering::Less,
        (Type::String, Type::Bool | Type::Number) => Ordering::Less,
        (Type::Bool | Type::Number, Type::String) => Ordering::Greater,
        (Type::List(a), Type::List(b)) | (Type::Set(a), Type::Set(b)) | (Type::Map(a), Type::Map(b)) => {
            generality(a, b)
        }
        (Type::Tuple(_) | Type::List(_), Type::Set(_)) | (Type::List(_), Type::Tuple(_)) => Ordering::Less,
        (Type::Set(_), Type::Tuple(_) | Type::List(_)) | (Type::Tuple(_), Type::List(_)) => Ordering::Greater,
        (Type::Map(_), Type::Object(_)) => Ordering::Less,
        (Type::Object(_), Type::Map(_)) => Ordering::Greater,
        (Type::Object(a), Type::Object(b)) if a.keys().eq(b.keys()) => both(&mut a.values().zip(b.values())),
        (Type::Tuple(a), Type::Tuple(b)) if a.len() == b.len() => both(&mut a.iter().zip(&**b)),
        _ => Ordering::Equal,
    }
}
