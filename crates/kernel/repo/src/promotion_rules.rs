//! What `onepane.yaml` asks of promotions: [`PromotionRules`], [`SyncWindow`].

use crate::layout::{entries, expected, one_or_several, unknown};
use cronexpr::{Crontab, FallbackTimezoneOption, MakeTimestamp, ParseOptions};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use onepane_chart::matches_glob;
use onepane_diagnostics::{Diagnostic, Result};
use onepane_yaml::Node;

/// What is asked of a promotion to environments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PromotionRules {
    /// Their names: `prod-*`.
    pub environments: String,
    /// The environments whose versions they may get; none for any.
    pub from: Vec<String>,
    /// Whether each image has to have passed `ci run`, by its note in this repository.
    pub needs_ci_run: bool,
    /// Whether it has to have passed by a status of the service's commit at a forge.
    pub needs_ci_status: bool,
    /// When versions may change there.
    pub windows: Vec<SyncWindow>,
    /// How many people have to agree. It is the forge that counts them, so that without a pull request nothing changes.
    pub approvals: usize,
    /// Whom a pull request asks.
    pub reviewers: Vec<String>,
}

/// A time in which versions may change, or may not, as Argo CD's projects have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncWindow {
    /// Whether it is one in which they may.
    pub is_allowed: bool,
    /// When it begins, as cron has it.
    pub schedule: String,
    /// In this zone.
    pub zone: String,
    /// How long it lasts.
    pub duration: SignedDuration,
}

impl PromotionRules {
    pub(crate) fn read(environments: &Node, node: &Node) -> Result<Self> {
        let name = environments.as_str().ok_or_else(|| expected(environments, "the name of an environment"))?;
        if matches_glob(name, "").is_err() {
            return Err(expected(environments, "a pattern for names"));
        }
        let mut rules = Self { environments: name.to_owned(), ..Self::default() };
        for (key, value) in entries(node)? {
            match key.as_str() {
                Some("from") => rules.from = names(value, "an environment")?,
                Some("ciRun") => {
                    (rules.needs_ci_run, rules.needs_ci_status) = match value.as_str() {
                        Some("true") => (true, false),
                        Some("status") => (false, true),
                        Some("false") => (false, false),
                        _ => return Err(expected(value, "`true`, `false` or `status`")),
                    };
                }
                Some("windows") => {
                    rules.windows = one_or_several(value).into_iter().map(SyncWindow::read).collect::<Result<_>>()?;
                }
                Some("approvals") => {
                    let number = value.as_str().and_then(|text| text.parse().ok());
                    rules.approvals = number.ok_or_else(|| expected(value, "a number"))?;
                }
                Some("reviewers") => rules.reviewers = names(value, "a user or a team")?,
                _ => return Err(unknown(key, "from, ciRun, windows, approvals, reviewers")),
            }
        }
        Ok(rules)
    }

    /// Whether they are about an environment: a cluster by its name, or a folder by its path.
    pub fn are_about(&self, environment: &str) -> bool {
        matches_glob(&self.environments, environment).unwrap_or(false)
    }

    /// Why versions of `from` may not come there; `None` where they may.
    pub fn refuse_source(&self, from: &str) -> Option<String> {
        let is_allowed = self.from.is_empty() || self.from.iter().any(|name| matches_glob(name, from).unwrap_or(false));
        (!is_allowed).then(|| format!("what runs there comes from {}, not from {from}", self.from.join(" or ")))
    }

    /// Why versions may not change at a time; `None` where they may.
    pub fn refuse_time(&self, now: Timestamp) -> Option<String> {
        let (allowed, denied): (Vec<&SyncWindow>, Vec<&SyncWindow>) =
            self.windows.iter().partition(|window| window.is_allowed);
        if let Some(denied) = denied.into_iter().find(|window| window.is_open(now)) {
            return Some(format!("it is not changed in the window {denied}"));
        }
        if allowed.is_empty() || allowed.iter().any(|window| window.is_open(now)) {
            return None;
        }
        let windows: Vec<String> = allowed.iter().map(ToString::to_string).collect();
        Some(format!("it is changed in the window {} only", windows.join(" or ")))
    }
}

impl SyncWindow {
    fn read(node: &Node) -> Result<Self> {
        let (mut kind, mut schedule, mut duration) = (None, None, None);
        let mut zone = "UTC".to_owned();
        for (key, value) in entries(node)? {
            let text = || value.as_str().ok_or_else(|| expected(value, "a text"));
            match key.as_str() {
                Some("kind") => {
                    kind = Some(match value.as_str() {
                        Some("allow") => true,
                        Some("deny") => false,
                        _ => return Err(expected(value, "`allow` or `deny`")),
                    });
                }
                Some("schedule") => schedule = Some((text()?.to_owned(), value)),
                Some("duration") => {
                    let length: Option<SignedDuration> = text()?.parse().ok().filter(SignedDuration::is_positive);
                    duration = Some(length.ok_or_else(|| expected(value, "a duration, as `8h` or `1h30m`,"))?);
                }
                Some("timeZone") => {
                    let name = text()?;
                    TimeZone::get(name).map_err(|_| expected(value, "the name of a time zone"))?;
                    name.clone_into(&mut zone);
                }
                _ => return Err(unknown(key, "kind, schedule, duration, timeZone")),
            }
        }
        let Some(((is_allowed, (schedule, place)), duration)) = kind.zip(schedule).zip(duration) else {
            return Err(expected(node, "a window with `kind`, `schedule` and `duration`"));
        };
        let window = Self { is_allowed, schedule, zone, duration };
        if let Err(error) = window.begins() {
            return Err(Diagnostic::error(
                "repo-layout",
                format!("a window has a schedule that can't be read: {error}"),
            )
            .at(place.span.unwrap_or(crate::layout::whole_file())));
        }
        Ok(window)
    }

