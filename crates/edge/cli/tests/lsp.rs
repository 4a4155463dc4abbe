//! `onepane lsp`, asked over its stdin and stdout as an editor would.

#[allow(dead_code)]
mod seeded;

mod lsp_client;

use lsp_client::{Client, example};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

const DEPLOYMENT: &str = "helm-charts/api/charts/service-library/templates/_deployment.tpl";
const NAMES: &str = "helm-charts/api/charts/service-library/templates/_names.tpl";
const API_VALUES: &str = "helm-charts/api/values.yaml";
const API_GIVEN: &str = "helm-charts/values/api.yaml";
const DEV: &str = "clusters/dev/kustomization.yaml";

/// The line and the character, in UTF-16 units, at which `text` stands in a text.
fn place(text: &str, wanted: &str) -> Value {
    position(text, text.find(wanted).unwrap_or_else(|| panic!("`{wanted}` is not in:\n{text}")))
}

/// The same of where it ends.
fn end_of(text: &str, wanted: &str) -> Value {
    position(text, text.find(wanted).unwrap_or_else(|| panic!("`{wanted}` is not in:\n{text}")) + wanted.len())
}

fn position(text: &str, at: usize) -> Value {
    let line = text[..at].matches('\n').count();
    let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
    json!({ "line": line, "character": text[start..at].encode_utf16().count() })
}

/// `file:line:character` of locations, from 1.
fn places(answer: &Value, client: &Client) -> Vec<String> {
    let found = answer.as_array().unwrap_or_else(|| panic!("no list: {answer}"));
    found
        .iter()
        .map(|location| {
            let start = &location["range"]["start"];
            let line = start["line"].as_u64().expect("it is a number") + 1;
            let character = start["character"].as_u64().expect("it is a number") + 1;
            format!("{}:{line}:{character}", client.path(location["uri"].as_str().expect("it is a text")))
        })
        .collect()
}

#[test]
fn what_is_typed_is_told_at_once_and_vanishes_when_it_is_mended() {
    let folder = example();
    let mut client = Client::start(folder.path(), json!({}));
    let text = client.read(API_GIVEN);
    client.open(API_GIVEN, &text);
    assert_eq!(client.checked(), Vec::<String>::new());
    // Broken YAML, with characters outside the basic plane before the place.
    let broken = text.replace("resources:\n", "note: {\"\u{1F600}\": ]\nresources:\n");
    client.change(API_GIVEN, &broken);
    let told = client.told(API_GIVEN, |found| !found.is_empty());
    assert_eq!((told[0]["code"].as_str(), told[0]["source"].as_str()), (Some("yaml-syntax"), Some("onepane")));
    let line = told[0]["range"]["start"]["line"].as_u64().expect("it has a line") as usize;
    assert!(broken.lines().nth(line).expect("it is there").contains('\u{1F600}'), "{told:?}");
    client.change(API_GIVEN, &text);
    client.told(API_GIVEN, <[Value]>::is_empty);
    assert_eq!(client.checked(), Vec::<String>::new());

    // A template, its expression not closed.
    let text = client.read(DEPLOYMENT);
    client.open(DEPLOYMENT, &text);
    client.change(DEPLOYMENT, &text.replace("replicas: {{ .Values.replicas }}", "replicas: {{ .Values.replicas"));
    let told = client.told(DEPLOYMENT, |found| !found.is_empty());
    assert_eq!(told[0]["code"], "template-syntax");
    client.change(DEPLOYMENT, &text);
    client.told(DEPLOYMENT, <[Value]>::is_empty);

    // A kustomization: a field and a file that are not there.
    let text = client.read(DEV);
    client.open(DEV, &text);
    client.change(DEV, &text.replace("resources:\n", "resource: []\nresources:\n  - nothing.yaml\n"));
    let told = client.told(DEV, |found| found.len() >= 2);
    let lines: Vec<_> = told.iter().map(|one| (one["code"].clone(), one["range"]["start"].clone())).collect();
    let at = |line: usize, character: usize| json!({ "line": line, "character": character });
    assert!(lines.contains(&(json!("kustomize-field"), at(3, 0))), "{told:?}");
    assert!(lines.contains(&(json!("kustomize-missing-file"), at(5, 4))), "{told:?}");
    assert!(
        told.iter().any(|one| one["message"].as_str().is_some_and(|said| said.contains("did you mean `resources`?")))
    );
    client.change(DEV, &text);
    client.told(DEV, <[Value]>::is_empty);

    // A value that the chart's schema refuses.
    let text = client.read(API_GIVEN);
    client.change(API_GIVEN, &format!("{text}\nreplicas: many\n"));
    let told = client.told(API_GIVEN, |found| !found.is_empty());
    assert_eq!(told[0]["code"], "values-schema");
    assert_eq!(told[0]["range"]["start"], at(text.lines().count() + 1, 0));
    assert!(
        told[0]["relatedInformation"][0]["location"]["uri"]
            .as_str()
            .is_some_and(|uri| uri.ends_with("api/values.schema.json"))
    );
    client.change(API_GIVEN, &text);
    client.told(API_GIVEN, <[Value]>::is_empty);

    // A state that names no chart.
    let state = "helm-charts/helmfile.yaml";
    let text = client.read(state);
    client.open(state, &text);
    client.change(state, &text.replace("releases:", "releases: ["));
    assert_eq!(client.told(state, |found| !found.is_empty())[0]["code"], "yaml-syntax");
    client.change(state, &text);
    client.told(state, <[Value]>::is_empty);
    assert_eq!(client.checked(), Vec::<String>::new());
    client.leave();
}

