//! Images: that each is there, and says which of its versions is meant.

use super::containers::place_of;
use crate::{Finding, Scene};
use onepane_resource::{Tree, pods};

pub(crate) fn check(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for item in scene.judged() {
        let Some(template) = item.template() else { continue };
        for container in pods::containers(template) {
            let Some(at) = container.get("image") else {
                let name = container.text_at(&["name"]).unwrap_or_default();
                let message = format!("{item}: the container `{name}` has no image");
                found.push(Finding::new("image-missing", place_of(container), message));
                continue;
            };
            let Some(image) = at.text().filter(|image| !image.contains('@')) else { continue };
            // A colon before a slash belongs to a registry's port.
            let (_, last) = image.rsplit_once('/').unwrap_or(("", image));
            match last.split_once(':').map(|(_, tag)| tag) {
                None | Some("") => {
                    let message = format!("{item}: the image `{image}` has no tag: which version runs is up to chance");
                    found.push(
                        Finding::new("image-no-tag", at, message).hint("write the tag of a release, or a digest"),
                    );
                }
                Some("latest") => {
                    let message =
                        format!("{item}: the tag of the image `{image}` says nothing about which version runs");
                    found.push(
                        Finding::new("image-latest", at, message).hint("write the tag of a release, or a digest"),
                    );
                }
                Some(_) => {}
            }
        }
    }
}
