//! What the commands share that reach a cluster: whether releases are there, what is said of them, and the way in which they are
//! brought to the cluster and removed, in waves: [`Live`].

use super::Failure;
use super::at_work::Work;
use super::charts::said;
use super::flags::is_plain;
use super::helm_flags::{HelmCall, connection_arguments};
use super::hooks::{Event, trigger, trigger_after};
use super::session::Session;
use super::summary::{Affected, Row};
use super::upgrade_call::{uninstall_call, upgrade_call};
use crate::commands::helm::{self, Printed, list_for_helmfile, uninstall_for_helmfile, upgrade_for_helmfile};
use crate::commands::pflag::Parsed;
use crate::redaction::redacted;
use onepane_helmfile::{Release, State};
use onepane_world::World;
use std::cell::RefCell;
use std::io::{BufRead, Write};
use std::time::Instant;

/// A release that something went wrong with.
pub(super) struct Failed {
    /// What Helmfile puts before the reason.
    pub(super) about: String,
    pub(super) why: Why,
}

/// The reason.
pub(super) enum Why {
    Helm(helm::Failure),
    Other(Failure),
}

impl Failed {
    pub(super) fn processing(release: &Release, why: Why) -> Self {
        Self { about: format!("failed processing release {}: ", release.name), why }
    }

    pub(super) fn of(release: &Release, why: Why) -> Self {
        Self { about: format!("release \"{}\" failed: ", release.name), why }
    }

    /// Says it behind the place where it is, or which of several it is.
    pub(super) fn report(self, place: &str) {
        let before = format!("{place}: {}", redacted(&self.about));
        match self.why {
            Why::Helm(failure) => failure.report_behind(&before),
            Why::Other(failure) => failure.report(&before),
        }
    }

    /// The reason in words, as hooks are told it.
    fn words(&self) -> String {
        match &self.why {
            Why::Helm(failure) => format!("{}{}", self.about, failure.line()),
            Why::Other(failure) => format!("{}{}", self.about, failure.words()),
        }
    }
}

/// What `helm upgrade` has printed and, if it succeeded, how the release is listed then.
type Upgraded = (Printed, Option<Result<Option<helm::Listed>, helm::Failure>>);

/// A command at work on the releases of a state.
pub(super) struct Live<'l> {
    pub(super) session: &'l Session,
    pub(super) state: &'l State,
    pub(super) flags: &'l Parsed,
    pub(super) work: &'l Work,
    pub(super) affected: RefCell<Affected>,
}

impl<'l> Live<'l> {
    pub(super) fn new(session: &'l Session, state: &'l State, flags: &'l Parsed, work: &'l Work) -> Self {
        Self { session, state, flags, work, affected: RefCell::default() }
    }

    /// Whether a release is there, uninstalled ones aside. Says so as Helmfile does.
    pub(super) fn is_installed(&self, release: &Release) -> Result<bool, Failure> {
        self.session.say(&format!("Listing releases matching ^{}$", release.name));
        let arguments = connection_arguments(self.state, release, self.flags);
        let listed = list_for_helmfile(&release.name, &arguments, &self.session.world)?;
        if let Some(listed) = &listed {
            self.session.say(&format!("{}\n", listed.row));
        }
        Ok(listed.is_some())
    }

