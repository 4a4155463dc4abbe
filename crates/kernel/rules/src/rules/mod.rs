//! The rules, one a file.

mod api_versions;
mod autoscalers;
mod bindings;
mod budgets;
mod containers;
mod cron;
mod duplicates;
mod images;
mod ingresses;
mod names;
mod opinions;
mod pod_references;
mod ports;
mod schema;
mod selectors;
mod services;
mod stateful_sets;
mod webhooks;

use crate::{Finding, Scene};

/// A rule: what it finds in a scene goes to the list.
type Check = fn(&Scene<'_>, &mut Vec<Finding>);

/// All that look at resources.
pub(crate) const CHECKS: &[Check] = &[
    schema::check,
    api_versions::check,
    names::check,
    duplicates::check,
    pod_references::check,
    services::check,
    ingresses::check,
    autoscalers::check,
    budgets::check,
    bindings::check,
    webhooks::check,
    stateful_sets::check,
    selectors::check,
    containers::check,
    ports::check,
    cron::check,
    images::check,
    opinions::check,
];