#[test]
fn findings_are_those_of_check() {
    let folder = example();
    let edits: [(&str, &str, &str); 6] = [
        (API_GIVEN, "resources:\n", "resorces: {}\nresources:\n"),
        ("groups/default/kustomization.yaml", "resources:\n", "resources:\n  # onepane:ignore image-latest\n"),
        ("components/network-policies/dns.yaml", "spec:\n", "spec:\n  polcyTypes: []\n"),
        ("clusters/dev/shop/ingress.yaml", "spec:\n", "spec:\n  ingresClassName: x\n"),
        (DEV, "resources:\n", "resources:\n  - missing.yaml\n"),
        (DEPLOYMENT, "revisionHistoryLimit: 3", "revisionHistoryLimits: 3"),
    ];
    for (file, from, to) in edits {
        let mut client = Client::start(folder.path(), json!({}));
        let text = client.read(file);
        assert!(text.contains(from), "`{from}` is not in {file}:\n{text}");
        let edited = text.replacen(from, to, 1);
        client.open(file, &text);
        client.change(file, &edited);
        let mut told = client.checked();
        client.leave();
        std::fs::write(folder.path().join(file), &edited).expect("it can be written");
        let (finished, said) = seeded::onepane(folder.path(), &["check", "--output", "json"]);
        let report: Value =
            serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}{}", finished.stderr));
        let mut wanted: Vec<String> =
            report["findings"].as_array().expect("it is a list").iter().map(lsp_client::finding).collect();
        wanted.sort();
        told.sort();
        assert_eq!(told, wanted, "{file}");
        assert!(!wanted.is_empty(), "{to} is wrong");
        std::fs::write(folder.path().join(file), text).expect("it can be written");
    }
}

