//! An editor that talks to `onepane lsp`: [`Client`].

use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Nothing takes this long, not on a machine that does something else either.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Client {
    child: Child,
    stdin: ChildStdin,
    messages: Receiver<Value>,
    pub(crate) root: PathBuf,
    next: i64,
    versions: HashMap<String, i64>,
    /// What was last told of each file, and of which version.
    told: HashMap<String, (Option<i64>, Vec<Value>)>,
    answers: HashMap<i64, Value>,
    heard: String,
}

/// The example company without its services.
pub(crate) fn example() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let made = tempfile::tempdir().expect("a temporary folder can be made");
    assert_eq!(super::seeded::onepane(made.path(), &["init", "--example", "company"]).0.code, Some(0));
    for part in ["clusters", "components", "groups", "helm-charts"] {
        super::seeded::copy(&made.path().join("company").join(part), &folder.path().join(part));
    }
    folder
}

/// A finding of `check` or a diagnostic as `code file:line message`.
pub(crate) fn finding(report: &Value) -> String {
    let span = &report["primary"]["span"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let hints = report["hints"].as_array().into_iter().flatten().map(|hint| format!("\n{}", text(hint)));
    let message = text(&report["message"]) + &hints.collect::<String>();
    format!("{} {}:{} {message}", text(&report["code"]), text(&span["file"]), span["line"])
}

/// A text with an edit made.
pub(crate) fn edited(text: &str, edit: &Value) -> String {
    let offset = |position: &Value| {
        let line = position["line"].as_u64().expect("a line") as usize;
        let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        let mut units = position["character"].as_u64().expect("a character") as usize;
        let mut bytes = start;
        for character in text[start..].chars() {
            if units < character.len_utf16() || character == '\n' {
                break;
            }
            units -= character.len_utf16();
            bytes += character.len_utf8();
        }
        bytes
    };
    let (start, end) = (offset(&edit["range"]["start"]), offset(&edit["range"]["end"]));
    format!("{}{}{}", &text[..start], edit["newText"].as_str().expect("a text"), &text[end..])
}

impl Client {
    pub(crate) fn start(folder: &Path, capabilities: Value) -> Self {
        let root = std::fs::canonicalize(folder).expect("it is there");
        let mut command = Command::new(env!("CARGO_BIN_EXE_onepane"));
        command.arg("lsp").current_dir(&root).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("it can be started");
        let stdin = child.stdin.take().expect("it is a pipe");
        let mut stdout = BufReader::new(child.stdout.take().expect("it is a pipe"));
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            while let Some(message) = read_message(&mut stdout) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let (versions, told, answers, heard) = Default::default();
        let mut client = Self { child, stdin, messages, root, next: 0, versions, told, answers, heard };
        let uri = format!("file://{}", client.root.display());
        let about = client.ask("initialize", json!({"processId": null, "rootUri": uri, "capabilities": capabilities}));
        assert!(about["capabilities"]["definitionProvider"].as_bool().is_some_and(|has| has), "{about}");
        client.notify("initialized", json!({}));
        client
    }

    pub(crate) fn uri(&self, file: &str) -> String {
        format!("file://{}", self.root.join(file).display())
    }

    /// The path of an address from the root.
    pub(crate) fn path(&self, uri: &str) -> String {
        let root = format!("file://{}/", self.root.display());
        uri.strip_prefix(&root).unwrap_or(uri).to_owned()
    }

    pub(crate) fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    fn write(&mut self, message: &Value) {
        let body = message.to_string();
        write!(self.stdin, "Content-Length: {}\r\n\r\n{body}", body.len()).expect("it reads");
        self.stdin.flush().expect("it reads");
    }

    pub(crate) fn notify(&mut self, method: &str, params: Value) {
        self.write(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    pub(crate) fn send(&mut self, method: &str, params: Value) -> i64 {
        self.next += 1;
        self.write(&json!({"jsonrpc": "2.0", "id": self.next, "method": method, "params": params}));
        self.next
    }

    /// The whole answer to a request.
    pub(crate) fn answer(&mut self, id: i64) -> Value {
        loop {
            if let Some(answer) = self.answers.remove(&id) {
                return answer;
            }
            assert!(self.listen(PATIENCE), "no answer comes");
        }
    }

    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params);
        let answer = self.answer(id);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// The code of the error that a request ends with.
    pub(crate) fn error(&mut self, method: &str, params: Value) -> i64 {
        let id = self.send(method, params);
        self.answer(id)["error"]["code"].as_i64().expect("it fails")
    }

    /// Takes what comes next; `false` where nothing does.
    fn listen(&mut self, patience: Duration) -> bool {
        let Ok(message) = self.messages.recv_timeout(patience) else { return false };
        self.heard.push_str(&message.to_string());
        if message["method"] == "textDocument/publishDiagnostics" {
            let params = &message["params"];
            let file = self.path(params["uri"].as_str().expect("it has an address"));
            let found = params["diagnostics"].as_array().expect("it is a list").clone();
            self.told.insert(file, (params["version"].as_i64(), found));
        } else if let Some(id) = message["id"].as_i64() {
            self.answers.insert(id, message);
        }
        true
    }

    pub(crate) fn open(&mut self, file: &str, text: &str) {
        let document = json!({"uri": self.uri(file), "languageId": "yaml", "version": 1, "text": text});
        self.versions.insert(file.to_owned(), 1);
        self.notify("textDocument/didOpen", json!({ "textDocument": document }));
    }

    pub(crate) fn close(&mut self, file: &str) {
        self.notify("textDocument/didClose", json!({"textDocument": {"uri": self.uri(file)}}));
    }

    fn new_version(&mut self, file: &str) -> Value {
        let version = self.versions.get_mut(file).expect("it is open");
        *version += 1;
        json!({"uri": format!("file://{}", self.root.join(file).display()), "version": *version})
    }

    /// Replaces the whole text.
    pub(crate) fn change(&mut self, file: &str, text: &str) {
        let document = self.new_version(file);
        self.notify("textDocument/didChange", json!({"textDocument": document, "contentChanges": [{"text": text}]}));
    }

    /// Replaces a part.
    pub(crate) fn edit(&mut self, file: &str, range: Value, text: &str) {
        let document = self.new_version(file);
        let changes = json!([{"range": range, "text": text}]);
        self.notify("textDocument/didChange", json!({"textDocument": document, "contentChanges": changes}));
    }

    /// What is told of the newest version of a file, once it is as wanted.
    pub(crate) fn told(&mut self, file: &str, is_wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        loop {
            let newest = self.versions.get(file).copied();
            if let Some((version, found)) = self.told.get(file)
                && *version == newest
                && is_wanted(found)
            {
                return found.clone();
            }
            assert!(self.listen(PATIENCE), "{file}: {:?}", self.told.get(file));
        }
    }

    /// What was last told of a file.
    pub(crate) fn newest(&self, file: &str) -> Vec<Value> {
        self.told.get(file).map(|(_, found)| found.clone()).unwrap_or_default()
    }

    /// All findings of checks once they are through with the newest state.
    pub(crate) fn checked(&mut self) -> Vec<String> {
        self.ask("onepane/checked", json!({}));
        let of_file = |(file, (_, found)): (&String, &(Option<i64>, Vec<Value>))| -> Vec<String> {
            let found = found.iter().filter(|one| one["source"] == "onepane check");
            found
                .map(|one| {
                    let line = one["range"]["start"]["line"].as_u64().expect("a line") + 1;
                    let code = one["code"].as_str().expect("it has a code");
                    format!("{code} {file}:{line} {}", one["message"].as_str().expect("it has a message"))
                })
                .collect()
        };
        self.told.iter().flat_map(of_file).collect()
    }

    /// All that was said.
    pub(crate) fn heard(&self) -> &str {
        &self.heard
    }

    pub(crate) fn leave(mut self) {
        self.ask("shutdown", Value::Null);
        self.notify("exit", Value::Null);
        let status = self.child.wait().expect("it ends");
        assert!(status.success(), "{status}");
    }
}

fn read_message(stdout: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stdout.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim() {
            "" => break,
            header => {
                if let Some(value) = header.strip_prefix("Content-Length:") {
                    length = value.trim().parse().ok()?;
                }
            }
        }
    }
    let mut body = vec![0; length];
    stdout.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}
