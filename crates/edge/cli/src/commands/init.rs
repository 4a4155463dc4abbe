//! `onepane init`: a new repository of the pattern, or the example company.

use crate::commands::{open, render};
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Diagnostic;
use onepane_repo::Repository;
use std::process::ExitCode;

/// What `onepane init` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder to make; it must not exist or be empty
    #[arg(value_name = "DIR")]
    folder: Utf8PathBuf,
    /// Make the example company `shop`, with its services as submodules
    #[arg(long)]
    example: bool,
}

/// Makes the repository.
pub(crate) fn run(terminal: &Terminal, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let folder = arguments.folder.as_path();
    let failed = |error: onepane_example::Error| Diagnostic::error("init", error.to_string());
    let mut text = if arguments.example {
        let files = onepane_example::write_files(folder.as_std_path()).map_err(failed)?;
        let rendered = render_all(terminal, folder)?;
        let company = onepane_example::commit(folder.as_std_path(), "Everything that runs").map_err(failed)?;
        let services: Vec<&str> = company.services.iter().map(|service| service.name).collect();
        format!(
            "{folder}: the company `shop`: {files} files, {rendered} more rendered from charts, services {} as submodules\n",
            services.join(", ")
        )
    } else {
        let files = onepane_example::write_skeleton(folder.as_std_path()).map_err(failed)?;
        format!("{folder}: a new repository, {files} files\n")
    };
    text.push_str(&format!("next: onepane -C {folder} build\n"));
    terminal.print(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Renders every release, before the first commit; how many files that gave.
fn render_all(terminal: &Terminal, folder: &Utf8Path) -> Result<usize, Failure> {
    let (root, world) = open(Some(folder))?;
    let repository = Repository::open(&world).map_err(Failure::below(&root))?;
    let rendered = render::render(terminal, &repository, &[], "default", &root)?;
    Ok(render::write(&root, &repository, &rendered, Vec::new()).map_err(Failure::below(&root))?.files)
}
