//! What counts as reading a value, by example: a chart, a values file, and the keys of it that nothing reads.

use onepane_chart::{Origins, load};
use onepane_check::{Checked, ReadChart, Reads, Unread, Use, unread_by_all};
use onepane_world::MemoryWorld;

const CHART: &str = "apiVersion: v2\nname: c\nversion: 1.0.0\n";

/// A chart without values whose one template is `template`.
fn chart(template: &str) -> MemoryWorld {
    MemoryWorld::new().with("c/Chart.yaml", CHART).with("c/templates/a.yaml", template)
}

/// The same with a subchart `s`, known to it by what `dependency` says.
fn with_subchart(template: &str, dependency: &str, of_subchart: &str) -> MemoryWorld {
    let dependencies = format!("{CHART}dependencies:\n- {{name: s, version: 1.0.0{dependency}}}\n");
    chart(template)
        .with("c/Chart.yaml", &dependencies)
        .with("c/charts/s/Chart.yaml", "apiVersion: v2\nname: s\nversion: 1.0.0\n")
        .with("c/charts/s/templates/b.yaml", of_subchart)
}

fn checked(world: MemoryWorld, values: &str) -> Checked {
    let world = world.with("over.yaml", values);
    let chart = load("c".into(), &world, Origins::Untracked, &mut |_| {}).expect("the chart is good");
    ReadChart::new(chart).check(&["over.yaml".into()], &world).expect("the values are good")
}

/// The unread keys of `values`, as `path` or `path -> meant`.
fn unread(world: MemoryWorld, values: &str) -> Vec<String> {
    let shown = |unread: &Unread| match &unread.meant {
        Some(meant) => format!("{} -> {meant}", unread.path),
        None => unread.path.clone(),
    };
    checked(world, values).given.iter().map(shown).collect()
}