#[test]
fn names_lead_to_what_they_stand_for_and_back() {
    let folder = example();
    let mut client = Client::start(folder.path(), json!({}));
    let deployment = client.read(DEPLOYMENT);
    let definition = |client: &mut Client, file: &str, wanted: &str, within: usize| {
        let text = client.read(file);
        let mut position = place(&text, wanted);
        position["character"] = json!(position["character"].as_u64().expect("it is a number") as usize + within);
        let answer = client
            .ask("textDocument/definition", json!({"textDocument": {"uri": client.uri(file)}, "position": position}));
        places(&answer, client)
    };
    let of = |file: &str, text: &str, wanted: &str| {
        let at = place(text, wanted);
        format!(
            "{file}:{}:{}",
            at["line"].as_u64().expect("a line") + 1,
            at["character"].as_u64().expect("a column") + 1
        )
    };
    let values = client.read(API_VALUES);
    // Through the library's template to the values of the chart that calls it.
    let found = definition(&mut client, DEPLOYMENT, ".Values.image.pullPolicy", 15);
    assert_eq!(found, [of(API_VALUES, &values, "pullPolicy:")]);
    let found = definition(&mut client, DEPLOYMENT, ".Values.image.pullPolicy", 9);
    assert_eq!(found, [of(API_VALUES, &values, "image:")]);
    // What a release says beside the chart.
    let given = client.read(API_GIVEN);
    let found = definition(&mut client, DEPLOYMENT, "toYaml .Values.resources", 16);
    assert_eq!(found, [of(API_VALUES, &values, "resources:"), of(API_GIVEN, &given, "resources:")]);
    // `with` gives a template another dot, which an include hands on.
    let pods = "helm-charts/api/charts/service-library/templates/_pod.tpl";
    let probe = client.read(pods);
    assert!(probe.contains(".path"), "{probe}");
    let found = definition(&mut client, pods, ".path", 2);
    assert!(found.iter().all(|place| place.starts_with(API_VALUES)) && found.len() == 2, "{found:?}");
    // An include leads to its definition, a definition to its calls.
    let names = client.read(NAMES);
    let found = definition(&mut client, DEPLOYMENT, "service-library.image", 3);
    assert_eq!(found, [of(NAMES, &names, "service-library.image")]);
    let found = definition(&mut client, NAMES, "service-library.image", 3);
    assert_eq!(found, [of(DEPLOYMENT, &deployment, "service-library.image")]);
    // A key of values leads to who reads it.
    let found = definition(&mut client, API_VALUES, "terminationGracePeriodSeconds", 1);
    let wanted = place(&deployment, ".Values.terminationGracePeriodSeconds");
    let character = wanted["character"].as_u64().expect("a column") + 1 + ".Values.".len() as u64;
    assert_eq!(found, [format!("{DEPLOYMENT}:{}:{character}", wanted["line"].as_u64().expect("a line") + 1)]);
    // One that a release gives leads to the chart's.
    let found = definition(&mut client, API_GIVEN, "envFrom", 1);
    assert_eq!(found, [of(API_VALUES, &values, "envFrom:")]);
    // Kustomizations and state files lead to files.
    assert_eq!(definition(&mut client, DEV, "cluster.yaml", 0), ["clusters/dev/cluster.yaml:1:1"]);
    let found = definition(&mut client, DEV, "../../components/cluster-facts", 4);
    assert_eq!(found, ["components/cluster-facts/kustomization.yaml:1:1"]);
    assert_eq!(
        definition(&mut client, "clusters/dev/shop/kustomization.yaml", "ingress.yaml", 2),
        ["clusters/dev/shop/ingress.yaml:1:1"]
    );
    let state = "helm-charts/helmfile.yaml";
    assert_eq!(definition(&mut client, state, "./api", 3), ["helm-charts/api/Chart.yaml:1:1"]);
    assert_eq!(definition(&mut client, state, "values/api.yaml", 3), [format!("{API_GIVEN}:1:1")]);
    // All that names a value, with where it is said.
    let position = place(&values, "pullPolicy");
    let answer = client.ask(
        "textDocument/references",
        json!({"textDocument": {"uri": client.uri(API_VALUES)}, "position": position, "context": {"includeDeclaration": true}}),
    );
    let found = places(&answer, &client);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.contains(&of(API_VALUES, &values, "pullPolicy:")));
    client.leave();
}

