//! Reading files relative to a kustomization: [`Loader`].

use crate::options::LoadRestrictor;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};
use onepane_world::{EntryKind, World, normalize};
use std::sync::Arc;

/// Bases may stand in bases; a chain longer than this is not meant.
const DEEPEST: usize = 256;

/// Reads files for the kustomization of one folder.
pub(crate) struct Loader<'a> {
    world: &'a dyn World,
    restrictor: LoadRestrictor,
    /// The folder, links followed.
    root: Utf8PathBuf,
    /// Where the world starts, links followed: what is below is shown relative to it.
    start: Arc<Utf8Path>,
    /// The loader of the kustomization that named this one, and where it did.
    referrer: Option<(&'a Loader<'a>, Option<Span>)>,
    depth: usize,
}

/// The contents of a file and the path it is known under.
pub(crate) struct Loaded {
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) file: FileId,
}

impl<'a> Loader<'a> {
    /// For the folder that the build starts in.
    ///
    /// # Errors
    /// `kustomize-no-folder` when there is none, `kustomize-remote` when `path` is a URL.
    pub(crate) fn new(world: &'a dyn World, path: &Utf8Path, restrictor: LoadRestrictor) -> Result<Self> {
        if world.kind(path) != Some(EntryKind::Folder) {
            if is_remote(path.as_str()) {
                return Err(remote_error(path.as_str()));
            }
            let why = if world.kind(path).is_some() { "file is not directory" } else { "no such file or directory" };
            let message = format!("must build at directory: not a valid directory: '{path}': {why}");
            return Err(Diagnostic::error("kustomize-no-folder", message));
        }
        let start = world.canonical("".into()).unwrap_or_default();
        let root =
            world.canonical(path).map_err(|error| Diagnostic::error("kustomize-no-folder", error.to_string()))?;
        Ok(Self { world, restrictor, root, start: start.into(), referrer: None, depth: 0 })
    }

