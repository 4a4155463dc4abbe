//! The cluster that flags and environment mean: the only way from a render to one. And what it answered, for the second
//! render that explains why the first failed.

use super::flags::{Parsed, boolean};
use super::{Failure, log, log_with};
use onepane_cluster::{Cluster, Level, Logged, Settings};
use onepane_diagnostics::Severity;
use onepane_template::Host;
use onepane_value::Value;
use onepane_world::World;
use std::cell::RefCell;
use std::io::IsTerminal;

/// Connects. That it does not work is logged and said, as Helm has it.
pub(super) fn connect(flags: &Parsed, world: &dyn World) -> Result<Cluster, Failure> {
    connect_unlogged(flags, world).map_err(|error| {
        let message = format!("cluster reachability check failed: {error}");
        log(Severity::Error, &message);
        message.into()
    })
}

/// The same for commands about releases, which say it and log nothing.
pub(super) fn connect_unlogged(flags: &Parsed, world: &dyn World) -> Result<Cluster, String> {
    Cluster::connect(&settings(flags, world), |Logged { level, message, fields }| {
        let severity = match level {
            Level::Warning => Severity::Warning,
            Level::Error => Severity::Error,
        };
        log_with(severity, &message, &fields);
    })
}

/// A cluster of which is kept what templates looked up.
pub(super) struct Remembering<'a> {
    cluster: &'a Cluster,
    found: RefCell<Vec<LookedUp>>,
}

/// What was asked for, and the answer.
type LookedUp = ([String; 4], Result<Value, String>);

impl<'a> Remembering<'a> {
    pub(super) fn new(cluster: &'a Cluster) -> Self {
        Self { cluster, found: RefCell::default() }
    }

    /// What was looked up, to be looked up again, without a cluster.
    pub(super) fn replay(self) -> Replay {
        Replay(RefCell::new(self.found.into_inner()))
    }
}

impl Host for Remembering<'_> {
    fn lookup(&self, api_version: &str, kind: &str, namespace: &str, name: &str) -> Result<Value, String> {
        let answer = self.cluster.lookup(api_version, kind, namespace, name);
        // A template may change what it was given.
        let kept = answer.as_ref().map(Value::deep_copy).map_err(Clone::clone);
        self.found.borrow_mut().push(([api_version, kind, namespace, name].map(str::to_owned), kept));
        answer
    }
}

/// Answers of a cluster once more, each as often as it was given, in that order.
pub(super) struct Replay(RefCell<Vec<LookedUp>>);

impl Host for Replay {
    fn lookup(&self, api_version: &str, kind: &str, namespace: &str, name: &str) -> Result<Value, String> {
        let asked = [api_version, kind, namespace, name];
        let mut found = self.0.borrow_mut();
        match found.iter().position(|(before, _)| before.iter().zip(asked).all(|(before, asked)| before == asked)) {
            Some(index) => found.remove(index).1,
            // A template that asks the clock or chance; what comes of it is not shown, since it is not what failed.
            None => Err("it was not looked up before".to_owned()),
        }
    }
}

/// A flag that is given wins over the environment, even if it is given empty.
fn settings(flags: &Parsed, world: &dyn World) -> Settings {
    let mut settings = Settings::from_variables(&|name| world.env(name));
    settings.is_interactive = std::io::stdin().is_terminal();
    for (flag, setting) in [
        ("kubeconfig", &mut settings.kubeconfig),
        ("kube-context", &mut settings.context),
        ("kube-apiserver", &mut settings.server),
        ("kube-ca-file", &mut settings.ca_file),
        ("kube-tls-server-name", &mut settings.tls_server_name),
        ("kube-token", &mut settings.token),
        ("kube-as-user", &mut settings.as_user),
    ] {
        if let Some(given) = flags.text(flag) {
            *setting = given.to_owned();
        }
    }
    if flags.is_given("kube-as-group") {
        settings.as_groups = flags.all("kube-as-group");
    }
    if let Some(given) = flags.text("kube-insecure-skip-tls-verify") {
        settings.insecure_skip_tls_verify = boolean(given).unwrap_or(false);
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_looked_up_is_told_again() {
        let asked = |name: &str| ["v1", "Secret", "n", name].map(str::to_owned);
        let found = vec![
            (asked("a"), Ok(Value::string("first"))),
            (asked("b"), Err("forbidden".to_owned())),
            (asked("a"), Ok(Value::string("second"))),
        ];
        let replay = Replay(RefCell::new(found));
        let told = |name: &str| {
            let answer = replay.lookup("v1", "Secret", "n", name);
            answer.map(|value| value.as_text().map(|text| text.to_str().into_owned()).unwrap_or_default())
        };
        assert_eq!(told("b"), Err("forbidden".to_owned()));
        assert_eq!((told("a"), told("a")), (Ok("first".to_owned()), Ok("second".to_owned())));
        assert!(told("a").is_err());
    }
}
