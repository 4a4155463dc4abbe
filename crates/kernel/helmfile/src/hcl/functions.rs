//! Functions that values in HCL may call: those of cty's standard library, as far as they are here.

use hcl::Value as Hcl;
use hcl::eval::{Context, Func, FuncArgs, FuncDef, ParamType};
use onepane_value::{Value, format, from_json, from_yaml, to_json, to_yaml_pretty};
use std::cmp::Ordering;

type Outcome = Result<Hcl, String>;

/// Makes them known.
pub(super) fn declare(context: &mut Context<'_>) {
    for (name, function) in FUNCTIONS {
        let definition = FuncDef::builder().variadic_param(ParamType::Any).build(*function);
        context.declare_func(hcl::Identifier::sanitized(name), definition);
    }
}

const FUNCTIONS: &[(&str, Func)] = &[
    ("abs", |args| number(args, f64::abs)),
    ("ceil", |args| number(args, f64::ceil)),
    ("chomp", |args| text(args, |text| text.trim_end_matches(['\n', '\r']).to_owned())),
    ("chunklist", chunk_list),
    ("coalesce", |args| first(args, |value| !value.is_null() && value.as_str() != Some(""))),
    ("coalescelist", |args| first(args, |value| value.as_array().is_some_and(|items| !items.is_empty()))),
    ("compact", |args| {
        list(args, |items| items.into_iter().filter(|item| !item.is_null() && item.as_str() != Some("")).collect())
    }),
    ("concat", concat),
    ("contains", contains),
    ("distinct", |args| list(args, distinct)),
    ("element", element),
    ("flatten", |args| list(args, flatten)),
    ("floor", |args| number(args, f64::floor)),
    ("format", format_text),
    ("indent", indent),
    ("int", |args| number(args, f64::trunc)),
    ("join", join),
    ("jsondecode", |args| read(args, |text| from_json(text.as_bytes()).map_err(|error| error.to_string()))),
    ("jsonencode", |args| write(args, |value| to_json(value).map(|text| text.to_string()))),
    ("keys", |args| object(args, |entries| entries.into_iter().map(|(key, _)| Hcl::String(key)).collect())),
    ("length", length),
    ("log", |args| two_numbers(args, |number, base| number.ln() / base.ln())),
    ("lookup", lookup),
    ("lower", |args| text(args, |text| text.to_lowercase())),
    ("max", |args| fold(args, f64::max)),
    ("merge", merge),
    ("min", |args| fold(args, f64::min)),
    ("parseint", parse_int),
    ("pow", |args| two_numbers(args, f64::powf)),
    ("range", range),
    ("reverselist", |args| list(args, |items| items.into_iter().rev().collect())),
    ("setintersection", |args| sets(args, |all, other| all.retain(|item| other.contains(item)))),
    ("setsubtract", |args| sets(args, |all, other| all.retain(|item| !other.contains(item)))),
    ("setunion", |args| sets(args, |all, other| all.extend(other.iter().cloned()))),
    ("signum", |args| number(args, |value| if value == 0.0 { 0.0 } else { value.signum() })),
    ("slice", slice),
    ("sort", |args| list(args, sorted)),
    ("split", split),
    ("strlen", |args| Ok(Hcl::from(take_text(&mut rest(args))?.chars().count()))),
    ("strrev", |args| text(args, |text| text.chars().rev().collect())),
    ("substr", substr),
    ("title", |args| text(args, title)),
    ("trim", |args| two_texts(args, |text, set| text.trim_matches(|c| set.contains(c)).to_owned())),
    ("trimprefix", |args| two_texts(args, |text, prefix| text.strip_prefix(prefix).unwrap_or(text).to_owned())),
    ("trimspace", |args| text(args, |text| text.trim().to_owned())),
    ("trimsuffix", |args| two_texts(args, |text, suffix| text.strip_suffix(suffix).unwrap_or(text).to_owned())),
    ("upper", |args| text(args, |text| text.to_uppercase())),
    ("values", |args| object(args, |entries| entries.into_iter().map(|(_, value)| value).collect())),
    ("yamldecode", |args| read(args, |text| from_yaml(text, None).map_err(|error| error.message))),
    ("yamlencode", |args| write(args, |value| to_yaml_pretty(value).map(|text| text.to_string()))),
    ("zipmap", zip_map),
];