#[test]
fn values_and_fields_are_told_with_where_they_are_from() {
    let folder = example();
    let mut client = Client::start(folder.path(), json!({}));
    let hover = |client: &mut Client, file: &str, wanted: &str| {
        let position = place(&client.read(file), wanted);
        let answer =
            client.ask("textDocument/hover", json!({"textDocument": {"uri": client.uri(file)}, "position": position}));
        answer["contents"]["value"].as_str().map(str::to_owned)
    };
    let told = hover(&mut client, API_VALUES, "pullPolicy").expect("it is known");
    assert_eq!(
        told,
        "**image.pullPolicy**\n\n- api: `IfNotPresent` — `helm-charts/api/values.yaml:11` (chart defaults)"
    );
    let told = hover(&mut client, API_GIVEN, "cpu").expect("it is known");
    assert!(told.starts_with("**resources.requests.cpu**\n\n- api: `100m` — `helm-charts/values/api.yaml:"), "{told}");
    assert!(told.contains("over `helm-charts/api/values.yaml:"), "{told}");
    let told = hover(&mut client, DEPLOYMENT, "pullPolicy").expect("it is known");
    assert!(told.contains("`IfNotPresent`"), "{told}");
    let told = hover(&mut client, DEPLOYMENT, "service-library.image").expect("it has a comment");
    assert!(told.contains("The image with its tag"), "{told}");
    // A patch of one cluster, and a component that clusters have in common.
    let told = hover(&mut client, "clusters/dev/shop/ingress.yaml", "ingressClassName").expect("it has a say");
    assert!(told.starts_with("- dev: Ingress/storefront `spec.ingressClassName` = `traefik` — `clusters/dev/shop/ingress.yaml:10` (patch)"), "{told}");
    let told = hover(&mut client, "components/network-policies/dns.yaml", "port: 53").expect("it has a say");
    assert!(told.contains("NetworkPolicy/") && told.contains("`53`"), "{told}");
    assert_eq!(hover(&mut client, DEV, "# A laptop"), None);
    client.leave();
}

#[test]
fn what_fits_is_offered() {
    let folder = example();
    let mut client = Client::start(folder.path(), json!({}));
    let offered = |client: &mut Client, file: &str, from: &str, to: &str, behind: &str| {
        let text = client.read(file);
        assert!(text.contains(from), "`{from}` is not in {file}");
        let edited = text.replacen(from, to, 1);
        client.open(file, &edited);
        let position = end_of(&edited, behind);
        let answer = client
            .ask("textDocument/completion", json!({"textDocument": {"uri": client.uri(file)}, "position": position}));
        client.close(file);
        let items = answer.as_array().unwrap_or_else(|| panic!("no list: {answer}"));
        items.iter().map(|item| item["label"].as_str().expect("it has a label").to_owned()).collect::<Vec<_>>()
    };
    let has = |offered: &[String], wanted: &[&str]| wanted.iter().all(|wanted| offered.iter().any(|one| one == wanted));
    let found =
        offered(&mut client, DEPLOYMENT, "{{ .Values.replicas }}", "\u{1F600}{{ .Values. }}", "\u{1F600}{{ .Values.");
    assert!(has(&found, &["image", "replicas", "probes", "component"]) && !has(&found, &["Values"]), "{found:?}");
    let found = offered(&mut client, DEPLOYMENT, ".Values.image.pullPolicy", ".Values.image.pu", ".Values.image.pu");
    assert_eq!(found, ["pullPolicy", "repository", "tag"]);
    // Within `with`, and what is not closed.
    let found = offered(
        &mut client,
        DEPLOYMENT,
        "{{- with .Values.component }}",
        "{{- with .Values.image }}{{ . }}{{ .re }}\n",
        "{{ .re",
    );
    assert_eq!(found, ["pullPolicy", "repository", "tag"]);
    let found = offered(&mut client, DEPLOYMENT, "{{ .Values.port }}", "{{ .Values.ingress.", "{{ .Values.ingress.");
    assert!(has(&found, &["enabled", "host", "tls"]), "{found:?}");
    let found = offered(&mut client, DEPLOYMENT, "{{ .Values.replicas }}", "{{ . }}", "replicas: {{ .");
    assert!(has(&found, &["Values", "Release", "Chart"]), "{found:?}");
    let found = offered(&mut client, DEPLOYMENT, "include \"service-library.env\"", "include \"\"", "include \"");
    assert!(has(&found, &["service-library.env", "service-library.image"]), "{found:?}");
    let found = offered(&mut client, DEPLOYMENT, ".Values.port | quote", ".Values.port | qu", ".Values.port | qu");
    assert!(has(&found, &["quote", "toYaml", "printf", "end"]), "{found:?}");
    // Keys of values.
    let found = offered(&mut client, API_GIVEN, "resources:\n", "image:\n  \nresources:\n", "image:\n  ");
    assert_eq!(found, ["pullPolicy", "repository", "tag"]);
    let found = offered(&mut client, API_GIVEN, "resources:\n", "aut\nresources:\n", "\naut");
    assert!(has(&found, &["autoscaling", "persistence", "nameOverride"]), "{found:?}");
    // Kustomizations.
    let found = offered(&mut client, DEV, "components:\n", "comp\n", "\ncomp");
    assert!(has(&found, &["components", "configMapGenerator", "patches"]), "{found:?}");
    let found = offered(&mut client, DEV, "../../components/cluster-facts", "../../components/", "../../components/");
    assert!(has(&found, &["cluster-facts", "network-policies"]), "{found:?}");
    client.leave();
}

