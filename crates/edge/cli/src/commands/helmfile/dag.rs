//! `helmfile show-dag`: which release needs which.

use super::list::trimmed;
use super::session::Session;
use super::{Failure, print};
use crate::commands::pflag::Parsed;

pub(super) fn run(flags: &Parsed) -> Result<(), Failure> {
    let session = Session::open(flags)?;
    let mut any = false;
    for state in &session.states {
        let mut rows = vec![["GROUP".to_owned(), "RELEASE".to_owned(), "DEPENDENCIES".to_owned()]];
        for (at, group) in state.groups()?.iter().enumerate() {
            for release in group {
                any = true;
                rows.push([(at + 1).to_string(), release.id(), release.needs.join(", ")]);
            }
        }
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0) + 1;
        let (first, second) = (width(0), width(1));
        let lines = rows.iter().map(|[group, id, needs]| format!("{group:first$}{id:second$}{needs}\n"));
        print(&trimmed(&lines.collect::<String>()))?;
    }
    session.check_selected(any, flags)
}
