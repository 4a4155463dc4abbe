//! An image, built from a folder by Docker and pushed: [`build`].

mod context;

use crate::Told;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bollard::Docker;
use bollard::auth::DockerCredentials;
use bollard::errors::Error;
use bollard::moby::buildkit::v1::StatusResponse;
use bollard::models::{BuildInfoAux, SystemVersion};
use bollard::query_parameters::{
    BuildImageOptionsBuilder, BuilderVersion, InspectNetworkOptions, PushImageOptionsBuilder,
};
use futures::StreamExt;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// What is to be built.
#[derive(Clone, Debug)]
pub struct Build {
    /// The folder, which has a Dockerfile.
    pub folder: PathBuf,
    /// What the image is called: `HOST/PATH:TAG`.
    pub image: String,
    /// Whether it is pushed to the registry in its name; otherwise it stays with Docker.
    pub is_pushed: bool,
}

/// Builds, and pushes if that is wanted, with the Docker that `DOCKER_HOST` names or the usual socket: by its BuildKit, or its
/// classic builder where it has none or `DOCKER_BUILDKIT=0` says so, as Docker's own program does.
///
/// # Errors
/// What Docker says, in its own words.
pub async fn build(build: &Build, tell: &dyn Fn(&Told<'_>)) -> Result<(), String> {
    let Build { folder, image, is_pushed } = build;
    let (name, tag) = parts(image)?;
    let context = context::of(folder)?;
    // BuildKit asks for tokens of registries from here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let docker = Docker::connect_with_defaults().map_err(|error| format!("there is no Docker: {error}"))?;
    let version = docker.version().await.map_err(|error| format!("there is no Docker: {error}"))?;
    let logins = logins();
    let is_buildkit = has_buildkit(&version) && std::env::var("DOCKER_BUILDKIT").as_deref() != Ok("0");
    let by = if is_buildkit { "BuildKit" } else { "the classic builder" };
    tell(&Told::Note(&format!("{image} is built by {by} from {}, {} bytes", folder.display(), context.len())));
    let mut options = BuildImageOptionsBuilder::default().dockerfile("Dockerfile").t(image).rm(true).forcerm(true);
    let mut of_registries = logins.clone();
    if is_buildkit {
        // Of all who build at once each has to have its own.
        let session = format!("onepane-{:016x}", fastrand::u64(..));
        options = options.version(BuilderVersion::BuilderBuildKit).session(&session);
        // Where there is no such network the classic builder goes without, and BuildKit would fail.
        let bridge = docker.inspect_network("bridge", None::<InspectNetworkOptions>).await;
        if matches!(bridge, Err(Error::DockerResponseServerError { status_code: 404, .. })) {
            options = options.networkmode("none");
        }
        if let Some(login) = of_registries.remove(DOCKER_HUB) {
            of_registries.insert("registry-1.docker.io".to_owned(), login);
        }
    }
    let context = Some(bollard::body_full(context.into()));
    let mut built = docker.build_image(options.build(), Some(of_registries), context);
    let mut steps = HashSet::new();
    while let Some(said) = built.next().await {
        let said = said.map_err(|error| unbuilt(image, is_buildkit, &error.to_string()))?;
        tell_lines(said.stream.as_deref().unwrap_or_default(), tell);
        if let Some(BuildInfoAux::BuildKit(progress)) = &said.aux {
            tell_progress(progress, &mut steps, tell);
        }
        if let Some(error) = said.error_detail.and_then(|detail| detail.message) {
            return Err(unbuilt(image, is_buildkit, &error));
        }
    }
    if !is_pushed {
        return Ok(());
    }
    tell(&Told::Note(&format!("{image} is pushed")));
    let options = PushImageOptionsBuilder::default().tag(tag).build();
    let mut pushed = docker.push_image(name, Some(options), login_for(&logins, name));
    while let Some(said) = pushed.next().await {
        let said = said.map_err(|error| format!("{image} can't be pushed: {error}"))?;
        if let Some(error) = said.error_detail.and_then(|detail| detail.message) {
            return Err(format!("{image} can't be pushed: {error}"));
        }
    }
    Ok(())
}

/// Whether a Docker builds by BuildKit if it is asked to: those since 18.09 on Linux do. Podman, which answers as Docker does,
/// has no sessions.
fn has_buildkit(version: &SystemVersion) -> bool {
    let numbers = version.api_version.as_deref().and_then(|version| version.split_once('.'));
    let api = numbers.and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    let parts = version.components.iter().flatten();
    let is_podman = parts.map(|part| &part.name).any(|name| name.to_ascii_lowercase().contains("podman"));
    api.is_some_and(|api: (u32, u32)| api >= (1, 39)) && version.os.as_deref() == Some("linux") && !is_podman
}

/// Why an image was not built, and what to do where the builder may be too old for its Dockerfile.
fn unbuilt(image: &str, is_buildkit: bool, error: &str) -> String {
    /// What builders say of what only BuildKit knows, or a newer one.
    const UNKNOWN: [&str; 3] = ["BuildKit", "nknown flag: ", "nknown instruction"];
    let error = error.trim();
    let mut why = format!("{image} can't be built: {error}");
    if UNKNOWN.iter().any(|words| error.contains(words)) {
        why += match is_buildkit {
            true => {
                "; with `# syntax=docker/dockerfile:1` as its first line a Dockerfile may say all that the newest builder knows"
            }
            false => {
                "; this is Docker's classic builder, which knows no `RUN --mount`, `COPY --link` or heredocs: where those are \
                 needed, build it with `docker buildx build --push` before, and leave out `--build`"
            }
        };
    }
    why
}

fn tell_lines(text: &str, tell: &dyn Fn(&Told<'_>)) {
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        tell(&Told::Log { pod: "docker", container: "build", line });
    }
}

/// What BuildKit does and prints: each step once, when it begins or is known to be as before.
fn tell_progress(progress: &StatusResponse, steps: &mut HashSet<String>, tell: &dyn Fn(&Told<'_>)) {
    for step in &progress.vertexes {
        if (step.cached || step.started.is_some()) && steps.insert(step.digest.clone()) {
            let cached = if step.cached { "CACHED " } else { "" };
            tell_lines(&format!("{cached}{}", step.name), tell);
        }
    }
    progress.logs.iter().for_each(|log| tell_lines(&String::from_utf8_lossy(&log.msg), tell));
}

/// The name and the tag of an image that can be built; one that names a digest can't.
fn parts(image: &str) -> Result<(&str, &str), String> {
    let last = image.rfind('/').map_or(0, |slash| slash + 1);
    match image[last..].rfind(':') {
        Some(colon) if !image.contains('@') => Ok((&image[..last + colon], &image[last + colon + 1..])),
        _ => Err(format!("`{image}` has no tag, or a digest: what is built is called HOST/PATH:TAG")),
    }
}

/// What Docker calls its own registry where it keeps who is known there.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// What `docker login` has kept, by registries; credential helpers are not asked.
fn logins() -> HashMap<String, DockerCredentials> {
    let read = || -> Option<Value> {
        let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
        let folder = folder.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".docker")))?;
        serde_json::from_slice(&std::fs::read(folder.join("config.json")).ok()?).ok()
    };
    let config = read().unwrap_or_default();
    let login = |(host, kept): (&String, &Value)| {
        let decoded = STANDARD.decode(kept["auth"].as_str()?).ok()?;
        let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
        let credentials = DockerCredentials {
            username: Some(user.to_owned()),
            password: Some(password.to_owned()),
            serveraddress: Some(host.clone()),
            ..DockerCredentials::default()
        };
        Some((host.clone(), credentials))
    };
    config["auths"].as_object().into_iter().flatten().filter_map(login).collect()
}

