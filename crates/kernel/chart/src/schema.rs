//! `values.schema.json`: holds values against the schemas of a chart and its subcharts.
//!
//! Schemas that lead elsewhere are refused: nothing is fetched while rendering. Findings are worded and nested as
//! Helm's validator words and nests them.

use crate::chart::Chart;
use crate::plain_schema::evidently_meets;
use crate::schema_report::report;
use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::{PatternOptions, ReferencingError as Broken, Retrieve, Uri, ValidationError};
use onepane_diagnostics::{Diagnostic, Span};
use onepane_value::format::quote;
use onepane_value::{Data, JsonStreamError, Map, Value, from_json_stream};
use serde_json::Value as Json;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

type Result<T, E = Box<Diagnostic>> = std::result::Result<T, E>;

/// Values held against schemas: on a thread of its own where a validator has to be built, which takes longer than to
/// render many a chart.
#[derive(Debug)]
#[must_use]
pub struct Validation(State);

#[derive(Debug)]
enum State {
    Done(Result<()>),
    Running(Work<Result<()>>),
}

impl Validation {
    /// Starts to hold `values` against the schemas of `chart` and its subcharts. The thread goes on with `afterwards`.
    pub fn start(chart: &Chart, values: &Map, afterwards: impl FnOnce() + Send + 'static) -> Self {
        let mut checks = Vec::new();
        collect(chart, values, &mut checks);
        checks.retain(|check| !check.is_evident());
        if checks.is_empty() {
            return Self(State::Done(Ok(())));
        }
        let place = chart.place;
        Self(State::Running(within_bounds(move || run(&checks, place), afterwards)))
    }

    /// What was found: all findings as one error in Helm's words.
    pub fn finish(self) -> Result<()> {
        match self.0 {
            State::Done(result) => result,
            State::Running(work) => {
                work.wait().unwrap_or_else(|message| Err(Diagnostic::error("values-schema", message)))
            }
        }
    }
}

/// Bytes of a schema that are read sooner than a thread is started.
const SMALL: usize = 16 << 10;

/// Schemas nest, and are built and applied by recursion.
const STACK_BYTES: usize = 64 << 20;

/// A few lines of subschemas that each name another twice take longer than anyone lives.
const LONGEST: Duration = Duration::from_secs(20);

/// What runs on a thread of its own. If it is not waited for long enough, it is left to itself.
#[derive(Debug)]
struct Work<T>(mpsc::Receiver<T>, Option<JoinHandle<()>>);

fn within_bounds<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
    afterwards: impl FnOnce() + Send + 'static,
) -> Work<T> {
    let (sender, receiver) = mpsc::channel();
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
        // The receiver is gone where nobody waits any more.
        let _ = sender.send(work());
        afterwards();
    });
    Work(receiver, thread.ok())
}

impl<T> Work<T> {
    fn wait(mut self) -> Result<T, String> {
        match self.0.recv_timeout(LONGEST) {
            Ok(done) => Ok(done),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let seconds = LONGEST.as_secs();
                Err(format!(
                    "the values were held against values.schema.json for {seconds} s without an end: simplify it"
                ))
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => match self.1.take().map(JoinHandle::join) {
                Some(Err(panic)) => std::panic::resume_unwind(panic),
                _ => Err("no thread could be started to hold the values against values.schema.json".to_owned()),
            },
        }
    }
}

/// What is held against a chart's schema.
#[derive(Debug)]
struct Check {
    chart: String,
    what: What,
}

#[derive(Debug)]
enum What {
    Values {
        schema: Box<[u8]>,
        place: Span,
        values: Json,
    },
    /// These are the type of what stands where the values of a subchart should.
    NoValues(String),
}

impl Check {
    /// The values are fine, and it took no time to see.
    fn is_evident(&self) -> bool {
        match &self.what {
            What::Values { schema, values, .. } if schema.len() <= SMALL => {
                usable(schema).is_ok_and(|schema| evidently_meets(&schema, values))
            }
            _ => false,
        }
    }
}

