//! `helm list`.

use super::command::{Arguments, Command};
use super::flags::{Flag, Kind, Parsed, flag, short};
use super::listing::{self, Format};
use super::namespace::namespace;
use super::release_flags::{check_name, cluster, number, session_in};
use super::release_output::{chart_columns, structured};
use super::table::table;
use super::{Failure, print};
use onepane_functions::go::Moment;
use onepane_release::{Release, Status, Time};
use onepane_world::World;
use std::collections::BTreeMap;

pub(super) const COMMAND: Command = Command {
    path: &["list"],
    aliases: &["ls"],
    usage: "",
    about: "list releases",
    flags: &[FLAGS, listing::OUTPUT],
    arguments: Arguments::None,
    run,
};

const FLAGS: &[Flag] = &[
    short('A', "all-namespaces", Kind::Bool, "those of all namespaces"),
    short('d', "date", Kind::Bool, "in the order in which they were deployed"),
    flag("deployed", Kind::Bool, "those that are deployed"),
    flag("failed", Kind::Bool, "those that have failed"),
    short('f', "filter", Kind::Text, "those whose names a pattern fits"),
    short('m', "max", Kind::Integer, "how many are listed; 256 by default"),
    flag("no-headers", Kind::Bool, "without the line of headers"),
    flag("offset", Kind::Integer, "how many are left out at the beginning"),
    flag("pending", Kind::Bool, "those that somebody is at work on"),
    short('r', "reverse", Kind::Bool, "the other way round"),
    short('l', "selector", Kind::Text, "those with certain labels: key=value,key!=value"),
    short('q', "short", Kind::Bool, "their names alone"),
    flag("superseded", Kind::Bool, "those that others took the place of"),
    flag("time-format", Kind::Text, "a layout of Go's for times: 2006-01-02 15:04:05Z0700"),
    flag("uninstalled", Kind::Bool, "those that were uninstalled and kept their history"),
    flag("uninstalling", Kind::Bool, "those that are being uninstalled"),
];

/// The flags that choose by status, and what they choose.
const STATUSES: [(&str, &[Status]); 6] = [
    ("deployed", &[Status::Deployed]),
    ("uninstalled", &[Status::Uninstalled]),
    ("uninstalling", &[Status::Uninstalling]),
    ("pending", &[Status::PendingInstall, Status::PendingUpgrade, Status::PendingRollback]),
    ("failed", &[Status::Failed]),
    ("superseded", &[Status::Superseded]),
];

fn run(flags: &Parsed) -> Result<(), Failure> {
    let format = Format::read(flags)?;
    let world = super::world()?;
    let cluster = cluster(flags, &world)?;
    let namespace = if flags.is_set("all-namespaces") { String::new() } else { namespace(flags, &world) };
    let session = session_in(&namespace, &world, &cluster)?;
    let filter = flags.text("filter").filter(|filter| !filter.is_empty()).map(regex::Regex::new).transpose();
    let filter = filter.map_err(|error| format!("error parsing regexp: {error}"))?;
    let all = cluster.run(session.all())?;
    let mut releases: Vec<Release> =
        all.into_iter().filter(|one| filter.as_ref().is_none_or(|filter| filter.is_match(&one.name))).collect();
    let wanted = wanted(flags);
    let found = releases.len();
    // The last revision of a release is never one that another took the place of.
    if wanted != [Status::Superseded] {
        releases = latest(releases);
    }
    releases.retain(|release| match wanted.as_slice() {
        // Those whose status is no known one are never listed.
        [] => release.info.status != Status::Unknown,
        wanted => wanted.contains(&release.info.status),
    });
    let selector = Selector::parse(flags.text("selector").unwrap_or_default())?;
    releases.retain(|release| selector.fits(&release.labels));
    sort(&mut releases, flags);
    let offset = usize::try_from(number(flags, "offset", 0)).unwrap_or(0);
    let most = match number(flags, "max", 256) {
        most if most > 0 => usize::try_from(most).unwrap_or(usize::MAX).min(found),
        _ => found,
    };
    let shown: Vec<Release> = releases.into_iter().skip(offset).take(most).collect();
    print(text(&shown, flags, format)?.as_bytes());
    Ok(())
}

/// The statuses that flags choose.
fn wanted(flags: &Parsed) -> Vec<Status> {
    let chosen = STATUSES.iter().filter(|(flag, _)| flags.is_set(flag));
    chosen.flat_map(|(_, statuses)| statuses.iter().copied()).collect()
}

/// The last revision of one release, if it has one of the statuses that flags choose, and its row without the line of
/// headers. Others of the namespace are not asked for.
pub(super) fn one(flags: &Parsed, name: &str, world: &dyn World) -> Result<Option<(String, Release)>, Failure> {
    check_name(name, "releaseContent: Release name is invalid")?;
    let cluster = cluster(flags, world)?;
    let session = session_in(&namespace(flags, world), world, &cluster)?;
    let release = match cluster.run(session.revision(name, 0)) {
        Err(onepane_release::Failure::NotFound) => return Ok(None),
        release => release?,
    };
    if !wanted(flags).contains(&release.info.status) {
        return Ok(None);
    }
    let table = text(std::slice::from_ref(&release), flags, Format::Table)?;
    Ok(Some((table.lines().last().unwrap_or_default().to_owned(), release)))
}

