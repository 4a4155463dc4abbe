//! Differences as the plugin helm-diff prints them: [`report`].

use super::diff_lines::{Line, Side, compared};
use super::diff_manifests::{Spec, Specs};
use super::diff_secrets::{Values, redact};
use regex::Regex;

/// How differences are printed.
pub(super) struct Style {
    pub(super) format: Format,
    /// How many lines around changes are printed; all, if none is said.
    pub(super) context: Option<usize>,
    pub(super) strips_carriage_returns: bool,
    pub(super) values: Values,
    /// Kinds of which only is said that they change.
    pub(super) suppressed: Vec<String>,
    /// Lines that are left out.
    pub(super) suppressed_lines: Vec<Regex>,
    pub(super) has_color: bool,
}

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Lines.
    Diff,
    /// What is added, changed and removed.
    Simple,
    /// The same for programs.
    Json,
}

/// What becomes of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Added,
    Removed,
    Modified,
    /// What changes are lines that are left out.
    Suppressed,
}

struct Entry {
    key: String,
    kind: String,
    change: Change,
    lines: Vec<(Side, String)>,
}

/// What is printed of the differences between two sets of resources, and whether there are any.
pub(super) fn report(old: &Specs, new: &Specs, style: &Style) -> (String, bool) {
    let mut entries = Vec::new();
    for (key, before) in old {
        if let Some(after) = new.get(key) {
            entries.extend(entry(key, Some(before), Some(after), style));
        }
    }
    for (key, before) in old.iter().filter(|(key, before)| !new.contains_key(*key) && !before.is_kept) {
        entries.extend(entry(key, Some(before), None, style));
    }
    for (key, after) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
        entries.extend(entry(key, None, Some(after), style));
    }
    let has_changes = !entries.is_empty();
    if !style.suppressed_lines.is_empty() {
        entries.iter_mut().for_each(|entry| entry.suppress(&style.suppressed_lines));
    }
    let text = match style.format {
        Format::Diff => entries.iter().map(|entry| entry.as_lines(style)).collect(),
        Format::Simple => simple(&entries, style),
        Format::Json => json(&entries),
    };
    (text, has_changes)
}

fn entry(key: &str, old: Option<&Spec>, new: Option<&Spec>, style: &Style) -> Option<Entry> {
    if let (Some(old), Some(new)) = (old, new)
        && old.text == new.text
    {
        return None;
    }
    let (mut before, mut after) = (old.cloned(), new.cloned());
    redact(before.as_mut(), after.as_mut(), style.values);
    let text = |spec: &Option<Spec>| spec.as_ref().map(|spec| spec.text.clone()).unwrap_or_default();
    let (before_text, after_text) = (text(&before), text(&after));
    let (before_lines, after_lines) = (split(&before_text, style), split(&after_text, style));
    let lines: Vec<(Side, String)> =
        compared(&before_lines, &after_lines).into_iter().map(|Line { text, side }| (side, text.to_owned())).collect();
    let change = match (old, new) {
        (None, _) => Change::Added,
        (_, None) => Change::Removed,
        _ => Change::Modified,
    };
    if change == Change::Modified && lines.iter().all(|(side, _)| *side == Side::Both) {
        return None;
    }
    let kind = old.or(new).map(|spec| spec.kind.clone()).unwrap_or_default();
    Some(Entry { key: key.to_owned(), kind, change, lines })
}

fn split<'t>(text: &'t str, style: &Style) -> Vec<&'t str> {
    let strip = |line: &'t str| line.strip_suffix('\r').filter(|_| style.strips_carriage_returns).unwrap_or(line);
    text.split('\n').map(strip).collect()
}

const GREEN: &str = "0;32";
const RED: &str = "0;31";
const YELLOW: &str = "0;33";
const BRIGHT_BLUE: &str = "0;94";

fn colored(text: &str, color: &str, style: &Style) -> String {
    if style.has_color { format!("\u{1b}[{color}m{text}\u{1b}[0m") } else { text.to_owned() }
}

impl Change {
    fn color(self) -> &'static str {
        match self {
            Self::Added => GREEN,
            Self::Removed => RED,
            Self::Modified => YELLOW,
            Self::Suppressed => BRIGHT_BLUE,
        }
    }
}

impl Entry {
    fn suppress(&mut self, patterns: &[Regex]) {
        self.lines.retain(|(_, line)| !patterns.iter().any(|pattern| pattern.is_match(line)));
        if self.lines.iter().all(|(side, _)| *side == Side::Both) {
            self.lines.clear();
            if self.change == Change::Modified {
                self.change = Change::Suppressed;
            }
        }
    }

    fn as_lines(&self, style: &Style) -> String {
        let says = match self.change {
            Change::Added => "has been added:",
            Change::Removed => "has been removed:",
            Change::Modified => "has changed:",
            Change::Suppressed => "has changed, but diff is empty after suppression.",
        };
        let mut out = colored(&format!("{} {says}", self.key), self.change.color(), style) + "\n";
        if style.suppressed.contains(&self.kind) {
            let line = format!("+ Changes suppressed on sensitive content of type {}\n", self.kind);
            return out + &colored(&line, YELLOW, style);
        }
        let distances = style.context.map(|_| self.distances());
        let mut is_omitting = false;
        for (at, (side, text)) in self.lines.iter().enumerate() {
            if let (Some(distances), Some(context)) = (&distances, style.context)
                && distances[at] > context
            {
                if !is_omitting {
                    out += "...\n";
                }
                is_omitting = true;
                continue;
            }
            is_omitting = false;
            out += &match side {
                Side::New => colored(&format!("+ {text}"), GREEN, style),
                Side::Old => colored(&format!("- {text}"), RED, style),
                Side::Both if text.is_empty() => String::new(),
                Side::Both => format!("  {text}"),
            };
            out.push('\n');
        }
        out
    }

