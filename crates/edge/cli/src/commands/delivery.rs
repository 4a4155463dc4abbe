//! Edits brought to where they count: to the files on disk, to a branch of this machine, to one of a server, and into a pull
//! request ([`Delivery::run`]).

use crate::commands::change_log::ChangeLog;
use crate::commands::plan::{self, Compared, Plan, ReportArguments};
use crate::commands::promote::NewPin;
use crate::commands::{forges, open, pull_requests};
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Diagnostic;
use onepane_forge::{Forge, Kind, NewPullRequest, PullRequest};
use onepane_git::{Checkout, LeftEdit, LocalRepository, Merged, NewCommit, Tree, pause, short};
use onepane_world::{Edited, World};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// Where an edit goes.
#[derive(clap::Args)]
pub(crate) struct DeliveryArguments {
    /// Show what would change, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Commit to this branch, which begins at HEAD if it is not there; the files here stay as they are
    #[arg(long, value_name = "BRANCH")]
    branch: Option<String>,
    /// Push the commit, made on top of what the branch has there [default: origin, and the branch that is checked out]
    #[arg(long, value_name = "REMOTE", num_args = 0..=1, require_equals = true, default_missing_value = "origin")]
    pub(crate) push: Option<String>,
    /// Open a pull request for what was pushed, into this branch [default: the remote's own]
    #[arg(long, value_name = "BASE", num_args = 0..=1, require_equals = true, default_missing_value = "", requires = "push")]
    pub(crate) pull_request: Option<String>,
    /// Open one also where somebody has closed a pull request for the same
    #[arg(long, requires = "pull_request")]
    reopen: bool,
    /// Which kind of forge the remote is, where its name does not show it: github, gitlab or gitea
    #[arg(long, value_name = "KIND", value_parser = forges::kind)]
    pub(crate) forge: Option<Kind>,
}

impl DeliveryArguments {
    /// Where an edit goes, if not to the files here.
    pub(crate) fn place(&self) -> Option<&str> {
        self.push.as_deref().or(self.branch.as_deref())
    }
}

/// What is to change.
pub(crate) struct Edit {
    /// The new texts of files.
    pub(crate) files: BTreeMap<Utf8PathBuf, String>,
    /// Submodules, and the commits that they get.
    pub(crate) pins: Vec<(Utf8PathBuf, String)>,
    /// What is said of it.
    pub(crate) log: ChangeLog,
    /// What it does to clusters.
    pub(crate) plan: Plan,
    /// Whom a pull request asks.
    pub(crate) reviewers: Vec<String>,
    /// What is carried, each by one name for all times: who closes a pull request says no to that. Empty where nobody can have
    /// said so.
    pub(crate) carried: Vec<String>,
}

/// What makes an edit of the files of a state; `None` where there is nothing to do.
type MakeEdit<'e> = dyn Fn(&State<'_>) -> Result<Option<Edit>, Failure> + 'e;

/// The files that an edit begins with.
pub(crate) struct State<'s> {
    pub(crate) world: &'s dyn World,
    /// The commit whose files they are; those on disk otherwise.
    pub(crate) base: Option<&'s str>,
    /// How errors in them are shown.
    pub(crate) failure: Box<dyn Fn(Box<Diagnostic>) -> Failure + 's>,
}

impl State<'_> {
    /// What it is called in words.
    fn name(&self) -> &str {
        self.base.map_or("the files on disk", short)
    }
}

/// A repository in which edits are delivered.
pub(crate) struct Delivery {
    pub(crate) root: Utf8PathBuf,
    pub(crate) disk: Checkout,
    pub(crate) git: LocalRepository,
}

/// How often it is tried again to commit to a branch that others write to.
const MOST_TRIES: u32 = 200;

/// Where the next try begins.
struct Start {
    /// The commit to build upon; the files on disk otherwise.
    base: Option<String>,
    /// Where the branch is, if it has something of its own that a pull request could be about.
    begun: Option<String>,
    /// Where the branch is that a pull request is into.
    onto: Option<String>,
}

impl Start {
    fn at(base: Option<String>) -> Self {
        Self { base, begun: None, onto: None }
    }
}