#[test]
fn what_is_certain_is_mended_and_names_are_listed() {
    let folder = example();
    let mut client = Client::start(folder.path(), json!({}));
    let file = "components/network-policies/dns.yaml";
    let text = client.read(file);
    let broken = text.replacen("policyTypes", "policyTypess", 1);
    assert_ne!(text, broken);
    client.open(file, &text);
    client.change(file, &broken);
    let told = client.checked();
    assert!(told.iter().any(|one| one.contains("schema-unknown-field")), "{told:?}");
    let position = place(&broken, "policyTypess");
    let answer = client.ask(
        "textDocument/codeAction",
        json!({"textDocument": {"uri": client.uri(file)}, "range": {"start": position, "end": position}, "context": {"diagnostics": []}}),
    );
    let edit = &answer[0]["edit"]["changes"][client.uri(file)][0];
    let mended = lsp_client::edited(&broken, edit);
    assert_eq!(mended, text, "{answer}");
    assert_eq!(answer[0]["title"], "Change `policyTypess` to `policyTypes`");

    let answer = client.ask("textDocument/documentSymbol", json!({"textDocument": {"uri": client.uri(NAMES)}}));
    assert_eq!(answer[0]["name"], "service-library.name");
    let answer = client.ask("textDocument/documentSymbol", json!({"textDocument": {"uri": client.uri(file)}}));
    assert!(answer[0]["name"].as_str().is_some_and(|name| name.starts_with("NetworkPolicy/")), "{answer}");
    let answer = client.ask("textDocument/documentSymbol", json!({"textDocument": {"uri": client.uri(API_VALUES)}}));
    assert!(
        answer.as_array().is_some_and(|all| all
            .iter()
            .any(|one| one["name"] == "image" && one["children"][0]["name"] == "repository"))
    );
    let answer = client.ask("workspace/symbol", json!({"query": "deployment/api"}));
    assert_eq!(answer[0]["name"], "Deployment/api", "{answer}");
    client.leave();
}

#[test]
fn places_are_counted_as_the_editor_counts() {
    let folder = example();
    for (capabilities, wanted) in [(json!({}), 20), (json!({"general": {"positionEncodings": ["utf-8"]}}), 22)] {
        let mut client = Client::start(folder.path(), capabilities);
        // Lines end as on Windows, and an emoji stands before what is wrong.
        let text = "apiVersion: v1\r\nkind: Kustomization\r\n\"a\u{1F600}\": {x: 1}\r\nresources: [\"\u{1F600}.yaml\", b.yaml]\r\n";
        client.open(DEV, text);
        let told = client.told(DEV, |found| found.len() >= 3);
        let b = told
            .iter()
            .find(|one| one["message"].as_str().is_some_and(|said| said.contains("b.yaml")))
            .expect("it is told");
        // `resources: ["😀.yaml", ` is 22 characters, one of them two units or four bytes.
        assert_eq!(b["range"]["start"], json!({"line": 3, "character": wanted + 3}), "{told:?}");
        client.leave();
    }
}