fn latest(releases: Vec<Release>) -> Vec<Release> {
    let mut latest: BTreeMap<(String, String), Release> = BTreeMap::new();
    for release in releases {
        let key = (release.namespace.clone(), release.name.clone());
        if latest.get(&key).is_none_or(|known| known.version <= release.version) {
            latest.insert(key, release);
        }
    }
    latest.into_values().collect()
}

fn sort(releases: &mut [Release], flags: &Parsed) {
    let (by_date, reverses) = (flags.is_set("date"), flags.is_set("reverse"));
    let time = |release: &Release| release.info.last_deployed.as_ref().map_or(i64::MIN, Time::unix);
    releases.sort_by(|a, b| {
        let by_name = a.name.cmp(&b.name).then_with(|| a.namespace.cmp(&b.namespace));
        let by_time = time(a).cmp(&time(b)).then_with(|| a.name.cmp(&b.name));
        let order = if by_date { by_time } else { by_name };
        if reverses { order.reverse() } else { order }
    });
}

fn text(releases: &[Release], flags: &Parsed, format: Format) -> Result<String, Failure> {
    if flags.is_set("short") {
        let names = || releases.iter().map(|release| release.name.as_str());
        return match format {
            Format::Table => Ok(names().map(|name| format!("{name}\n")).collect()),
            format => structured(&names().collect(), format),
        };
    }
    let layout = flags.text("time-format").filter(|layout| !layout.is_empty());
    let rows = releases.iter().map(|release| {
        let (chart, app_version) = chart_columns(release);
        let updated = match (&release.info.last_deployed, layout) {
            (None, _) => "-".to_owned(),
            (Some(time), None) => time.go_string(),
            (Some(time), Some(layout)) => formatted(time, layout),
        };
        let (name, namespace) = (release.name.clone(), release.namespace.clone());
        [name, namespace, release.version.to_string(), updated, release.info.status.to_string(), chart, app_version]
    });
    if format != Format::Table {
        let fields = ["name", "namespace", "revision", "updated", "status", "chart", "app_version"];
        return Ok(listing::text(fields, &rows.collect::<Vec<_>>(), format)?);
    }
    let header = ["NAME", "NAMESPACE", "REVISION", "UPDATED", "STATUS", "CHART", "APP VERSION"].map(str::to_owned);
    let header = (!flags.is_set("no-headers")).then_some(header);
    let rows: Vec<[String; 7]> = header.into_iter().chain(rows).collect();
    Ok(if rows.is_empty() { "\n".to_owned() } else { table(&rows, 0) })
}

fn formatted(time: &Time, layout: &str) -> String {
    let text = time.rfc3339_nano();
    Moment::read("2006-01-02T15:04:05.999999999Z07:00", &text).map_or(text, |moment| moment.format(layout))
}

/// What labels have to be.
struct Selector(Vec<Requirement>);

/// What one label has to be.
struct Requirement {
    key: String,
    values: Vec<String>,
    rule: Rule,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    In,
    NotIn,
    Exists,
    Absent,
}

impl Selector {
    fn parse(text: &str) -> Result<Self, String> {
        let mut requirements = Vec::new();
        let mut depth = 0_usize;
        let parts = text.split(|c| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == ',' && depth == 0
        });
        for part in parts.map(str::trim).filter(|part| !part.is_empty()) {
            requirements.push(Requirement::parse(part)?);
        }
        Ok(Self(requirements))
    }

    fn fits(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|Requirement { key, values, rule }| {
            let value = labels.get(key);
            match rule {
                Rule::In => value.is_some_and(|value| values.contains(value)),
                Rule::NotIn => value.is_none_or(|value| !values.contains(value)),
                Rule::Exists => value.is_some(),
                Rule::Absent => value.is_none(),
            }
        })
    }
}

impl Requirement {
    fn parse(text: &str) -> Result<Self, String> {
        let one = |key: &str, value: &str, rule| {
            Ok(Self { key: key.trim().to_owned(), values: vec![value.trim().to_owned()], rule })
        };
        if let Some((key, value)) = text.split_once("!=") {
            return one(key, value, Rule::NotIn);
        }
        if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
            return one(key, value, Rule::In);
        }
        if let Some((before, list)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
            let mut words = before.split_whitespace();
            let (key, word) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let rule = match word {
                "in" => Rule::In,
                "notin" => Rule::NotIn,
                _ => {
                    return Err(format!(
                        "unable to parse requirement: found '{word}', expected: in, notin, =, ==, !=, gt, lt"
                    ));
                }
            };
            let values = list.split(',').map(|value| value.trim().to_owned()).collect();
            return Ok(Self { key: key.to_owned(), values, rule });
        }
        match text.strip_prefix('!') {
            Some(key) => Ok(Self { key: key.trim().to_owned(), values: Vec::new(), rule: Rule::Absent }),
            None => Ok(Self { key: text.to_owned(), values: Vec::new(), rule: Rule::Exists }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_chosen_as_kubernetes_does() {
        let labels = BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
        let fits = |text: &str| Selector::parse(text).map(|selector| selector.fits(&labels));
        for (text, wanted) in [
            ("", true),
            ("a=1", true),
            ("a==1,b!=2", false),
            ("c!=3", true),
            ("a in (0, 1),b", true),
            ("a notin (1)", false),
            ("!c", true),
            ("!a", false),
        ] {
            assert_eq!(fits(text), Ok(wanted), "{text}");
        }
        assert!(fits("a like (1)").is_err());
    }
}