impl Delivery {
    /// In the repository that `directory` is in. What a run that was killed has left half-written there is written first.
    pub(crate) fn open(terminal: &Terminal, directory: Option<&Utf8Path>) -> Result<Self, Failure> {
        let (root, disk) = open(directory)?;
        let git = LocalRepository::of(&root)?;
        let Some(left) = git.finish_edit()? else { return Ok(Self { root, disk, git }) };
        match left {
            LeftEdit::TakenBack => {}
            LeftEdit::Finished(paths) => {
                let paths: Vec<&str> = paths.iter().map(|path| path.as_str()).collect();
                terminal
                    .note(&format!("a run was killed while it wrote; the rest is written now: {}", paths.join(", ")));
            }
            LeftEdit::Overtaken(path) => {
                let message = format!("a run was killed while it wrote, and `{path}` was changed since");
                let warning = Diagnostic::warning("edit-overtaken", message)
                    .hint("what it has written and what it has not is left as it is: `git diff` shows it");
                terminal.report(&warning, &root);
            }
        }
        // What was read of the files may be out of date.
        let (root, disk) = open(directory)?;
        Ok(Self { root, disk, git })
    }

    /// What an edit of `state` does to clusters: these texts of files, these pins.
    pub(crate) fn plan(
        &self,
        terminal: &Terminal,
        state: &State<'_>,
        files: &BTreeMap<Utf8PathBuf, String>,
        pins: &[NewPin],
        compared: &Compared<'_>,
    ) -> Result<Plan, Failure> {
        let edited = Edited::new(state.world, files.clone());
        plan::of_edit(terminal, &self.git, &self.root, [state.world, &edited], state.name(), pins, compared)
    }