#[test]
fn what_a_template_reads_is_told_from_what_it_does_not() {
    // Template, values, what of them is not read.
    let cases: &[(&str, &str, &[&str])] = &[
        // By path; a mistyped key is told with the one that was meant.
        ("{{ .Values.image.tag }}", "image: {tag: 1, tagg: 2}", &["image.tagg"]),
        ("{{ .Values.image.tag }}", "image: {tagg: 2}", &["image.tagg -> image.tag"]),
        ("{{ .Values.replicaCount }}", "replicacount: 2", &["replicacount -> replicaCount"]),
        ("{{ .Values.image.tag }}", "imgae: {tag: 1}", &["imgae -> image"]),
        ("{{ .Values.pod.nodeSelector }}", "nodeSelector: {}", &["nodeSelector -> pod.nodeSelector"]),
        ("{{ .Values.pod.nodeSelector }}", "nodeSelector: {}\npod: {nodeSelector: {}}", &["nodeSelector"]),
        ("{{ .Values.nodeSelector }}", "pod: {nodeSelector: {}}", &["pod"]),
        ("{{ .Values.pod.a }}{{ .Values.tolerations }}", "pod: {tolerations: []}", &["pod.tolerations -> tolerations"]),
        ("{{ $.Values.a }}{{ $v := .Values }}{{ $v.b }}", "a: 1\nb: 1\nc: 1", &["c"]),
        ("{{ (.Values.a).b }}", "a: {b: 1, c: 1}", &["a.c"]),
        ("{{ .Values.AsMap.a }}", "a: 1\nb: 1", &["b"]),
        // By functions.
        (r#"{{ index .Values "a" "b-c" }}"#, "a: {b-c: 1, b_c: 1}", &["a.b_c"]),
        (r#"{{ get .Values "a" }}"#, "a: 1\nb: 1", &["b"]),
        (r#"{{ if hasKey .Values.a "b" }}x{{ end }}"#, "a: {b: 1, c: 1}", &["a.c"]),
        (r#"{{ dig "a" "b" "none" .Values }}"#, "a: {b: 1, c: 1}", &["a.c"]),
        (r#"{{ dig "a" "b" "none" (.Values | merge (dict)) }}"#, "a: {b: 1, c: 1}", &["a.c"]),
        (r#"{{ .Values.a | default .Values.b }}"#, "a: 1\nb: 1\nd: 1", &["d"]),
        (r#"{{ required "a!" .Values.a }}{{ coalesce .Values.b .Values.c }}"#, "a: 1\nb: 1\nc: 1\nd: 1", &["d"]),
        (r#"{{ ternary .Values.a .Values.b .Values.c }}"#, "a: 1\nb: 1\nc: 1\nd: 1", &["d"]),
        (r#"{{ (first .Values.a).b }}"#, "a: [{b: 1, c: 1}]", &["a[].c"]),
        (r#"{{ (pick .Values.a "b").b }}"#, "a: {b: 1, c: 1}", &["a.c"]),
        (
            r#"{{ range pluck "a" .Values.x .Values.y }}{{ .b }}{{ end }}"#,
            "x: {a: {b: 1, c: 1}, d: 1}",
            &["x.a.c", "x.d"],
        ),
        (r#"{{ (merge .Values.a .Values.b).x }}"#, "a: {x: 1, y: 1}\nb: {x: 1}", &["a.y"]),
        (r#"{{ $_ := set .Values.a "b" 1 }}{{ .Values.a.b }}"#, "a: {b: 1, c: 1}", &["a.c"]),
        // A key that is computed may be any.
        ("{{ index .Values.a .Release.Name }}", "a: {x: 1}\nb: 1", &["b"]),
        (r#"{{ index .Values.a (printf "%s-x" .Release.Name) }}"#, "a: {r-x: 1}", &[]),
        (r#"{{ range tuple "a" "b" }}{{ index $.Values . }}{{ end }}"#, "a: 1\nb: 1\nc: 1", &["c"]),
        (r#"{{ range $k, $_ := .Values.a }}{{ index $.Values.b $k }}{{ end }}"#, "a: {x: 1}\nb: {x: 1}", &[]),
        // In blocks.
        ("{{ with .Values.a }}{{ .b }}{{ else }}{{ .Values.d }}{{ end }}", "a: {b: 1, c: 1}\nd: 1", &["a.c"]),
        ("{{ with $x := .Values.a }}{{ $x.b }}{{ end }}", "a: {b: 1, c: 1}", &["a.c"]),
        ("{{ range .Values.a }}{{ .b }}{{ end }}", "a: [{b: 1}, {c: 1}]", &["a[].c"]),
        ("{{ range $k, $v := .Values.a }}{{ $v.b }}{{ end }}", "a: {x: {b: 1}, y: {b: 1, c: 1}}", &["a.y.c"]),
        ("{{ if .Values.a.on }}x{{ else if .Values.b }}y{{ end }}", "a: {on: 1, off: 1}\nb: 1", &["a.off"]),
        (
            "{{ $x := .Values.a }}{{ if true }}{{ $x = .Values.b }}{{ end }}{{ $x.c }}",
            "a: {c: 1}\nb: {c: 1, d: 1}",
            &["b.d"],
        ),
        // All of a map is read where it is printed or handed to what is not followed.
        ("{{ toYaml .Values.a }}", "a: {b: {c: 1}}\nd: 1", &["d"]),
        ("{{ .Values.a | toJson | sha256sum }}", "a: {b: {c: 1}}", &[]),
        ("{{ if .Values.a }}x{{ end }}", "a: {b: 1}", &[]),
        ("{{ toYaml .Values }}", "anything: 1", &[]),
        ("{{ toYaml . }}", "anything: 1", &[]),
        ("{{ range omit .Values.a \"b\" }}{{ .x }}{{ end }}", "a: {c: {x: 1, y: 1}}", &["a.c.y"]),
        // By other templates.
        (r#"{{ define "t" }}{{ .Values.a }}{{ end }}{{ include "t" . }}"#, "a: 1\nb: 1", &["b"]),
        (r#"{{ define "t" }}{{ .b }}{{ end }}{{ template "t" .Values.a }}"#, "a: {b: 1, c: 1}", &["a.c"]),
        (
            r#"{{ define "t" }}{{ .v.b }}{{ end }}{{ include "t" (dict "v" .Values.a "r" $) }}"#,
            "a: {b: 1, c: 1}",
            &["a.c"],
        ),
        (
            r#"{{ define "t" }}{{ (index . 1).b }}{{ end }}{{ include "t" (list . .Values.a) }}"#,
            "a: {b: 1, c: 1}",
            &["a.c"],
        ),
        (
            r#"{{ define "x.a" }}{{ .Values.a }}{{ end }}{{ include (printf "x.%s" .Release.Name) . }}"#,
            "a: 1\nb: 1",
            &["b"],
        ),
        (r#"{{ tpl "{{ .Values.a }}" . }}"#, "a: 1\nb: 1", &["b"]),
        ("{{ tpl .Values.text . }}", "text: '{{ .Values.a }}'\na: 1\nb: 1", &["b"]),
        ("{{ tpl (toYaml .Values.text) . }}", "text: {x: ['{{ .Values.a.b }}']}\na: {b: 1, c: 1}", &["a.c"]),
        // What the file says for itself.
        ("{{ .Values.a }}", "x: &x {b: 1}\na: *x", &[]),
        ("{{ .Values.a.b }}", "base: &base {b: 1}\na:\n  <<: *base\n  c: 1", &["a.c"]),
    ];
    for (template, values, wanted) in cases {
        assert_eq!(unread(chart(template), values), *wanted, "{template} with {values}");
    }
}

#[test]
fn subcharts_read_what_is_below_their_name() {
    // What the parent says of the subchart, the subchart's template, values, what of them is not read.
    let cases: &[(&str, &str, &str, &[&str])] = &[
        ("", "{{ .Values.port }}", "s: {host: 1}\nport: 1", &["s.host", "port -> s.port"]),
        (", alias: t", "{{ .Values.a }}", "t: {a: 1}\ns: {a: 1}", &["s"]),
        ("", "{{ .Values.global.a }}", "global: {a: 1, b: 1}", &["global.b"]),
        (", condition: s.enabled", "{{ .Values.a }}", "s: {enabled: false, a: 1}", &[]),
        (", condition: 'on, s.enabled'", "", "on: true\noff: true", &["off"]),
        (", tags: [front]", "", "tags: {front: true, frnt: true}", &["tags.frnt"]),
        (", import-values: [data]", "", "s: {exports: {data: {x: 1}}}", &[]),
        (", import-values: [{child: a, parent: b}]", "", "s: {a: {x: 1}, c: 1}", &["s.c"]),
    ];
    for (dependency, of_subchart, values, wanted) in cases {
        let found = unread(with_subchart("", dependency, of_subchart), values);
        assert_eq!(found, *wanted, "{dependency} {of_subchart} with {values}");
    }
    let by_parent = with_subchart("{{ .Values.s.a }}{{ .Subcharts.s.Values.b }}", "", "");
    assert_eq!(unread(by_parent, "s: {a: 1, b: 1, d: 1}"), ["s.d"]);
}

#[test]
fn a_subchart_that_is_missing_may_read_anything_of_its_own() {
    let world = chart("").with("c/Chart.yaml", format!("{CHART}dependencies:\n- {{name: s, version: 1.0.0}}\n"));
    assert_eq!(unread(world, "s: {a: 1}\nglobal: {b: 1}\nc: 1"), ["c"]);
}

#[test]
fn who_describes_a_key_knows_it() {
    let schema = r##"{"$ref": "#/definitions/all", "definitions": {"all": {"properties": {
        "a": {"properties": {"b": {"type": "string"}}},
        "free": {"additionalProperties": {"type": "string"}},
        "list": {"items": {"properties": {"x": {}}}}
    }, "oneOf": [{"properties": {"either": {}}}, {"properties": {"or": {}}}]}}}"##;
    let world = chart("").with("c/values.schema.json", schema);
    let values = "a: {b: 1, c: 1}\nfree: {x: 1}\nlist: [{x: 1, y: 1}]\neither: 1\nor: 1\nnone: 1";
    assert_eq!(unread(world, values), ["a.c", "list[].y", "none"]);
}

#[test]
fn a_charts_own_values_and_those_it_hands_down_are_kept_apart() {
    let world =
        with_subchart("{{ .Values.a }}", "", "{{ .Values.x }}").with("c/values.yaml", "a: 1\nb: 1\ns: {y: 1}\n");
    let checked = checked(world, "");
    let paths = |found: &[Unread]| found.iter().map(|unread| unread.path.clone()).collect::<Vec<_>>();
    assert_eq!((paths(&checked.own), paths(&checked.handed_down)), (vec!["b".to_owned()], vec!["s.y".to_owned()]));
    assert_eq!(checked.own[0].span.to_string(), "c/values.yaml:2:1");
}

#[test]
fn a_file_given_to_several_charts_has_to_be_read_by_one() {
    let one = checked(chart("{{ .Values.a }}"), "a: 1\nb: 1\nc: 1");
    let other = checked(chart("{{ .Values.b }}"), "a: 1\nb: 1\nc: 1");
    let found: Vec<String> = unread_by_all(&[one, other]).into_iter().map(|unread| unread.path).collect();
    assert_eq!(found, ["c"]);
}

#[test]
fn a_template_that_calls_itself_ends() {
    let template = r#"{{ define "t" }}{{ range .items }}{{ .name }}{{ include "t" . }}{{ end }}{{ end }}{{ include "t" .Values.a }}"#;
    let values = "a: {items: [{name: 1, items: [{name: 1, nme: 1}]}], nme: 1}";
    assert_eq!(unread(chart(template), values), ["a.items[].items[].nme", "a.nme"]);
}

#[test]
fn beside_a_template_that_is_none_nothing_is_said() {
    let damaged = chart("{{ .Values.a }}").with("c/templates/b.yaml", "{{ if }}");
    let found = checked(damaged, "a: 1\nb: 1");
    assert!(found.is_beyond && found.given.is_empty(), "{found:?}");
    // A schema describes; without one there is only less that is described.
    assert_eq!(unread(chart("{{ .Values.a }}").with("c/values.schema.json", "{"), "a: 1\nb: 1"), ["b"]);
}

#[test]
fn what_is_too_much_to_follow_is_given_up() {
    // A template that calls itself with each of twelve keys of what it is given knows twelve to the n-th places.
    let calls: String = (0..12).map(|number| format!("{{{{ include \"t\" .k{number} }}}}")).collect();
    let template = format!("{{{{ define \"t\" }}}}{calls}{{{{ end }}}}{{{{ include \"t\" .Values }}}}");
    let started = std::time::Instant::now();
    let found = checked(chart(&template), "unread: 1");
    assert!(found.is_beyond && found.given.is_empty(), "{found:?}");
    assert!(started.elapsed() < std::time::Duration::from_secs(60), "it takes {:?}", started.elapsed());
}

#[test]
fn names_in_templates_lead_to_values() {
    let template = "{{ with .Values.a }}{{ .b }}{{ end }}{{ toYaml .Values.a }}\
                    {{ range $k, $v := .Values.list }}{{ $v.c }}{{ end }}{{ $.Release.Name }}";
    let world = chart(template);
    let chart = load("c".into(), &world, Origins::Untracked, &mut |_| {}).expect("it loads");
    let reads = Reads::with_uses(&chart, &[]);
    let named = |one: &Use| (template[one.position..one.position + one.length].to_owned(), one.paths[0].join("."));
    let found: Vec<_> = reads.uses().iter().map(named).collect();
    let wanted = [("a", "a"), ("b", "a.b"), ("a", "a"), ("list", "list"), ("c", "list.*.c")];
    assert_eq!(found, wanted.map(|(name, path)| (name.to_owned(), path.to_owned())));
    assert_eq!(reads.keys_below(&["a".to_owned()]), ["b"]);
}
