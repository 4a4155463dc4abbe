//! That values keep where they came from on their way through functions, and that what is too large ends in an error.

use onepane_diagnostics::{FileId, Origin, Span, Step};
use onepane_template::{MissingKey, Offline, Options, Templates};
use onepane_value::{Map, Text, Value};
use onepane_world::MemoryWorld;

fn render(template: &str, data: &Value, most_bytes: usize) -> Result<Text, String> {
    let options = Options { missing_key: MissingKey::Zero, origins: true, most_bytes, ..Options::default() };
    let mut templates = Templates::new(&onepane_functions::HELM, options);
    templates.parse("t", Some(FileId::new("t.yaml")), template).map_err(|error| error.to_string())?;
    templates.execute("t", data, &MemoryWorld::new(), &Offline).map_err(|error| error.to_string())
}

fn at(line: u32) -> Origin {
    Origin::at(Step::ValuesFile, Span::new(FileId::new("values.yaml"), line, 1))
}

/// Whether the text at the first `needle` comes, directly or by what its action read, from `line` of the values.
fn comes_from(text: &Text, needle: &str, line: u32) -> bool {
    fn holds(origin: &Origin, line: u32) -> bool {
        let own = origin.span().is_some_and(|span| span.line == line && span.file == FileId::new("values.yaml"));
        own || origin.record().is_some_and(|record| record.inputs.iter().any(|input| holds(input, line)))
    }
    text.to_str().find(needle).is_some_and(|offset| holds(&text.origin_at(offset), line))
}

#[test]
fn what_is_printed_knows_the_value_it_was_made_from() {
    let data = Map::new();
    data.insert("a", Value::from(" Apple ").with_origin(at(1)));
    data.insert("b", Value::from("banana").with_origin(at(2)));
    data.insert("none", Value::NIL);
    let nested = Map::new();
    nested.insert("x", Value::from("xylophone").with_origin(at(3)));
    nested.insert("y", Value::int(5).with_origin(at(4)));
    data.insert("m", Value::from(nested).with_origin(at(5)));
    let data = Value::from(data);
    let cases = [
        ("{{ .a | trim | upper | quote }}", "APPLE", 1),
        ("{{ .a | nospace | trunc 3 }}", "App", 1),
        ("{{ .b | replace \"a\" \"o\" | indent 2 }}", "bonono", 2),
        ("{{ .none | default .b | squote }}", "banana", 2),
        ("{{ coalesce .none .b | b64enc }}", "YmFu", 2),
        ("{{ ternary .a .b false | title }}", "Banana", 2),
        ("{{ toYaml .m | nindent 4 }}", "xylophone", 3),
        ("{{ toYaml .m | nindent 4 }}", "5", 4),
        ("{{ merge (dict \"z\" 1) .m | toYaml }}", "xylophone", 3),
        ("{{ (deepCopy .m).x | required \"x\" }}", "xylophone", 3),
        ("{{ list .a .b | join \"-\" }}", "banana", 2),
        ("{{ pick .m \"y\" | toJson }}", "5", 4),
        ("{{ get .m \"x\" | snakecase }}", "xylophone", 3),
        ("{{ .m.y | add1 }}", "6", 4),
        ("{{ toToml .m }}", "5", 4),
    ];
    for (template, needle, line) in cases {
        let text = render(template, &data, usize::MAX).expect(template);
        assert!(comes_from(&text, needle, line), "{template} gave {text:?}");
    }
}

#[test]
fn what_is_too_large_ends_in_an_error() {
    let cases = [
        "{{ repeat 1000000000 \"abcdefgh\" }}",
        "{{ indent 1000000000 \"a\\nb\" }}",
        "{{ until 1000000000 }}",
        "{{ untilStep 0 9223372036854775807 1 }}",
        "{{ seq 0 1000000000 }}",
        "{{ $x := \"a\" }}{{ range until 64 }}{{ $x = replace \"a\" \"aa\" $x }}{{ end }}",
        "{{ $x := list 1 }}{{ range until 64 }}{{ $x = concat $x $x }}{{ end }}",
        "{{ $x := list 1 }}{{ range until 64 }}{{ $x = list $x $x }}{{ end }}{{ deepCopy $x }}",
        "{{ $x := dict }}{{ $_ := set $x \"x\" $x }}{{ deepCopy $x }}",
        "{{ $x := dict }}{{ $_ := set $x \"x\" $x }}{{ mustToToml $x }}",
        "{{ $x := dict }}{{ $_ := set $x \"x\" $x }}{{ mustToJson $x }}",
        "{{ $x := dict }}{{ $_ := set $x \"x\" $x }}{{ mustToYaml $x }}",
        "{{ $x := dict }}{{ $_ := set $x \"x\" $x }}{{ $y := dict }}{{ $_ := set $y \"x\" $y }}{{ deepEqual $x $y }}",
        "{{ $x := dict }}{{ $_ := set $x \"x\" $x }}{{ $y := dict }}{{ $_ := set $y \"x\" $y }}{{ mustMerge $x $y }}",
        "{{ $x := list 1 }}{{ range until 64 }}{{ $x = list $x $x }}{{ end }}{{ toJson $x }}",
        "{{ $x := list 1 }}{{ range until 64 }}{{ $x = list $x $x }}{{ end }}{{ toYaml $x }}",
        "{{ $x := list 1 }}{{ range until 64 }}{{ $x = list $x $x }}{{ end }}{{ mustToToml (dict \"x\" $x) }}",
    ];
    for template in cases {
        let outcome = render(template, &Map::new().into(), 50_000_000);
        assert!(outcome.is_err(), "{template} gave {} bytes", outcome.map_or(0, |text| text.len()));
    }
}