    fn begins(&self) -> std::result::Result<Crontab, cronexpr::Error> {
        let mut options = ParseOptions::default();
        options.fallback_timezone_option = FallbackTimezoneOption::UTC;
        cronexpr::parse_crontab_with(&format!("{} {}", self.schedule, self.zone), options)
    }

    /// Whether it is open at a time: it has begun, and has not lasted long enough.
    pub fn is_open(&self, now: Timestamp) -> bool {
        let Ok(begins) = self.begins() else { return false };
        let Ok(earliest) = now.checked_sub(self.duration) else { return false };
        begins.find_next(MakeTimestamp(earliest)).is_ok_and(|begin| begin.timestamp() <= now)
    }
}

impl std::fmt::Display for SyncWindow {
    /// `0 9 * * 1-5 (8h, Europe/Berlin)`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` ({:#}, {})", self.schedule, self.duration, self.zone)
    }
}

fn names(node: &Node, what: &str) -> Result<Vec<String>> {
    let name = |node: &Node| node.as_str().map(str::to_owned).ok_or_else(|| expected(node, what));
    one_or_several(node).into_iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Layout;

    fn rules(text: &str) -> Vec<PromotionRules> {
        Layout::parse(text).expect("it can be read").promotions
    }

    #[test]
    fn windows_are_open_as_argo_has_them() {
        let text = "promotions:\n  prod-*:\n    windows:\n    - {kind: allow, schedule: '0 9 * * 1-5', duration: 8h, timeZone: Europe/Berlin}\n    - {kind: deny, schedule: '0 0 24 12 *', duration: 48h}\n";
        let rules = rules(text);
        let refused = |time: &str| rules[0].refuse_time(time.parse().expect("it is a time"));
        // A Monday in winter: Berlin is an hour ahead.
        assert_eq!(refused("2026-11-30T08:00:00Z"), None);
        assert_eq!(refused("2026-11-30T15:59:59Z"), None);
        let late = refused("2026-11-30T16:00:01Z").expect("it is over");
        assert!(late.contains("`0 9 * * 1-5` (8h, Europe/Berlin) only"), "{late}");
        assert!(refused("2026-11-29T10:00:00Z").is_some(), "a Sunday");
        let holiday = refused("2026-12-25T10:00:00Z").expect("a holiday");
        assert!(holiday.contains("0 0 24 12 *"), "{holiday}");
        assert!(rules[0].are_about("prod-eu") && !rules[0].are_about("dev"));
    }

    #[test]
    fn versions_come_from_where_they_may() {
        let rules =
            rules("promotions: {prod: {from: [staging, 'pre-*'], ciRun: true, approvals: 2, reviewers: ann}}\n");
        let rules = &rules[0];
        assert_eq!((rules.refuse_source("staging"), rules.refuse_source("pre-prod")), (None, None));
        assert!(rules.refuse_source("dev").is_some());
        let by_status = self::rules("promotions: {prod: {ciRun: status}}\n");
        assert!(by_status[0].needs_ci_status && !by_status[0].needs_ci_run && !rules.needs_ci_status);
        assert_eq!((rules.needs_ci_run, rules.approvals, &*rules.reviewers), (true, 2, &["ann".to_owned()][..]));
        assert_eq!(rules.refuse_time(Timestamp::UNIX_EPOCH), None);
    }

    #[test]
    fn what_can_not_be_meant_is_an_error_at_its_line() {
        for (text, line) in [
            ("promotions: {prod: {fom: dev}}\n", 1),
            ("promotions:\n  prod: {approvals: two}\n", 2),
            ("promotions:\n  prod: {ciRun: maybe}\n", 2),
            ("promotions:\n  prod:\n    windows: [{kind: maybe}]\n", 3),
            ("promotions:\n  prod:\n    windows: [{kind: allow, schedule: '0 9 * *', duration: 1h}]\n", 3),
            ("promotions:\n  prod:\n    windows: [{kind: allow, schedule: '0 9 * * *', duration: soon}]\n", 3),
            ("promotions:\n  prod:\n    windows: [{kind: allow, schedule: '0 9 * * *'}]\n", 3),
            (
                "promotions:\n  prod:\n    windows: [{kind: allow, schedule: '0 9 * * *', duration: 1h, timeZone: Mars/X}]\n",
                3,
            ),
            ("promotions:\n  '[': {}\n", 2),
        ] {
            let error = Layout::parse(text).expect_err(text);
            assert_eq!(error.primary.expect("it names the place").span.line, line, "{text}");
        }
    }
}