/// Lists that are made are no longer.
const LONGEST: usize = 1 << 20;

fn rest(args: FuncArgs) -> std::vec::IntoIter<Hcl> {
    args.into_values().into_iter()
}

fn take(args: &mut std::vec::IntoIter<Hcl>) -> Outcome {
    args.next().ok_or_else(|| "not enough arguments".to_owned())
}

fn take_text(args: &mut std::vec::IntoIter<Hcl>) -> Result<String, String> {
    match take(args)? {
        Hcl::String(text) => Ok(text),
        Hcl::Number(number) => Ok(number.to_string()),
        Hcl::Bool(value) => Ok(value.to_string()),
        _ => Err("string required".to_owned()),
    }
}

fn take_number(args: &mut std::vec::IntoIter<Hcl>) -> Result<f64, String> {
    let number = match take(args)? {
        Hcl::Number(number) => number.as_f64(),
        Hcl::String(text) => text.parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| "number required".to_owned())
}

fn take_list(args: &mut std::vec::IntoIter<Hcl>) -> Result<Vec<Hcl>, String> {
    match take(args)? {
        Hcl::Array(items) => Ok(items),
        _ => Err("list required".to_owned()),
    }
}

/// A number, whole where it is.
fn made(value: f64) -> Outcome {
    if value.fract() == 0.0 && value.abs() < 9e15 {
        return Ok(Hcl::from(value as i64));
    }
    hcl::Number::from_f64(value).map(Hcl::Number).ok_or_else(|| "the result is no number".to_owned())
}

fn number(args: FuncArgs, of: impl Fn(f64) -> f64) -> Outcome {
    made(of(take_number(&mut rest(args))?))
}

fn two_numbers(args: FuncArgs, of: impl Fn(f64, f64) -> f64) -> Outcome {
    let mut args = rest(args);
    made(of(take_number(&mut args)?, take_number(&mut args)?))
}

fn fold(args: FuncArgs, of: impl Fn(f64, f64) -> f64) -> Outcome {
    let mut args = rest(args);
    let mut all = take_number(&mut args)?;
    while args.len() > 0 {
        all = of(all, take_number(&mut args)?);
    }
    made(all)
}

fn text(args: FuncArgs, of: impl Fn(&str) -> String) -> Outcome {
    Ok(Hcl::String(of(&take_text(&mut rest(args))?)))
}

fn two_texts(args: FuncArgs, of: impl Fn(&str, &str) -> String) -> Outcome {
    let mut args = rest(args);
    Ok(Hcl::String(of(&take_text(&mut args)?, &take_text(&mut args)?)))
}

fn list(args: FuncArgs, of: impl Fn(Vec<Hcl>) -> Vec<Hcl>) -> Outcome {
    Ok(Hcl::Array(of(take_list(&mut rest(args))?)))
}

fn object(args: FuncArgs, of: impl Fn(Vec<(String, Hcl)>) -> Vec<Hcl>) -> Outcome {
    match take(&mut rest(args))? {
        Hcl::Object(entries) => {
            // cty's mappings are sorted.
            let mut entries: Vec<(String, Hcl)> = entries.into_iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Ok(Hcl::Array(of(entries)))
        }
        _ => Err("map required".to_owned()),
    }
}

fn first(args: FuncArgs, counts: impl Fn(&Hcl) -> bool) -> Outcome {
    args.into_values().into_iter().find(counts).ok_or_else(|| "no non-null, non-empty arguments".to_owned())
}

fn concat(args: FuncArgs) -> Outcome {
    let mut args = rest(args);
    let mut all = Vec::new();
    while args.len() > 0 {
        all.extend(take_list(&mut args)?);
    }
    Ok(Hcl::Array(all))
}

fn chunk_list(args: FuncArgs) -> Outcome {
    let mut args = rest(args);
    let (items, size) = (take_list(&mut args)?, take_number(&mut args)?);
    let size = if size < 1.0 { items.len().max(1) } else { size as usize };
    Ok(Hcl::Array(items.chunks(size).map(|chunk| Hcl::Array(chunk.to_vec())).collect()))
}

