//! The conversation with an editor: [`serve`].

use crate::analysis::{Analysis, Outcome, State};
use crate::diagnostics::{ByFile, SYNTAX, Shower};
use crate::documents::Documents;
use crate::snapshot::{Snapshot, Surroundings};
use crate::text::Encoding;
use crate::uris::{Roots, path_of};
use crate::{Found, MakeChecks, actions, completion, hover, navigation, symbols, syntax};
use camino::{Utf8Path, Utf8PathBuf};
use crossbeam_channel::{never, select};
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, RequestId, Response};
use lsp_types::notification::{
    Cancel, DidChangeTextDocument, DidChangeWatchedFiles, DidCloseTextDocument, DidOpenTextDocument,
    DidSaveTextDocument, Exit, Notification as _, PublishDiagnostics,
};
use lsp_types::request::{
    CodeActionRequest, Completion, DocumentSymbolRequest, GotoDefinition, HoverRequest, References, RegisterCapability,
    Request as _, Shutdown, WorkspaceSymbolRequest,
};
use lsp_types::{
    CancelParams, CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CompletionOptions,
    Diagnostic as Shown, DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams,
    HoverProviderCapability, InitializeParams, NumberOrString, OneOf, PublishDiagnosticsParams, SaveOptions,
    ServerCapabilities, TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions,
    TextDocumentSyncSaveOptions,
};
use onepane_repo::KeptBuilds;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Serves the editor at stdin and stdout until it leaves.
///
/// # Errors
/// Where the editor does not keep to the protocol.
pub fn serve(make_checks: MakeChecks<'_>) -> Result<(), String> {
    let (connection, threads) = Connection::stdio();
    let outcome = converse(&connection, make_checks);
    drop(connection);
    // Input that never ends keeps nobody: what failed is told first.
    outcome?;
    threads.join().map_err(|error| error.to_string())
}

fn converse(connection: &Connection, make_checks: MakeChecks<'_>) -> Result<(), String> {
    let (id, params) = connection.initialize_start().map_err(|error| error.to_string())?;
    let params: InitializeParams = serde_json::from_value(params).unwrap_or_default();
    let general = params.capabilities.general.as_ref();
    let encoding = Encoding::chosen(general.and_then(|general| general.position_encodings.as_deref()));
    let about = serde_json::json!({
        "capabilities": capabilities(encoding),
        "serverInfo": { "name": "onepane", "version": env!("CARGO_PKG_VERSION") },
    });
    connection.initialize_finish(id, about).map_err(|error| error.to_string())?;
    if may_watch(&params) {
        let registration = serde_json::json!({ "registrations": [{
            "id": "files",
            "method": DidChangeWatchedFiles::METHOD,
            "registerOptions": { "watchers": [{ "globPattern": "**/*" }] },
        }] });
        let request = Request::new(0.into(), RegisterCapability::METHOD.to_owned(), registration);
        connection.sender.send(request.into()).map_err(|error| error.to_string())?;
    }
    let (roots, is_repository) = roots(&params);
    let checks = make_checks(&roots.real);
    let around = Surroundings { roots, encoding, checks, kept_builds: Arc::new(KeptBuilds::default()) };
    let analysis = match is_repository {
        true => Some(Analysis::start(around.clone()).map_err(|error| error.to_string())?),
        false => None,
    };
    Server {
        connection,
        around,
        analysis,
        documents: Documents::new(encoding),
        snapshot: None,
        number: 0,
        looked_at: 0,
        checked: Checked::default(),
        told: BTreeMap::new(),
        inbox: VecDeque::new(),
        touched: BTreeSet::new(),
        is_over: false,
        waiting: Vec::new(),
    }
    .run()
}

fn capabilities(encoding: Encoding) -> ServerCapabilities {
    let synchronization = TextDocumentSyncOptions {
        open_close: Some(true),
        change: Some(TextDocumentSyncKind::INCREMENTAL),
        save: Some(TextDocumentSyncSaveOptions::SaveOptions(SaveOptions { include_text: Some(false) })),
        ..TextDocumentSyncOptions::default()
    };
    let completion = CompletionOptions {
        trigger_characters: Some([".", "\"", "/"].map(str::to_owned).into()),
        ..CompletionOptions::default()
    };
    let actions =
        CodeActionOptions { code_action_kinds: Some(vec![CodeActionKind::QUICKFIX]), ..CodeActionOptions::default() };
    ServerCapabilities {
        position_encoding: Some(encoding.kind()),
        text_document_sync: Some(TextDocumentSyncCapability::Options(synchronization)),
        definition_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Left(true)),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        completion_provider: Some(completion),
        code_action_provider: Some(CodeActionProviderCapability::Options(actions)),
        document_symbol_provider: Some(OneOf::Left(true)),
        workspace_symbol_provider: Some(OneOf::Left(true)),
        ..ServerCapabilities::default()
    }
}