#[test]
fn nothing_that_is_sent_ends_the_server() {
    let folder = example();
    std::fs::write(folder.path().join("clusters/dev/latin.yaml"), b"a: \xff\xfe\n").expect("it can be written");
    std::fs::write(folder.path().join("helm-charts/values/worker.yaml"), b"a: \xff\xfe\n").expect("it can be written");
    let mut client = Client::start(folder.path(), json!({}));
    for uri in ["untitled:Untitled-1", "file:///etc/passwd", "http://example.com/a.yaml", "file:///%00", "git:/a?b"] {
        client.notify(
            "textDocument/didOpen",
            json!({"textDocument": {"uri": uri, "languageId": "yaml", "version": 1, "text": "a: ["}}),
        );
        client.notify("textDocument/didClose", json!({"textDocument": {"uri": uri}}));
        for method in ["hover", "definition", "completion"] {
            let answer = client.ask(
                &format!("textDocument/{method}"),
                json!({"textDocument": {"uri": uri}, "position": {"line": 0, "character": 0}}),
            );
            assert_eq!(answer, Value::Null, "{uri}");
        }
    }
    for file in [
        "clusters/dev/latin.yaml",
        DEPLOYMENT,
        API_VALUES,
        DEV,
        "helm-charts/helmfile.yaml",
        "README.md",
        "nowhere/at/all.yaml",
    ] {
        for position in [
            json!({"line": 4_000_000_000u32, "character": 4_000_000_000u32}),
            json!({"line": 0, "character": 4_000_000_000u32}),
        ] {
            for method in ["hover", "definition", "completion"] {
                client.ask(
                    &format!("textDocument/{method}"),
                    json!({"textDocument": {"uri": client.uri(file)}, "position": position}),
                );
            }
        }
    }
    // A change beyond the end, of what is open and of what is not.
    let range = json!({"start": {"line": 9_999, "character": 7}, "end": {"line": 3, "character": 999}});
    client.open(DEV, "resources: []\n");
    for file in [DEV, API_VALUES] {
        client.notify("textDocument/didChange", json!({"textDocument": {"uri": client.uri(file), "version": 7}, "contentChanges": [{"range": range, "text": "x: 1\n"}]}));
    }
    assert_eq!(client.error("onepane/nothing", json!({})), -32601);
    assert_eq!(client.error("textDocument/hover", json!({"position": 7})), -32602);
    client.notify("onepane/nothing", json!(null));
    client.notify("$/cancelRequest", json!({"id": 4711}));
    // A circle of kustomizations.
    client.change(DEV, "resources: [../../groups/dev]\n");
    client.open("groups/dev/kustomization.yaml", "resources: [../../clusters/dev]\n");
    let told = client.checked();
    assert!(told.iter().any(|one| one.contains("kustomize-")), "{told:?}");
    // Nested too deep for anybody.
    client.change(DEV, &format!("a: {}{}\n", "[".repeat(20_000), "]".repeat(20_000)));
    client.open(DEPLOYMENT, &"{{ if (".repeat(20_000));
    client.told(DEV, |found| !found.is_empty());
    client.checked();
    // A request that is taken back before it is answered.
    let id = client.send("workspace/symbol", json!({"query": "deployment"}));
    client.notify("$/cancelRequest", json!({"id": id}));
    let answer = client.answer(id);
    assert!(answer["error"]["code"] == -32800 || answer["result"].is_array(), "{answer}");
    client.leave();
}

#[test]
fn a_large_file_takes_no_time() {
    let folder = example();
    let mut client = Client::start(folder.path(), json!({}));
    let mut text = String::from("big:\n");
    (0..50_000).for_each(|number| text.push_str(&format!("  key{number}: {number}\n")));
    let file = "helm-charts/values/api.yaml";
    client.open(file, &text);
    client.checked();
    let start = Instant::now();
    client.edit(file, json!({"start": {"line": 25_000, "character": 2}, "end": {"line": 25_000, "character": 2}}), "]");
    client.told(file, |_| true);
    let took = start.elapsed();
    println!("a file of 50,000 lines: {took:?} from an edit to its diagnostics");
    assert!(took < Duration::from_secs(4), "{took:?}");
    client.leave();
}

