//! Results of tests in the form of JUnit, read from files that containers hand out, and written: [`suites`], [`write`].

use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::{BytesStart, Event};
use std::fmt::Write;

/// A suite of cases.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Suite {
    /// Its name.
    pub name: String,
    /// What was tested.
    pub cases: Vec<Case>,
}

/// One test.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Case {
    /// The class that it is in; may be empty.
    pub class: String,
    /// Its name.
    pub name: String,
    /// How long it took.
    pub seconds: f64,
    /// What came of it.
    pub result: CaseResult,
}

/// What came of a test.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum CaseResult {
    /// It passed.
    #[default]
    Passed,
    /// It was not run.
    Skipped,
    /// It failed, and what was said of that.
    Failed(String),
}

/// More cases are not read.
const MOST_CASES: usize = 20_000;
/// Of a failure no more is kept.
const LONGEST: usize = 16 << 10;

/// The suites in a file; `None` if it is none of JUnit's.
pub(crate) fn suites(file: &[u8]) -> Option<Vec<Suite>> {
    let text = std::str::from_utf8(file).ok()?;
    let mut reader = Reader::from_str(text);
    let (mut suites, mut count): (Vec<Suite>, usize) = (Vec::new(), 0);
    let mut case: Option<Case> = None;
    let mut in_failure = false;
    let mut is_junit = false;
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => match tag.local_name().as_ref() {
                b"testsuites" => is_junit = true,
                b"testsuite" => {
                    is_junit = true;
                    suites.push(Suite { name: attribute(&tag, "name"), cases: Vec::new() });
                }
                b"testcase" => case = Some(begin(&tag)),
                name => in_failure = outcome(name, &tag, case.as_mut()),
            },
            Ok(Event::Empty(tag)) => match tag.local_name().as_ref() {
                b"testcase" => {
                    keep(&mut suites, begin(&tag), &mut count);
                }
                b"testsuite" | b"testsuites" => is_junit = true,
                name => _ = outcome(name, &tag, case.as_mut()),
            },
            Ok(Event::Text(said)) if in_failure => add(case.as_mut(), &said.xml10_content().unwrap_or_default()),
            Ok(Event::CData(said)) if in_failure => add(case.as_mut(), &String::from_utf8_lossy(&said)),
            Ok(Event::End(tag)) => match tag.local_name().as_ref() {
                b"testcase" => {
                    if let Some(case) = case.take() {
                        keep(&mut suites, case, &mut count);
                    }
                }
                b"failure" | b"error" => in_failure = false,
                _ => {}
            },
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(_) => return None,
        }
    }
    (is_junit && count <= MOST_CASES).then(|| suites.into_iter().filter(|suite| !suite.cases.is_empty()).collect())
}

fn begin(tag: &BytesStart<'_>) -> Case {
    let seconds = attribute(tag, "time").parse().ok().filter(|time: &f64| time.is_finite() && *time >= 0.0);
    Case {
        class: attribute(tag, "classname"),
        name: attribute(tag, "name"),
        seconds: seconds.unwrap_or(0.0),
        result: CaseResult::Passed,
    }
}

/// What an element within a case says of it; gives whether its text is about a failure.
fn outcome(name: &[u8], tag: &BytesStart<'_>, case: Option<&mut Case>) -> bool {
    let Some(case) = case else { return false };
    match name {
        b"failure" | b"error" => {
            case.result = CaseResult::Failed(attribute(tag, "message"));
            true
        }
        b"skipped" => {
            case.result = CaseResult::Skipped;
            false
        }
        _ => false,
    }
}

fn add(case: Option<&mut Case>, more: &str) {
    let Some(Case { result: CaseResult::Failed(said), .. }) = case else { return };
    let room = LONGEST.saturating_sub(said.len());
    let more = more.trim_end();
    if room > 0 && !more.trim().is_empty() {
        if !said.is_empty() {
            said.push('\n');
        }
        said.extend(more.chars().take(room));
    }
}