/// Whether the editor tells of files that others change, if it is asked to.
fn may_watch(params: &InitializeParams) -> bool {
    let workspace = params.capabilities.workspace.as_ref();
    let watched = workspace.and_then(|workspace| workspace.did_change_watched_files.as_ref());
    watched.and_then(|watched| watched.dynamic_registration).unwrap_or(false)
}

/// The repository that holds the editor's folder, and whether there is one.
fn roots(params: &InitializeParams) -> (Roots, bool) {
    let folders = params.workspace_folders.iter().flatten().map(|folder| &folder.uri);
    #[allow(deprecated)]
    let folders: Vec<Utf8PathBuf> = folders.chain(&params.root_uri).filter_map(path_of).collect();
    let current = std::env::current_dir().ok().and_then(|folder| Utf8PathBuf::try_from(folder).ok());
    let start = |folder: &Utf8PathBuf| folder.canonicalize_utf8().ok().map(|real| (folder.clone(), real));
    let starts: Vec<_> = folders.iter().chain(&current).filter_map(start).collect();
    let is_root = |folder: &&Utf8Path| folder.join("onepane.yaml").is_file() || folder.join("clusters").is_dir();
    for (called, real) in &starts {
        if let Some((above, root)) = real.ancestors().enumerate().find(|(_, folder)| is_root(folder)) {
            // The editor's own name of the same folder, where it leads there too.
            let named =
                called.ancestors().nth(above).filter(|folder| folder.canonicalize_utf8().is_ok_and(|it| it == root));
            return (Roots { real: root.to_owned(), called: named.unwrap_or(root).to_owned() }, true);
        }
    }
    let (called, real) = starts.into_iter().next().unwrap_or_else(|| ("/".into(), "/".into()));
    (Roots { real, called }, false)
}

/// What the checks found in the newest state that they have looked at.
#[derive(Default)]
struct Checked {
    number: u64,
    found: Vec<Found>,
    shown: ByFile,
}

struct Server<'c> {
    connection: &'c Connection,
    around: Surroundings,
    analysis: Option<Analysis>,
    documents: Documents,
    /// What requests are answered from, until something changes.
    snapshot: Option<Snapshot>,
    /// How often something has changed.
    number: u64,
    /// The newest state that the checks have looked at.
    looked_at: u64,
    checked: Checked,
    /// What was last told of each file, and of which version of it.
    told: BTreeMap<Utf8PathBuf, (Option<i32>, Vec<Shown>)>,
    /// What has come and is not answered.
    inbox: VecDeque<Message>,
    /// Open files of which something is to be told.
    touched: BTreeSet<Utf8PathBuf>,
    /// Whether the editor has shut the conversation down.
    is_over: bool,
    /// Who wants to know when the newest state was looked at.
    waiting: Vec<RequestId>,
}

/// A request of ours: it is answered once the checks have looked at the newest state, for scripts that wait for that.
const CHECKED: &str = "onepane/checked";

/// Whether to go on.
enum Next {
    Stay,
    Leave,
}

