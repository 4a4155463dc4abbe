//! Reading files relative to a kustomization: [`Loader`].

use crate::accumulate::located;
use crate::options::LoadRestrictor;
use crate::remote::{RemoteFile, RemoteTree, Remotes, RepositoryUrl, is_http, without_password};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};
use onepane_world::{EntryKind, Recorded, World, normalize};
use std::cell::RefCell;
use std::sync::Arc;

/// Bases may stand in bases; a chain longer than this is not meant.
const DEEPEST: usize = 256;

/// Reads files for the kustomization of one folder.
pub(crate) struct Loader<'a> {
    world: &'a dyn World,
    remotes: Option<&'a dyn Remotes>,
    /// The repository that the folder is in, where it is none of the world's.
    repository: Option<Arc<Repository>>,
    restrictor: LoadRestrictor,
    /// The folder, links followed.
    root: Utf8PathBuf,
    /// Where the world starts, links followed: what is below is shown relative to it.
    start: Arc<Utf8Path>,
    /// The loader of the kustomization that named this one, and where it did.
    referrer: Option<(&'a Loader<'a>, Option<Span>)>,
    depth: usize,
    /// What the user should know of how files were fetched, and has not been told.
    warnings: RefCell<Vec<Diagnostic>>,
}

/// A repository from elsewhere, and what it was named by.
struct Repository {
    url: RepositoryUrl,
    tree: RemoteTree,
}

/// The contents of a file and the path it is known under.
pub(crate) struct Loaded {
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) file: FileId,
}

impl<'a> Loader<'a> {
    /// For the folder or repository that the build starts in.
    ///
    /// # Errors
    /// `kustomize-no-folder` when there is none, and what [`Self::fetch`] says.
    pub(crate) fn new(
        world: &'a dyn World,
        remotes: Option<&'a dyn Remotes>,
        path: &Utf8Path,
        restrictor: LoadRestrictor,
    ) -> Result<Self> {
        let start: Arc<Utf8Path> = world.canonical("".into()).unwrap_or_default().into();
        let root = start.to_path_buf();
        let warnings = RefCell::default();
        let repository = None;
        let loader = Self { world, remotes, repository, restrictor, root, start, referrer: None, depth: 0, warnings };
        if let Some(url) = RepositoryUrl::parse(path.as_str()) {
            let repository = loader.fetch(url, None)?;
            return loader.at_repository(repository, None);
        }
        if world.kind(path) != Some(EntryKind::Folder) {
            let why = if world.kind(path).is_some() { "file is not directory" } else { "no such file or directory" };
            let message = format!("must build at directory: not a valid directory: '{path}': {why}");
            let error = Diagnostic::error("kustomize-no-folder", message);
            return Err(error.hint("name the folder that holds a kustomization.yaml"));
        }
        let root =
            world.canonical(path).map_err(|error| Diagnostic::error("kustomize-no-folder", error.to_string()))?;
        Ok(Self { root, ..loader })
    }

