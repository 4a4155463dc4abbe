//! Helm's commands about releases on a cluster in the process, and killed at any moment.

mod helm_lab;
mod side_by_side;

use helm_lab::{Lab, kill, stderr, stdout};
use onepane_embedded::{Effect, Filter, When};
use onepane_testkit::Random;
use serde_json::Value;
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn a_release_lives_without_a_cluster() {
    let (_cluster, _folder, lab) = Lab::embedded();
    let installed = lab.ours("install x c --wait");
    let wanted = "NAMESPACE: default\nSTATUS: deployed\nREVISION: 1\nDESCRIPTION: Install complete\nTEST SUITE: None\nNOTES:\n\
                  Thanks for c 1\n";
    assert!(installed.starts_with("NAME: x\nLAST DEPLOYED: ") && installed.ends_with(wanted), "{installed}");
    let refused = lab.run(None, "default", "install x c");
    let wanted = "Error: INSTALLATION FAILED: release name check failed: cannot reuse a name that is still in use\n";
    assert!(stderr(&refused).ends_with(wanted), "{}", stderr(&refused));
    assert!(
        lab.ours("upgrade x c --set key=two").starts_with("Release \"x\" has been upgraded. Happy Helming!\nNAME: x\n")
    );
    assert_eq!(lab.ours("get values x"), "USER-SUPPLIED VALUES:\nkey: two\n");
    assert_eq!(lab.ours("get values x --all -o json"), "{\"big\":1000000,\"key\":\"two\",\"list\":[1,2]}\n");
    // Values stay, if no others are given.
    lab.ours("upgrade x c");
    assert_eq!(lab.ours("get values x"), "USER-SUPPLIED VALUES:\nkey: two\n");
    assert_eq!(lab.ours("rollback x 1"), "Rollback was a success! Happy Helming!\n");
    let history: Value = serde_json::from_str(&lab.ours("history x -o json")).expect("it is JSON");
    let statuses: Vec<&str> =
        history.as_array().expect("a list").iter().map(|it| it["status"].as_str().expect("a text")).collect();
    assert_eq!(statuses, ["superseded", "superseded", "superseded", "deployed"]);
    assert!(lab.ours("get manifest x").contains("key: \"one\""));
    assert_eq!(lab.ours("list -q"), "x\n");
    assert!(lab.ours("status x").contains("RESOURCES:\n==> v1/ConfigMap\nNAME   DATA   AGE\nx-a    2      "));
    let dry = lab.ours("upgrade y c --install --dry-run=server --set key=z");
    assert!(dry.contains("MANIFEST:\n---\n# Source: c/templates/a.yaml\n") && dry.contains("key: \"z\""), "{dry}");
    assert_eq!(lab.ours("list -q"), "x\n");
    lab.ours("install d d --wait --timeout 60s");
    assert!(lab.ours("test d").contains("TEST SUITE:     tst\n"));
    assert_eq!(lab.ours("uninstall x d"), "release \"x\" uninstalled\nrelease \"d\" uninstalled\n");
    assert_eq!(lab.ours("list -q"), "");
    let gone = lab.run(None, "default", "status x");
    assert_eq!((gone.status.code(), stderr(&gone).as_str()), (Some(1), "Error: release: not found\n"));
}

#[test]
fn many_of_a_kind_are_looked_for_at_once() {
    let (cluster, _folder, lab) = Lab::embedded();
    lab.room.write("m/Chart.yaml", "apiVersion: v2\nname: m\nversion: 0.1.0\n");
    lab.room.write(
        "m/templates/a.yaml",
        "{{- range until 20 }}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: m-{{ . }}}\n{{- end }}\n",
    );
    let faults = cluster.faults();
    faults.reset_counts();
    lab.ours("install m m");
    let counts =
        (faults.count("list", "configmaps"), faults.count("get", "configmaps"), faults.count("apply", "configmaps"));
    assert_eq!(counts, (1, 0, 20));
    // Of what is there it is still asked whose it is.
    let refused = lab.run(None, "default", "install n m");
    let wanted =
        "unable to continue with install: ConfigMap \"m-0\" in namespace \"default\" exists and cannot be imported";
    assert!(stderr(&refused).contains(wanted), "{}", stderr(&refused));
    lab.ours("upgrade m m");
    lab.ours("uninstall m");
    // Whoever can't list asks for each.
    let filter = Filter { verb: Some("list".to_owned()), resource: Some("configmaps".to_owned()), ..Filter::default() };
    faults.inject(filter, When::Always, Effect::InternalError);
    faults.reset_counts();
    lab.ours("install m m");
    assert_eq!((faults.count("get", "configmaps"), faults.count("apply", "configmaps")), (20, 20));
}

