//! The command line with which a release goes to Helm.

use super::Failure;
use super::overlay::{MEMORY, Overlay};
use super::session::Session;
use crate::commands::pflag::Parsed;
use onepane_helmfile::{Release, State};
use onepane_value::Value;
use onepane_world::{MemoryWorld, World};

/// Arguments for Helm, and the files that they name and that are only in memory.
pub(super) struct HelmCall {
    pub(super) arguments: Vec<String>,
    pub(super) memory: MemoryWorld,
}

impl HelmCall {
    /// The files that Helm is to see.
    pub(super) fn world<'w>(&'w self, world: &'w dyn World) -> Overlay<'w> {
        Overlay { world, memory: &self.memory }
    }

    /// `--namespace`, `--values` and the `--set` family of a release, those of the command line, and what is said for all
    /// commands of Helm.
    pub(super) fn with_values(
        arguments: Vec<String>,
        session: &Session,
        state: &State,
        release: &Release,
        flags: &Parsed,
    ) -> Result<Self, Failure> {
        let mut call = Self::with_values_alone(arguments, session, state, release, flags)?;
        call.arguments.extend(extra_arguments(state, flags));
        Ok(call)
    }

    /// The same without what is said for all commands.
    pub(super) fn with_values_alone(
        mut arguments: Vec<String>,
        session: &Session,
        state: &State,
        release: &Release,
        flags: &Parsed,
    ) -> Result<Self, Failure> {
        let mut push = |flag: &str, value: String| arguments.extend([format!("--{flag}"), value]);
        if !release.namespace.is_empty() {
            push("namespace", release.namespace.clone());
        }
        let mut memory = MemoryWorld::new();
        for (at, bytes) in release.values_files(state, &session.world, &session.system)?.into_iter().enumerate() {
            let name = format!("{MEMORY}values/{at}.yaml");
            push("values", name.clone());
            memory = memory.with(name, bytes);
        }
        for set in release.set_flags(state, &session.world, &session.system)? {
            push(set.flag, set.value);
        }
        for path in flags.all("values") {
            let path = session.folder.join(path);
            if !path.exists() {
                return Err(Failure::text(format!("stat {path}: no such file or directory")));
            }
            push("values", format!("\"{path}\""));
        }
        for set in flags.all("set") {
            push("set", set);
        }
        Ok(Self { arguments, memory })
    }
}

/// What is said for all commands of Helm.
pub(super) fn extra_arguments(state: &State, flags: &Parsed) -> Vec<String> {
    let mut arguments = words(flags.text("args").unwrap_or_default());
    arguments.extend(state.default("args").map(|args| words(&joined(&args))).unwrap_or_default());
    arguments
}

/// Which cluster a release belongs to.
pub(super) fn connection_arguments(state: &State, release: &Release, flags: &Parsed) -> Vec<String> {
    let mut arguments = Vec::new();
    let context = [&release.kube_context, &state.environment.kube_context].into_iter().find(|name| !name.is_empty());
    if let Some(context) = context {
        arguments.extend(["--kube-context".to_owned(), context.clone()]);
    }
    if let Some(path) = flags.text("kubeconfig").filter(|path| !path.is_empty()) {
        arguments.extend(["--kubeconfig".to_owned(), path.to_owned()]);
    }
    if !release.namespace.is_empty() {
        arguments.extend(["--namespace".to_owned(), release.namespace.clone()]);
    }
    arguments
}

/// The flags in a text of arguments, each with what follows it.
pub(super) fn words(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let mut found: Vec<(&str, Vec<String>)> = Vec::new();
    for (at, word) in words.iter().enumerate().filter(|(_, word)| word.starts_with('-')) {
        let (flag, written) = match word.split_once('=') {
            Some((flag, "")) => (flag, vec![flag.to_owned()]),
            Some((flag, _)) => (flag, vec![(*word).to_owned()]),
            None => match words.get(at + 1).filter(|next| !next.starts_with('-')) {
                Some(value) => (*word, vec![(*word).to_owned(), (*value).to_owned()]),
                None => (*word, vec![(*word).to_owned()]),
            },
        };
        // Those of one name stay together, where the first one stands.
        match found.iter_mut().find(|(name, _)| *name == flag) {
            Some((_, all)) => all.extend(written),
            None => found.push((flag, written)),
        }
    }
    found.into_iter().flat_map(|(_, written)| written).collect()
}

/// The texts of a list, with a space between.
pub(super) fn joined(list: &Value) -> String {
    let texts = list.as_list().map(|list| list.to_vec()).unwrap_or_default();
    let texts = texts.iter().filter_map(|text| text.as_text().map(ToString::to_string));
    texts.collect::<Vec<String>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn flags_are_collected_with_what_follows_them() {
        for (text, wanted) in [
            ("--set k=v", &["--set", "k=v"][..]),
            ("--a=b  -c --set x=y --d --set=z=1", &["--a=b", "-c", "--set", "x=y", "--set=z=1", "--d"]),
            ("stray --x", &["--x"]),
            ("", &[]),
        ] {
            assert_eq!(words(text), wanted, "{text}");
        }
    }
}
