//! How the cluster is made: [`Options`].

use crate::Scenario;
use std::time::Duration;

/// How an embedded cluster is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many nodes pretend to run pods; with none, pods stay pending.
    pub nodes: u32,
    /// Whether Deployments and their like are made something of. Namespaces, definitions of kinds and garbage are seen to
    /// in any case.
    pub controllers: bool,
    /// How much longer than in a real cluster things take: `1.0` is as in a real one, where a pod starts in two
    /// seconds, `0.0` is at once.
    pub pace: f64,
    /// What becomes of pods.
    pub scenario: Scenario,
    /// How many changes are remembered for watches. Whoever asks for older ones is answered with 410.
    pub history_limit: usize,
    /// How many bytes the body of a request may have.
    pub body_limit: usize,
    /// How many connections are served at once; further ones wait.
    pub connection_limit: usize,
    /// What uids, generated names and addresses are made of; the same seed makes the same ones.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            nodes: 1,
            controllers: true,
            pace: 0.01,
            scenario: Scenario::default(),
            history_limit: 10_000,
            body_limit: 3 * 1024 * 1024,
            connection_limit: 512,
            seed: 0,
        }
    }
}

impl Options {
    /// How long something takes here that takes so long in a real cluster.
    pub(crate) fn scaled(&self, real: Duration) -> Duration {
        Duration::try_from_secs_f64(real.as_secs_f64() * self.pace.clamp(0.0, 1000.0)).unwrap_or(real)
    }
}