fn collect(chart: &Chart, values: &Map, checks: &mut Vec<Check>) {
    if let Some(schema) = &chart.schema {
        let what = What::Values { schema: schema.bytes().into(), place: schema.place(), values: json_of_map(values) };
        checks.push(Check { chart: chart.name().to_owned(), what });
    }
    for subchart in &chart.dependencies {
        match values.get(subchart.name()) {
            None | Some(Value { data: Data::Nil, .. }) => {}
            Some(Value { data: Data::Map(values), .. }) => collect(subchart, &values, checks),
            Some(other) => {
                let what = What::NoValues(other.type_name().into_owned());
                checks.push(Check { chart: subchart.name().to_owned(), what });
            }
        }
    }
}

fn run(checks: &[Check], chart: Span) -> Result<()> {
    let mut findings = String::new();
    let mut found_in = None;
    for Check { chart, what } in checks {
        match what {
            What::Values { schema, place, values } => {
                if let Err(text) = check(schema, values) {
                    findings += &format!("{chart}:\n{text}");
                    found_in.get_or_insert(*place);
                }
            }
            What::NoValues(kind) => {
                findings += &format!("{chart}:\ninvalid type for values: expected object (map), got {kind}\n");
            }
        }
    }
    if findings.is_empty() {
        return Ok(());
    }
    let message =
        format!("values don't meet the specifications of the schema(s) in the following chart(s):\n{findings}");
    Err(Diagnostic::error("values-schema", message).at(found_in.unwrap_or(chart)))
}

/// Holds `values` against `schema`. The error is Helm's text.
pub fn check_schema(schema: &[u8], values: &Map) -> Result<(), String> {
    let (schema, values) = (schema.to_vec(), json_of_map(values));
    within_bounds(move || check(&schema, &values), || ()).wait()?
}

fn check(schema: &[u8], values: &Json) -> Result<(), String> {
    let schema = usable(schema)?;
    if evidently_meets(&schema, values) { Ok(()) } else { check_all(&schema, values) }
}

fn check_all(schema: &Json, values: &Json) -> Result<(), String> {
    let validator = jsonschema::options()
        .with_pattern_options(PatternOptions::regex())
        .with_base_uri(ADDRESS)
        .with_retriever(Nothing)
        .build(schema)
        .map_err(|error| unusable(schema, &error))?;
    if validator.is_valid(values) {
        return Ok(());
    }
    Err(report(validator.iter_errors(values)))
}

/// Reads a schema whose dialect is known.
fn usable(schema: &[u8]) -> Result<Json, String> {
    let mut schema = read(schema)?;
    name_dialect(&mut schema)?;
    Ok(schema)
}

/// What the short way says, and what the long one does.
#[cfg(test)]
pub(crate) fn check_evident_and_all(schema: &Json, values: &Json) -> (bool, bool) {
    let mut schema = schema.clone();
    name_dialect(&mut schema).expect("it is a known one");
    (evidently_meets(&schema, values), check_all(&schema, values).is_ok())
}

/// Reads a schema; the error is that of Go's JSON decoder.
fn read(text: &[u8]) -> Result<Json, String> {
    let end = match from_json_stream(text) {
        Ok((_, end)) => end,
        Err(JsonStreamError::End) if text.trim_ascii().is_empty() => return Err("EOF".to_owned()),
        Err(JsonStreamError::End) => return Err("unexpected EOF".to_owned()),
        Err(JsonStreamError::Syntax(message, _)) => return Err(message),
    };
    if !text[end..].trim_ascii().is_empty() {
        return Err("invalid character after top-level value".to_owned());
    }
    serde_json::from_slice(text).map_err(|error| error.to_string())
}