fn contains(args: FuncArgs) -> Outcome {
    let mut args = rest(args);
    let (items, wanted) = (take_list(&mut args)?, take(&mut args)?);
    Ok(Hcl::Bool(items.contains(&wanted)))
}

fn distinct(items: Vec<Hcl>) -> Vec<Hcl> {
    let mut all: Vec<Hcl> = Vec::new();
    for item in items {
        if !all.contains(&item) {
            all.push(item);
        }
    }
    all
}

fn flatten(items: Vec<Hcl>) -> Vec<Hcl> {
    let flat = |item| if let Hcl::Array(items) = item { flatten(items) } else { vec![item] };
    items.into_iter().flat_map(flat).collect()
}

fn sorted(mut items: Vec<Hcl>) -> Vec<Hcl> {
    items.sort_by(|a, b| a.as_str().zip(b.as_str()).map_or(Ordering::Equal, |(a, b)| a.cmp(b)));
    items
}

fn sets(args: FuncArgs, of: impl Fn(&mut Vec<Hcl>, &[Hcl])) -> Outcome {
    let mut args = rest(args);
    let mut all = distinct(take_list(&mut args)?);
    while args.len() > 0 {
        of(&mut all, &take_list(&mut args)?);
    }
    Ok(Hcl::Array(sorted(distinct(all))))
}

fn element(args: FuncArgs) -> Outcome {
    let mut args = rest(args);
    let (items, at) = (take_list(&mut args)?, take_number(&mut args)?);
    if items.is_empty() {
        return Err("cannot use element function with an empty list".to_owned());
    }
    Ok(items[(at as i64).rem_euclid(items.len() as i64) as usize].clone())
}

fn format_text(args: FuncArgs) -> Outcome {
    let mut args = rest(args);
    let pattern = take_text(&mut args)?;
    let values: Vec<Value> = args.map(|value| plain(&value)).collect();
    Ok(Hcl::String(format::sprintf(pattern.as_bytes(), &values).to_string()))
}

fn indent(args: FuncArgs) -> Outcome {
    let mut args = rest(args);
    let (by, text) = (take_number(&mut args)?, take_text(&mut args)?);
    let pad = " ".repeat((by.max(0.0) as usize).min(1000));
    Ok(Hcl::String(text.replace('\n', &format!("\n{pad}"))))
}

fn join(args: FuncArgs) -> Outcome {
    let mut args = rest(args);
    let separator = take_text(&mut args)?;
    let mut texts = Vec::new();
    while args.len() > 0 {
        let mut items = take_list(&mut args)?.into_iter();
        while items.len() > 0 {
            texts.push(take_text(&mut items)?);
        }
    }
    Ok(Hcl::String(texts.join(&separator)))
}

fn split(args: FuncArgs) -> Outcome {
    let mut args = rest(args);
    let (separator, text) = (take_text(&mut args)?, take_text(&mut args)?);
    if separator.is_empty() {
        return Ok(Hcl::Array(text.chars().map(|c| Hcl::String(c.to_string())).collect()));
    }
    Ok(Hcl::Array(text.split(&separator).map(|part| Hcl::String(part.to_owned())).collect()))
}

fn length(args: FuncArgs) -> Outcome {
    let count = match take(&mut rest(args))? {
        Hcl::Array(items) => items.len(),
        Hcl::Object(entries) => entries.len(),
        _ => return Err("collection must be a list, a map or a tuple".to_owned()),
    };
    Ok(Hcl::from(count))
}

fn lookup(args: FuncArgs) -> Outcome {
    let mut args = rest(args);
    let (map, key) = (take(&mut args)?, take_text(&mut args)?);
    let found = map.as_object().and_then(|map| map.get(&key).cloned());
    found.or_else(|| args.next()).ok_or_else(|| format!("the given object has no attribute {key:?}"))
}

fn merge(args: FuncArgs) -> Outcome {
    let mut all = hcl::Map::new();
    for value in args.into_values() {
        match value {
            Hcl::Object(entries) => all.extend(entries),
            Hcl::Null => {}
            _ => return Err("arguments must be maps or objects".to_owned()),
        }
    }
    Ok(Hcl::Object(all))
}

