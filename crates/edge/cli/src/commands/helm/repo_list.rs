//! `helm repo list`.

use super::command::{Arguments, Command};
use super::flags::{Kind, Parsed, flag};
use super::listing::{self, Format};
use super::network::fetcher;
use super::table::table;
use super::{Failure, print};

pub(super) const COMMAND: Command = Command {
    path: &["repo", "list"],
    aliases: &["ls"],
    usage: "",
    about: "list the chart repositories",
    arguments: Arguments::None,
    flags: &[&[flag("no-headers", Kind::Bool, "leave out the line of headings")], listing::OUTPUT],
    run,
};

fn run(flags: &Parsed) -> Result<(), Failure> {
    let format = Format::read(flags)?;
    // Like Helm, it takes a file that can't be read for an empty one.
    let file = fetcher(flags)?.repositories().unwrap_or_default();
    let rows = file.repositories().iter().map(|repository| [repository.name.clone(), repository.url.clone()]);
    if format == Format::Table {
        if file.repositories().is_empty() {
            eprintln!("no repositories to show");
            return Ok(());
        }
        let header = (!flags.is_set("no-headers")).then(|| ["NAME", "URL"].map(str::to_owned));
        let rows: Vec<[String; 2]> = header.into_iter().chain(rows).collect();
        print(table(&rows, 0).as_bytes());
        return Ok(());
    }
    print(listing::text(["name", "url"], &rows.collect::<Vec<_>>(), format)?.as_bytes());
    Ok(())
}
