//! Results of earlier runs: [`ResultsArguments`].

use crate::remotes::user_cache;
use crate::terminal::Terminal;
use onepane_repo::Memo;
use onepane_store::DiskStore;
use std::time::UNIX_EPOCH;

/// What commands take that use results of earlier runs.
#[derive(clap::Args)]
pub(crate) struct ResultsArguments {
    /// Neither use nor keep results of earlier runs
    #[arg(long)]
    no_cache: bool,
    /// Say on stderr how many results were there from earlier runs, and how many had to be made
    #[arg(long)]
    counters: bool,
}

/// That many bytes of results are kept where nothing else is said.
const MOST_BYTES: u64 = 1 << 30;

/// The variable that says how many, in bytes; none are kept for 0.
const LIMIT: &str = "ONEPANE_CACHE_BYTES";

impl ResultsArguments {
    /// Where results are kept, in the user's cache folder; `None` where none are.
    pub(crate) fn store(&self) -> Option<DiskStore> {
        let variable = |name: &str| std::env::var(name).ok();
        let most_bytes = match variable(LIMIT).filter(|text| !text.is_empty()) {
            Some(text) => text.parse().unwrap_or(MOST_BYTES),
            None => MOST_BYTES,
        };
        if self.no_cache || most_bytes == 0 {
            return None;
        }
        Some(DiskStore::new(user_cache(&variable)?.join("onepane/results"), &program()?, most_bytes))
    }

    /// Tells what was there, if that is wanted.
    pub(crate) fn report(&self, terminal: &Terminal, memo: Option<&Memo<'_>>) {
        if self.counters {
            let (kept, made) = memo.map(Memo::counts).unwrap_or_default();
            terminal.note(&format!("results: {kept} kept, {made} made"));
        }
    }
}

/// What tells this program from any other that keeps results: another version may come to others.
fn program() -> Option<Vec<u8>> {
    let metadata = std::fs::metadata(std::env::current_exe().ok()?).ok()?;
    let made = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(format!("{} {} {}", env!("CARGO_PKG_VERSION"), metadata.len(), made.as_nanos()).into_bytes())
}
