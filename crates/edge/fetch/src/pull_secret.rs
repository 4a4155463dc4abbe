//! Credentials for registries as Secrets of Kubernetes hold them: [`Credentials::in_pull_secret`].

use crate::credentials::entry;
use crate::failure::damaged;
use crate::images::reference_of;
use crate::secret::Credentials;
use onepane_diagnostics::Result;
use onepane_value::{Value, from_json};

/// No Secret is larger: etcd would not take it.
const LARGEST: usize = 4 << 20;

impl Credentials {
    /// Those that the `.dockerconfigjson` of a Secret has for an image, the way a kubelet looks for them: a host may hold
    /// patterns (`*.example.com`) and be followed by the start of a path, and the last of the matching keys counts, in the
    /// order of letters, so that a longer path goes before a shorter one.
    ///
    /// # Errors
    /// `fetch-damaged` for what is no such configuration, `fetch-refused` for an identity token. Neither repeats what it holds.
    pub fn in_pull_secret(config: &[u8], image: &str) -> Result<Option<Self>> {
        let broken = || damaged("it is not of the form that Docker's `config.json` has");
        if config.len() > LARGEST {
            return Err(broken());
        }
        let document = from_json(config).map_err(|_| broken())?;
        let auths = document.as_map().and_then(|map| map.get("auths")).ok_or_else(broken)?;
        let auths = auths.as_map().ok_or_else(broken)?;
        let reference = reference_of(image)?;
        let mut fitting: Vec<(String, Value)> = auths
            .entries()
            .into_iter()
            .map(|(key, value)| (place_of(&key.to_str()), value))
            .filter(|(place, _)| fits(place, &reference.registry, &reference.repository))
            .collect();
        fitting.sort_by(|(one, _), (other, _)| other.cmp(one));
        for (place, value) in fitting {
            if let Some(found) = value.as_map().map(|map| entry(&place, map)).transpose()?.flatten() {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// `host/path`: without a scheme, and without the version of an interface that old configurations have.
fn place_of(key: &str) -> String {
    let rest = key.split_once("://").map_or(key, |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = ["v1", "v2"].iter().find_map(|version| match path.strip_prefix(version)? {
        "" => Some(""),
        path => path.strip_prefix('/'),
    });
    let path = path.unwrap_or_else(|| rest.split_once('/').map_or("", |(_, path)| path)).trim_end_matches('/');
    // Docker Hub has had another key since before there were others.
    let host = if host == "index.docker.io" || host == "registry-1.docker.io" { "docker.io" } else { host };
    if path.is_empty() { host.to_owned() } else { format!("{host}/{path}") }
}

/// Whether what stands for `place` is meant for an image.
fn fits(place: &str, registry: &str, repository: &str) -> bool {
    let (host, path) = place.split_once('/').unwrap_or((place, ""));
    let split = |host: &str| -> (Vec<String>, Option<String>) {
        let (name, port) = host.rsplit_once(':').map_or((host, None), |(name, port)| (name, Some(port.to_owned())));
        (name.split('.').map(str::to_owned).collect(), port)
    };
    let ((pattern, port), (name, own_port)) = (split(host), split(registry));
    port == own_port
        && pattern.len() == name.len()
        && pattern.iter().zip(&name).all(|(pattern, part)| is_like(pattern, part))
        && repository.starts_with(path)
}

/// Whether a part of a name is what a pattern says, in which `*` stands for anything.
fn is_like(pattern: &str, part: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == part };
    let Some(mut part) = part.strip_prefix(start) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        let Some(at) = part.find(piece) else { return false };
        part = &part[at + piece.len()..];
    }
    part.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(config: &str, image: &str) -> Option<String> {
        Credentials::in_pull_secret(config.as_bytes(), image).expect("it is good").map(|found| found.username)
    }

    #[test]
    fn hosts_paths_and_patterns_are_matched_as_a_kubelet_does() {
        // `a:p`, `b:p` and so on.
        let config = r#"{"auths": {
            "r.example.com": {"auth": "YTpw"},
            "https://r.example.com/team": {"username": "b", "password": "p"},
            "*.pkg.example.com": {"auth": "Yzpw"},
            "https://index.docker.io/v1/": {"auth": "ZDpw"},
            "r.example.com:5000": {"auth": "ZTpw"},
            "empty.example.com": {}
        }}"#;
        for (image, expected) in [
            ("r.example.com/other/api", Some("a")),
            ("r.example.com/team/api:1.0", Some("b")),
            ("eu.pkg.example.com/api", Some("c")),
            ("pkg.example.com/api", None),
            ("a.b.pkg.example.com/api", None),
            ("nginx", Some("d")),
            ("acme/api", Some("d")),
            ("r.example.com:5000/api", Some("e")),
            ("r.example.com:5001/api", None),
            ("empty.example.com/api", None),
        ] {
            assert_eq!(user(config, image).as_deref(), expected, "{image}");
        }
        assert!(is_like("a*b*c", "axxbyyc") && !is_like("a*b", "axxc") && !is_like("ab*ba", "aba"));
    }

    #[test]
    fn what_is_wrong_is_told_without_what_it_holds() {
        for config in [
            "hush",
            "{}",
            r#"{"auths": []}"#,
            r#"{"auths": {"r.example.com": {"auth": "hush"}}}"#,
            r#"{"auths": {"r.example.com": {"identitytoken": "hush"}}}"#,
        ] {
            let error = Credentials::in_pull_secret(config.as_bytes(), "r.example.com/a").expect_err(config);
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        }
    }
}
