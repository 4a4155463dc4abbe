//! `kustomize edit`: changes of the kustomization in the current folder. One file a verb.

mod add;
mod fix;
mod generators;
mod remove;
mod set;

use super::flags::Given;
use super::{Failure, print};
use crate::atomic;
use camino::Utf8Path;
use onepane_diagnostics::FileId;
use onepane_kustomize::{KUSTOMIZATION_FILES, KustomizationDraft, PatchEntry, builtin_plugins};

/// Runs with the arguments behind `edit`.
pub(super) fn run(arguments: &[String]) -> Result<(), Failure> {
    if arguments
        .iter()
        .take_while(|argument| *argument != "--")
        .any(|argument| argument == "-h" || argument == "--help")
    {
        return print(HELP);
    }
    let [verb, rest @ ..] = arguments else { return print(HELP) };
    match (verb.as_str(), rest) {
        ("add", [what, rest @ ..]) => add::run(what, rest),
        ("set", [what, rest @ ..]) => set::run(what, rest),
        ("remove", [what, rest @ ..]) => remove::run(what, rest),
        ("fix", rest) => fix::run(rest),
        ("alpha-list-builtin-plugin", _) => {
            let plugins: String = builtin_plugins().map(|plugin| format!(" * {plugin}\n")).collect();
            print(&format!("Builtin plugins:\n\n{plugins}"))
        }
        ("add" | "set" | "remove" | "help", _) => print(HELP),
        (other, _) => unknown_thing("edit", other),
    }
}

/// A thing that a verb does not know: Kustomize shows what it knows, and that is no failure.
fn unknown_thing(verb: &str, what: &str) -> Result<(), Failure> {
    eprintln!("`{verb}` does not know `{what}`; nothing was changed");
    print(HELP)
}

/// The kustomization file of the current folder.
fn kustomization_file() -> Result<&'static Utf8Path, Failure> {
    let found: Vec<&str> = KUSTOMIZATION_FILES.into_iter().filter(|name| Utf8Path::new(name).exists()).collect();
    match found[..] {
        [] => Err(Failure::text(format!("Missing kustomization file '{}'.\n", KUSTOMIZATION_FILES[0]))),
        [name] if Utf8Path::new(name).is_dir() => Err(Failure::text(format!("{name} should be a file"))),
        [name] => Ok(Utf8Path::new(name)),
        _ => Err(Failure::text(format!("Found multiple kustomization file: [{}]\n", found.join(" ")))),
    }
}

/// Changes the kustomization of the current folder, all or nothing.
fn edit(change: impl FnOnce(&mut KustomizationDraft) -> Result<(), Failure>) -> Result<(), Failure> {
    edit_if(|draft| change(draft).map(|()| true))
}

/// Changes the kustomization of the current folder where `change` says that there was something to change.
fn edit_if(change: impl FnOnce(&mut KustomizationDraft) -> Result<bool, Failure>) -> Result<(), Failure> {
    let path = kustomization_file()?;
    let text =
        std::fs::read_to_string(path).map_err(|error| Failure::text(format!("{path} can't be read: {error}")))?;
    let mut draft = KustomizationDraft::open(&text, FileId::new(path))?;
    if change(&mut draft)? && draft.text() != text {
        atomic::rewrite(path, draft.text().as_bytes())?;
    }
    Ok(())
}

/// The options of `buildMetadata` that one argument names.
fn build_metadata<'a>(arguments: &[&'a str]) -> Result<Vec<&'a str>, Failure> {
    const OPTIONS: [&str; 3] = ["originAnnotations", "transformerAnnotations", "managedByLabel"];
    let options: Vec<&str> = match arguments {
        [] => return Err(Failure::text("must specify a buildMetadata option")),
        [one] => one.split(',').collect(),
        _ => {
            return Err(Failure::text(format!(
                "too many arguments: [{}]; to provide multiple buildMetadata options, please separate options by comma",
                arguments.join(" ")
            )));
        }
    };
    match options.iter().find(|option| !OPTIONS.contains(option)) {
        Some(option) => Err(Failure::text(format!("invalid buildMetadata option: {option}"))),
        None => Ok(options),
    }
}

/// The patch that flags describe.
fn patch(arguments: &[String]) -> Result<PatchEntry, Failure> {
    const FLAGS: [&str; 9] =
        ["path", "patch", "annotation-selector", "group", "kind", "label-selector", "name", "namespace", "version"];
    let given = Given::read(arguments, &FLAGS, &[])?;
    let (path, patch) = (given.text("path").to_owned(), given.text("patch").to_owned());
    if !path.is_empty() && !patch.is_empty() {
        return Err(Failure::text("patch and path can't be set at the same time"));
    }
    let target =
        PatchEntry::TARGET_FIELDS.iter().zip(&FLAGS[2..]).map(|(field, flag)| (*field, given.text(flag).to_owned()));
    let target: Vec<_> = target.filter(|(_, value)| !value.is_empty()).collect();
    Ok(PatchEntry { path, patch, target: (!target.is_empty()).then_some(target) })
}

const HELP: &str =
    "Edits the kustomization file of the current folder: fields and entries change, other lines stay as they are.

Usage:
  kustomize edit add resource|component|generator|transformer PATTERN...
  kustomize edit add base FOLDER,...
  kustomize edit add patch --path FILE | --patch TEXT [--group --version --kind --name --namespace
                           --annotation-selector --label-selector]
  kustomize edit add label|annotation KEY:VALUE... [--force] [--without-selector [--include-templates]]
  kustomize edit add configmap|secret NAME [--from-file [KEY=]PATTERN] [--from-literal KEY=VALUE] [--from-env-file FILE]
                           [--namespace] [--disableNameSuffixHash] [--behavior create|merge|replace] [--type]
  kustomize edit add buildmetadata OPTION,...
  kustomize edit set nameprefix|namesuffix|namespace VALUE
  kustomize edit set image IMAGE[=NEW][:TAG][@DIGEST]...     * for a part keeps it
  kustomize edit set replicas NAME=COUNT...
  kustomize edit set label|annotation KEY:VALUE...
  kustomize edit set configmap|secret NAME [--from-literal KEY=VALUE] [--namespace] [--new-namespace]
  kustomize edit set buildmetadata OPTION,...
  kustomize edit remove resource|transformer PATTERN...
  kustomize edit remove patch                                with the flags of add
  kustomize edit remove label|annotation KEY,... [--ignore-non-existence]
  kustomize edit remove configmap|secret NAME,... [--namespace]
  kustomize edit remove buildmetadata OPTION,...
  kustomize edit fix [--vars]                                moves what is deprecated; vars become replacements, and
                                                             their marks in files of resources placeholders
  kustomize edit alpha-list-builtin-plugin
";
