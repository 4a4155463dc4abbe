//! Serves an embedded cluster until stdin ends, to try clients on: `cargo run -p onepane-embedded --example serve >kubeconfig`.

use onepane_embedded::{Embedded, Options};
use std::io::Read;

fn main() -> std::io::Result<()> {
    let cluster = Embedded::start(Options::default())?;
    print!("{}", cluster.kubeconfig());
    eprintln!("an embedded cluster, in which nothing runs: {}", cluster.url());
    std::io::Write::flush(&mut std::io::stdout())?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