impl Server<'_> {
    fn run(mut self) -> Result<(), String> {
        self.changed();
        loop {
            // What was sent meanwhile may take back what waits.
            self.inbox.extend(self.connection.receiver.try_iter());
            if let Some(message) = self.inbox.pop_front() {
                match self.take(message)? {
                    Next::Stay => continue,
                    Next::Leave => return Ok(()),
                }
            }
            // Of what was typed in one go, only what came of it is looked at.
            std::mem::take(&mut self.touched).iter().for_each(|path| self.tell(path));
            let nothing = never();
            let outcomes = self.analysis.as_ref().map_or(&nothing, |analysis| &analysis.outcomes);
            select! {
                recv(self.connection.receiver) -> message => match message {
                    Ok(message) => self.inbox.push_back(message),
                    // The editor is gone.
                    Err(_) => return Ok(()),
                },
                recv(outcomes) -> outcome => match outcome {
                    Ok(outcome) => self.take_outcome(outcome),
                    Err(_) => {
                        self.analysis = None;
                        self.tell_waiting();
                    }
                },
            }
        }
    }

    fn take(&mut self, message: Message) -> Result<Next, String> {
        match message {
            Message::Request(request) => {
                if self.is_over {
                    let message = "the conversation is over".to_owned();
                    self.send(Response::new_err(request.id, ErrorCode::InvalidRequest as i32, message));
                } else if request.method == Shutdown::METHOD {
                    self.is_over = true;
                    self.send(Response::new_ok(request.id, ()));
                } else {
                    self.request(request);
                }
            }
            Message::Notification(notification) => {
                if notification.method == Exit::METHOD {
                    let untold = || "the editor left without shutting the server down".to_owned();
                    return if self.is_over { Ok(Next::Leave) } else { Err(untold()) };
                }
                self.notification(notification);
            }
            Message::Response(_) => {}
        }
        Ok(Next::Stay)
    }

    fn send(&self, message: impl Into<Message>) {
        // That the editor is gone is seen when the next message is read.
        let _ = self.connection.sender.send(message.into());
    }

    fn notification(&mut self, notification: Notification) {
        let Notification { method, params } = notification;
        match method.as_str() {
            DidOpenTextDocument::METHOD => {
                let Some(DidOpenTextDocumentParams { text_document: opened }) = read(params) else { return };
                let Some(path) = self.around.roots.path(&opened.uri) else { return };
                self.documents.open(path.clone(), opened.uri, opened.version, opened.text);
                self.changed();
                self.touched.insert(path);
            }
            DidChangeTextDocument::METHOD => {
                let Some(DidChangeTextDocumentParams { text_document, content_changes }) = read(params) else { return };
                let Some(path) = self.around.roots.path(&text_document.uri) else { return };
                self.documents.change(&path, text_document.version, content_changes);
                self.changed();
                self.touched.insert(path);
            }
            DidCloseTextDocument::METHOD => {
                let Some(DidCloseTextDocumentParams { text_document }) = read(params) else { return };
                let Some(path) = self.around.roots.path(&text_document.uri) else { return };
                self.documents.close(&path);
                self.changed();
                self.touched.insert(path);
            }
            DidSaveTextDocument::METHOD | DidChangeWatchedFiles::METHOD => {
                self.changed();
                self.touched.extend(self.documents.paths().cloned());
            }
            Cancel::METHOD => {
                let Some(CancelParams { id }) = read(params) else { return };
                self.cancel(id);
            }
            _ => {}
        }
    }

    /// A request that waits is not answered any more, but for that; one that was answered is over.
    fn cancel(&mut self, id: NumberOrString) {
        let id: RequestId = match id {
            NumberOrString::Number(number) => number.into(),
            NumberOrString::String(text) => text.into(),
        };
        let is_it = |message: &Message| matches!(message, Message::Request(request) if request.id == id);
        if let Some(at) = self.inbox.iter().position(is_it) {
            self.inbox.remove(at);
            self.send(Response::new_err(id, ErrorCode::RequestCanceled as i32, "the request was cancelled".to_owned()));
        }
    }

    fn request(&mut self, request: Request) {
        if self.is_cancelled(&request.id) {
            let message = "the request was cancelled".to_owned();
            return self.send(Response::new_err(request.id, ErrorCode::RequestCanceled as i32, message));
        }
        if request.method == CHECKED {
            self.waiting.push(request.id);
            return self.tell_waiting();
        }
        let id = request.id.clone();
        // Whatever is asked, the next request is answered.
        let answer = catch_unwind(AssertUnwindSafe(|| self.answer(request)));
        self.send(answer.unwrap_or_else(|_| {
            Response::new_err(id, ErrorCode::InternalError as i32, "this request can't be answered".to_owned())
        }));
    }

    /// Whether what waits takes this request back.
    fn is_cancelled(&mut self, id: &RequestId) -> bool {
        let is_it = |message: &Message| {
            let Message::Notification(notification) = message else { return false };
            if notification.method != Cancel::METHOD {
                return false;
            }
            match read::<CancelParams>(notification.params.clone()).map(|params| params.id) {
                Some(NumberOrString::Number(number)) => RequestId::from(number) == *id,
                Some(NumberOrString::String(text)) => RequestId::from(text) == *id,
                None => false,
            }
        };
        let found = self.inbox.iter().position(is_it);
        found.is_some_and(|at| self.inbox.remove(at).is_some())
    }

    fn answer(&mut self, request: Request) -> Response {
        let Request { id, method, params } = request;
        let is_newest = self.checked.number == self.number;
        let found = if is_newest { std::mem::take(&mut self.checked.found) } else { Vec::new() };
        let response = match self.snapshot() {
            None => Response::new_err(id, ErrorCode::InternalError as i32, "the folder can't be read".to_owned()),
            Some(snapshot) => match method.as_str() {
                GotoDefinition::METHOD => answered(id, params, |params| navigation::definition(snapshot, &params)),
                References::METHOD => answered(id, params, |params| navigation::references(snapshot, &params)),
                HoverRequest::METHOD => answered(id, params, |params| hover::hover(snapshot, &params)),
                Completion::METHOD => answered(id, params, |params| completion::completion(snapshot, &params)),
                CodeActionRequest::METHOD => answered(id, params, |params| actions::actions(snapshot, &found, &params)),
                DocumentSymbolRequest::METHOD => answered(id, params, |params| symbols::of_document(snapshot, &params)),
                WorkspaceSymbolRequest::METHOD => {
                    answered(id, params, |params| symbols::of_workspace(snapshot, &params))
                }
                _ => {
                    let message = format!("there is no method `{method}` here");
                    Response::new_err(id, ErrorCode::MethodNotFound as i32, message)
                }
            },
        };
        if is_newest {
            self.checked.found = found;
        }
        response
    }

    fn snapshot(&mut self) -> Option<&Snapshot> {
        if self.snapshot.is_none() {
            self.snapshot = Snapshot::new(&self.around, self.documents.texts());
        }
        self.snapshot.as_ref()
    }

    /// Says that files are not what they were.
    fn changed(&mut self) {
        self.number += 1;
        self.snapshot = None;
        if let Some(analysis) = &self.analysis {
            analysis.look_at(State { number: self.number, unsaved: self.documents.texts() });
        }
    }

    fn take_outcome(&mut self, outcome: Outcome) {
        let Outcome { number, found, shown, is_whole } = outcome;
        // A newer state is looked at already.
        if number < self.number {
            return;
        }
        self.looked_at = number;
        if !is_whole {
            return self.tell_waiting();
        }
        let files: BTreeSet<Utf8PathBuf> = self.checked.shown.keys().chain(shown.keys()).cloned().collect();
        self.checked = Checked { number, found, shown };
        let open: Vec<Utf8PathBuf> = self.documents.paths().cloned().collect();
        files.iter().chain(open.iter().filter(|path| !files.contains(*path))).for_each(|path| self.tell(path));
        self.tell_waiting();
    }

    fn tell_waiting(&mut self) {
        if self.analysis.is_none() || self.looked_at == self.number {
            let waiting = std::mem::take(&mut self.waiting);
            waiting.into_iter().for_each(|id| self.send(Response::new_ok(id, ())));
        }
    }

    /// Tells what is wrong with a file: with its text as it is now, and what the checks last found in it.
    fn tell(&mut self, path: &Utf8Path) {
        let mut shown = self.checked.shown.get(path).cloned().unwrap_or_default();
        let document = self.documents.get(path).cloned();
        if document.is_some() {
            let own = catch_unwind(AssertUnwindSafe(|| self.syntax(path))).unwrap_or_default();
            let is_told = |one: &Shown, shown: &[Shown]| {
                shown.iter().any(|other| other.range.start.line == one.range.start.line && other.code == one.code)
            };
            let new: Vec<Shown> = own.into_iter().filter(|one| !is_told(one, &shown)).collect();
            shown.extend(new);
        }
        let version = document.as_ref().map(|document| document.version);
        // Of a text that is open, also that nothing is wrong is told, once for each version.
        let is_known = match self.told.get(path) {
            Some((before, told)) => *before == version && *told == shown,
            None => version.is_none() && shown.is_empty(),
        };
        let uri = document.map(|document| document.uri).or_else(|| self.around.roots.uri(path));
        let Some(uri) = uri.filter(|_| !is_known) else { return };
        self.told.insert(path.to_owned(), (version, shown.clone()));
        let params = PublishDiagnosticsParams { uri, diagnostics: shown, version };
        self.send(Notification::new(PublishDiagnostics::METHOD.to_owned(), params));
    }

    fn syntax(&mut self, path: &Utf8Path) -> Vec<Shown> {
        let Some(snapshot) = self.snapshot() else { return Vec::new() };
        let found = syntax::of(snapshot, path);
        let mut shower = Shower::new(snapshot);
        found.iter().map(|diagnostic| shower.one(diagnostic, SYNTAX)).collect()
    }
}

fn read<P: DeserializeOwned>(params: serde_json::Value) -> Option<P> {
    serde_json::from_value(params).ok()
}

fn answered<P: DeserializeOwned, A: Serialize>(
    id: RequestId,
    params: serde_json::Value,
    answer: impl FnOnce(P) -> A,
) -> Response {
    match serde_json::from_value(params) {
        Ok(params) => Response::new_ok(id, answer(params)),
        Err(error) => Response::new_err(id, ErrorCode::InvalidParams as i32, error.to_string()),
    }
}
