//! The `list` and `build` cases of the Helmfile corpus, where it is there: what Helmfile v1.8 lists is what we list.

use camino::{Utf8Path, Utf8PathBuf};
use onepane_chart::{SetKind, set_into};
use onepane_helmfile::{Overrides, Release, Selector, State, list};
use onepane_value::{Map, Value, from_yaml, from_yaml_documents};
use onepane_world::OsWorld;
use std::collections::BTreeMap;

/// Cases of what is left for later, and why.
const LATER: &[(&str, &str)] = &[("build-nested", "nested helmfiles")];

#[test]
fn releases_are_listed_as_helmfile_lists_them() {
    let folder = std::env::var("ONEPANE_CORPUS").unwrap_or_else(|_| "/work/shared/corpus".to_owned());
    let folder = Utf8PathBuf::from(folder).join("helmfile");
    let Ok(entries) = folder.read_dir_utf8() else {
        println!("skipped: there is no corpus at {folder}; ONEPANE_CORPUS names its folder");
        return;
    };
    let mut cases: Vec<Utf8PathBuf> = entries.flatten().map(|entry| entry.into_path()).collect();
    cases.sort();
    let (mut passed, mut wrong) = (0, Vec::new());
    for case in cases {
        let Some(name) = case.file_name() else { continue };
        let Ok(text) = std::fs::read_to_string(case.join("case.json")) else { continue };
        let description = from_yaml(&text, None).expect("a case describes itself");
        let description = description.as_map().expect("a case describes itself").clone();
        let field = |key: &str| description.get(key).and_then(|value| Some(value.as_text()?.to_string()));
        if !matches!(field("command").as_deref(), Some("list" | "build")) {
            continue;
        }
        let outcome = run(&case, &description);
        let passes = match (field("outcome").as_deref(), &outcome) {
            (Some("error"), outcome) => outcome.is_err(),
            (_, Ok(())) => true,
            (_, Err(_)) => false,
        };
        match (passes, LATER.iter().find(|(later, _)| *later == name)) {
            (true, None) => passed += 1,
            (false, None) => wrong.push(format!("{name}: {}", outcome.err().unwrap_or_default())),
            (true, Some(_)) => wrong.push(format!("{name} passes: take it off the list")),
            (false, Some((_, why))) => println!("left for later: {name}: {why}"),
        }
    }
    println!("{passed} cases pass");
    assert!(wrong.is_empty(), "{} cases are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(passed > 0, "no case was found in {folder}");
}

/// Lists a case's releases and compares them with what Helmfile printed.
fn run(case: &Utf8Path, description: &Map) -> Result<(), String> {
    let arguments = description.get("args").and_then(|value| value.as_list().cloned()).expect("arguments");
    let arguments: Vec<String> =
        arguments.iter().map(|argument| argument.as_text().expect("a text").to_string()).collect();
    let cwd = description.get("cwd").map_or(".".to_owned(), |cwd| cwd.as_text().expect("a text").to_string());
    let mut path = Utf8PathBuf::from(&cwd);
    let (mut environment, mut selectors) = ("default".to_owned(), Vec::new());
    let mut overrides = Overrides::default();
    let mut kube_context = None;
    let mut command = "";
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().expect("the flag has a value").clone();
        match argument.as_str() {
            "-e" => environment = value(),
            "-f" => path = Utf8Path::new(&cwd).join(value()),
            "-l" | "--selector" => selectors.push(value().parse::<Selector>()?),
            "--state-values-set" => set_into(&overrides.set, &value(), SetKind::Typed, None)?,
            "--kube-context" => kube_context = Some(value()),
            "--output" => assert_eq!(value(), "json"),
            "list" | "build" => command = argument,
            "--skip-charts" | "--sequential-helmfiles" | "--embed-values" => {}
            other => panic!("{case}: what does {other} mean?"),
        }
    }
    let world = OsWorld::within(case.join("in")).map_err(|error| error.to_string())?;
    overrides.values = Map::new();
    let state = list(&world, &path, &environment, &overrides).map_err(|error| error.to_string())?;
    let wanted = std::fs::read_to_string(case.join("expected.stdout")).map_err(|error| error.to_string())?;
    let selected = |release: &&Release| selectors.is_empty() || selectors.iter().any(|s| s.matches(release));
    let releases: Vec<&Release> = state.releases.iter().filter(selected).collect();
    if command == "list" {
        compare_list(&releases, &wanted)
    } else {
        compare_build(&releases, &state, kube_context.as_deref(), &wanted)
    }
}