/// Who is known at the registry of an image.
fn login_for(logins: &HashMap<String, DockerCredentials>, name: &str) -> Option<DockerCredentials> {
    let host = name.split('/').next().filter(|host| host.contains(['.', ':']) || *host == "localhost");
    logins.get(host.unwrap_or(DOCKER_HUB)).cloned()
}

#[cfg(test)]
mod tests {
    use super::{has_buildkit, parts, unbuilt};
    use bollard::models::{SystemVersion, SystemVersionComponents};

    #[test]
    fn what_is_built_has_a_tag() {
        assert_eq!(parts("localhost:5000/shop/api:1"), Ok(("localhost:5000/shop/api", "1")));
        for wrong in ["api", "localhost:5000/api", "api@sha256:ab", "api:1@sha256:ab"] {
            assert!(parts(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn who_has_buildkit_shows_in_its_version() {
        let version = |api: &str, os: &str, part: &str| SystemVersion {
            api_version: Some(api.to_owned()),
            os: Some(os.to_owned()),
            components: Some(vec![SystemVersionComponents { name: part.to_owned(), ..Default::default() }]),
            ..Default::default()
        };
        assert!(has_buildkit(&version("1.41", "linux", "Engine")));
        for other in [
            version("1.38", "linux", "Engine"),
            version("1.51", "windows", "Engine"),
            version("1.41", "linux", "Podman Engine"),
            version("new", "linux", "Engine"),
            SystemVersion::default(),
        ] {
            assert!(!has_buildkit(&other), "{other:?}");
        }
    }

    #[test]
    fn what_takes_buildkit_says_what_to_do() {
        let error = "the --mount option requires BuildKit. Refer to the documentation";
        assert!(unbuilt("a:1", false, error).contains("docker buildx build --push"));
        let error = "dockerfile parse error line 4: Unknown flag: link";
        assert!(unbuilt("a:1", false, error).contains("docker buildx build --push"));
        assert!(unbuilt("a:1", true, error).contains("# syntax=docker/dockerfile:1"));
        assert!(!unbuilt("a:1", false, "returned a non-zero code: 1").contains("buildx"));
    }
}
