//! `onepane init`: a new repository of the pattern, or the example company; one that was there before, adopted; a key
//! for its secrets.

mod adopt;
mod age_key;

use crate::atomic;
use crate::commands::{open, render};
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Diagnostic;
use onepane_repo::Repository;
use onepane_sops::CONFIG_NAME;
use std::process::ExitCode;

/// What `onepane init` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder to make; it must not exist or be empty [default: adopt the repository that is there]
    #[arg(value_name = "DIR")]
    folder: Option<Utf8PathBuf>,
    /// Make the example company `shop`, with its services as submodules
    #[arg(long, requires = "folder")]
    example: bool,
    /// Encrypt secrets for your age key, which is made where there is none, and say so in the repository's .sops.yaml;
    /// without DIR, in the repository that is there
    #[arg(long)]
    age_key: bool,
}

/// Makes the repository.
pub(crate) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let Some(folder) = arguments.folder.as_deref() else {
        if !arguments.age_key {
            return adopt::run(terminal, directory);
        }
        let (root, _) = open(directory)?;
        let text = add_key(&root)?;
        terminal.print(text.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    };
    let failed = |error: onepane_example::Error| Diagnostic::error("init", error.to_string());
    let mut text = if arguments.example {
        let files = onepane_example::write_files(folder.as_std_path()).map_err(failed)?;
        // It belongs into the first commit.
        let key = if arguments.age_key { add_key(folder)? } else { String::new() };
        let rendered = render_all(terminal, folder)?;
        let company = onepane_example::commit(folder.as_std_path(), "Everything that runs").map_err(failed)?;
        let services: Vec<&str> = company.services.iter().map(|service| service.name).collect();
        format!(
            "{folder}: the company `shop`: {files} files, {rendered} more rendered from charts, services {} as submodules\n{key}",
            services.join(", ")
        )
    } else {
        let files = onepane_example::write_skeleton(folder.as_std_path()).map_err(failed)?;
        let key = if arguments.age_key { add_key(folder)? } else { String::new() };
        format!("{folder}: a new repository, {files} files\n{key}")
    };
    text.push_str(&format!("next: onepane -C {folder} build\n"));
    if !arguments.age_key {
        text.push_str(&format!("for secrets: onepane -C {folder} init --age-key\n"));
    }
    terminal.print(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Lets the repository at `root` encrypt for the user's age key.
fn add_key(root: &Utf8Path) -> Result<String, Failure> {
    let config = root.join(CONFIG_NAME);
    if config.exists() {
        let error = Diagnostic::error("init", format!("`{config}` is there already"));
        return Err(error
            .hint("add your recipient to its rules; `onepane secrets rotate -i --add-age` adds it to files")
            .into());
    }
    let key = age_key::find_or_make(root)?;
    atomic::write(&config, age_key::rules(&key.recipient).as_bytes())?;
    let how = if key.is_new { "a new age key; keep a copy of it elsewhere" } else { "your age key, as it is" };
    Ok(format!("{}: {how}\n{config}: secrets are encrypted for {}\n", key.place, key.recipient))
}

/// Renders every release, before the first commit; how many files that gave.
fn render_all(terminal: &Terminal, folder: &Utf8Path) -> Result<usize, Failure> {
    let (root, world) = open(Some(folder))?;
    let repository = Repository::open(&world).map_err(Failure::below(&root))?;
    let rendered = render::render(terminal, &repository, &[], "default", &root)?;
    Ok(render::write(&root, &repository, &rendered, Vec::new()).map_err(Failure::below(&root))?.files)
}
