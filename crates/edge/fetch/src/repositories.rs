//! repositories.yaml: the repositories that the user added.

use crate::failure::{self, damaged, prefixed, refused};
use crate::secret::{Credentials, Secret, shown};
use crate::write;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_chart::decode::{self, Target};
use onepane_diagnostics::Result;
use onepane_value::{Map, Value, from_yaml_as_go, to_yaml};
use std::fmt;

/// More than this is no list of repositories.
const LARGEST_FILE: u64 = 16 << 20;

/// A repository under the name that the user gave it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Repository {
    /// The name, without a slash.
    pub name: String,
    /// The address of the folder that holds `index.yaml`.
    pub url: String,
    /// Basic credentials, sent to the repository's own host.
    pub credentials: Credentials,
    /// How its server is known, and what it is shown.
    pub tls: Tls,
    /// Whether other hosts than the repository's get the credentials as well.
    pub pass_credentials_all: bool,
}

/// Files and switches for TLS; paths are empty where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tls {
    /// The client's certificate, PEM. Used together with the key only.
    pub cert_file: Utf8PathBuf,
    /// The client's key, PEM.
    pub key_file: Utf8PathBuf,
    /// The authorities that are believed instead of the system's, PEM.
    pub ca_file: Utf8PathBuf,
    /// Whether any certificate is good enough.
    pub insecure_skip_verify: bool,
}

/// The file's contents. Fields that Helm does not know are kept, which Helm itself does not do.
pub struct RepositoryFile {
    document: Map,
    repositories: Vec<Repository>,
}

const FIELDS: &[&str] = &[
    "name",
    "url",
    "username",
    "password",
    "certFile",
    "keyFile",
    "caFile",
    "insecure_skip_tls_verify",
    "pass_credentials_all",
];

impl RepositoryFile {
    /// Reads the file at `path`; `None` where there is none.
    ///
    /// Errors: `fetch-file` where it can't be read, `fetch-damaged` with Go's words where it is not YAML of that form.
    pub fn read(path: &Utf8Path) -> Result<Option<Self>> {
        let Some(bytes) = write::read(path, LARGEST_FILE)
            .map_err(|error| prefixed(&format!("couldn't load repositories file ({path}): "), error))?
        else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(&bytes);
        let file = from_yaml_as_go(&text).and_then(|document| Self::decode(&document)).map_err(|words| {
            damaged(words)
                .hint(format!("{path} is not a list of repositories; mend it, or move it away and add them again"))
        })?;
        Ok(Some(file))
    }

    /// Reads the file, changes it by `change` and writes it, while holding Helm's lock, `repositories.lock` beside it.
    /// A file that is not there is empty. Nothing is written if `change` fails or says `false`.
    pub fn change(path: &Utf8Path, change: impl FnOnce(&mut Self) -> Result<bool>) -> Result<()> {
        let _lock = write::Lock::take(path)?;
        let mut file = Self::read(path)?.unwrap_or_default();
        if change(&mut file)? {
            let text = to_yaml(&file.encode().into()).map_err(failure::damaged)?;
            // Passwords are in it.
            write::write(path, text.as_bytes(), 0o600)?;
        }
        Ok(())
    }

    /// The repositories in the order they were added.
    pub fn repositories(&self) -> &[Repository] {
        &self.repositories
    }

    /// The repository `name`.
    pub fn get(&self, name: &str) -> Option<&Repository> {
        self.repositories.iter().find(|repository| repository.name == name)
    }

    /// Adds a repository, in the place of one of the same name.
    pub fn set(&mut self, repository: Repository) {
        match self.repositories.iter_mut().find(|present| present.name == repository.name) {
            Some(present) => *present = repository,
            None => self.repositories.push(repository),
        }
    }

    /// Removes the repository `name`; `false` where there is none.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.repositories.len();
        self.repositories.retain(|repository| repository.name != name);
        self.repositories.len() != before
    }

    /// The repository that `repo/chart` means, or Helm's error.
    pub(crate) fn pick(&self, name: &str) -> Result<&Repository> {
        match self.get(name) {
            None => Err(refused(format!("repo {name} not found"))
                .hint(format!("add it: `helm repo add {name} <url>`; `helm repo list` shows those there are"))),
            Some(repository) if repository.url.is_empty() => {
                Err(refused(format!("no URL found for repository {name}")))
            }
            Some(repository) => Ok(repository),
        }
    }

    fn decode(document: &Value) -> Result<Self, String> {
        let whole = Target { structure: "", field: "", go_type: "repo.File" };
        let Some(map) = decode::entries(document, whole)? else { return Ok(Self::default()) };
        let mut repositories = Vec::new();
        decode::fields(map, &["repositories"], |_, value| {
            let target = Target { structure: "File", field: "repositories", go_type: "[]*repo.Entry" };
            for item in decode::list(value, target)? {
                if !item.is_nil() {
                    repositories.push(Repository::decode(item)?);
                }
            }
            Ok(())
        })?;
        Ok(Self { document: map.shallow_copy(), repositories })
    }

    fn encode(&self) -> Map {
        let document = self.document.shallow_copy();
        let before = document.get("repositories");
        let before = before.as_ref().and_then(Value::as_list);
        let items = self.repositories.iter().map(|repository| {
            let named = |item: &&Value| {
                let name = item.as_map().and_then(|map| map.get("name"));
                name.is_some_and(|name| name.as_text().is_some_and(|name| name.to_str() == repository.name))
            };
            let present = before.and_then(|items| items.iter().find(named)).and_then(Value::as_map);
            Value::from(repository.encode(present))
        });
        let items: onepane_value::List = items.collect();
        document.insert("repositories", items.into());
        // Helm never sets these, and so writes what Go has for nothing.
        for (key, nothing) in [("apiVersion", ""), ("generated", "0001-01-01T00:00:00Z")] {
            if document.get(key).is_none_or(|value| value.is_nil()) {
                document.insert(key, Value::string(nothing));
            }
        }
        document
    }
}