    /// Makes an edit, again where others were quicker, shows what it does, and delivers it; `false` where there is nothing to
    /// do. `branch` is what a pull request's is called, if nobody says so.
    pub(crate) fn run(
        &self,
        terminal: &Terminal,
        arguments: &DeliveryArguments,
        report: &ReportArguments,
        branch: &str,
        edit: &MakeEdit<'_>,
    ) -> Result<(bool, ExitCode), Failure> {
        let branch = self.branch(arguments, branch)?;
        let closed = OnceCell::new();
        for turn in 0..MOST_TRIES {
            let start = self.start(arguments, branch.as_deref())?;
            let base = start.base.as_deref();
            let tree: Option<Tree> = base.map(|base| self.git.files(base)).transpose()?;
            let world: &dyn World = tree.as_ref().map_or(&self.disk, |tree| tree);
            let failure: Box<dyn Fn(Box<Diagnostic>) -> Failure + '_> = match base {
                Some(_) => Box::new(Failure::without_excerpts),
                None => Box::new(Failure::below(&self.root)),
            };
            let Some(made) = edit(&State { world, base, failure })? else {
                // It was pushed before, and may be what a pull request is still to be opened for.
                if let (Some(_), Some(branch), false) = (&start.begun, &branch, arguments.dry_run) {
                    self.offer(terminal, arguments, branch, &start, None, edit)?;
                }
                return Ok((false, ExitCode::SUCCESS));
            };
            let (Some(branch), Some(parent), false) = (&branch, base, arguments.dry_run) else {
                let code = report.print(terminal, made.plan)?;
                if !arguments.dry_run {
                    let files: Vec<(Utf8PathBuf, String)> = made.files.into_iter().collect();
                    self.git.write_edit(&files, &made.pins)?;
                }
                terminal.note(made.log.message.trim_end());
                return Ok((true, code));
            };
            let said_no = match closed.get() {
                Some(closed) => closed,
                None => {
                    let asked = if made.carried.is_empty() { Vec::new() } else { self.closed(arguments, branch)? };
                    closed.get_or_init(|| asked)
                }
            };
            if let Some(pull) = pull_requests::declined(said_no, &made.carried, None) {
                terminal.note(&pull_requests::declined_words(pull, branch, None));
                return Ok((true, ExitCode::SUCCESS));
            }
            let files: Vec<(Utf8PathBuf, String)> = made.files.clone().into_iter().collect();
            let new = NewCommit { parent, files: &files, pins: &made.pins, message: &made.log.message };
            let commit = self.git.commit_files(&new)?;
            let title = made.log.message.lines().next().unwrap_or_default();
            let is_taken = match &arguments.push {
                Some(remote) => self.git.push(remote, &commit, branch)?,
                None => self.git.advance(branch, parent, &commit, title)?,
            };
            if is_taken {
                let place =
                    arguments.push.as_ref().map_or_else(|| branch.clone(), |remote| format!("{remote}/{branch}"));
                let told = format!("{} on {place}\n{}", short(&commit), made.log.message.trim_end());
                let Edit { plan, log, reviewers, carried, .. } = made;
                let code = report.print(terminal, plan)?;
                terminal.note(&told);
                let offered = Offered { log, reviewers, carried };
                self.offer(terminal, arguments, branch, &start, Some(offered), edit)?;
                return Ok((true, code));
            }
            pause(turn);
        }
        let message = format!("others have moved the branch {MOST_TRIES} times meanwhile");
        Err(Diagnostic::error("promote-busy", message).hint("run it again").into())
    }

    /// The branch that gets the commit; none where files are written.
    fn branch(&self, arguments: &DeliveryArguments, of_pull_request: &str) -> Result<Option<String>, Failure> {
        if let Some(branch) = &arguments.branch {
            return Ok(Some(branch.clone()));
        }
        if arguments.pull_request.is_some() {
            let is_fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.');
            return Ok(Some(of_pull_request.chars().map(|c| if is_fit(c) { c } else { '-' }).collect()));
        }
        if arguments.push.is_none() {
            return Ok(None);
        }
        let branch = self.git.branch().ok_or_else(|| {
            Diagnostic::error("git-branch", "no branch is checked out")
                .hint("`--branch` says which one gets the commit")
        })?;
        Ok(Some(branch))
    }

    fn start(&self, arguments: &DeliveryArguments, branch: Option<&str>) -> Result<Start, Failure> {
        let Some(branch) = branch else { return Ok(Start::at(None)) };
        let Some(remote) = &arguments.push else {
            let base = self.git.branch_tip(branch)?.map_or_else(|| self.git.commit("HEAD"), Ok)?;
            return Ok(Start::at(Some(base)));
        };
        let tip = self.git.fetch_branch(remote, branch)?;
        if let (Some(tip), None) = (&tip, &arguments.pull_request) {
            return Ok(Start::at(Some(tip.clone())));
        }
        let into = self.base_branch(arguments, remote)?;
        let base = self.git.fetch_branch(remote, &into)?.ok_or_else(|| {
            Diagnostic::error("git-branch", format!("`{remote}` has no branch `{into}` to begin with"))
        })?;
        let onto = Some(base.clone());
        let Some(tip) = tip else { return Ok(Start { base: Some(base), begun: None, onto }) };
        // What is carried is what the other branch says now, and not what it said when this one began.
        let merged = self.git.merged(&tip, &base, &format!("Merge {into} into {branch}\n"));
        let merged = merged.map_err(|mut error| {
            error.message = format!("`{branch}` and `{into}` at `{remote}` don't come together: {}", error.message);
            error.hint(format!("merge `{into}` into `{branch}` by hand, or delete that branch: it begins anew then"))
        })?;
        Ok(match merged {
            Merged::UpToDate => Start { base: Some(tip.clone()), begun: Some(tip), onto },
            // One that was merged begins anew.
            Merged::Nothing => Start { base: Some(base), begun: None, onto },
            Merged::Commit(commit) => {
                let begun = (!self.git.is_same(&commit, &base)?).then_some(tip);
                Start { base: Some(commit), begun, onto }
            }
        })
    }

    /// What a new branch begins with, and a pull request is into.
    fn base_branch(&self, arguments: &DeliveryArguments, remote: &str) -> Result<String, Failure> {
        match arguments.pull_request.as_deref() {
            Some(base) if !base.is_empty() => Ok(base.to_owned()),
            _ => Ok(self.git.default_branch(remote)?),
        }
    }

    fn forge(&self, arguments: &DeliveryArguments, remote: &str) -> Result<Forge, Failure> {
        let address = forges::address_of(&self.git, remote, arguments.forge)?;
        forges::forge(&self.git, address, "to open a pull request with; the branch is pushed")
    }

    /// The pull requests of the branch that somebody has closed, if they count: if none is open, and nobody wants them opened again.
    fn closed(&self, arguments: &DeliveryArguments, branch: &str) -> Result<Vec<PullRequest>, Failure> {
        let (Some(remote), Some(_), false) = (&arguments.push, &arguments.pull_request, arguments.reopen) else {
            return Ok(Vec::new());
        };
        // What is missing is told when the branch is there, so that somebody can open one by hand.
        let Ok(forge) = self.forge(arguments, remote) else { return Ok(Vec::new()) };
        let base = self.base_branch(arguments, remote)?;
        if forge.open_one(branch, &base)?.is_some() {
            return Ok(Vec::new());
        }
        Ok(forge.closed_ones(branch, &base)?)
    }

    /// Sees to it that there is a pull request for a branch, which says what the branch carries: with what was made just now,
    /// or with what it had.
    fn offer(
        &self,
        terminal: &Terminal,
        arguments: &DeliveryArguments,
        branch: &str,
        start: &Start,
        made: Option<Offered>,
        edit: &MakeEdit<'_>,
    ) -> Result<(), Failure> {
        let (Some(remote), Some(_)) = (&arguments.push, &arguments.pull_request) else { return Ok(()) };
        let base = self.base_branch(arguments, remote)?;
        let forge = self.forge(arguments, remote)?;
        let open = forge.open_one(branch, &base)?;
        if let (Some(pull), None) = (&open, &made) {
            terminal.note(&format!("#{} is open already: {}", pull.number, pull.url));
            return Ok(());
        }
        // A commit on top of others does not tell what those carry.
        let whole = match (&start.begun, &start.onto) {
            (Some(_), Some(onto)) => self.whole(onto, edit),
            _ => None,
        };
        if let (Some(tip), None, false) = (&start.begun, &made, arguments.reopen) {
            let carried = whole.as_ref().map(|whole| whole.carried.as_slice()).unwrap_or_default();
            let closed = forge.closed_ones(branch, &base)?;
            if let Some(pull) = pull_requests::declined(&closed, carried, Some(tip)) {
                terminal.note(&pull_requests::declined_words(pull, branch, Some(tip)));
                return Ok(());
            }
        }
        let offered = match (whole.or(made), &start.begun) {
            (Some(offered), _) => offered,
            (None, Some(tip)) => {
                let log = ChangeLog { message: self.git.message(tip)?, links: Vec::new() };
                Offered { log, reviewers: Vec::new(), carried: Vec::new() }
            }
            (None, None) => return Ok(()),
        };
        let title = offered.log.message.lines().next().unwrap_or_default();
        let text = pull_requests::text_of(&offered.log, &offered.carried);
        let Some(pull) = open else {
            let new = NewPullRequest { head: branch, base: &base, title, text: &text, reviewers: &offered.reviewers };
            let opened = forge.open(&new)?;
            terminal.note(&format!("#{} opened: {}", opened.number, opened.url));
            return Ok(());
        };
        if pull_requests::is_ours(&pull.text) && pull.text != text {
            forge.rewrite(pull.number, title, &text)?;
        }
        terminal.note(&format!("#{} is open already: {}", pull.number, pull.url));
        Ok(())
    }

    /// What a branch carries into the one that it is to be merged into, if that can be told.
    fn whole(&self, onto: &str, edit: &MakeEdit<'_>) -> Option<Offered> {
        let tree = self.git.files(onto).ok()?;
        let failure = Box::new(Failure::without_excerpts);
        let Edit { log, reviewers, carried, .. } =
            edit(&State { world: &tree, base: Some(onto), failure }).ok().flatten()?;
        Some(Offered { log, reviewers, carried })
    }
}

/// What a pull request is to say, and to whom.
struct Offered {
    log: ChangeLog,
    reviewers: Vec<String>,
    carried: Vec<String>,
}