/// The table's cells, row by row.
type Row = BTreeMap<String, String>;

fn compare_list(releases: &[&Release], wanted: &str) -> Result<(), String> {
    let wanted = if wanted.starts_with('[') { json_rows(wanted) } else { table_rows(wanted) };
    let mut ours: Vec<Row> = releases
        .iter()
        .map(|release| {
            let labels: Vec<String> = release.labels.iter().map(|(key, value)| format!("{key}:{value}")).collect();
            Row::from(
                [
                    ("name", release.name.clone()),
                    ("namespace", release.namespace.clone()),
                    ("enabled", release.enabled.to_string()),
                    ("installed", release.desired.to_string()),
                    ("labels", labels.join(",")),
                    ("chart", release.chart_name.clone()),
                    ("version", release.version.clone()),
                ]
                .map(|(key, value)| (key.to_owned(), value)),
            )
        })
        .collect();
    ours.sort_by(|a, b| (&a["namespace"], &a["name"]).cmp(&(&b["namespace"], &b["name"])));
    same(&ours, &wanted)
}

fn table_rows(text: &str) -> Vec<Row> {
    let mut lines = text.lines().map(|line| line.split('\t').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>());
    let keys: Vec<String> = lines.next().expect("a heading").iter().map(|key| key.to_lowercase()).collect();
    lines
        .map(|cells| keys.iter().cloned().zip(cells.into_iter().chain(std::iter::repeat(String::new()))).collect())
        .collect()
}

fn json_rows(text: &str) -> Vec<Row> {
    let rows = from_yaml(text, None).expect("JSON");
    let row = |row: &Value| {
        let cells = row.as_map().expect("an object").entries();
        cells.into_iter().map(|(key, value)| (key.to_string(), shown(&value))).collect()
    };
    rows.as_list().expect("a list").iter().map(row).collect()
}

fn shown(value: &Value) -> String {
    onepane_value::format::sprint(std::slice::from_ref(value)).to_string()
}

/// Of what `build` prints: the releases' names, namespaces, charts, versions, labels, needs, and the state's values.
fn compare_build(releases: &[&Release], state: &State, context: Option<&str>, wanted: &str) -> Result<(), String> {
    let wanted = from_yaml_documents(wanted, None).map_err(|error| error.to_string())?;
    let wanted = wanted.iter().find_map(Value::as_map).expect("a document");
    let fields = |map: &Map| -> Row {
        let text = |key: &str| map.get(key).map(|value| shown(&value)).unwrap_or_default();
        let labels = map.get("labels").unwrap_or_default();
        let keys = ["name", "namespace", "chart", "version", "kubeContext", "needs"];
        let row = keys.iter().map(|key| ((*key).to_owned(), text(key)));
        row.chain([("labels".to_owned(), shown(&labels))]).collect()
    };
    let theirs: Vec<Row> = match wanted.get("releases") {
        Some(list) => list.as_list().expect("a list").iter().map(|r| fields(r.as_map().expect("a release"))).collect(),
        None => Vec::new(),
    };
    let ours: Vec<Row> = releases
        .iter()
        .filter(|release| release.enabled)
        .map(|release| {
            let map = Map::new();
            let kube_context = context.unwrap_or(&release.kube_context);
            for (key, text) in [
                ("name", release.name.as_str()),
                ("namespace", &release.namespace),
                ("chart", &release.chart_name),
                ("version", &release.version),
                ("kubeContext", kube_context),
            ] {
                if !text.is_empty() {
                    map.insert(key, text.into());
                }
            }
            if !release.needs.is_empty() {
                let needs = release.needs.iter().map(|need| need.as_str().into());
                map.insert("needs", Value::from(needs.collect::<onepane_value::List>()));
            }
            let labels = release.labels.iter().map(|(key, value)| (key.as_str(), value.as_str().into()));
            map.insert("labels", labels.collect::<Map>().into());
            fields(&map)
        })
        .collect();
    same(&ours, &theirs)?;
    let values = wanted.get("renderedvalues").unwrap_or_default();
    same(&shown(&state.values.clone().into()), &shown(&values))
}

fn same<T: PartialEq + std::fmt::Debug>(ours: &T, wanted: &T) -> Result<(), String> {
    if ours == wanted { Ok(()) } else { Err(format!("\n  ours:   {ours:?}\n  wanted: {wanted:?}")) }
}