    /// Those of `releases` that are not desired but there.
    pub(super) fn to_delete(&self, releases: &[&'l Release]) -> Result<Vec<&'l Release>, Failure> {
        let mut found = Vec::new();
        for release in releases.iter().filter(|release| !release.desired) {
            if self.is_installed(release)? {
                found.push(*release);
            }
        }
        Ok(found)
    }

    /// What Helm has printed.
    pub(super) fn say_printed(&self, text: &[u8]) {
        let text = String::from_utf8_lossy(text);
        let text = text.trim_end_matches('\n');
        if !text.is_empty() {
            self.session.say(text);
        }
    }

    /// Runs the hooks of a release; that they fail is only warned of.
    pub(super) fn clean_up(&self, release: &Release, command: &str) {
        if let Err(failure) = trigger(self.session, self.state, Some(release), Event::Cleanup, command) {
            self.session.warn(&format!("warn: {}", failure.words()));
        }
    }

    fn hook(&self, release: &Release, event: Event, command: &str) -> Result<(), Failed> {
        trigger(self.session, self.state, Some(release), event, command)
            .map_err(|failure| Failed::processing(release, Why::Other(failure)))
    }

    /// What comes after a release was worked on: its hooks, which are told what went wrong.
    fn after(&self, release: &Release, outcome: Result<(), Failed>, fails: bool) -> Result<(), Failed> {
        let mut outcome = outcome;
        for event in [Event::Postsync, Event::Cleanup] {
            let error = outcome.as_ref().err().filter(|_| event == Event::Postsync).map(Failed::words);
            let hooks = trigger_after(self.session, self.state, Some(release), event, "sync", error.as_deref());
            match hooks {
                Err(failure) if outcome.is_ok() && fails => {
                    outcome = Err(Failed::processing(release, Why::Other(failure)));
                }
                Err(failure) => self.session.warn(&format!("warn: {}", failure.words())),
                Ok(()) => {}
            }
        }
        outcome
    }

    /// Installs or upgrades releases, wave by wave. After a wave in which something failed there is none.
    pub(super) fn upgrade(&self, releases: &[&Release]) -> Result<Vec<Failed>, Failure> {
        for wave in self.state.waves(releases)? {
            self.work.check()?;
            let mut calls: Vec<Option<HelmCall>> = Vec::new();
            let mut failed = Vec::new();
            for release in &wave {
                match upgrade_call(self.session, self.state, release, self.flags) {
                    Ok(call) => calls.push(Some(call)),
                    Err(failure) => failed.push(Failed::processing(release, Why::Other(failure))),
                }
            }
            if failed.is_empty() {
                failed = self.upgrade_wave(&wave, calls);
            }
            self.work.check()?;
            if !failed.is_empty() {
                return Ok(failed);
            }
        }
        Ok(Vec::new())
    }

    /// Warns of what is needed and is not to be there.
    pub(super) fn warn_of_needs(&self, releases: &[&Release]) {
        for release in releases.iter().filter(|release| release.desired) {
            for need in &release.needs {
                let needed = self.state.releases.iter().find(|other| other.id() == *need);
                if let Some(Release { name: needed, .. }) = needed.filter(|needed| !needed.desired) {
                    let name = &release.name;
                    self.session.warn(&format!(
                        "WARNING: release {name} needs {needed}, but {needed} is not installed due to installed: false. \
                         Either mark {needed} as installed or remove {needed} from {name}'s needs"
                    ));
                }
            }
        }
    }

    fn upgrade_wave(&self, wave: &[&Release], mut calls: Vec<Option<HelmCall>>) -> Vec<Failed> {
        let world = &self.session.world;
        let failed = RefCell::new(Vec::new());
        let begun = RefCell::new(vec![Instant::now(); wave.len()]);
        let not_started: RefCell<Vec<Option<Failed>>> = RefCell::new(wave.iter().map(|_| None).collect());
        let start = |at: usize| {
            let release = wave[at];
            begun.borrow_mut()[at] = Instant::now();
            if let Err(failure) = self.hook(release, Event::Presync, "sync") {
                not_started.borrow_mut()[at] = Some(failure);
                return None;
            }
            let call = calls[at].take()?;
            self.say_upgrading(release, &call);
            let connection = connection_arguments(self.state, release, self.flags);
            Some((release.name.clone(), call, connection))
        };
        let work = |(name, call, connection): (String, HelmCall, Vec<String>), end: &_| {
            let printed = upgrade_for_helmfile(&call.arguments, &call.world(world), end);
            let listed = printed.outcome.is_ok().then(|| list_for_helmfile(&name, &connection, world));
            (printed, listed)
        };
        let finish = |at: usize, result: Option<Upgraded>| {
            let release = wave[at];
            let mut version = String::new();
            let mut reinstalled = false;
            let outcome = match (not_started.borrow_mut()[at].take(), result) {
                (Some(failure), _) => Err(failure),
                (None, None) => {
                    let why = Failure::text("it was not worked on");
                    Err(Failed::processing(release, Why::Other(why)))
                }
                (None, Some((printed, listed))) => {
                    self.say_printed(&printed.text);
                    match printed.outcome {
                        Err(failure) if self.is_to_be_reinstalled(release, &failure) => {
                            reinstalled = true;
                            self.reinstall(release).map(|found| version = found)
                        }
                        Err(failure) => Err(Failed::processing(release, Why::Helm(failure))),
                        Ok(()) => {
                            version = listed.map(|listed| self.say_listed(release, listed)).unwrap_or_default();
                            Ok(())
                        }
                    }
                }
            };
            let has_worked = outcome.is_ok();
            let outcome = self.after(release, outcome, true);
            let row = self.row(release, &version, begun.borrow()[at]);
            let mut affected = self.affected.borrow_mut();
            match (has_worked, reinstalled) {
                (true, false) => affected.updated.push(row),
                (true, true) => affected.reinstalled.push(row),
                (false, _) => affected.failed.push(row),
            }
            failed.borrow_mut().extend(outcome.err());
        };
        self.work.each(wave.len(), start, work, finish);
        failed.into_inner()
    }

    /// A chart as lines of progress name it: those that are only in memory by what the state says.
    pub(super) fn named_chart(&self, release: &Release, chart: &str) -> String {
        let prepared = match chart.starts_with(super::overlay::MEMORY) {
            true => None,
            false if !release.has_local_chart() => Some(chart.to_owned()),
            false => self.session.prepared_chart(self.state, release),
        };
        prepared.unwrap_or_else(|| release.chart_name.clone())
    }

    fn is_to_be_reinstalled(&self, release: &Release, failure: &helm::Failure) -> bool {
        let strategy = said(self.state, release, "updateStrategy");
        let strategy = strategy.and_then(|value| value.as_text().map(ToString::to_string));
        strategy.as_deref() == Some("reinstallIfForbidden") && failure.line().contains("Forbidden: updates")
    }

    /// How a release is listed now; gives the version of its chart. That it can't be listed is no failure.
    fn say_listed(&self, release: &Release, listed: Result<Option<helm::Listed>, helm::Failure>) -> String {
        let Ok(listed) = listed else { return String::new() };
        self.session.say(&format!("Listing releases matching ^{}$", release.name));
        let Some(listed) = listed else { return String::new() };
        self.session.say(&format!("{}\n", listed.row));
        listed.version
    }

    fn say_upgrading(&self, release: &Release, call: &HelmCall) {
        let chart = call.arguments.get(1).map(|chart| self.named_chart(release, chart)).unwrap_or_default();
        self.session
            .say(&format!("Upgrading release={}, chart={chart}, namespace={}", release.name, release.namespace));
    }

    /// Uninstalls a release that can't be upgraded, and installs it anew; gives the version of its chart.
    fn reinstall(&self, release: &Release) -> Result<String, Failed> {
        self.session.say(&format!(
            "Failed to sync due to forbidden updates, attempting to reinstall {:?} allowed by update strategy",
            release.name
        ));
        let helm = |failure| Failed::processing(release, Why::Helm(failure));
        let other = |failure| Failed::processing(release, Why::Other(failure));
        if self.is_installed(release).map_err(other)? {
            self.hook(release, Event::Preuninstall, "sync")?;
            self.session.say(&format!("Deleting {}", release.name));
            let arguments = uninstall_call(self.state, release, self.flags, Some(true), None);
            let printed = uninstall_for_helmfile(&arguments, &self.session.world);
            self.say_printed(&printed.text);
            printed.outcome.map_err(helm)?;
            self.hook(release, Event::Postuninstall, "sync")?;
        }
        let call = upgrade_call(self.session, self.state, release, self.flags).map_err(other)?;
        self.say_upgrading(release, &call);
        let world = &self.session.world;
        let printed = upgrade_for_helmfile(&call.arguments, &call.world(world), &std::sync::Arc::default());
        self.say_printed(&printed.text);
        printed.outcome.map_err(helm)?;
        let connection = connection_arguments(self.state, release, self.flags);
        Ok(self.say_listed(release, list_for_helmfile(&release.name, &connection, world)))
    }

    /// Uninstalls releases, those that need others before those. `command` is the one that hooks are told.
    pub(super) fn uninstall(
        &self,
        releases: &[&Release],
        command: &str,
        waits: Option<bool>,
        seconds: Option<i64>,
    ) -> Result<Vec<Failed>, Failure> {
        let is_destroyed = command == "delete";
        for wave in self.state.waves(releases)?.into_iter().rev() {
            self.work.check()?;
            let failed = RefCell::new(Vec::new());
            let begun = RefCell::new(vec![Instant::now(); wave.len()]);
            let not_started: RefCell<Vec<Option<Failed>>> = RefCell::new(wave.iter().map(|_| None).collect());
            let start = |at: usize| {
                let release = wave[at];
                begun.borrow_mut()[at] = Instant::now();
                let first = if is_destroyed { Ok(()) } else { self.hook(release, Event::Presync, command) };
                if let Err(failure) = first.and_then(|()| self.hook(release, Event::Preuninstall, command)) {
                    not_started.borrow_mut()[at] = Some(failure);
                    return None;
                }
                self.session.say(&format!("Deleting {}", release.name));
                Some(uninstall_call(self.state, release, self.flags, waits, seconds))
            };
            let world = &self.session.world;
            let work = |arguments: Vec<String>, _: &_| uninstall_for_helmfile(&arguments, world);
            let finish = |at: usize, result: Option<Printed>| {
                let release = wave[at];
                let outcome = match (not_started.borrow_mut()[at].take(), result) {
                    (Some(failure), _) => Err(failure),
                    (None, None) => Err(Failed::processing(release, Why::Other(Failure::text("it was not worked on")))),
                    (None, Some(printed)) => {
                        self.say_printed(&printed.text);
                        let outcome =
                            printed.outcome.map_err(|failure| Failed::processing(release, Why::Helm(failure)));
                        outcome.and_then(|()| self.hook(release, Event::Postuninstall, command))
                    }
                };
                let row = self.row(release, "", begun.borrow()[at]);
                let mut affected = self.affected.borrow_mut();
                match &outcome {
                    Ok(()) => affected.deleted.push(row),
                    Err(_) => affected.not_deleted.push(row),
                }
                drop(affected);
                let outcome = if is_destroyed { outcome } else { self.after(release, outcome, false) };
                failed.borrow_mut().extend(outcome.err().map(|failure| match is_destroyed {
                    true => Failed::of(release, failure.why),
                    false => failure,
                }));
            };
            self.work.each(wave.len(), start, work, finish);
            self.work.check()?;
            let failed = failed.into_inner();
            if !failed.is_empty() {
                return Ok(failed);
            }
        }
        Ok(Vec::new())
    }

    fn row(&self, release: &Release, version: &str, begun: Instant) -> Row {
        Row {
            name: release.name.clone(),
            namespace: release.namespace.clone(),
            chart: release.chart_name.clone(),
            version: version.to_owned(),
            duration: begun.elapsed(),
        }
    }

    /// Says what became of all releases, on stderr.
    pub(super) fn say_affected(&self) {
        self.affected.borrow().say(self.session, !is_plain(self.flags, &self.session.world));
    }

    /// What a failure of some releases is for the command.
    pub(super) fn outcome(&self, failed: Vec<Failed>) -> Result<(), Failure> {
        if failed.is_empty() { Ok(()) } else { Err(Failure::Releases(self.state.path.to_string(), failed)) }
    }

    /// Whether a person is asked.
    pub(super) fn asks(&self) -> bool {
        self.flags.is_set("interactive") || self.session.world.env("HELMFILE_INTERACTIVE").as_deref() == Some("true")
    }

    /// Whether a person agrees, who is asked only with `--interactive`.
    pub(super) fn is_agreed(&self, question: &str) -> Result<bool, Failure> {
        if !self.asks() {
            return Ok(true);
        }
        loop {
            print!("{} [y/n]: ", redacted(question));
            // That nobody reads any more is no failure of ours.
            let _ = std::io::stdout().flush();
            let mut answer = String::new();
            let read = std::io::stdin().lock().read_line(&mut answer);
            if read.map_err(|error| Failure::text(format!("standard input can't be read: {error}")))? == 0 {
                return Err(Failure::text("standard input ended without an answer: y or n"));
            }
            match answer.trim().to_lowercase().as_str() {
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => {}
            }
        }
    }
}
