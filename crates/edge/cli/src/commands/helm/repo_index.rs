//! `helm repo index`: a repository's index of the archives in a folder.

use super::command::{Arguments, Command};
use super::flags::{Flag, Kind, Parsed, flag};
use super::log_once;
use super::{Failure, current_folder};
use onepane_fetch::{IndexFormat, IndexRequest, write_index};
use onepane_world::normalize;

pub(super) const COMMAND: Command = Command {
    path: &["repo", "index"],
    aliases: &[],
    usage: "[DIR]",
    about: "write index.yaml for a folder of archives",
    arguments: Arguments::Exactly(1),
    flags: &[FLAGS],
    run,
};

const FLAGS: &[Flag] = &[
    flag("json", Kind::Bool, "write JSON"),
    flag("merge", Kind::Text, "an index whose versions are taken over"),
    flag("url", Kind::Text, "where the archives will lie"),
];

fn run(flags: &Parsed) -> Result<(), Failure> {
    let arguments = &flags.arguments;
    let merge = flags.text("merge").filter(|path| !path.is_empty());
    let request = IndexRequest {
        folder: normalize(&current_folder()?.join(&arguments[0])),
        url: flags.text("url").unwrap_or_default().to_owned(),
        merge: merge.map(|path| path.into()),
        format: if flags.is_set("json") { IndexFormat::Json } else { IndexFormat::Yaml },
    };
    Ok(write_index(&request, &mut log_once())?)
}