impl fmt::Debug for RepositoryFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The document has the passwords in it.
        f.debug_list().entries(&self.repositories).finish()
    }
}

impl Default for RepositoryFile {
    fn default() -> Self {
        Self { document: Map::new(), repositories: Vec::new() }
    }
}

impl Repository {
    fn decode(item: &Value) -> Result<Self, String> {
        let mut repository = Self::default();
        let whole = Target { structure: "File", field: "repositories", go_type: "repo.Entry" };
        let Some(map) = decode::entries(item, whole)? else { return Ok(repository) };
        decode::fields(map, FIELDS, |field, value| {
            let path = format!("repositories.{field}");
            let target = |go_type| Target { structure: "Entry", field: &path, go_type };
            match field {
                "insecure_skip_tls_verify" | "pass_credentials_all" => {
                    let value = decode::boolean(value, target("bool"))?.unwrap_or_default();
                    if field == "pass_credentials_all" {
                        repository.pass_credentials_all = value;
                    } else {
                        repository.tls.insecure_skip_verify = value;
                    }
                }
                _ => {
                    let text = decode::string(value, target("string"))?.unwrap_or_default();
                    match field {
                        "name" => repository.name = text,
                        "url" => repository.url = text,
                        "username" => repository.credentials.username = text,
                        "password" => repository.credentials.password = Secret::new(text),
                        "certFile" => repository.tls.cert_file = text.into(),
                        "keyFile" => repository.tls.key_file = text.into(),
                        _ => repository.tls.ca_file = text.into(),
                    }
                }
            }
            Ok(())
        })?;
        Ok(repository)
    }

    /// The entry with all fields, as Helm writes it, and those of `present` that Helm does not know.
    fn encode(&self, present: Option<&Map>) -> Map {
        let map = Map::new();
        for (key, value) in present.map(Map::entries).unwrap_or_default() {
            if !FIELDS.iter().any(|field| key.as_bytes().eq_ignore_ascii_case(field.as_bytes())) {
                map.insert(key, value);
            }
        }
        for (field, text) in [
            ("name", self.name.as_str()),
            ("url", &self.url),
            ("username", &self.credentials.username),
            ("password", self.credentials.password.reveal()),
            ("certFile", self.tls.cert_file.as_str()),
            ("keyFile", self.tls.key_file.as_str()),
            ("caFile", self.tls.ca_file.as_str()),
        ] {
            map.insert(field, Value::string(text));
        }
        map.insert("insecure_skip_tls_verify", self.tls.insecure_skip_verify.into());
        map.insert("pass_credentials_all", self.pass_credentials_all.into());
        map
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repository")
            .field("name", &self.name)
            .field("url", &shown(&self.url))
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_written_as_helm_does_and_keeps_what_it_does_not_know() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = Utf8Path::from_path(folder.path()).expect("it has a UTF-8 path").join("config/repositories.yaml");
        let repository = Repository { name: "d".into(), url: "http://127.0.0.1:8901".into(), ..Repository::default() };
        let add = |file: &mut RepositoryFile| {
            file.set(repository.clone());
            Ok(true)
        };
        RepositoryFile::change(&path, add).expect("the file can be written");
        let text = std::fs::read_to_string(&path).expect("it is there");
        // What `helm repo add` of 4.3.1 wrote.
        let wanted = "apiVersion: \"\"\ngenerated: \"0001-01-01T00:00:00Z\"\nrepositories:\n- caFile: \"\"\n  certFile: \
                      \"\"\n  insecure_skip_tls_verify: false\n  keyFile: \"\"\n  name: d\n  pass_credentials_all: \
                      false\n  password: \"\"\n  url: http://127.0.0.1:8901\n  username: \"\"\n";
        assert_eq!(text, wanted);
        assert!(path.with_file_name("repositories.lock").exists());

        std::fs::write(&path, format!("{wanted}  team: a\nextra: 1\n")).expect("the file can be written");
        RepositoryFile::change(&path, add).expect("the file can be written");
        let text = std::fs::read_to_string(&path).expect("it is there");
        assert!(text.contains("  team: a\n") && text.contains("extra: 1\n"), "{text}");
        let mut file = RepositoryFile::read(&path).expect("it is good").expect("it is there");
        assert_eq!(file.get("d"), Some(&repository));
        assert!(file.remove("d") && !file.remove("d"));
        let secret = Credentials { username: "u".into(), password: Secret::new("hush") };
        file.set(Repository { url: "http://u:hush@h".into(), credentials: secret, ..Repository::default() });
        assert!(!format!("{file:?}").contains("hush"));
        assert_eq!(file.pick("d").expect_err("it is gone").message, "repo d not found");
    }

    #[test]
    fn a_damaged_file_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = Utf8Path::from_path(folder.path()).expect("it has a UTF-8 path").join("repositories.yaml");
        std::fs::write(&path, "repositories: {a: [").expect("the file can be written");
        RepositoryFile::change(&path, |_| Ok(true)).expect_err("it is not YAML");
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "repositories: {a: [");
    }
}
