//! From steps and a value to text.

use super::{Part, Slice, Step};
use onepane_value::format::sprint;
use onepane_value::{Data, IntKind, List, Value, to_json};

/// More values than this are not looked at, so that nested descents end.
const MOST_VALUES: usize = 2_000_000;

/// Ranges within ranges.
const DEEPEST_RANGE: usize = 100;

/// A value, or what Go has where there is not even nil: the item of a range that was nil or had no items.
type Item = Option<Value>;

type Items = Vec<Item>;

/// What the parts say of `value`.
pub(super) fn print(parts: &[Part], value: &Value) -> Result<Vec<u8>, String> {
    let mut run = Run { parts, begun: 0, within: 0, ended: 0, last_end: None, looked_at: 0 };
    let mut out = Vec::new();
    for items in run.find(0, &Some(value.clone()))? {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                out.push(b' ');
            }
            out.extend_from_slice(&text(item)?);
        }
    }
    Ok(out)
}

fn text(item: &Item) -> Result<Vec<u8>, String> {
    match item {
        None => Ok(b"<no value>".to_vec()),
        Some(value) => match &value.data {
            Data::Nil => Ok(b"null".to_vec()),
            Data::Map(_) | Data::List(_) => Ok(to_json(value)?.as_bytes().to_vec()),
            _ => Ok(sprint(std::slice::from_ref(value)).as_bytes().to_vec()),
        },
    }
}

/// A template that is being run. `range` and `end` are steps that only leave a note here; which parts they enclose is
/// found out while running, as in client-go.
struct Run<'a> {
    parts: &'a [Part],
    begun: usize,
    within: usize,
    ended: usize,
    last_end: Option<usize>,
    looked_at: usize,
}

impl Run<'_> {
    /// The results of each part from `start` on.
    fn find(&mut self, start: usize, item: &Item) -> Result<Vec<Items>, String> {
        if self.within > DEEPEST_RANGE {
            return Err(format!("ranges are nested more than {DEEPEST_RANGE} deep"));
        }
        let input = [item.clone()];
        let mut all = Vec::new();
        let mut at = start;
        while let Some(part) = self.parts.get(at) {
            let results = match part {
                Part::Text(text) => vec![Some(Value::string(text.as_str()))],
                Part::Action(steps) => self.walk(&input, steps)?,
            };
            self.count(1)?;
            if self.ended > 0 && self.ended <= self.within {
                self.ended -= 1;
                self.last_end = Some(at);
                break;
            }
            if self.begun > 0 {
                self.begun -= 1;
                self.within += 1;
                if results.is_empty() {
                    // Run all the same, to find its end.
                    self.find(at + 1, &None)?;
                }
                for item in results {
                    let item = item.filter(|value| !matches!(value.data, Data::Nil));
                    all.extend(self.find(at + 1, &item)?);
                }
                self.within -= 1;
                at = self.last_end.filter(|end| *end > at).unwrap_or(at) + 1;
                continue;
            }
            all.push(results);
            at += 1;
        }
        Ok(all)
    }

    fn count(&mut self, values: usize) -> Result<(), String> {
        self.looked_at += values;
        if self.looked_at > MOST_VALUES {
            return Err(format!("the template looks at more than {MOST_VALUES} values"));
        }
        Ok(())
    }

    fn walk(&mut self, input: &[Item], steps: &[Step]) -> Result<Items, String> {
        let mut items = input.to_vec();
        for step in steps {
            items = self.step(items, step)?;
            self.count(items.len())?;
        }
        Ok(items)
    }

    fn step(&mut self, input: Items, step: &Step) -> Result<Items, String> {
        let each = |value: Value| Ok(input.iter().map(|_| Some(value.clone())).collect());
        match step {
            Step::Text(text) => Ok(vec![Some(Value::string(text.as_str()))]),
            Step::Int(value) => each(Value::int(*value)),
            Step::Float(value) => each(Value::float(*value)),
            Step::Bool(value) => each(Value::from(*value)),
            Step::Field(name) => field(&input, name),
            Step::Wildcard => Ok(input.iter().flat_map(inner).collect()),
            Step::Recursive => self.descend(&input),
            Step::Slice(slice) => sliced(&input, *slice),
            Step::Union(branches) => {
                let mut all = Vec::new();
                for branch in branches {
                    all.extend(self.walk(&input, branch)?);
                }
                Ok(all)
            }
            Step::Exists(steps) => self.filter(&input, |run, item| {
                // That something is not there is what is asked.
                Ok(run.walk(std::slice::from_ref(item), steps).is_ok_and(|found| !found.is_empty()))
            }),
            Step::Compare(left, operator, right) => self.filter(&input, |run, item| {
                let item = std::slice::from_ref(item);
                let Some(left) = single(run.walk(item, left)?)? else { return Ok(false) };
                let Some(right) = single(run.walk(item, right)?)? else { return Ok(false) };
                compare(&left, operator, &right)
            }),
            Step::Word(word) => match word.as_str() {
                "range" => {
                    self.begun += 1;
                    Ok(input)
                }
                "end" if self.within > 0 => {
                    self.ended += 1;
                    Ok(Vec::new())
                }
                "end" => Err("not in range, nothing to end".to_owned()),
                word => Err(format!("unrecognized identifier {word}")),
            },
        }
    }

    /// All that is not a leaf, each before what is in it.
    fn descend(&mut self, input: &[Item]) -> Result<Items, String> {
        let mut found = Vec::new();
        let mut waiting: Items = input.iter().rev().cloned().collect();
        while let Some(item) = waiting.pop() {
            self.count(1)?;
            let inside = inner(&item);
            if !inside.is_empty() {
                found.push(item);
                waiting.extend(inside.into_iter().rev());
            }
        }
        Ok(found)
    }

    fn filter(
        &mut self,
        input: &[Item],
        mut passes: impl FnMut(&mut Self, &Item) -> Result<bool, String>,
    ) -> Result<Items, String> {
        let mut kept = Vec::new();
        for item in input {
            let Some(list) = item.as_ref().and_then(Value::as_list) else {
                return Err("what is no list cannot be filtered".to_owned());
            };
            for value in list.iter() {
                self.count(1)?;
                let value = Some(value.clone());
                if passes(self, &value)? {
                    kept.push(value);
                }
            }
        }
        Ok(kept)
    }
}