#[test]
fn after_any_edits_all_is_as_for_a_new_server() {
    let folder = example();
    let mut client = Client::start(folder.path(), json!({}));
    let files =
        [API_GIVEN, DEV, "groups/default/kustomization.yaml", "components/network-policies/dns.yaml", API_VALUES];
    let mut texts: Vec<String> = files.iter().map(|file| client.read(file)).collect();
    files.iter().zip(&texts).for_each(|(file, text)| client.open(file, text));
    let mut state = 0x2545_F491_4F6C_DD1Du64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    for _ in 0..500 {
        let which = random(files.len());
        let lines: Vec<&str> = texts[which].split('\n').collect();
        let line = random(lines.len());
        let length = lines[line].encode_utf16().count();
        let from = random(length + 1);
        // Mostly typed, at times deleted.
        let (to, new) = match random(6) {
            0 => (from + random(length - from + 1), ""),
            1 => (from, "\u{1F600}"),
            2 => (from, "\n"),
            3 => (from, ": "),
            4 => (from, "- "),
            _ => (from, "x"),
        };
        let range = json!({"start": {"line": line, "character": from}, "end": {"line": line, "character": to}});
        texts[which] = lsp_client::edited(&texts[which], &json!({"range": range, "newText": new}));
        client.edit(files[which], range, new);
    }
    let mut told = client.checked();
    let mut fresh = Client::start(folder.path(), json!({}));
    files.iter().zip(&texts).for_each(|(file, text)| fresh.open(file, text));
    let mut wanted = fresh.checked();
    told.sort();
    wanted.sort();
    assert_eq!(told, wanted);
    assert!(!wanted.is_empty(), "something is wrong by then");
    for file in files {
        assert_eq!(client.newest(file), fresh.newest(file), "{file}");
    }
    client.leave();
    fresh.leave();
}

#[test]
fn no_answer_holds_a_secret() {
    const CANARY: &str = "canary-4f1c";
    let folder = example();
    let secret =
        format!("apiVersion: v1\nkind: Secret\nmetadata:\n  name: hidden\nstringData:\n  password: {CANARY}\n");
    let file = "clusters/dev/hidden.yaml";
    std::fs::write(folder.path().join(file), &secret).expect("it can be written");
    let mut client = Client::start(folder.path(), json!({}));
    let text = client.read(DEV);
    client.open(DEV, &text.replace("  - cluster.yaml\n", "  - cluster.yaml\n  - hidden.yaml\n"));
    client.checked();
    let position = place(&secret, "password");
    let answer =
        client.ask("textDocument/hover", json!({"textDocument": {"uri": client.uri(file)}, "position": position}));
    let told = answer["contents"]["value"].as_str().expect("it has a say");
    assert!(told.contains("Secret/hidden") && told.contains("<redacted>"), "{told}");
    // Of a wrong secret, what is in it is not told either.
    client.open(file, &secret.replace("stringData", "stringDatas"));
    client.checked();
    client.ask("textDocument/documentSymbol", json!({"textDocument": {"uri": client.uri(file)}}));
    client.ask("workspace/symbol", json!({"query": ""}));
    // What a reference in values leads to.
    let values = client.read(API_GIVEN) + "env:\n  TOKEN: ref+file://token.txt\n";
    std::fs::write(folder.path().join("helm-charts/token.txt"), CANARY).expect("it can be written");
    client.open(API_GIVEN, &values);
    client.checked();
    for (file, text, wanted) in
        [(API_GIVEN, values.clone(), "TOKEN: ref"), (API_VALUES, client.read(API_VALUES), "env:")]
    {
        let position = place(&text, wanted);
        let answer =
            client.ask("textDocument/hover", json!({"textDocument": {"uri": client.uri(file)}, "position": position}));
        let told = answer["contents"]["value"].as_str().expect("it is a value");
        assert!(told.contains("`<redacted>`"), "{told}");
    }
    assert!(!client.heard().contains(CANARY));
    client.leave();
}