#[test]
fn whoever_is_killed_leaves_no_release_stuck() {
    // A thousand by hand.
    let kills = std::env::var("ONEPANE_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(12);
    let (_cluster, _folder, lab) = Lab::embedded();
    let mut random = Random(11);
    let mut cut_short = 0;
    // As long as it takes, at every moment of that.
    let start = Instant::now();
    lab.ours("install x c");
    let whole = usize::try_from(start.elapsed().as_micros()).expect("it is not for ever");
    for turn in 0..kills {
        let lines = ["upgrade x c --install --set key=a", "rollback x", "uninstall x", "upgrade x d --install"];
        let line = lines[random.below(if turn % 4 == 0 { 4 } else { 3 })];
        let mut command = lab.command(None, "default", line);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("it can be run");
        std::thread::sleep(Duration::from_micros(random.below(whole) as u64));
        cut_short += u32::from(child.try_wait().expect("it can be asked").is_none());
        kill(child);
        let key = format!("k{turn}");
        let start = Instant::now();
        let next = lab.run(None, "default", &format!("upgrade x c --install --set key={key}"));
        let said = || format!("turn {turn}, {line}: {}{}", stdout(&next), stderr(&next));
        assert!(next.status.success(), "{}", said());
        assert!(start.elapsed() < Duration::from_secs(15), "it is known at once that nobody is at work: {}", said());
        let history: Value = serde_json::from_str(&lab.ours("history x -o json")).expect("it is JSON");
        let statuses: Vec<&str> =
            history.as_array().expect("a list").iter().filter_map(|revision| revision["status"].as_str()).collect();
        let is_stuck = |status: &&str| status.starts_with("pending") || *status == "uninstalling";
        assert!(!statuses.iter().any(is_stuck) && statuses.last() == Some(&"deployed"), "{}: {statuses:?}", said());
        let data = lab.get("/api/v1/namespaces/default/configmaps/x-a").expect("it is there");
        assert_eq!(data["data"]["key"], *key);
        assert!(lab.get("/apis/apps/v1/namespaces/default/deployments/web").is_none(), "{}", said());
    }
    println!("{kills} runs, {cut_short} killed midway");
    assert!(cut_short > kills as u32 / 4, "{cut_short}");
}

#[test]
fn other_places_for_releases_are_refused() {
    let (_cluster, _folder, mut lab) = Lab::embedded();
    for (driver, words) in [
        // As in Helm, which in this way reads releases from files for its own tests, and reaches no cluster.
        ("memory", "Error: Unable to read memory driver data: open : no such file or directory\n"),
        ("sql", "Error: HELM_DRIVER=sql is not supported: releases are kept in secrets or configmaps\n"),
        ("paper", "Error: unknown driver \"paper\"\n"),
    ] {
        lab.driver = driver;
        for line in ["install x c", "list", "uninstall x"] {
            let refused = lab.run(None, "default", line);
            let said = stderr(&refused).replace("INSTALLATION FAILED: ", "");
            assert_eq!((refused.status.code(), said.as_str()), (Some(1), words), "{driver} {line}");
        }
    }
    lab.driver = "configmaps";
    lab.ours("install x c");
    assert!(lab.get("/api/v1/namespaces/default/configmaps/sh.helm.release.v1.x.v1").is_some());
    assert_eq!(lab.ours("list -q"), "x\n");
    lab.driver = "secret";
    assert_eq!(lab.ours("list -q"), "");
}
