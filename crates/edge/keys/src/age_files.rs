//! Identities of age, looked for where SOPS looks: [`find_age_keys`].

use crate::failure::unusable;
use crate::program::{self, Programs};
use crate::settings::{config_home, home, read, variable};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, Result};
use onepane_sops::{AgeKeys, Secret};
use onepane_world::World;

/// What was found.
#[derive(Debug)]
pub struct FoundAgeKeys {
    /// The identities.
    pub keys: AgeKeys,
    /// Where there was none: names of variables and paths.
    pub missing: Vec<String>,
    /// What is wrong with places where there was something. SOPS goes on with the others, and so should the caller
    /// unless no key is found.
    pub problems: Vec<Diagnostic>,
}

/// Looks in `SOPS_AGE_SSH_PRIVATE_KEY_FILE`, `~/.ssh`, `SOPS_AGE_KEY`, `SOPS_AGE_KEY_FILE`, `SOPS_AGE_KEY_CMD` and
/// `sops/age/keys.txt` in the user's configuration.
pub fn find_age_keys(world: &dyn World, programs: Programs) -> FoundAgeKeys {
    let mut search = Search { world, found: FoundAgeKeys { keys: AgeKeys::new(), missing: vec![], problems: vec![] } };
    search.ssh_file_of("SOPS_AGE_SSH_PRIVATE_KEY_FILE");
    search.command("SOPS_AGE_SSH_PRIVATE_KEY_CMD", programs, AgeKeys::add_ssh);
    for name in ["id_ed25519", "id_rsa"] {
        let path = home(world).join(".ssh").join(name);
        search.file(&path, Absent::Noted, AgeKeys::add_ssh);
    }
    match variable(world, "SOPS_AGE_KEY") {
        Some(text) => search.note(|keys| keys.add(&Secret::new(text), "SOPS_AGE_KEY")),
        None => search.missing("SOPS_AGE_KEY"),
    }
    match variable(world, "SOPS_AGE_KEY_FILE") {
        Some(path) => search.file(Utf8Path::new(&path), Absent::Wrong, AgeKeys::add),
        None => search.missing("SOPS_AGE_KEY_FILE"),
    }
    search.command("SOPS_AGE_KEY_CMD", programs, AgeKeys::add);
    search.file(&default_age_file(world), Absent::Noted, AgeKeys::add);
    search.found
}

/// The file in which SOPS looks without being told.
pub fn default_age_file(world: &dyn World) -> Utf8PathBuf {
    config_home(world).join("sops/age/keys.txt")
}

/// How a text's identities are added.
type Add = fn(&mut AgeKeys, &Secret, &str) -> Result<()>;

/// What it is that a file is not there.
#[derive(Clone, Copy)]
enum Absent {
    Noted,
    Wrong,
}

struct Search<'w> {
    world: &'w dyn World,
    found: FoundAgeKeys,
}

impl Search<'_> {
    fn missing(&mut self, place: impl Into<String>) {
        self.found.missing.push(place.into());
    }

    fn note(&mut self, add: impl FnOnce(&mut AgeKeys) -> Result<()>) {
        if let Err(error) = add(&mut self.found.keys) {
            self.found.problems.push(*error);
        }
    }

    fn ssh_file_of(&mut self, name: &str) {
        match variable(self.world, name) {
            Some(path) => self.file(Utf8Path::new(&path), Absent::Wrong, AgeKeys::add_ssh),
            None => self.missing(name),
        }
    }

    fn file(&mut self, path: &Utf8Path, absent: Absent, add: Add) {
        match (read(self.world, path), absent) {
            (Ok(Some(text)), _) => self.note(|keys| add(keys, &text, &format!("`{path}`"))),
            (Ok(None), Absent::Noted) => self.missing(path.as_str()),
            (Ok(None), Absent::Wrong) => self.note(|_| Err(unusable(format!("there is no `{path}`")))),
            (Err(error), _) => self.note(|_| Err(error)),
        }
    }

    fn command(&mut self, name: &str, programs: Programs, add: Add) {
        let Some(line) = variable(self.world, name) else { return self.missing(name) };
        self.note(|keys| {
            if programs == Programs::Refused {
                let error = unusable(format!("the program that {name} names is not run here"));
                return Err(error.hint("put the key into a file, and its path into SOPS_AGE_KEY_FILE"));
            }
            let words = program::words(&line).ok_or_else(|| unusable(format!("{name} has an open quote")))?;
            add(keys, &program::run(&words, &[], b"")?, &format!("what {name} prints"))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_world::MemoryWorld;

    #[test]
    fn keys_are_found_in_all_places_and_what_is_wrong_is_told() {
        let new = |name: &str| (name.to_owned(), AgeKeys::generate("now"));
        let [one, two, three] = ["one", "two", "three"].map(new);
        let text =
            |key: &(String, onepane_sops::NewAgeIdentity)| key.1.file.reveal_text().unwrap_or_default().to_owned();
        let inline: Vec<String> = text(&one).lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
        let world = MemoryWorld::new()
            .with_env("HOME", "/h")
            .with_env("SOPS_AGE_KEY", &inline.join(" "))
            .with_env("SOPS_AGE_KEY_FILE", "/k/two")
            .with_env("SOPS_AGE_KEY_CMD", "never --run")
            .with("/k/two", text(&two))
            .with("/h/.config/sops/age/keys.txt", text(&three))
            .with("/h/.ssh/id_rsa", "hush");
        let found = find_age_keys(&world, Programs::Refused);
        assert_eq!(found.keys.recipients(), [&one, &two, &three].map(|key| key.1.recipient.clone()));
        let missing = ["SOPS_AGE_SSH_PRIVATE_KEY_FILE", "SOPS_AGE_SSH_PRIVATE_KEY_CMD", "/h/.ssh/id_ed25519"];
        assert_eq!(found.missing, missing);
        let problems: Vec<&str> = found.problems.iter().map(|problem| &*problem.message).collect();
        let not_run = "the program that SOPS_AGE_KEY_CMD names is not run here";
        assert_eq!(problems, ["`/h/.ssh/id_rsa` is no SSH private key", not_run]);
        assert!(!format!("{found:?}").contains("AGE-SECRET"));
    }

    #[test]
    #[cfg(unix)]
    fn a_command_s_output_is_taken_where_programs_may_run() {
        let key = AgeKeys::generate("now");
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let path = folder.path().join("k");
        std::fs::write(&path, key.file.reveal()).expect("it can be written");
        let world = MemoryWorld::new()
            .with_env("XDG_CONFIG_HOME", "/x")
            .with_env("SOPS_AGE_KEY_CMD", &format!("cat '{}'", path.display()));
        let found = find_age_keys(&world, Programs::Allowed);
        assert_eq!(found.keys.recipients(), [key.recipient]);
        assert!(found.missing.contains(&"/x/sops/age/keys.txt".to_owned()), "{:?}", found.missing);
    }
}
