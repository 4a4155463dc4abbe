//! What runs of temporary environments came to, as Git notes: written by `ci run --record`, asked for by `promote`.

use crate::terminal::Failure;
use onepane_git::{LocalRepository, Notes};
use onepane_repo::Version;
use onepane_resource::ImageName;
use serde_json::{Value, json};

/// What `git log --notes=NAME` shows.
const NAME: &str = "onepane-ci";

/// One run that has ended.
pub(crate) struct CiRun<'r> {
    pub(crate) is_passed: bool,
    pub(crate) verdict: &'r str,
    pub(crate) cluster: &'r str,
    pub(crate) service: Option<&'r str>,
    /// The images that were tested.
    pub(crate) images: Vec<&'r str>,
    pub(crate) at: &'r str,
}

impl CiRun<'_> {
    /// Notes it at the last commit, here or on a remote as well.
    pub(crate) fn add(&self, git: &LocalRepository, remote: Option<&str>) -> Result<(), Failure> {
        let Self { is_passed, verdict, cluster, service, images, at } = self;
        let line = json!({
            "passed": is_passed, "images": images, "service": service, "cluster": cluster, "verdict": verdict, "at": at,
        });
        Ok(Notes::of(git, NAME).add(&git.commit("HEAD")?, &line.to_string(), remote)?)
    }
}

/// The runs that are noted.
pub(crate) struct CiRuns {
    /// The images that have passed.
    passed: Vec<String>,
}

impl CiRuns {
    /// Those of this machine, and of a remote.
    pub(crate) fn read(git: &LocalRepository, remote: Option<&str>) -> Result<Self, Failure> {
        let lines = Notes::of(git, NAME).lines(remote)?;
        // A line that somebody has written by hand counts for as much as can be read of it.
        let runs = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let passed = runs.filter(|run| run["passed"] == true).flat_map(|run| {
            let images = run["images"].as_array().cloned().unwrap_or_default();
            images.into_iter().filter_map(|image| image.as_str().map(str::to_owned))
        });
        Ok(Self { passed: passed.collect() })
    }

    /// Whether an image has passed in that version: by its digest, where both say one, by its tag otherwise.
    pub(crate) fn has_passed(&self, name: &str, version: &Version) -> bool {
        self.passed.iter().map(|image| ImageName::parse(image)).any(|image| {
            let is_same = match (image.digest, version.digest.as_str()) {
                ("", _) | (_, "") => image.tag == version.tag && !image.tag.is_empty(),
                (one, other) => one == other,
            };
            image.name == name && is_same
        })
    }
}
