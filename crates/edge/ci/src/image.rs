//! An image, built from a folder by Docker and pushed: [`build`].

mod context;

use crate::Told;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bollard::Docker;
use bollard::auth::DockerCredentials;
use bollard::query_parameters::{BuildImageOptionsBuilder, PushImageOptionsBuilder};
use futures::StreamExt;
use serde_json::Value;
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

/// Builds, and pushes if that is wanted, with the Docker that `DOCKER_HOST` names or the usual socket. It is Docker's classic
/// builder, which every version has; what only BuildKit knows in a Dockerfile fails.
///
/// # Errors
/// What Docker says, in its own words.
pub async fn build(build: &Build, tell: &dyn Fn(&Told<'_>)) -> Result<(), String> {
    let Build { folder, image, is_pushed } = build;
    let (name, tag) = parts(image)?;
    let context = context::of(folder)?;
    let docker = Docker::connect_with_defaults().map_err(|error| format!("there is no Docker: {error}"))?;
    tell(&Told::Note(&format!("{image} is built from {}, {} bytes", folder.display(), context.len())));
    let options = BuildImageOptionsBuilder::default().dockerfile("Dockerfile").t(image).rm(true).forcerm(true).build();
    let mut built = docker.build_image(options, None, Some(bollard::body_full(context.into())));
    while let Some(said) = built.next().await {
        let said = said.map_err(|error| format!("{image} can't be built: {error}"))?;
        for line in said.stream.iter().flat_map(|text| text.lines()).filter(|line| !line.trim().is_empty()) {
            tell(&Told::Log { pod: "docker", container: "build", line });
        }
        if let Some(error) = said.error_detail.and_then(|detail| detail.message) {
            return Err(format!("{image} can't be built: {error}"));
        }
    }
    if !is_pushed {
        return Ok(());
    }
    tell(&Told::Note(&format!("{image} is pushed")));
    let options = PushImageOptionsBuilder::default().tag(tag).build();
    let mut pushed = docker.push_image(name, Some(options), credentials(name));
    while let Some(said) = pushed.next().await {
        let said = said.map_err(|error| format!("{image} can't be pushed: {error}"))?;
        if let Some(error) = said.error_detail.and_then(|detail| detail.message) {
            return Err(format!("{image} can't be pushed: {error}"));
        }
    }
    Ok(())
}

/// The name and the tag of an image that can be built; one that names a digest can't.
fn parts(image: &str) -> Result<(&str, &str), String> {
    let last = image.rfind('/').map_or(0, |slash| slash + 1);
    match image[last..].rfind(':') {
        Some(colon) if !image.contains('@') => Ok((&image[..last + colon], &image[last + colon + 1..])),
        _ => Err(format!("`{image}` has no tag, or a digest: what is built is called HOST/PATH:TAG")),
    }
}

/// What `docker login` has kept for the registry of an image; credential helpers are not asked.
fn credentials(name: &str) -> Option<DockerCredentials> {
    let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".docker")))?;
    let config: Value = serde_json::from_slice(&std::fs::read(folder.join("config.json")).ok()?).ok()?;
    let host = name.split('/').next().filter(|host| host.contains(['.', ':']) || *host == "localhost");
    let host = host.unwrap_or("https://index.docker.io/v1/");
    let decoded = STANDARD.decode(config["auths"][host]["auth"].as_str()?).ok()?;
    let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some(DockerCredentials {
        username: Some(user.to_owned()),
        password: Some(password.to_owned()),
        serveraddress: Some(host.to_owned()),
        ..DockerCredentials::default()
    })
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn what_is_built_has_a_tag() {
        assert_eq!(parts("localhost:5000/shop/api:1"), Ok(("localhost:5000/shop/api", "1")));
        for wrong in ["api", "localhost:5000/api", "api@sha256:ab", "api:1@sha256:ab"] {
            assert!(parts(wrong).is_err(), "{wrong}");
        }
    }
}
