//! A release's tests: [`Session::test`].

use crate::failure::Failure;
use crate::hooks::{self, Ran, Running};
use crate::release::Release;
use crate::session::Session;
use crate::storage::Held;
use crate::upgrade::hook_method;
use crate::wait::{Strategy, Wait};
use futures::lock::Mutex;
use onepane_cluster::Request;
use serde_json::Value;

/// Which tests of a release are run, and how long it is waited for each.
#[derive(Clone, Debug)]
pub struct Test {
    /// How long.
    pub timeout: std::time::Duration,
    /// The names of those that are run; all where there are none.
    pub only: Vec<String>,
    /// The names of those that are not.
    pub without: Vec<String>,
}

/// What came of tests; hooks that are to go are still there.
pub struct Tested {
    /// The release, with what became of its hooks.
    pub release: Release,
    /// Why tests failed, if they have.
    pub outcome: Result<(), Failure>,
    ran: Ran,
    held: Mutex<Held>,
    wait: Wait,
}

impl Test {
    fn is_wanted(&self, name: &str) -> bool {
        (self.only.is_empty() || self.only.iter().any(|one| one == name)) && !self.without.iter().any(|one| one == name)
    }
}

impl Session<'_> {
    /// Runs the tests of a release. The error is what keeps any from being run; see [`Tested`] for all others.
    pub async fn test(&self, name: &str, test: &Test) -> Result<Tested, Failure> {
        let mut release = self.last(name).await?.release;
        let wait = Wait { strategy: Strategy::Watcher, for_jobs: false, timeout: test.timeout };
        let held = Mutex::new(self.storage.take(&release).await?);
        let (chosen, skipped): (Vec<_>, Vec<_>) =
            std::mem::take(&mut release.hooks).into_iter().partition(|hook| test.is_wanted(&hook.name));
        release.hooks = chosen;
        let running = Running { wait, method: hook_method(release.is_server_side()), held: &held };
        let (ran, outcome) = hooks::run_and_keep(self, &mut release, "test", &running).await;
        // Those that were left out come first then, as in Helm.
        let (hooks, before) = (std::mem::take(&mut release.hooks), skipped.len());
        release.hooks = skipped.into_iter().chain(hooks).collect();
        let ran = ran.shifted(before);
        let written = self.storage.update(&mut *held.lock().await, &release).await;
        let outcome = match outcome {
            Ok(()) => written,
            failed => failed,
        };
        Ok(Tested { release, outcome, ran, held, wait })
    }

    /// What the pods of a release's tests have printed, as Helm prints it. The error is Helm's; `print` gets what there is.
    pub async fn test_logs(&self, release: &Release, test: &Test, print: &mut dyn FnMut(&[u8])) -> Result<(), Failure> {
        let mut hooks: Vec<_> = release
            .hooks
            .iter()
            .filter(|hook| hook.events.iter().any(|event| event == "test"))
            .filter(|hook| test.is_wanted(&hook.name) && hook.kind == "Pod")
            .collect();
        hooks.sort_by(|a, b| (a.weight, &a.name).cmp(&(b.weight, &b.name)));
        for hook in hooks {
            let name = &hook.name;
            let place = |name: &str| hooks::segment(name);
            let path = format!("/api/v1/namespaces/{}/pods/{}", place(&self.namespace), place(name));
            let pod = self.cluster.ask(&Request::get(path, format!("pods {name}"))).await;
            let pod = pod.map_err(|refusal| Failure::Other(format!("unable to get pod {name}: {refusal}")))?;
            let mut errors = Vec::new();
            for list in ["/spec/initContainers", "/spec/containers"] {
                let containers = pod.pointer(list).and_then(Value::as_array).into_iter().flatten();
                for container in containers.filter_map(|container| container["name"].as_str()) {
                    match hooks::logs(self, &self.namespace, name, container).await {
                        Ok(log) => {
                            print(format!("POD LOGS: {name} ({container})\n").as_bytes());
                            print(&log);
                            print(b"\n");
                        }
                        Err(refusal) => {
                            errors.push(format!("unable to get logs for pod {name}, container {container}: {refusal}"))
                        }
                    }
                }
            }
            if !errors.is_empty() {
                return Err(Failure::Other(errors.join("\n")));
            }
        }
        Ok(())
    }

    /// Deletes the hooks that are to go after tests.
    pub async fn clean_up_tests(&self, tested: &Tested) -> Result<(), Failure> {
        let running =
            Running { wait: tested.wait, method: hook_method(tested.release.is_server_side()), held: &tested.held };
        tested.ran.clean_up(self, &tested.release, &running).await
    }
}
