//! `helm search repo`: charts in the repositories that were added.

use super::command::{Arguments, Command};
use super::flags::{Flag, Kind, Parsed, flag, short};
use super::listing::{self, Format};
use super::log;
use super::network::{fetcher, out};
use super::table::table;
use super::{Failure, print};
use onepane_diagnostics::Severity;
use onepane_fetch::{Hit, SearchIndex, SearchScope};

pub(super) const COMMAND: Command = Command {
    path: &["search", "repo"],
    aliases: &[],
    usage: "[keyword]",
    about: "search the chart repositories by words or a pattern",
    arguments: Arguments::Any,
    flags: &[FLAGS, listing::OUTPUT],
    run,
};

const FLAGS: &[Flag] = &[
    flag("devel", Kind::Bool, "take development versions too"),
    flag("fail-on-no-result", Kind::Bool, "fail if nothing is found"),
    flag("max-col-width", Kind::Integer, "how wide a column may be; 50 by default"),
    short('r', "regexp", Kind::Bool, "the words are a pattern"),
    flag("version", Kind::Text, "the versions to look for"),
    short('l', "versions", Kind::Bool, "show every version"),
];

fn run(flags: &Parsed) -> Result<(), Failure> {
    let arguments = &flags.arguments;
    let format = Format::read(flags)?;
    let fetcher = fetcher(flags)?;
    let file = fetcher.repositories()?;
    if file.repositories().is_empty() {
        return Err("no repositories configured".to_owned().into());
    }
    let mut index = SearchIndex::default();
    for repository in file.repositories() {
        match fetcher.cached_index(&repository.name, &mut out) {
            Ok(found) => index.add(&repository.name, found, SearchScope::All),
            Err(error) => {
                let message = format!("repo {} is corrupt or missing: {}", repository.name, error.message);
                log(Severity::Warning, &message);
            }
        }
    }
    let words = arguments.join(" ");
    let hits = if arguments.is_empty() {
        index.all()
    } else if flags.is_set("regexp") {
        let pattern = regex::Regex::new(&words).map_err(|error| format!("error parsing regexp: {error}"))?;
        index.matching(&|text| pattern.find(text).map(|found| found.start()))
    } else {
        index.with_word(&words)
    };
    let wanted = match flags.text("version").unwrap_or_default() {
        "" if flags.is_set("devel") => ">0.0.0-0",
        "" => ">0.0.0",
        version => version,
    };
    let scope = if flags.is_set("versions") { SearchScope::All } else { SearchScope::Latest };
    let hits = Hit::within(hits, wanted, scope)?;
    if hits.is_empty() && flags.is_set("fail-on-no-result") {
        return Err("no results found".to_owned().into());
    }
    let rows = hits.into_iter().map(|hit| {
        [hit.name, hit.metadata.version.clone(), hit.metadata.app_version.clone(), hit.metadata.description.clone()]
    });
    let text = match format {
        Format::Table if rows.len() == 0 => "No results found\n".to_owned(),
        Format::Table => {
            let header = ["NAME", "CHART VERSION", "APP VERSION", "DESCRIPTION"].map(str::to_owned);
            let widest = flags.text("max-col-width").and_then(|text| text.parse().ok()).unwrap_or(50);
            table(&std::iter::once(header).chain(rows).collect::<Vec<_>>(), widest)
        }
        _ => listing::text(["name", "version", "app_version", "description"], &rows.collect::<Vec<_>>(), format)?,
    };
    print(text.as_bytes());
    Ok(())
}
