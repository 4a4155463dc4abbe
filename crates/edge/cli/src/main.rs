//! The `onepane` binary.
//!
//! It reads the command line ([`arguments`]), hands it to one file of [`commands`], and turns what comes back into
//! output and an exit code ([`terminal`]). Everything that writes to disk goes through [`atomic`]. What a command
//! means is decided in the kernel crates, not here.

mod arguments;
mod atomic;
mod chart_sources;
mod commands;
mod elsewhere;
mod jsonpath;
mod markup;
mod process;
mod redaction;
mod remotes;
mod results;
mod terminal;

use std::process::ExitCode;

// Rendering makes and drops millions of small strings.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Template and YAML nesting is bounded by depth, and these bounds are Go's, whose stacks grow to 1 GB. The memory is
/// only reserved, not used, until something nests that deep.
const STACK_BYTES: usize = 256 << 20;

fn main() -> ExitCode {
    // On the main thread, because another one would have a heap of its own, which takes as long to set up as the rest.
    stacker::grow(STACK_BYTES, || arguments::dispatch(std::env::args().collect()))
}