    /// For the folder or repository `path`, named by this loader's kustomization at `span`.
    ///
    /// # Errors
    /// `kustomize-no-folder`, `kustomize-cycle` when the folder is or contains one that led here, and what
    /// [`Self::fetch`] says.
    pub(crate) fn enter<'b>(&'b self, path: &str, span: Option<Span>) -> Result<Loader<'b>>
    where
        'a: 'b,
    {
        let fail = |code, message: String| located(Diagnostic::error(code, message), span);
        if path.is_empty() {
            let error = fail("kustomize-no-folder", "new root cannot be empty".to_owned());
            return Err(error.hint("name a folder, or take the entry out"));
        }
        if let Some(url) = RepositoryUrl::parse(path) {
            self.refuse_repository_cycle(&url, span)?;
            let repository = self.fetch(url, span)?;
            return self.below(span)?.at_repository(repository, span);
        }
        let target = self.join(path);
        if Utf8Path::new(path).is_absolute() {
            let error = fail("kustomize-no-folder", format!("new root '{path}' cannot be absolute"));
            return Err(error.hint("write the path from the folder of this kustomization"));
        }
        if let Some(repository) = &self.repository
            && !target.starts_with(&repository.tree.root)
        {
            let message = format!(
                "security; bases in kustomizations found in cloned git repos must be within the repo, but base \
                 '{path}' is outside '{}'",
                repository.url.clone_url
            );
            return Err(fail("kustomize-outside-root", message).hint("name what is outside by its own URL"));
        }
        if self.world().kind(&target) != Some(EntryKind::Folder) {
            let why = if self.world().kind(&target).is_some() { "it is a file" } else { "there is nothing" };
            let message = format!("`{path}` is not a folder to build: {why} at `{}`", self.relative(&target));
            let hint = "the folder of a kustomization belongs here; paths start at the folder of this one";
            return Err(fail("kustomize-no-folder", message).hint(self.nearest(&target).unwrap_or(hint.to_owned())));
        }
        let root = self.world().canonical(&target).map_err(|error| fail("kustomize-no-folder", error.to_string()))?;
        self.refuse_cycle(&root, span)?;
        Ok(Loader { root, ..self.below(span)? })
    }

    /// One like this, named by it at `span`.
    fn below<'b>(&'b self, span: Option<Span>) -> Result<Loader<'b>>
    where
        'a: 'b,
    {
        if self.depth >= DEEPEST {
            let message = format!("more than {DEEPEST} kustomizations refer to one another");
            let error = located(Diagnostic::error("kustomize-cycle", message), span);
            return Err(error.hint("let overlays build on fewer others"));
        }
        Ok(Loader {
            world: self.world,
            remotes: self.remotes,
            repository: self.repository.clone(),
            restrictor: self.restrictor,
            root: self.root.clone(),
            start: self.start.clone(),
            referrer: Some((self, span)),
            depth: self.depth + 1,
            warnings: RefCell::default(),
        })
    }

    /// As it is, reading through `world`, who has the same files.
    pub(crate) fn reading<'b>(self, world: &'b dyn World) -> Loader<'b>
    where
        'a: 'b,
    {
        Loader { world, ..self }
    }

    /// Who notes what is read, if somebody does.
    pub(crate) fn recorder(&self) -> Option<&'a Recorded<'a>> {
        self.world.recorder()
    }

    /// The folder that `repository`'s URL names. Nothing outside it is read from there.
    fn at_repository(self, repository: Repository, span: Option<Span>) -> Result<Self> {
        let RemoteTree { world, root: top, .. } = &repository.tree;
        let wanted = top.join(&repository.url.folder);
        let fail = |message| {
            let error = located(Diagnostic::error("kustomize-no-folder", message), span);
            Err(error.hint("the folder is what follows `//` in the URL, at the revision that `?ref=` names"))
        };
        let named = || format!("`{}` of {}", repository.url.folder, repository.url.clone_url);
        match world.kind(&wanted) {
            Some(EntryKind::Folder) => {}
            Some(_) => return fail(format!("{} is a file; expecting directory", named())),
            None => return fail(format!("there is no {} at {}", named(), repository.tree.commit)),
        }
        match world.canonical(&wanted) {
            Ok(root) if root.starts_with(top) => {
                let start = top.as_path().into();
                let restrictor = LoadRestrictor::RootOnly;
                let mut warnings = repository.tree.warnings.clone();
                if repository.url.has_git_prefix() {
                    let written = without_password(&repository.url.written);
                    let message = format!("the prefix of '{written}' has no effect: take `git::` out");
                    let warning = Diagnostic::warning("kustomize-git-prefix", message);
                    warnings.push(*located(warning, span));
                }
                let (repository, warnings) = (Some(Arc::new(repository)), RefCell::new(warnings));
                Ok(Self { root, start, restrictor, repository, warnings, ..self })
            }
            _ => fail(format!("{} is outside of the repository", named())),
        }
    }

    /// # Errors
    /// `kustomize-remote` where this build fetches nothing, and whatever the one who fetches says.
    fn fetch(&self, url: RepositoryUrl, span: Option<Span>) -> Result<Repository> {
        // What a server says is nothing to rely on.
        self.recorder().inspect(|recorder| recorder.adopt(None));
        let tree = match self.remotes {
            Some(remotes) => remotes.repository(&url),
            None => Err(fetches_nothing(&url.written)),
        };
        Ok(Repository { tree: tree.map_err(|error| located(error, span))?, url })
    }

    /// What the user should know of how the folder and what was read of it was fetched; each is told once.
    pub(crate) fn take_warnings(&self) -> Vec<Diagnostic> {
        self.warnings.take()
    }

    /// A repository may not lead to itself.
    fn refuse_repository_cycle(&self, url: &RepositoryUrl, span: Option<Span>) -> Result<()> {
        let mut visited = Some(self);
        while let Some(loader) = visited {
            if let Some(repository) = &loader.repository
                && repository.url.written.starts_with(&url.written)
            {
                let (new, previous) = (&url.written, &repository.url.written);
                let message = format!("cycle detected: URI '{new}' referenced by previous URI '{previous}'");
                let error = located(Diagnostic::error("kustomize-cycle", message), span);
                return Err(error.hint("name what it needs of its own repository by a path"));
            }
            visited = loader.referrer.map(|(referrer, _)| referrer);
        }
        Ok(())
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
    /// `kustomize-missing-file`, `kustomize-outside-root`, `kustomize-remote`, and whatever the one who fetches says.
    pub(crate) fn load(&self, path: &str, span: Option<Span>) -> Result<Loaded> {
        let fail = |code, message: String| located(Diagnostic::error(code, message), span);
        if is_http(path) {
            self.recorder().inspect(|recorder| recorder.adopt(None));
            let fetched = self.remotes.map_or_else(|| Err(fetches_nothing(path)), |remotes| remotes.file(path));
            let RemoteFile { bytes, warning } = fetched.map_err(|error| located(error, span))?;
            let warning = warning.map(|warning| *located(Box::new(warning), span));
            self.warnings.borrow_mut().extend(warning);
            return Ok(Loaded { bytes, file: FileId::new(without_password(path)) });
        }
        let target = self.join(path);
        let target = match self.restrictor {
            LoadRestrictor::None => target,
            LoadRestrictor::RootOnly => {
                // Of a repository, errors name the path within it.
                let asked = if self.repository.is_some() { self.relative(&target) } else { target.clone() };
                let canonical = match self.world().canonical(&asked) {
                    Ok(canonical) => canonical,
                    Err(error) => {
                        let near = self.nearest(&target).unwrap_or(MISSING.to_owned());
                        return Err(fail("kustomize-missing-file", error.to_string()).hint(near));
                    }
                };
                if !canonical.starts_with(&self.root) || canonical == self.root {
                    if self.world().kind(&canonical) == Some(EntryKind::Folder) {
                        let error = fail("kustomize-missing-file", format!("'{target}' must resolve to a file"));
                        return Err(error.hint("name a file; kustomizations go into `resources:` or `components:`"));
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
        let bytes = self.world().read(&shown).map_err(|error| {
            let near = self.nearest(&target).unwrap_or(MISSING.to_owned());
            fail("kustomize-missing-file", error.to_string()).hint(near)
        })?;
        Ok(Loaded { bytes, file: self.file(&shown) })
    }

    /// Whether the folder is in a repository of elsewhere, and so not on this machine's disk.
    pub(crate) fn is_remote(&self) -> bool {
        self.repository.is_some()
    }

    /// Where a file of this folder really is, relative to the folder: links are followed.
    pub(crate) fn place(&self, path: &str) -> Option<Utf8PathBuf> {
        let real = self.world().canonical(&self.join(path)).ok()?;
        real.strip_prefix(&self.root).ok().map(Utf8Path::to_owned)
    }

    /// The URL of the repository that this folder is in, where it was fetched, and where its top is.
    pub(crate) fn repository(&self) -> Option<(&RepositoryUrl, &Utf8Path)> {
        self.repository.as_deref().map(|repository| (&repository.url, repository.tree.root.as_path()))
    }

    /// Where it reads from.
    pub(crate) fn world(&self) -> &dyn World {
        self.repository.as_ref().map_or(self.world, |repository| &*repository.tree.world)
    }

    /// What a file of this world is known under: that of a repository by a URL that names this very commit.
    fn file(&self, path: &Utf8Path) -> FileId {
        match self.repository.as_deref() {
            None => FileId::new(path),
            Some(Repository { url, tree }) => {
                FileId::new(format!("{}//{path}?ref={}", without_password(&url.clone_url), tree.commit))
            }
        }
    }

    /// What is at `path`, relative to this folder.
    pub(crate) fn kind(&self, path: &str) -> Option<EntryKind> {
        self.world().kind(&self.join(path))
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

    /// A question for a file or folder beside `target` whose name is close to its.
    fn nearest(&self, target: &Utf8Path) -> Option<String> {
        let entries = self.world().list(target.parent()?).ok()?;
        let names = entries.iter().map(|entry| entry.name.as_str()).filter(|name| Some(*name) != target.file_name());
        crate::decode::closest(target.file_name()?, names).map(|near| format!("did you mean `{near}`?"))
    }
}

/// What to do about a file that is not there.
const MISSING: &str = "paths start at the folder of the kustomization that names them";

fn fetches_nothing(url: &str) -> Box<Diagnostic> {
    Diagnostic::error("kustomize-remote", format!("nothing is fetched here: `{}`", without_password(url)))
        .hint("copy it into the repository and name its folder")
}
