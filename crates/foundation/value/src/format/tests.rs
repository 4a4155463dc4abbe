//! What Go prints, recorded from Go 1.26.

use super::*;
use crate::{ElementType, List, Map};

fn text(format: &str, arguments: &[Value]) -> String {
    sprintf(format.as_bytes(), arguments).to_string()
}

#[test]
fn verbs_flags_widths_and_their_errors() {
    let (n, f, s) = (Value::int(42), Value::float(1e6), Value::from("héllo"));
    let list: Value = List::new(vec![Value::int(1), Value::from("a b"), Value::NIL]).into();
    let map: Value = Map::from_iter([("b", Value::float(2.5)), ("a", Value::from("x"))]).into();
    let strings: Value = List::of(ElementType::String, vec![Value::from("a"), Value::from("b")]).into();
    let cases: &[(&str, &[&Value], &str)] = &[
        (
            "%d|%5d|%-5d|%05d|%+d|%x|%X|%o|%b|%c|%U|%q",
            &[&n; 12],
            "42|   42|42   |00042|+42|2a|2A|52|101010|*|U+002A|'*'",
        ),
        ("%s|%10s|%-10s|%.2s|%q|%x", &[&s; 6], "héllo|     héllo|héllo     |hé|\"héllo\"|68c3a96c6c6f"),
        (
            "%v|%g|%e|%f|%.2f|%8.1f|%E",
            &[&f; 7],
            "1e+06|1e+06|1.000000e+06|1000000.000000|1000000.00|1000000.0|1.000000E+06",
        ),
        ("%d", &[&s], "%!d(string=héllo)"),
        ("%s", &[&n], "%!s(int=42)"),
        ("%s", &[&Value::NIL], "%!s(<nil>)"),
        ("%v", &[&Value::NIL], "<nil>"),
        ("%d %d", &[&n], "42 %!d(MISSING)"),
        ("%d", &[&n, &s], "42%!(EXTRA string=héllo)"),
        ("%", &[], "%!(NOVERB)"),
        ("100%%", &[], "100%"),
        ("%[2]v %[1]v", &[&n, &s], "héllo 42"),
        ("%[3]v", &[&n], "%!v(BADINDEX)"),
        ("%*d", &[&Value::int(4), &n], "  42"),
        ("%v %s", &[&list, &list], "[1 a b <nil>] [%!s(int=1) a b <nil>]"),
        ("%v %#v", &[&map, &map], "map[a:x b:2.5] map[string]interface {}{\"a\":\"x\", \"b\":2.5}"),
        ("%q %#v", &[&strings, &strings], "[\"a\" \"b\"] []string{\"a\", \"b\"}"),
        ("%T %T %T", &[&map, &f, &Value::NIL], "map[string]interface {} float64 <nil>"),
        ("%t %v", &[&Value::from(true), &Value::from(false)], "true false"),
        ("%z", &[&n], "%!z(int=42)"),
        ("%x %X", &[&Value::float(1.5), &Value::float(-0.1)], "0x1.8p+00 -0X1.999999999999AP-04"),
        (
            "%06.2f|%-8.1f|%+.1f",
            &[&Value::float(-3.25159), &Value::float(2.0), &Value::float(2.0)],
            "-03.25|2.0     |+2.0",
        ),
    ];
    for (format, arguments, expected) in cases {
        let arguments: Vec<Value> = arguments.iter().map(|value| (*value).clone()).collect();
        assert_eq!(text(format, &arguments), *expected, "{format}");
    }
}

#[test]
fn floats_take_an_exponent_from_a_million_on() {
    let cases = [
        (1e5, "100000"),
        (1e6, "1e+06"),
        (123456789.0, "1.23456789e+08"),
        (1e21, "1e+21"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (0.0, "0"),
        (-0.0, "-0"),
        (1.5, "1.5"),
        (f64::INFINITY, "+Inf"),
        (f64::NAN, "NaN"),
    ];
    for (number, expected) in cases {
        assert_eq!(sprint(&[Value::float(number)]).to_string(), expected);
    }
    assert_eq!(text("%.3g", &[Value::float(123456789.0)]), "1.23e+08");
    assert_eq!(text("%.3g", &[Value::float(100000.0)]), "1e+05");
}

#[test]
fn sprint_puts_spaces_between_operands_that_are_no_strings() {
    let values = [Value::int(1), Value::int(2), Value::from("a"), Value::from("b"), Value::from(true), Value::NIL];
    assert_eq!(sprint(&values).to_string(), "1 2a b".replace("a b", "ab") + "true <nil>");
    assert_eq!(sprintln(&values[..3]).to_string(), "1 2 a\n");
}

#[test]
fn quotes_are_gos() {
    let cases: [(&[u8], &str); 5] = [
        (b"a\"b\\\n\t\x00\x7f", r#""a\"b\\\n\t\x00\x7f""#),
        ("é\u{a0}\u{200b}😀".as_bytes(), r#""é\u00a0\u200b😀""#),
        (b"\xff\xfe", r#""\xff\xfe""#),
        ("e\u{301}".as_bytes(), "\"e\u{301}\""),
        (b"", r#""""#),
    ];
    for (bytes, quoted) in cases {
        assert_eq!(quote(bytes), quoted);
        assert_eq!(unquote(quoted).as_deref(), Some(bytes));
    }
    assert_eq!(unquote("`a\\n`").as_deref(), Some(&b"a\\n"[..]));
    assert_eq!(unquote("'ab'"), None);
    assert_eq!(unquote(r#""\q""#), None);
}

#[test]
fn numbers_are_read_as_strconv_reads_them() {
    assert_eq!(parse_int("-9223372036854775808", 10), Ok(i64::MIN));
    assert_eq!(parse_int("0x_1F", 0), Ok(31));
    assert_eq!(parse_int("0755", 0), Ok(493));
    assert_eq!(parse_int("a", 10), Err("strconv.ParseInt: parsing \"a\": invalid syntax".to_owned()));
    assert_eq!(
        parse_int("9223372036854775808", 10),
        Err("strconv.ParseInt: parsing \"9223372036854775808\": value out of range".to_owned())
    );
    assert_eq!(parse_float("1e400"), Err("strconv.ParseFloat: parsing \"1e400\": value out of range".to_owned()));
    assert_eq!(parse_float(".5"), Ok(0.5));
    assert_eq!(parse_float("0x1p60"), Ok(1_152_921_504_606_846_976.0));
    assert_eq!(parse_float("-0x1.8p1"), Ok(-3.0));
    assert!(parse_float("0x1").is_err());
    assert!(parse_float("").is_err() && parse_float(".").is_err() && parse_float("0x").is_err());
    assert_eq!(parse_bool("T"), Ok(true));
}
