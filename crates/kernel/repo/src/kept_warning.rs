//! Warnings as they are kept with what they are about.

use onepane_diagnostics::{Diagnostic, FileId, Frame, Label, Severity, Span};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::{Mutex, OnceLock, PoisonError};

/// A [`Diagnostic`] that is no error.
#[derive(Serialize, Deserialize)]
pub(crate) struct KeptWarning {
    code: String,
    is_note: bool,
    message: String,
    primary: Option<(Place, String)>,
    labels: Vec<(Place, String)>,
    trace: Vec<(String, Option<Place>)>,
    hints: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Place {
    file: String,
    line: u32,
    column: u32,
    length: u32,
}

impl From<Span> for Place {
    fn from(Span { file, line, column, length }: Span) -> Self {
        Self { file: file.path().to_string(), line, column, length }
    }
}

impl From<Place> for Span {
    fn from(Place { file, line, column, length }: Place) -> Self {
        Self { file: FileId::new(file), line, column, length }
    }
}

impl From<&Diagnostic> for KeptWarning {
    fn from(warning: &Diagnostic) -> Self {
        let Diagnostic { code, severity, message, primary, labels, trace, hints } = warning;
        let label = |label: &Label| (label.span.into(), label.message.clone());
        Self {
            code: (*code).to_owned(),
            is_note: *severity == Severity::Note,
            message: message.clone(),
            primary: primary.as_ref().map(label),
            labels: labels.iter().map(label).collect(),
            trace: trace.iter().map(|frame| (frame.message.clone(), frame.span.map(Place::from))).collect(),
            hints: hints.clone(),
        }
    }
}

impl From<KeptWarning> for Diagnostic {
    fn from(kept: KeptWarning) -> Self {
        let label = |(place, message): (Place, String)| Label { span: place.into(), message };
        let frame = |(message, place): (String, Option<Place>)| Frame { message, span: place.map(Span::from) };
        Self {
            code: interned(kept.code),
            severity: if kept.is_note { Severity::Note } else { Severity::Warning },
            message: kept.message,
            primary: kept.primary.map(label),
            labels: kept.labels.into_iter().map(label).collect(),
            trace: kept.trace.into_iter().map(frame).collect(),
            hints: kept.hints,
        }
    }
}

/// Codes live as long as the process: there are as many as the program has.
fn interned(code: String) -> &'static str {
    static CODES: OnceLock<Mutex<HashSet<&'static str>>> = OnceLock::new();
    let mut codes = CODES.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = codes.get(code.as_str()) {
        return known;
    }
    let code: &'static str = Box::leak(code.into_boxed_str());
    codes.insert(code);
    code
}
