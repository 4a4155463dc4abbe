//! What a commit and its pull request say of what is carried: versions, pins, and the commits of services on the way:
//! [`ChangeLogs::of`].

use crate::commands::chosen_images::service_of;
use crate::commands::delivery::DeliveryArguments;
use crate::commands::forges;
use crate::commands::promote::NewPin;
use crate::remotes::own_cache;
use onepane_forge::{Address, Kind};
use onepane_git::{Histories, LocalRepository, Range, Service, short};
use onepane_repo::{Carried, Promotion};
use onepane_resource::ImageName;
use std::fmt::Write;

/// Where the commits of services are looked up.
pub(crate) struct ChangeLogs<'c> {
    git: &'c LocalRepository,
    services: &'c [Service],
    histories: Histories<'c>,
    /// Where the repository itself is pushed to, and which kind of forge somebody says that is.
    forge: Option<(Address, Kind)>,
}

/// What is said.
pub(crate) struct ChangeLog {
    /// Of the commit.
    pub(crate) message: String,
    /// Pages that show commits of services, by their names.
    pub(crate) links: Vec<(String, String)>,
}

/// What happens to a service: names of commits, or tags of images, before and after.
struct Step<'s> {
    service: &'s Service,
    before: &'s str,
    after: &'s str,
}

/// More commits of a service are not listed.
const MOST_COMMITS: usize = 50;

impl<'c> ChangeLogs<'c> {
    /// Of services that may not be checked out: what is pushed is asked for at their servers, unless that is unwanted.
    pub(crate) fn new(
        git: &'c LocalRepository,
        services: &'c [Service],
        delivery: &DeliveryArguments,
        offline: bool,
    ) -> Self {
        let remote = delivery.push.as_deref().filter(|_| !offline);
        let cache = remote.map(|_| own_cache().join("onepane/histories"));
        let forge = remote
            .zip(delivery.forge)
            .and_then(|(remote, kind)| Some((forges::address_of(git, remote, Some(kind)).ok()?, kind)));
        Self { git, services, histories: Histories::new(git, cache), forge }
    }

    /// What is carried, and the commits of each service on the way.
    pub(crate) fn of<'p>(
        &'p self,
        title: &dyn Fn(&str) -> String,
        promotion: &'p Promotion,
        pins: &'p [NewPin],
    ) -> ChangeLog {
        let base = |carried: &Carried| ImageName::parse(&carried.image).base().to_owned();
        let mut names: Vec<String> = promotion.carried.iter().map(base).collect();
        for pin in pins {
            let name = pin.path.file_name().unwrap_or_default();
            if !names.iter().any(|other| other == name) {
                names.push(name.to_owned());
            }
        }
        let mut log = ChangeLog { message: format!("{}\n\n", title(&names.join(", "))), links: Vec::new() };
        let of_image = |carried: &'p Carried| {
            let service = service_of(self.services, &carried.image)?;
            // The pin tells it.
            let is_pinned = pins.iter().any(|pin| pin.path == service.path);
            (!is_pinned).then_some(Step { service, before: &carried.before.tag, after: &carried.after.tag })
        };
        let of_pin = |pin: &'p NewPin| {
            let service = self.services.iter().find(|service| service.path == pin.path)?;
            Some(Step { service, before: pin.before.as_deref()?, after: &pin.after })
        };
        let steps = promotion.carried.iter().filter_map(of_image).chain(pins.iter().filter_map(of_pin));
        let unknown: Vec<&Service> = steps.filter(|step| !self.is_here(step)).map(|step| step.service).collect();
        self.histories.fetch(&unknown);
        for (carried, name) in promotion.carried.iter().zip(&names) {
            _ = writeln!(log.message, "{name}: {} → {} ({})", carried.before, carried.after, carried.file);
            if let Some(why) = &carried.left {
                _ = writeln!(log.message, "    the lines that say another version are left alone: {why}");
            }
            self.tell(&mut log, of_image(carried));
        }
        for pin in pins {
            let shown = pin.before.as_deref().map_or("nothing", short);
            _ = writeln!(log.message, "{}: {shown} → {}", pin.path, short(&pin.after));
            self.tell(&mut log, of_pin(pin));
        }
        log
    }

    /// Whether the commits are on this machine, so that nobody has to be asked.
    fn is_here(&self, step: &Step<'_>) -> bool {
        let Step { service, before, after } = *step;
        let commit = |name: &str| self.git.commit_of_tag(&service.path, name);
        let between = commit(before).zip(commit(after));
        between.is_some_and(|(before, after)| self.git.range(&service.path, &before, &after, 0).is_some())
    }

    /// Lists the commits of a step, or where to look for them.
    fn tell(&self, log: &mut ChangeLog, step: Option<Step<'_>>) {
        let Some(Step { service, before, after }) = step else { return };
        let commit = |name: &str| self.histories.commit_of_tag(service, name);
        let (from, to) = (commit(before), commit(after));
        let link = self.link(service, from.as_deref().unwrap_or(before), to.as_deref().unwrap_or(after));
        let listed = from.zip(to).and_then(|(from, to)| {
            let range = self.histories.range(service, &from, &to, MOST_COMMITS)?;
            let back = range.goes_back.then(|| self.histories.range(service, &to, &from, MOST_COMMITS)).flatten();
            Some((range, back))
        });
        match (listed, &link) {
            (Some((range, back)), _) => {
                list(&mut log.message, &range, "");
                if range.goes_back {
                    log.message += "    goes back, without\n";
                    back.iter().for_each(|back| list(&mut log.message, back, "- "));
                }
            }
            (None, Some(link)) => _ = writeln!(log.message, "    {link}"),
            (None, None) => {}
        }
        log.links.extend(link.map(|link| (service.path.file_name().unwrap_or_default().to_owned(), link)));
    }

    /// The page that shows the commits, where the service is at a forge.
    fn link(&self, service: &Service, before: &str, after: &str) -> Option<String> {
        if before.is_empty() || after.is_empty() || before == after {
            return None;
        }
        let url = self.git.service_url(service)?;
        let address = Address::of(&url, None).ok().or_else(|| {
            // What is on the same host is of the same kind.
            let (own, kind) = self.forge.as_ref()?;
            Address::of(&url, Some(*kind)).ok().filter(|address| address.origin == own.origin)
        })?;
        Some(address.compare(before, after))
    }
}

fn list(text: &mut String, range: &Range, sign: &str) {
    range.ahead.iter().for_each(|commit| _ = writeln!(text, "    {sign}{} {}", commit.short(), commit.title));
    if range.unlisted > 0 {
        _ = writeln!(text, "    {sign}… {} more", range.unlisted);
    }
}
