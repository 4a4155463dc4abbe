//! Schedules of CronJobs.

use crate::{Finding, Scene};
use onepane_resource::Tree;

pub(crate) fn check(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for item in scene.judged().iter().filter(|item| item.is("batch", "CronJob")) {
        let Some(at) = item.node().at(&["spec", "schedule"]) else { continue };
        if let Some(why) = at.text().and_then(refused) {
            found.push(Finding::new("cron-schedule", at, format!("{item}: its schedule is none: {why}")));
        }
    }
}

/// The fields of a schedule: their names, their ranges and names for numbers.
const FIELDS: [(&str, u32, u32, &[&str]); 5] = [
    ("minute", 0, 59, &[]),
    ("hour", 0, 23, &[]),
    ("day of the month", 1, 31, &[]),
    ("month", 1, 12, &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
    // Sunday may be 0 only: 7 is no day here, other than for cron itself.
    ("day of the week", 0, 6, &["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
];

fn refused(schedule: &str) -> Option<String> {
    if let Some(word) = schedule.trim().strip_prefix('@') {
        let known = ["yearly", "annually", "monthly", "weekly", "daily", "midnight", "hourly"];
        let is_known = known.contains(&word) || word.starts_with("every ");
        return (!is_known).then(|| format!("there is no `@{word}`"));
    }
    let words: Vec<&str> = schedule.split_whitespace().collect();
    if words.first().is_some_and(|word| word.starts_with("TZ=") || word.starts_with("CRON_TZ=")) {
        return Some("a time zone belongs into `timeZone`".to_owned());
    }
    if words.len() != FIELDS.len() {
        return Some(format!("it has {} fields, and needs 5: minute, hour, day, month, day of the week", words.len()));
    }
    words.iter().zip(FIELDS).find_map(|(word, (name, least, most, names))| {
        let is_field = word.split(',').all(|part| is_part(part, least, most, names));
        (!is_field).then(|| format!("`{word}` is no {name}, which is from {least} to {most}"))
    })
}

fn is_part(part: &str, least: u32, most: u32, names: &[&str]) -> bool {
    let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
    let number = |text: &str| {
        let named = names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let number = named.map(|index| index as u32 + least).or_else(|| text.parse().ok());
        number.filter(|number| (least..=most).contains(number))
    };
    let is_range = match range.split_once('-') {
        Some((from, to)) => number(from).zip(number(to)).is_some_and(|(from, to)| from <= to),
        None => matches!(range, "*" | "?") || number(range).is_some(),
    };
    is_range && step.is_none_or(|step| step.parse::<u32>().is_ok_and(|step| step > 0))
}

#[cfg(test)]
mod tests {
    use super::refused;

    #[test]
    fn schedules_have_five_fields_within_their_ranges() {
        for good in ["* * * * *", "*/5 0-6,22 1 jan-mar MON", "0 3 ? * 0", "@daily", "@every 1h"] {
            assert_eq!(refused(good), None, "{good}");
        }
        for bad in [
            "* * * *",
            "60 * * * *",
            "* 24 * * *",
            "0 0 0 * *",
            "0 0 * 13 *",
            "0 0 * * 7",
            "*/0 * * * *",
            "@often",
            "5-1 * * * *",
            "TZ=UTC * * * * *",
        ] {
            assert!(refused(bad).is_some(), "{bad}");
        }
    }
}
