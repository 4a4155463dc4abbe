//! What becomes of pods, in which nothing runs: [`Scenario`].

use crate::object;
use serde_json::Value;
use std::time::Duration;

/// What the containers of a pod do. Times are those of a real cluster, and pass at the pace of
/// [`Options::pace`](crate::Options::pace).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// They run, and are ready after a while.
    Ready {
        /// How long after the start.
        after: Duration,
    },
    /// They run and are never ready.
    NeverReady,
    /// They exit with 0 after a while.
    Succeed {
        /// How long after the start.
        after: Duration,
    },
    /// They exit with this code after a while. Whether they are started again is up to the pod's `restartPolicy`.
    Fail {
        /// How long after the start.
        after: Duration,
        /// The code, which is not 0.
        exit_code: i32,
        /// How often, before they do what is usual; `None` for each time.
        times: Option<u32>,
    },
    /// Their image can't be pulled: `ErrImagePull`, then `ImagePullBackOff`.
    ImagePullFails,
    /// They are never started: `ContainerCreating`.
    Hang,
    /// No node will have them.
    Unschedulable,
}

/// Which pods a behaviour is for. What is not said is not looked at.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    /// A part of the name of an image of the pod.
    pub image: Option<String>,
    /// A label of the pod.
    pub label: Option<(String, String)>,
    /// What the name of the pod begins with.
    pub name: Option<String>,
    /// The pod's namespace.
    pub namespace: Option<String>,
    /// What its containers do; what is usual where it is not said.
    pub behaviour: Option<Behaviour>,
    /// What they print.
    pub log: Option<String>,
}

/// Rules for pods, of which the first that fits is what happens. An annotation of the pod, `onepane.dev/behaviour`, with
/// one of the texts `ready`, `never-ready`, `succeed`, `fail`, `image-pull-fails`, `hang` and `unschedulable`, goes before
/// them. Without either a pod that is to restart always becomes ready, and any other one succeeds.
#[derive(Clone, Debug, Default)]
pub struct Scenario {
    /// The rules, in order.
    pub rules: Vec<Rule>,
}

/// The annotation that says what a pod's containers do.
const ANNOTATION: &str = "onepane.dev/behaviour";
/// How long an ordinary start takes.
const USUAL: Duration = Duration::from_secs(1);

impl Rule {
    fn fits(&self, pod: &Value) -> bool {
        let containers =
            object::items(pod, &["spec", "containers"]).iter().chain(object::items(pod, &["spec", "initContainers"]));
        let mut images = containers.map(|container| object::text(container, &["image"]));
        self.image.as_ref().is_none_or(|part| images.any(|image| image.contains(&**part)))
            && self.label.as_ref().is_none_or(|(key, value)| object::text(pod, &["metadata", "labels", key]) == value)
            && self.name.as_ref().is_none_or(|start| object::name(pod).starts_with(&**start))
            && self.namespace.as_ref().is_none_or(|namespace| object::namespace(pod) == namespace)
    }
}

impl Scenario {
    pub(crate) fn behaviour(&self, pod: &Value) -> Behaviour {
        let fail = Behaviour::Fail { after: USUAL, exit_code: 1, times: None };
        let usual = usual(pod);
        match object::text(pod, &["metadata", "annotations", ANNOTATION]) {
            "ready" => return Behaviour::Ready { after: USUAL },
            "never-ready" => return Behaviour::NeverReady,
            "succeed" => return Behaviour::Succeed { after: USUAL },
            "fail" => return fail,
            "image-pull-fails" => return Behaviour::ImagePullFails,
            "hang" => return Behaviour::Hang,
            "unschedulable" => return Behaviour::Unschedulable,
            _ => {}
        }
        let rule = self.rules.iter().find(|rule| rule.behaviour.is_some() && rule.fits(pod));
        rule.and_then(|rule| rule.behaviour.clone()).unwrap_or(usual)
    }

    pub(crate) fn log(&self, pod: &Value) -> &str {
        self.rules
            .iter()
            .find(|rule| rule.log.is_some() && rule.fits(pod))
            .and_then(|rule| rule.log.as_deref())
            .unwrap_or_default()
    }
}

/// What a pod does of which nothing is said.
pub(crate) fn usual(pod: &Value) -> Behaviour {
    match object::text(pod, &["spec", "restartPolicy"]) {
        "Never" | "OnFailure" => Behaviour::Succeed { after: USUAL },
        _ => Behaviour::Ready { after: USUAL },
    }
}