    /// How far each line is from one that changes.
    fn distances(&self) -> Vec<usize> {
        let mut distances = vec![usize::MAX; self.lines.len()];
        let mut pass = |order: &mut dyn Iterator<Item = usize>| {
            let mut distance = usize::MAX;
            for at in order {
                distance = if self.lines[at].0 == Side::Both { distance.saturating_add(1) } else { 0 };
                distances[at] = distances[at].min(distance);
            }
        };
        pass(&mut (0..self.lines.len()));
        pass(&mut (0..self.lines.len()).rev());
        distances
    }
}

fn simple(entries: &[Entry], style: &Style) -> String {
    let line = |entry: &Entry| {
        let says = match entry.change {
            Change::Added => "to be added.",
            Change::Removed => "to be removed.",
            Change::Modified => "to be changed.",
            Change::Suppressed => "has changed, but diff is empty after suppression.",
        };
        colored(&format!("{} {says}", entry.key), entry.change.color(), style) + "\n"
    };
    let count = |change| entries.iter().filter(|entry| entry.change == change).count();
    let (added, changed, removed) = (count(Change::Added), count(Change::Modified), count(Change::Removed));
    let lines: String = entries.iter().map(line).collect();
    format!("{lines}Plan: {added} to add, {changed} to change, {removed} to destroy, 0 to change ownership.\n")
}

fn json(entries: &[Entry]) -> String {
    let described = |entry: &Entry| {
        let change = match entry.change {
            Change::Added => "ADD",
            Change::Removed => "REMOVE",
            Change::Modified => "MODIFY",
            Change::Suppressed => "MODIFY_SUPPRESSED",
        };
        let (rest, api) = entry.key.strip_suffix(')')?.rsplit_once(" (")?;
        let mut parts = rest.splitn(3, ", ");
        let parts = [parts.next()?, parts.next()?, parts.next()?];
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let [namespace, name, kind] = parts.map(quoted);
        let api = quoted(api);
        Some(format!(
            "{{\n  \"api\": {api},\n  \"kind\": {kind},\n  \"namespace\": {namespace},\n  \"name\": {name},\n  \"change\": \
             \"{change}\"\n}}"
        ))
    };
    let described: Vec<String> = entries.iter().filter_map(described).collect();
    format!("[{}]\n", described.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(format: Format) -> Style {
        Style {
            format,
            context: None,
            strips_carriage_returns: false,
            values: Values::Redacted,
            suppressed: Vec::new(),
            suppressed_lines: Vec::new(),
            has_color: false,
        }
    }

    fn specs(list: &[(&str, &str)]) -> Specs {
        let spec = |text: &str| Spec { kind: "ConfigMap".to_owned(), text: text.to_owned(), is_kept: false };
        list.iter().map(|(name, text)| (format!("n, {name}, ConfigMap (v1)"), spec(text))).collect()
    }

    #[test]
    fn differences_are_printed_in_all_formats() {
        let old = specs(&[("gone", "x"), ("same", "s"), ("web", "1\n2\n3\n4\n5")]);
        let new = specs(&[("new", "y"), ("same", "s"), ("web", "1\n2\n3\n4\nfive")]);
        let (text, has_changes) = report(&old, &new, &style(Format::Diff));
        let wanted = "n, web, ConfigMap (v1) has changed:\n  1\n  2\n  3\n  4\n- 5\n+ five\nn, gone, ConfigMap (v1) has been \
                      removed:\n- x\n+ \nn, new, ConfigMap (v1) has been added:\n- \n+ y\n";
        assert_eq!((text.as_str(), has_changes), (wanted, true));
        let (text, _) = report(&old, &new, &Style { context: Some(1), ..style(Format::Diff) });
        assert!(text.starts_with("n, web, ConfigMap (v1) has changed:\n...\n  4\n- 5\n+ five\n"), "{text}");
        let (text, _) = report(&old, &new, &style(Format::Simple));
        assert!(text.ends_with("Plan: 1 to add, 1 to change, 1 to destroy, 0 to change ownership.\n"), "{text}");
        let (text, _) = report(&old, &new, &style(Format::Json));
        let read: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        assert_eq!(read[2]["change"], "ADD");
        assert_eq!(report(&old, &old, &style(Format::Diff)), (String::new(), false));
        let hides = Style { suppressed_lines: vec![Regex::new("5|five").expect("it is one")], ..style(Format::Diff) };
        let (text, has_changes) = report(&specs(&[("web", "1\n5")]), &specs(&[("web", "1\nfive")]), &hides);
        assert_eq!(text, "n, web, ConfigMap (v1) has changed, but diff is empty after suppression.\n");
        assert!(has_changes);
    }
}
