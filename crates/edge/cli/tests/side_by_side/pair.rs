//! Command lines through both tools in one room, compared to the byte.

use super::support::Room;
use std::process::{Command, Output, Stdio};

/// A command line, and the environment that both tools have for it.
pub(crate) struct Line<'a> {
    pub(crate) arguments: Vec<&'a str>,
    pub(crate) variables: Vec<(&'a str, &'a str)>,
}

/// Both tools in one room, so that they say the same paths.
pub(crate) struct Pair {
    pub(crate) room: Room,
    different: Vec<String>,
    compared: usize,
}

impl Pair {
    pub(crate) fn new() -> Self {
        Self { room: Room::new(), different: Vec::new(), compared: 0 }
    }

    /// Writes a chart with this template.
    pub(crate) fn chart(&self, name: &str, template: &str) {
        self.room.write(&format!("{name}/Chart.yaml"), "apiVersion: v2\nname: c\nversion: 0.1.0\n");
        self.room.write(&format!("{name}/templates/a.yaml"), template);
    }

    fn run(&self, mut command: Command, line: &Line<'_>) -> Output {
        command.env_clear().args(&line.arguments).current_dir(&self.room.path).stdin(Stdio::null());
        for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HOME"] {
            command.env(name, self.room.variable(name).expect("it is one of the room's"));
        }
        command.envs(line.variables.iter().copied()).output().expect("it can be run")
    }

    /// Runs a line with onepane.
    pub(crate) fn ours(&self, line: &Line<'_>) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onepane"));
        command.arg("helm");
        self.run(command, line)
    }

    /// Runs a line with onepane, and with Helm where there is one. Gives what onepane gave.
    pub(crate) fn compare(&mut self, line: Line<'_>) -> Output {
        let ours = self.ours(&line);
        if let Some(helm) = helm() {
            let theirs = self.run(Command::new(helm), &line);
            let seen = |output: &Output| {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                (output.status.code(), text(&output.stdout), text(&output.stderr))
            };
            self.compared += 1;
            if seen(&ours) != seen(&theirs) {
                let shown = line.arguments.join(" ");
                self.different.push(format!("helm {shown}\n   ours: {:?}\n theirs: {:?}", seen(&ours), seen(&theirs)));
            }
        }
        ours
    }

    pub(crate) fn finish(self) {
        let Self { different, compared, .. } = self;
        assert!(different.is_empty(), "{} of {compared} differ\n{}", different.len(), different.join("\n"));
        println!("{compared} command lines are as Helm's");
    }
}

/// That what came of each step is the same, shown one below the other where it is not.
pub(crate) fn assert_alike(theirs: &[String], ours: &[String]) {
    let different: Vec<String> = theirs
        .iter()
        .zip(ours)
        .filter(|(theirs, ours)| theirs != ours)
        .map(|(theirs, ours)| format!("THEIRS {theirs}\nOURS   {ours}\n"))
        .collect();
    assert!(different.is_empty(), "{} of {} differ\n{}", different.len(), theirs.len(), different.join("\n"));
}

/// The real Helm, where there is one.
pub(crate) fn helm() -> Option<String> {
    let folder = std::env::var("ONEPANE_PEERS")
        .or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cache/onepane-peers")));
    let helm = folder.ok().map(|folder| format!("{folder}/helm")).filter(|helm| std::path::Path::new(helm).is_file());
    if helm.is_none() {
        println!("SKIPPED comparison with Helm: there is no `helm` in $ONEPANE_PEERS or ~/.cache/onepane-peers");
    }
    helm
}

/// A manifest that prints what a template's expression gives.
pub(crate) fn printing(expression: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: printed}}\ndata:\n  it: {{{{ {expression} | toJson | quote }}}}\n"
    )
}
