//! `helm history`.

use super::command::{Arguments, Command};
use super::flags::{Flag, Kind, Parsed, flag};
use super::listing::{self, Format};
use super::release_flags::{check_name, cluster, number, session};
use super::release_output::{chart_columns, structured};
use super::table::table;
use super::{Failure, print};
use onepane_release::Release;
use serde_json::{Map, Value};

pub(super) const COMMAND: Command = Command {
    path: &["history"],
    aliases: &["hist"],
    usage: "RELEASE_NAME",
    about: "list the revisions of a release",
    flags: &[FLAGS, listing::OUTPUT],
    arguments: Arguments::Exactly(1),
    run,
};

const FLAGS: &[Flag] = &[
    flag("max", Kind::Integer, "how many revisions are listed; 256 by default"),
    flag("show-rollback-revision", Kind::Bool, "also list which revision was rolled back to"),
];

fn run(flags: &Parsed) -> Result<(), Failure> {
    let format = Format::read(flags)?;
    let world = super::world()?;
    let cluster = cluster(flags, &world)?;
    let session = session(flags, &world, &cluster)?;
    let name = flags.arguments.first().map(String::as_str).unwrap_or_default();
    check_name(name, "release name is invalid")?;
    let history = cluster.run(session.history(name))?;
    let most = usize::try_from(number(flags, "max", 256)).unwrap_or(0);
    let shown = &history[history.len().saturating_sub(most)..];
    let text = match format {
        Format::Table => as_table(shown, flags.is_set("show-rollback-revision")),
        _ => structured(&shown.iter().map(as_fields).collect(), format)?,
    };
    print(text.as_bytes());
    Ok(())
}

fn as_table(history: &[Release], shows_rollbacks: bool) -> String {
    let row = |release: &Release| {
        let info = &release.info;
        let (chart, app_version) = chart_columns(release);
        // Go's zero time, where there is none.
        let updated = info.last_deployed.as_ref().map_or("Mon Jan  1 00:00:00 0001".to_owned(), |time| time.ansi());
        let rollback = if info.rollback_revision > 0 { info.rollback_revision.to_string() } else { String::new() };
        let description = info.description.clone();
        [release.version.to_string(), updated, info.status.to_string(), chart, app_version, rollback, description]
    };
    let header = ["REVISION", "UPDATED", "STATUS", "CHART", "APP VERSION", "ROLLBACK", "DESCRIPTION"];
    let rows: Vec<[String; 7]> = std::iter::once(header.map(str::to_owned)).chain(history.iter().map(row)).collect();
    if shows_rollbacks {
        return table(&rows, 0);
    }
    let without = rows.into_iter().map(|[a, b, c, d, e, _, f]| [a, b, c, d, e, f]);
    table(&without.collect::<Vec<_>>(), 0)
}

fn as_fields(release: &Release) -> Value {
    let info = &release.info;
    let (chart, app_version) = chart_columns(release);
    let mut fields = Map::new();
    fields.insert("revision".to_owned(), release.version.into());
    if let Some(time) = &info.last_deployed {
        fields.insert("updated".to_owned(), time.rfc3339_nano().into());
    }
    fields.insert("status".to_owned(), info.status.name().into());
    fields.insert("chart".to_owned(), chart.into());
    fields.insert("app_version".to_owned(), app_version.into());
    if info.rollback_revision != 0 {
        fields.insert("rollback_revision".to_owned(), info.rollback_revision.into());
    }
    fields.insert("description".to_owned(), info.description.as_str().into());
    Value::Object(fields)
}