/// Why a schema can't be used, in Helm's words.
fn unusable(schema: &Json, error: &ValidationError<'_>) -> String {
    if let Kind::Referencing(problem) = error.kind() {
        match problem {
            Broken::Unretrievable { uri, source } => return format!("failing loading \"{uri}\": {source}"),
            Broken::PointerToNowhere { pointer } => {
                return format!("json-pointer in \"{ADDRESS}#{pointer}\" not found");
            }
            Broken::NoSuchAnchor { anchor } => {
                return format!("anchor in \"{ADDRESS}#{anchor}\" not found in schema \"{ADDRESS}#\"");
            }
            _ => {}
        }
    }
    let head = format!("\"{ADDRESS}#\" is not valid against metaschema: ");
    if let Ok(meta) = jsonschema::meta::validator_for(schema)
        && !meta.is_valid(schema)
    {
        let dialect = schema.get("$schema").and_then(Json::as_str).unwrap_or(NEWEST_DIALECT).trim_end_matches('#');
        let findings = report(meta.iter_errors(schema));
        return format!("{head}jsonschema validation failed with '{dialect}#'\n{}", findings.trim_end());
    }
    format!("{head}at {}: {error}", quote(error.instance_path().as_str().as_bytes()))
}

/// The address that Helm gives to a chart's schema, and that others within it are relative to.
const ADDRESS: &str = "file:///values.schema.json";

/// The dialect of a schema that names none.
const NEWEST_DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Helm's validator knows the dialects' addresses with either scheme, and means the newest by the one without a version.
fn name_dialect(schema: &mut Json) -> Result<(), String> {
    let Some(Json::String(dialect)) = schema.get_mut("$schema") else { return Ok(()) };
    let address = dialect.trim_end_matches('#');
    let address = address.strip_prefix("http://").or(address.strip_prefix("https://")).unwrap_or(address);
    let known = match address {
        "json-schema.org/schema" | "json-schema.org/draft/2020-12/schema" => {
            "https://json-schema.org/draft/2020-12/schema"
        }
        "json-schema.org/draft/2019-09/schema" => "https://json-schema.org/draft/2019-09/schema",
        "json-schema.org/draft-07/schema" => "http://json-schema.org/draft-07/schema#",
        "json-schema.org/draft-06/schema" => "http://json-schema.org/draft-06/schema#",
        "json-schema.org/draft-04/schema" => "http://json-schema.org/draft-04/schema#",
        _ => return Err(format!("failing loading {}: {}", quote(dialect.as_bytes()), refusal(dialect))),
    };
    *dialect = known.to_owned();
    Ok(())
}

/// Gives no schema but the one at hand: Helm reads files anywhere on the machine, and asks any host that it reaches.
struct Nothing;

impl Retrieve for Nothing {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Json, Box<dyn std::error::Error + Send + Sync>> {
        // Helm lets an unresolved URN pass whatever it is asked of.
        if uri.as_str().starts_with("urn:") {
            return Ok(Json::Bool(true));
        }
        Err(refusal(uri.as_str()).into())
    }
}

/// Why a schema elsewhere is not read.
fn refusal(address: &str) -> String {
    match address.split_once(':') {
        Some(("file" | "http" | "https", _)) => {
            "schemas are read from the chart's values.schema.json and nowhere else: copy it there, below \"$defs\""
                .to_owned()
        }
        _ => format!("no URLLoader registered for {}", quote(address.as_bytes())),
    }
}

fn json_of_map(map: &Map) -> Json {
    let mut object = serde_json::Map::new();
    map.for_each(|key, value| {
        object.insert(key.to_string(), json_of(value));
    });
    Json::Object(object)
}

fn json_of(value: &Value) -> Json {
    match &value.data {
        Data::Nil | Data::Object(_) => Json::Null,
        Data::Bool(value) => (*value).into(),
        Data::Int(value, _) => (*value).into(),
        Data::Uint(value, _) => (*value).into(),
        // Integers that YAML brought as floats are integers to a schema.
        Data::Float(value, _) if value.fract() == 0.0 && value.abs() < 9e15 => (*value as i64).into(),
        Data::Float(value, _) => (*value).into(),
        Data::String(text) => text.to_str().into(),
        Data::List(list) => list.iter().map(json_of).collect(),
        Data::Map(map) => json_of_map(map),
    }
}
