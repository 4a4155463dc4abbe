//! Kubernetes' JSONPath, as client-go has it: fields, indices, slices, wildcards, recursive descent, filters, unions,
//! `range … end`, quoted text. Crates for JSONPath follow RFC 9535, which differs in nearly all of these.
//!
//! [`Template::parse`], then [`Template::print`]. Where client-go would print a map's entries in random order, they come
//! by their keys.

mod evaluate;
mod parse;

use onepane_value::Value;

/// A template: text with actions in braces.
#[derive(Debug)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

/// A stretch of a template.
#[derive(Debug)]
enum Part {
    Text(String),
    Action(Vec<Step>),
}

/// A step of an action, from some values to others.
#[derive(Clone, Debug)]
enum Step {
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
    Field(String),
    Wildcard,
    Recursive,
    Slice(Slice),
    Union(Vec<Vec<Step>>),
    Exists(Vec<Step>),
    Compare(Vec<Step>, String, Vec<Step>),
    /// `range`, `end`, and what is neither.
    Word(String),
}

/// `[start:end:step]`
#[derive(Clone, Copy, Debug)]
struct Slice {
    start: Option<i64>,
    end: Option<i64>,
    /// The end is that of a single index.
    single: bool,
    step: Option<i64>,
}

impl Template {
    /// Reads a template. The error is client-go's.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        parse::parse(text).map(|parts| Self { parts })
    }

    /// What the template says of `value`.
    ///
    /// Errors: what is not there, what can't be compared; and more results than anybody reads.
    pub(crate) fn print(&self, value: &Value) -> Result<Vec<u8>, String> {
        evaluate::print(&self.parts, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_value::from_yaml;

    /// Values as Helm reads them, and client-go v0.37.1's answers for them.
    const VALUES: &str = "a:\n- {name: p, port: 80, w: 1.5}\n- {name: q, port: 81}\n- {name: r s, port: 443, extra: \
                          {deep: [x, z]}}\nb: {x: [1, 2], k: two}\ns: text\nbig: 123456789012\nf: 1.0\ne: \"\"\nk.ey: \
                          dotted\nh: <a&b>\nm: {}\nl: []\nnil: null\n";

    fn answer(template: &str) -> Result<String, String> {
        let values = from_yaml(VALUES, None).expect("it is YAML");
        let printed = Template::parse(template)?.print(&values)?;
        Ok(String::from_utf8(printed).expect("it is text"))
    }

    #[test]
    fn templates_print_what_client_go_prints() {
        for (template, wanted) in [
            ("{.s}", "text"),
            ("{$.s}", "text"),
            ("x{.s}y", "xtexty"),
            (".s", ".s"),
            ("{.a[0].name}", "p"),
            ("{.a[-1].name}", "r s"),
            ("{.a[*].port}", "80 81 443"),
            ("{.a[0:2].name}", "p q"),
            ("{.a[::2].name}", "p r s"),
            ("{.a[0,1].name}", "p q"),
            ("{.a[0]['name']}", "p"),
            ("{['s','big']}", "text 1.23456789012e+11"),
            ("{.k\\.ey}", "dotted"),
            ("{.f}", "1"),
            ("{.e}", ""),
            ("{.nil}", "null"),
            ("{.m}{.l}", "{}[]"),
            ("{.b}", "{\"k\":\"two\",\"x\":[1,2]}"),
            ("{.h} {.b.x}", "<a&b> [1,2]"),
            ("{.s.*}", "116 101 120 116"),
            ("{.b.*}", "two [1,2]"),
            ("{..name}", "p q r s"),
            ("{..deep[0]}", "x"),
            ("{1}{true}{1.5}{\"a\\tb\"}{'c'}", "1true1.5a\tbc"),
            ("{range .a[*]}{.name}:{.port}{\"\\n\"}{end}", "p:80\nq:81\nr s:443\n"),
            ("{range .l[*]}x{end}y", "y"),
            ("{range .b.x[*]}{@},{end};", "1,2,;"),
            ("{.a[?(@.name==\"q\")].port}", "81"),
            ("{.a[?(@.name!=\"p\")].port}", "81 443"),
            ("{.a[?(@.port>80.5)].name}", "q r s"),
            ("{.a[?(@.port<=80.0)].name}", "p"),
            ("{.a[?(@.extra)].name}", "r s"),
        ] {
            assert_eq!(answer(template).as_deref(), Ok(wanted), "{template}");
        }
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        for template in [
            "{.nope}",
            "{.a[5]}",
            "{.s[0]}",
            "{.a[?(@.port>80)].name}",
            "{.a[?(@.w>=1.5)].name}",
            "{foo}",
            "{range .a[*]}{range .b.x[*]}{@}{end}{end}",
            "{end}",
            "{range .nope[*]}x{end}",
            "{.a[0:3:0]}",
            "{.nil.x}",
            "{.a[?(@.b?x)]}{.a[?(@.name=<1)]}",
        ] {
            assert!(answer(template).is_err(), "{template}");
        }
        assert_eq!(answer("{.l[0]}"), Err("array index out of bounds: index 0, length 0".to_owned()));
    }

    #[test]
    fn what_can_t_be_read_gets_client_gos_words() {
        for (template, wanted) in [
            ("{", "unclosed action"),
            ("{.a[}", "unterminated array"),
            ("{.a[0][\"name\"]}", "invalid array index \"name\""),
            ("{....s}", "invalid multiple recursive descent"),
            ("{.b..*}", "unrecognized character in action: U+002A '*'"),
            ("{.a[?(@.b}", "unterminated filter"),
            ("{.a[?(@.b)}", "unclosed array expect ]"),
            ("{'a}", "unterminated quoted string"),
            ("{1.2.3}", "cannot parse number 1.2.3"),
            ("{.a[-]}", "array index - is not a number"),
            ("{\"\\z\"}", "unquote string \"\\z\" error invalid syntax"),
        ] {
            assert_eq!(answer(template).expect_err(template), wanted);
        }
    }

    #[test]
    fn hostile_templates_end() {
        let deep = format!("a: {}1{}", "[".repeat(300), "]".repeat(300));
        let values = from_yaml(&deep, None).expect("it is YAML");
        let template = Template::parse("{..[*]..[*]..[*]..[*]..[*]..[*]..[*]}").expect("it can be read");
        assert!(template.print(&values).is_err());
        let loops = "{range ..}".repeat(40);
        assert!(Template::parse(&loops).expect("it can be read").print(&values).is_err());
        assert!(Template::parse(&"{range @}".repeat(100_000)).expect("it can be read").print(&values).is_err());
    }
}