fn parse_int(args: FuncArgs) -> Outcome {
    let mut args = rest(args);
    let (text, base) = (take_text(&mut args)?, take_number(&mut args)?);
    let base = if (2.0..=36.0).contains(&base) { base as u32 } else { return Err("base must be 2 to 36".to_owned()) };
    i64::from_str_radix(&text, base)
        .map(Hcl::from)
        .map_err(|_| format!("cannot parse {text:?} as a base {base} integer"))
}

fn range(args: FuncArgs) -> Outcome {
    let mut args = rest(args);
    let mut numbers = Vec::new();
    while args.len() > 0 {
        numbers.push(take_number(&mut args)?);
    }
    let (start, end, step) = match numbers[..] {
        [end] => (0.0, end, if end < 0.0 { -1.0 } else { 1.0 }),
        [start, end] => (start, end, if end < start { -1.0 } else { 1.0 }),
        [start, end, step] => (start, end, step),
        _ => return Err("range takes one to three numbers".to_owned()),
    };
    if step == 0.0 {
        return Err("step must not be zero".to_owned());
    }
    let (mut items, mut at) = (Vec::new(), start);
    while (step > 0.0 && at < end) || (step < 0.0 && at > end) {
        if items.len() >= LONGEST {
            return Err("the list is too long".to_owned());
        }
        items.push(made(at)?);
        at += step;
    }
    Ok(Hcl::Array(items))
}

fn slice(args: FuncArgs) -> Outcome {
    let mut args = rest(args);
    let (items, start, end) = (take_list(&mut args)?, take_number(&mut args)?, take_number(&mut args)?);
    let part = items.get(start.max(0.0) as usize..end.max(0.0) as usize);
    part.map(|part| Hcl::Array(part.to_vec())).ok_or_else(|| "start and end must be within the list".to_owned())
}

fn substr(args: FuncArgs) -> Outcome {
    let mut args = rest(args);
    let (text, offset, length) = (take_text(&mut args)?, take_number(&mut args)?, take_number(&mut args)?);
    let count = text.chars().count() as i64;
    let offset = if offset < 0.0 { (count + offset as i64).max(0) } else { offset as i64 };
    let length = if length < 0.0 { count } else { length as i64 };
    Ok(Hcl::String(text.chars().skip(offset as usize).take(length as usize).collect()))
}

fn title(text: &str) -> String {
    let mut starts = true;
    let mut titled = String::with_capacity(text.len());
    for c in text.chars() {
        if starts {
            titled.extend(c.to_uppercase())
        } else {
            titled.push(c)
        }
        starts = !c.is_alphanumeric() && c != '_' && c != '\'';
    }
    titled
}

fn zip_map(args: FuncArgs) -> Outcome {
    let mut args = rest(args);
    let (mut keys, values) = (take_list(&mut args)?.into_iter(), take_list(&mut args)?);
    let mut map = hcl::Map::new();
    for value in values {
        map.insert(take_text(&mut keys)?, value);
    }
    Ok(Hcl::Object(map))
}

fn read(args: FuncArgs, of: impl Fn(&str) -> Result<Value, String>) -> Outcome {
    let text = take_text(&mut rest(args))?;
    let json = to_json(&of(&text)?)?.to_string();
    serde_json::from_str(&json).map_err(|error| error.to_string())
}

fn write(args: FuncArgs, of: impl Fn(&Value) -> Result<String, String>) -> Outcome {
    Ok(Hcl::String(of(&plain(&take(&mut rest(args))?))?))
}

/// As a value of ours; whole numbers are integers.
fn plain(value: &Hcl) -> Value {
    match value {
        Hcl::Number(number) => match number.as_i64() {
            Some(whole) => onepane_value::Data::Int(whole, onepane_value::IntKind::Default).into(),
            None => Value::float(number.as_f64().unwrap_or_default()),
        },
        Hcl::Array(items) => items.iter().map(plain).collect::<onepane_value::List>().into(),
        Hcl::Object(entries) => {
            onepane_value::Map::from_iter(entries.iter().map(|(key, value)| (key.as_str(), plain(value)))).into()
        }
        Hcl::String(text) => text.as_str().into(),
        Hcl::Bool(value) => (*value).into(),
        _ => Value::default(),
    }
}