#[test]
fn it_takes_little_time() {
    let folder = example();
    let mut client = Client::start(folder.path(), json!({}));
    let text = client.read(API_GIVEN);
    client.open(API_GIVEN, &text);
    let start = Instant::now();
    client.checked();
    println!("the first check: {:?}", start.elapsed());
    let (mut syntax, mut checks) = (Vec::new(), Vec::new());
    for round in 0..10 {
        let start = Instant::now();
        client.change(API_GIVEN, &format!("{text}# {round}\n"));
        client.told(API_GIVEN, |_| true);
        syntax.push(start.elapsed());
        client.checked();
        checks.push(start.elapsed());
    }
    syntax.sort();
    checks.sort();
    println!("an edit: its syntax after {:?}, all findings after {:?} (medians)", syntax[5], checks[5]);
    assert!(checks[5] < Duration::from_secs(30));
    client.leave();
}

/// The folder of the test's repository is real.
#[test]
fn it_begins_and_ends_as_the_protocol_says() {
    let folder = example();
    let mut client = Client::start(&folder.path().join("clusters/dev"), json!({}));
    assert!(Path::new(&folder.path().join(DEV)).exists());
    // Started within the repository, it serves all of it.
    client.root = std::fs::canonicalize(folder.path()).expect("it is there");
    let text = client.read(API_GIVEN);
    client.open(API_GIVEN, &text.replace("resources:", "resources: ["));
    assert!(!client.told(API_GIVEN, |found| !found.is_empty()).is_empty());
    client.leave();
    let elsewhere = tempfile::tempdir().expect("a temporary folder can be made");
    let mut client = Client::start(elsewhere.path(), json!({}));
    client.open("a.yaml", "a: [\n");
    assert_eq!(client.told("a.yaml", |found| !found.is_empty())[0]["code"], "yaml-syntax");
    client.leave();
}

#[test]
fn files_that_others_change_are_seen() {
    let folder = example();
    let watched = json!({"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": true}}});
    let mut client = Client::start(folder.path(), watched);
    assert_eq!(client.checked(), Vec::<String>::new());
    assert!(client.heard().contains("client/registerCapability"));
    let text = client.read(DEV);
    std::fs::write(folder.path().join(DEV), text.replace("cluster.yaml", "clusters.yaml")).expect("it can be written");
    let changes = json!({"changes": [{"uri": client.uri(DEV), "type": 2}]});
    client.notify("workspace/didChangeWatchedFiles", changes.clone());
    let told = client.checked();
    assert!(told.iter().any(|one| one.contains(&format!(" {DEV}:5 "))), "{told:?}");
    std::fs::write(folder.path().join(DEV), text).expect("it can be written");
    client.notify("workspace/didChangeWatchedFiles", changes);
    assert_eq!(client.checked(), Vec::<String>::new());
    client.leave();
}

#[test]
fn images_lead_to_what_they_change() {
    let folder = example();
    let mut client = Client::start(folder.path(), json!({}));
    let api = "registry.shop.example.com/api";
    let text = client.read(DEV) + &format!("images:\n  - name: {api}\n    newTag: 9.9.9\n");
    client.open(DEV, &text);
    let position = place(&text, api);
    let answer =
        client.ask("textDocument/definition", json!({"textDocument": {"uri": client.uri(DEV)}, "position": position}));
    let found = places(&answer, &client);
    assert!(!found.is_empty() && found.iter().any(|place| place.contains("rendered/api/")), "{found:?}");
    let position = place(&text, "newTag");
    let answer =
        client.ask("textDocument/hover", json!({"textDocument": {"uri": client.uri(DEV)}, "position": position}));
    let told = answer["contents"]["value"].as_str().unwrap_or_default();
    assert!(told.contains("dev: Deployment/api") && told.contains("9.9.9"), "{answer}");
    client.leave();
}