fn keep(suites: &mut Vec<Suite>, case: Case, count: &mut usize) {
    *count += 1;
    if *count > MOST_CASES {
        return;
    }
    if suites.is_empty() {
        suites.push(Suite::default());
    }
    if let Some(suite) = suites.last_mut() {
        suite.cases.push(case);
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> String {
    let found = tag.try_get_attribute(name).ok().flatten();
    let value = found.and_then(|found| found.unescape_value().ok().map(|value| value.into_owned()));
    value.unwrap_or_default().chars().take(LONGEST).collect()
}

/// The suites as a file.
pub(crate) fn write(suites: &[Suite]) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all = suites.iter().flat_map(|suite| &suite.cases);
    _ = writeln!(text, "<testsuites {}>", counts(all));
    for suite in suites {
        _ = writeln!(text, "  <testsuite name=\"{}\" {}>", xml(&suite.name), counts(suite.cases.iter()));
        for case in &suite.cases {
            let (class, name) = (xml(&case.class), xml(&case.name));
            _ = write!(text, "    <testcase classname=\"{class}\" name=\"{name}\" time=\"{:.3}\"", case.seconds);
            match &case.result {
                CaseResult::Passed => text += "/>\n",
                CaseResult::Skipped => text += "><skipped/></testcase>\n",
                CaseResult::Failed(said) => {
                    let first = said.lines().next().unwrap_or_default();
                    _ = writeln!(text, "><failure message=\"{}\">{}</failure></testcase>", xml(first), xml(said));
                }
            }
        }
        text += "  </testsuite>\n";
    }
    text + "</testsuites>\n"
}

fn counts<'c>(cases: impl Iterator<Item = &'c Case>) -> String {
    let (mut tests, mut failures, mut skipped, mut seconds) = (0, 0, 0, 0.0);
    for case in cases {
        tests += 1;
        failures += usize::from(matches!(case.result, CaseResult::Failed(_)));
        skipped += usize::from(case.result == CaseResult::Skipped);
        seconds += case.seconds;
    }
    format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" time=\"{seconds:.3}\"")
}

/// Text within XML, which has no control characters.
fn xml(text: &str) -> String {
    let allowed: String =
        text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c }).collect();
    escape(allowed.as_str()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"<?xml version="1.0"?>
<testsuites><testsuite name="a &amp; b"><testcase classname="c" name="ok" time="0.5"/>
<testcase name="bad"><failure message="1 &lt; 2">at line 3</failure><system-out>noise</system-out></testcase>
<testcase name="worse"><error message="boom"><![CDATA[<trace>]]></error></testcase>
<testcase name="later"><skipped/></testcase></testsuite></testsuites>"#;

    #[test]
    fn what_is_read_is_what_is_written() {
        let read = suites(FILE.as_bytes()).expect("it is JUnit's");
        let results: Vec<(&str, &CaseResult)> =
            read[0].cases.iter().map(|case| (case.name.as_str(), &case.result)).collect();
        let failed = |said: &str| CaseResult::Failed(said.to_owned());
        let wanted = [
            ("ok", &CaseResult::Passed),
            ("bad", &failed("1 < 2\nat line 3")),
            ("worse", &failed("boom\n<trace>")),
            ("later", &CaseResult::Skipped),
        ];
        assert_eq!((read[0].name.as_str(), results), ("a & b", wanted.to_vec()));
        let text = write(&read);
        assert!(
            text.contains("<testsuites tests=\"4\" failures=\"2\" errors=\"0\" skipped=\"1\" time=\"0.500\">"),
            "{text}"
        );
        let again = suites(text.as_bytes()).expect("it is JUnit's");
        assert_eq!(again[0].cases.len(), 4);
        assert_eq!(again[0].cases[0], read[0].cases[0]);
    }

    #[test]
    fn whatever_else_it_is_does_no_harm() {
        assert_eq!(suites(b"\xff\xfe"), None);
        assert_eq!(suites(b"<html/>"), None);
        assert_eq!(suites(b"<testsuite><testcase></testsuite>"), None, "it is broken");
        assert_eq!(suites(b"<testsuite name='a'/>"), Some(Vec::new()));
        let bomb =
            "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><testsuite><testcase name=\"&b;\"/></testsuite>";
        let read = suites(bomb.as_bytes()).unwrap_or_default();
        assert!(read.iter().flat_map(|suite| &suite.cases).all(|case| case.name.is_empty()), "{read:?}");
        let many = format!("<testsuite>{}</testsuite>", "<testcase name=\"x\"/>".repeat(MOST_CASES + 1));
        assert_eq!(suites(many.as_bytes()), None);
        let deep = "<testsuite>".repeat(100_000);
        assert!(suites(deep.as_bytes()).is_none_or(|read| read.is_empty()));
        let odd = [Suite {
            name: "\u{1}".to_owned(),
            cases: vec![Case { name: "]]>\u{0}<&\"".to_owned(), ..Case::default() }],
        }];
        assert_eq!(suites(write(&odd).as_bytes()).expect("it reads back")[0].cases[0].name, "]]>\u{fffd}<&\"");
    }
}
