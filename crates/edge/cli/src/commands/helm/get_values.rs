//! `helm get values`.

use super::command::{Arguments, Command};
use super::flags::{Flag, Kind, Parsed, short};
use super::get::release;
use super::listing::{self, Format};
use super::release_chart::{as_json, computed};
use super::release_flags::REVISION;
use super::release_output::structured;
use super::{Failure, log_once, print};

pub(super) const COMMAND: Command = Command {
    path: &["get", "values"],
    aliases: &[],
    usage: "RELEASE_NAME",
    about: "print the values of a release",
    flags: &[REVISION, FLAGS, listing::OUTPUT],
    arguments: Arguments::Exactly(1),
    run,
};

const FLAGS: &[Flag] = &[short('a', "all", Kind::Bool, "those of the chart, too")];

fn run(flags: &Parsed) -> Result<(), Failure> {
    let format = Format::read(flags)?;
    let release = release(flags)?;
    let is_all = flags.is_set("all");
    let values = if is_all { as_json(&computed(&release, &mut log_once())?.into())? } else { release.config };
    let text = match format {
        Format::Table => {
            let header = if is_all { "COMPUTED VALUES:\n" } else { "USER-SUPPLIED VALUES:\n" };
            header.to_owned() + &structured(&values, Format::Yaml)?
        }
        format => structured(&values, format)?,
    };
    print(text.as_bytes());
    Ok(())
}
