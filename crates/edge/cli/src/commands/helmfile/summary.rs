//! What became of releases, as Helmfile prints it at the end of a command: [`Affected`].

use super::session::Session;
use crate::redaction::redacted;
use std::time::Duration;
use unicode_width::UnicodeWidthStr;

/// A release that a command did something with.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) namespace: String,
    /// The chart as the state names it.
    pub(super) chart: String,
    /// The version of the chart that is deployed; empty where nobody knows.
    pub(super) version: String,
    pub(super) duration: Duration,
}

/// The releases that a command did something with.
#[derive(Default)]
pub(super) struct Affected {
    pub(super) updated: Vec<Row>,
    pub(super) reinstalled: Vec<Row>,
    pub(super) deleted: Vec<Row>,
    pub(super) failed: Vec<Row>,
    pub(super) not_deleted: Vec<Row>,
}

impl Affected {
    /// Says it all on stderr.
    pub(super) fn say(&self, session: &Session, has_color: bool) {
        for (title, rows, has_charts) in [
            ("Updated Releases", &self.updated, true),
            ("Reinstalled Releases", &self.reinstalled, true),
            ("Deleted Releases", &self.deleted, false),
            ("Failed Releases", &self.failed, true),
            ("Failed to Delete Releases", &self.not_deleted, false),
        ] {
            if rows.is_empty() {
                continue;
            }
            let table = table(rows, has_charts);
            let title = centered(title, table.lines().map(|line| line.trim_end().width()).max().unwrap_or(0));
            let title = if has_color { format!("\u{1b}[1m\u{1b}[34m{title}\u{1b}[0m") } else { title };
            session.say(&format!("\n{title}"));
            session.say(&table);
        }
    }
}

fn table(rows: &[Row], has_charts: bool) -> String {
    let cells = |row: &Row| {
        let mut cells = vec![row.name.clone(), row.namespace.clone()];
        if has_charts {
            cells.extend([without_password(&row.chart), row.version.clone()]);
        }
        cells.push(rounded(row.duration));
        cells.iter().map(|cell| redacted(cell)).collect::<Vec<String>>()
    };
    let head: &[&str] = match has_charts {
        true => &["NAME", "NAMESPACE", "CHART", "VERSION", "DURATION"],
        false => &["NAME", "NAMESPACE", "DURATION"],
    };
    let head = head.iter().map(|&cell| cell.to_owned()).collect();
    let lines: Vec<Vec<String>> = std::iter::once(head).chain(rows.iter().map(cells)).collect();
    let last = lines[0].len() - 1;
    let narrowest = |column: usize| if column == 0 || column == last { 0 } else { 6 };
    let width = |column: usize| lines.iter().map(|line| line[column].width()).max().unwrap_or(0).max(narrowest(column));
    let widths: Vec<usize> = (0..=last).map(width).collect();
    let padded = |line: &Vec<String>| {
        let cells = line.iter().enumerate().map(|(column, cell)| {
            let space = " ".repeat(widths[column] - cell.width());
            if column == last { format!("{space}{cell}") } else { format!("{cell}{space}") }
        });
        cells.collect::<Vec<_>>().join("   ") + "\n"
    };
    lines.iter().map(padded).collect()
}

fn centered(title: &str, width: usize) -> String {
    let title = format!(" {title} ");
    let padding = width.saturating_sub(title.width());
    if padding == 0 {
        return format!("=========={title}==========");
    }
    format!("{}{title}{}", "=".repeat(padding / 2), "=".repeat(padding - padding / 2))
}

/// The address of a chart without who fetches it.
fn without_password(chart: &str) -> String {
    match chart.split_once("://") {
        Some((scheme, rest)) => {
            let host_at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let start = rest[..host_at].rfind('@').map_or(0, |at| at + 1);
            format!("{scheme}://{}", &rest[start..])
        }
        None => chart.to_owned(),
    }
}

/// A time to the second, as Go writes it.
fn rounded(duration: Duration) -> String {
    let seconds = duration.as_millis().saturating_add(500) / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_helmfiles() {
        let row = |name: &str, version: &str, seconds| Row {
            name: name.to_owned(),
            namespace: "hf".to_owned(),
            chart: "./charts/a".to_owned(),
            version: version.to_owned(),
            duration: Duration::from_millis(seconds),
        };
        let text = table(&[row("db", "0.1.0", 499), row("bad", "", 61_500)], true);
        let wanted = "NAME   NAMESPACE   CHART        VERSION   DURATION\ndb     hf          ./charts/a   0.1.0           0s\nbad    \
                      hf          ./charts/a                 1m2s\n";
        assert_eq!(text, wanted);
        assert_eq!(centered("Updated Releases", 50), format!("{0} Updated Releases {0}", "=".repeat(16)));
        assert_eq!(centered("Deleted Releases", 10), "========== Deleted Releases ==========");
        assert_eq!(without_password("https://me:secret@host/c@1.tgz"), "https://host/c@1.tgz");
        assert_eq!(rounded(Duration::from_secs(3601)), "1h0m1s");
    }
}
