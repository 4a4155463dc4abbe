//! `onepane audit`: who changed what of a cluster and when, from Git alone.

mod html;

use crate::commands::open;
use crate::commands::plan::{self, Compared, change_as_json, field_lines};
use crate::terminal::{Failure, Terminal, harmless};
use camino::Utf8Path;
use jiff::{Span, Timestamp, Zoned, civil::Date, tz::TimeZone};
use onepane_diagnostics::Diagnostic;
use onepane_git::{LocalRepository, short};
use onepane_plan::{Action, Change, FieldChange};
use onepane_repo::Repository;
use serde_json::{Value, json};
use std::fmt::Write;
use std::num::NonZeroUsize;
use std::process::ExitCode;

/// What `onepane audit` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The cluster, or a folder with a kustomization
    cluster: String,
    /// Back to this day (2026-11-30), or to what came after this revision, or this long ("2 weeks ago")
    #[arg(long, value_name = "DAY|REVISION|TIME")]
    since: Option<String>,
    /// From this revision backwards
    #[arg(long, value_name = "REVISION", default_value = "HEAD")]
    at: String,
    /// At most so many commits that change it
    #[arg(short = 'n', long, value_name = "COUNT", default_value = "20")]
    most: NonZeroUsize,
    /// Tell of each resource all fields that changed, and not its images only
    #[arg(long)]
    fields: bool,
    /// How to report
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
    /// Ask no server for bases in other repositories; what was fetched before serves
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    results: crate::results::ResultsArguments,
}

/// How an audit is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// A timeline to look at.
    Html,
}

/// A commit that changed the cluster.
struct Entry {
    commit: String,
    who: String,
    when: Timestamp,
    /// What it says, in its first line and the others.
    title: String,
    text: String,
    /// What it changed, or why that can't be told.
    changes: Result<Vec<Change>, String>,
}

/// No farther back than so many commits is it looked.
const FARTHEST: usize = 10_000;

/// Of a commit that changes more resources, as the first of a repository may, so many are told of, but in JSON.
const MOST_SHOWN: usize = 200;

/// Goes back along the first parents, so that what was merged counts when it was merged, and by whom.
pub(crate) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let (root, _) = open(directory)?;
    let git = LocalRepository::of(&root)?;
    let (day, revision) = match &arguments.since {
        Some(text) => since(&git, text)?,
        None => (None, None),
    };
    let clusters = [arguments.cluster.clone()];
    let compared = Compared { clusters: &clusters, offline: arguments.offline, results: &arguments.results };
    let head = git.commit(&arguments.at)?;
    let commits = git.first_parents(&head, FARTHEST + 1);
    let mut cut = None;
    let mut entries = Vec::new();
    for (index, commit) in commits.iter().enumerate() {
        if entries.len() == arguments.most.get() || Some(commit) == revision.as_ref() || index == FARTHEST {
            break;
        }
        let (who, seconds) = git.author(commit)?;
        let when = Timestamp::from_second(seconds).unwrap_or_default();
        if day.is_some_and(|day| when < day) {
            break;
        }
        let parent = commits.get(index + 1).map(String::as_str);
        // What is not there of a shallow clone is no beginning.
        if parent.is_none() && !git.is_first(commit) {
            cut = Some(commit);
            break;
        }
        let changes = plan::between(terminal, &git, &root, parent, commit, &compared);
        let changes = match changes {
            Ok(changes) if changes.is_empty() => continue,
            Ok(changes) => Ok(changes),
            // It could not be built, before it or after it.
            Err(failure) => Err(failure.message()),
        };
        let message = git.message(commit)?;
        let (title, text) = message.split_once('\n').unwrap_or((&message, ""));
        let (title, text) = (title.to_owned(), text.trim().to_owned());
        entries.push(Entry { commit: commit.clone(), who, when, title, text, changes });
    }
    let files = git.files(&head)?;
    if !plan::has_any(&files, &clusters) {
        // Its name is wrong, or it is gone by now.
        if entries.is_empty() && cut.is_none() {
            Repository::open(&files)
                .and_then(|repository| repository.unit(&arguments.cluster))
                .map_err(Failure::without_excerpts)?;
        }
        let gone =
            Diagnostic::warning("audit-gone", format!("there is no `{}` at {}", arguments.cluster, arguments.at));
        terminal.report(&gone, &root);
    }
    let text = match arguments.output {
        Format::Text => entries.iter().map(|entry| harmless(&as_text(entry, arguments.fields))).collect(),
        Format::Json => format!("{:#}\n", Value::from_iter(entries.iter().map(as_json))),
        Format::Html => html::of(&arguments.cluster, &entries),
    };
    terminal.print(crate::redaction::redacted(&text).as_bytes())?;
    if entries.is_empty() {
        terminal.note(&format!("no commit changed {}", arguments.cluster));
    }
    if let Some(cut) = cut {
        terminal
            .note(&format!("this clone is shallow and ends at {}: `git fetch --unshallow` has the rest", short(cut)));
    }
    Ok(ExitCode::SUCCESS)
}

/// How far back: to a moment, or to a revision.
fn since(git: &LocalRepository, text: &str) -> Result<(Option<Timestamp>, Option<String>), Failure> {
    if let Ok(day) = text.parse::<Date>() {
        return Ok((day.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp()), None));
    }
    if let Ok(commit) = git.commit(text) {
        return Ok((None, Some(commit)));
    }
    // `2 weeks ago`, `36h`
    let back = text.parse::<Span>().ok();
    let moment = back.and_then(|back| Some(Zoned::now().checked_sub(back.abs()).ok()?.timestamp()));
    let message = || format!("`{text}` is no day such as 2026-11-30, no time such as `2 weeks ago` and no revision");
    let moment = moment.ok_or_else(|| Diagnostic::error("audit-since", message()))?;
    Ok((Some(moment), None))
}

impl Entry {
    /// `2026-11-30 05:12`
    fn time(&self) -> String {
        self.when.strftime("%Y-%m-%d %H:%M").to_string()
    }
}

fn as_text(entry: &Entry, all_fields: bool) -> String {
    let mut text = format!("{}  {}  {}  {}\n", entry.time(), short(&entry.commit), entry.who, entry.title);
    match &entry.changes {
        Ok(changes) => {
            let told = changes.iter().filter(|change| change.action != Action::Affected);
            let unshown = told.clone().count().saturating_sub(MOST_SHOWN);
            for change in told.take(MOST_SHOWN) {
                _ = writeln!(text, "    {} {}", change.action.name(), change.name);
                let fields = change.fields.iter().filter(|field| all_fields || is_image(field));
                fields.flat_map(field_lines).for_each(|line| _ = writeln!(text, "        {}", line.trim_start()));
            }
            if unshown > 0 {
                _ = writeln!(text, "    … {unshown} more resources");
            }
        }
        Err(why) => _ = writeln!(text, "    what it changed can't be told: {why}"),
    }
    text.push('\n');
    text
}

fn as_json(entry: &Entry) -> Value {
    let Entry { commit, who, when, title, text, changes } = entry;
    let mut value = json!({
        "commit": commit, "author": who, "time": when.to_string(), "title": title, "message": text,
    });
    match changes {
        Ok(changes) => value["changes"] = changes.iter().map(change_as_json).collect(),
        Err(why) => value["error"] = why.as_str().into(),
    }
    value
}

fn is_image(field: &FieldChange) -> bool {
    field.path.ends_with(".image")
}