/// The values of a map by their keys, the items of a list, the bytes of a string.
fn inner(item: &Item) -> Items {
    match item.as_ref().map(|value| &value.data) {
        Some(Data::Map(map)) => {
            let mut entries = map.entries();
            entries.sort_by(|(a, _), (b, _)| a.as_bytes().cmp(b.as_bytes()));
            entries.into_iter().map(|(_, value)| Some(value)).collect()
        }
        Some(Data::List(list)) => list.iter().cloned().map(Some).collect(),
        Some(Data::String(text)) => {
            let byte = |byte: &u8| Some(Value::from(Data::Uint(u64::from(*byte), IntKind::Bits8)));
            text.as_bytes().iter().map(byte).collect()
        }
        _ => Vec::new(),
    }
}

fn field(input: &[Item], name: &str) -> Result<Items, String> {
    let found: Items = input.iter().filter_map(|item| Some(Some(item.as_ref()?.as_map()?.get(name)?))).collect();
    if found.is_empty() && !input.is_empty() {
        return Err(format!("{name} is not found"));
    }
    Ok(found)
}

fn sliced(input: &[Item], slice: Slice) -> Result<Items, String> {
    let mut found = Vec::new();
    for item in input {
        let list: &List = match item.as_ref().map(|value| &value.data) {
            Some(Data::List(list)) => list,
            Some(Data::Nil) => continue,
            _ => return Err("what is no list has no index".to_owned()),
        };
        let length = i64::try_from(list.len()).unwrap_or(i64::MAX);
        let start = match slice.start.unwrap_or(0) {
            start if start < 0 => start.wrapping_add(length),
            start => start,
        };
        let end = match slice.end.unwrap_or(length) {
            end if end < 0 || (end == 0 && slice.single) => end.wrapping_add(length),
            end => end,
        };
        if start == end {
            return Ok(found);
        }
        let outside = |index: i64| Err(format!("array index out of bounds: index {index}, length {length}"));
        if start >= length || start < 0 {
            return outside(start);
        }
        if end > length || end < 0 {
            return outside(end.wrapping_sub(1));
        }
        if start > end {
            return Err(format!("starting index {start} is greater than ending index {end}"));
        }
        let step = match slice.step.map(usize::try_from) {
            None => 1,
            Some(Ok(step)) if step > 0 => step,
            Some(_) => return Err("step must be > 0".to_owned()),
        };
        let items = list.iter().skip(start as usize).take((end - start) as usize).step_by(step);
        found.extend(items.cloned().map(Some));
    }
    Ok(found)
}

/// The one value there is, if there is one.
fn single(mut items: Items) -> Result<Option<Value>, String> {
    match items.len() {
        0 => Ok(None),
        1 => items.pop().flatten().map(Some).ok_or_else(|| "invalid type for comparison".to_owned()),
        _ => Err("can only compare one element at a time".to_owned()),
    }
}

fn compare(left: &Value, operator: &str, right: &Value) -> Result<bool, String> {
    let incomparable = || Err("invalid type for comparison".to_owned());
    let order = match (&left.data, &right.data) {
        (Data::Bool(a), Data::Bool(b)) => {
            return match operator {
                "==" => Ok(a == b),
                "!=" => Ok(a != b),
                _ => incomparable(),
            };
        }
        (Data::Int(a, _), Data::Int(b, _)) => Some(a.cmp(b)),
        (Data::Uint(a, _), Data::Uint(b, _)) => Some(a.cmp(b)),
        (Data::Int(a, _), Data::Uint(b, _)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Data::Uint(a, _), Data::Int(b, _)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Data::Float(a, _), Data::Float(b, _)) => a.partial_cmp(b),
        (Data::String(a), Data::String(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
        (Data::Nil | Data::Map(_) | Data::List(_) | Data::Object(_), _)
        | (_, Data::Nil | Data::Map(_) | Data::List(_) | Data::Object(_)) => return incomparable(),
        _ => return Err("incompatible types for comparison".to_owned()),
    };
    let (less, equal) = (order.is_some_and(|order| order.is_lt()), order.is_some_and(|order| order.is_eq()));
    // The ones are the opposites of the others, which tells for what has no order.
    match operator {
        "<" => Ok(less),
        "<=" => Ok(less || equal),
        ">" => Ok(!(less || equal)),
        ">=" => Ok(!less),
        "==" => Ok(equal),
        "!=" => Ok(!equal),
        other => Err(format!("unrecognized filter operator {other}")),
    }
}