    /// For the folder `path`, named by this loader's kustomization at `span`.
    ///
    /// # Errors
    /// `kustomize-remote`, `kustomize-no-folder`, and `kustomize-cycle` when the folder is or contains one that led
    /// here.
    pub(crate) fn enter<'b>(&'b self, path: &str, span: Option<Span>) -> Result<Loader<'b>>
    where
        'a: 'b,
    {
        let fail = |code, message: String| {
            let error = Diagnostic::error(code, message);
            match span {
                Some(span) => error.at(span),
                None => error,
            }
        };
        if path.is_empty() {
            return Err(fail("kustomize-no-folder", "new root cannot be empty".to_owned()));
        }
        let target = self.join(path);
        if Utf8Path::new(path).is_absolute() {
            return Err(fail("kustomize-no-folder", format!("new root '{path}' cannot be absolute")));
        }
        if self.world.kind(&target) != Some(EntryKind::Folder) {
            if is_remote(path) {
                return Err(crate::accumulate::located(remote_error(path), span));
            }
            let why = if self.world.kind(&target).is_some() { "it is a file" } else { "there is nothing" };
            let mut error =
                fail("kustomize-no-folder", format!("`{path}` is not a folder to build: {why} at `{target}`"));
            if let Some(near) = self.nearest(&target) {
                error = error.hint(format!("did you mean `{near}`?"));
            }
            return Err(error);
        }
        let root = self.world.canonical(&target).map_err(|error| fail("kustomize-no-folder", error.to_string()))?;
        self.refuse_cycle(&root, span)?;
        if self.depth >= DEEPEST {
            return Err(fail("kustomize-cycle", format!("more than {DEEPEST} kustomizations refer to one another")));
        }
        Ok(Loader {
            world: self.world,
            restrictor: self.restrictor,
            root,
            start: self.start.clone(),
            referrer: Some((self, span)),
            depth: self.depth + 1,
        })
    }

    /// A base may not be the folder of a kustomization that led to it, nor contain one.
    fn refuse_cycle(&self, candidate: &Utf8Path, span: Option<Span>) -> Result<()> {
        let mut visited = Some(self);
        let mut chain = Vec::new();
        let mut named_at = span;
        while let Some(loader) = visited {
            chain.push((loader.shown(), named_at));
            if loader.root.starts_with(candidate) {
                let message =
                    format!("cycle detected: candidate root '{candidate}' contains visited root '{}'", loader.root);
                let mut error = Diagnostic::error("kustomize-cycle", message);
                if let Some(span) = span {
                    error = error.at_with(span, "this leads back");
                }
                for (folder, span) in chain {
                    error = error.trace(format!("named by the kustomization in `{folder}`"), span);
                }
                return Err(error.hint("a kustomization may build on folders beside or below it, not on one above it"));
            }
            (visited, named_at) = match loader.referrer {
                Some((referrer, span)) => (Some(referrer), span),
                None => (None, None),
            };
        }
        Ok(())
    }

    /// The contents of a file, named at `span`. A relative path starts at this folder.
    ///
    /// # Errors
    /// `kustomize-missing-file`, `kustomize-outside-root`, `kustomize-remote`.
    pub(crate) fn load(&self, path: &str, span: Option<Span>) -> Result<Loaded> {
        let fail = |code, message: String| {
            let error = Diagnostic::error(code, message);
            match span {
                Some(span) => error.at(span),
                None => error,
            }
        };
        if path.starts_with("http://") || path.starts_with("https://") {
            return Err(crate::accumulate::located(remote_error(path), span));
        }
        let target = self.join(path);
        let target = match self.restrictor {
            LoadRestrictor::None => target,
            LoadRestrictor::RootOnly => {
                let canonical = match self.world.canonical(&target) {
                    Ok(canonical) => canonical,
                    Err(error) => {
                        let mut error = fail("kustomize-missing-file", format!("{error}"));
                        if let Some(near) = self.nearest(&target) {
                            error = error.hint(format!("did you mean `{near}`?"));
                        }
                        return Err(error);
                    }
                };
                if !canonical.starts_with(&self.root) || canonical == self.root {
                    if self.world.kind(&canonical) == Some(EntryKind::Folder) {
                        return Err(fail("kustomize-missing-file", format!("'{target}' must resolve to a file")));
                    }
                    let message = format!("security; file '{canonical}' is not in or below '{}'", self.root);
                    return Err(fail("kustomize-outside-root", message).hint(
                        "move it below the kustomization, or allow it with `--load-restrictor LoadRestrictionsNone`",
                    ));
                }
                canonical
            }
        };
        let shown = self.relative(&target);
        let bytes = self.world.read(&shown).map_err(|error| {
            let mut error = fail("kustomize-missing-file", error.to_string());
            if let Some(near) = self.nearest(&target) {
                error = error.hint(format!("did you mean `{near}`?"));
            }
            error
        })?;
        Ok(Loaded { bytes, file: FileId::new(&shown) })
    }

    /// Where it reads from.
    pub(crate) fn world(&self) -> &dyn World {
        self.world
    }

    /// What is at `path`, relative to this folder.
    pub(crate) fn kind(&self, path: &str) -> Option<EntryKind> {
        self.world.kind(&self.join(path))
    }

    /// The folder, links followed.
    pub(crate) fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// The folder as messages name it: relative to where the world starts, if it is below.
    pub(crate) fn shown(&self) -> Utf8PathBuf {
        self.relative(&self.root)
    }

    /// The path of `path` for the world.
    pub(crate) fn join(&self, path: &str) -> Utf8PathBuf {
        normalize(&self.root.join(path))
    }

    /// A path of this world as messages name it.
    pub(crate) fn relative(&self, path: &Utf8Path) -> Utf8PathBuf {
        path.strip_prefix(&*self.start).unwrap_or(path).to_owned()
    }

    /// A file or folder beside `target` whose name is close to its.
    fn nearest(&self, target: &Utf8Path) -> Option<String> {
        let entries = self.world.list(target.parent()?).ok()?;
        let names = entries.iter().map(|entry| entry.name.as_str());
        crate::decode::closest(target.file_name()?, names).map(str::to_owned)
    }
}

/// Whether a path that is not there locally looks like something to be fetched.
pub(crate) fn is_remote(path: &str) -> bool {
    let schemes = ["http://", "https://", "ssh://", "git@", "git::", "file://", "github.com/", "github.com:", "gh:"];
    schemes.iter().any(|scheme| path.to_ascii_lowercase().starts_with(scheme))
        || path.contains("?ref=")
        || path.contains("?version=")
        || path.contains(".git/")
        || path.ends_with(".git")
}

fn remote_error(path: &str) -> Box<Diagnostic> {
    Diagnostic::error("kustomize-remote", format!("remote bases are not supported yet: `{path}`"))
        .hint("copy it into the repository and name its folder")
}
