//! The same command lines through onepane and through the real Helm, each in a room of its own.
#![allow(dead_code, reason = "each test program uses a part of it")]

pub(crate) mod pair;

#[path = "../../../fetch/tests/support/mod.rs"]
pub(crate) mod support;

use std::process::{Command, Output, Stdio};
use support::Room;

pub(crate) fn ours(room: &Room, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onepane"));
    command.arg("helm").args(arguments).current_dir(&room.path).stdin(Stdio::null());
    for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HOME"] {
        command.env(name, room.variable(name).expect("it is one of the room's"));
    }
    command.output().expect("it can be run")
}

/// What is compared of a run.
pub(crate) fn seen(room: &Room, output: &Output) -> (Option<i32>, String, String) {
    let masked = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(room.path.as_str(), "ROOM");
    let stderr = masked(&output.stderr);
    let kept =
        stderr.lines().filter(|line| ["Error: ", "Pulled: ", "Digest: "].iter().any(|head| line.starts_with(head)));
    (output.status.code(), masked(&output.stdout), kept.collect::<Vec<_>>().join("\n"))
}

/// Runs each line in both rooms.
pub(crate) fn compare(room: &Room, peer: &Room, lines: &[String]) -> Option<()> {
    let mut different = Vec::new();
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        let theirs = seen(peer, &peer.helm(&words)?);
        let ours = seen(room, &ours(room, &words));
        if ours != theirs {
            different.push(format!("helm {line}\n   ours: {ours:?}\n theirs: {theirs:?}"));
        }
    }
    assert!(different.is_empty(), "{} of {} differ\n{}", different.len(), lines.len(), different.join("\n"));
    println!("{} command lines are as Helm's", lines.len());
    Some(())
}
