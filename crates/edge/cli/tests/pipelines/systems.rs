//! GitHub, GitLab and Jenkins, as far as it takes to run what is written for them: which jobs and steps an event is for, in
//! which order, with which variables; and clones where they make some themselves.

use super::{Event, Lab, TOKEN, Workspace, yaml};
use serde_json::Value;

/// Runs a pipeline of a system, for a service or for the company's repository. How far it came, or what the line said that
/// failed.
pub(crate) fn run(lab: &Lab, system: &str, service: Option<&str>, workspace: &Workspace<'_>) -> Result<(), String> {
    let text = lab.pipeline(system, service);
    match system {
        "github" => github(&text, service, workspace),
        "gitlab" => gitlab(&text, service, workspace),
        _ => jenkins(&text, service, workspace),
    }
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn github(text: &str, service: Option<&str>, workspace: &Workspace<'_>) -> Result<(), String> {
    let file = yaml(text);
    let is_push = workspace.event == Event::Push;
    // For YAML 1.1, which Kubernetes reads, `on` is no text.
    assert!(file["true"].get("pull_request").is_some() && file["permissions"]["contents"] == "read", "{file}");
    assert_eq!(file["true"]["push"]["branches"], serde_json::json!(["main"]));
    let record = if is_push { "--record" } else { "--record=local" };
    let kubeconfig = workspace.kubeconfig();
    let known = [
        ("github.sha", workspace.commit.as_str()),
        ("vars.ONEPANE_IMAGE", "onepane:1"),
        ("vars.REGISTRY_USER", "robot"),
        ("vars.GITOPS_REPOSITORY", "acme/shop"),
        ("secrets.REGISTRY_PASSWORD", "hunter2"),
        ("secrets.KUBECONFIG", &kubeconfig),
        ("secrets.PROMOTE_TOKEN", TOKEN),
        ("secrets.GITOPS_TOKEN", TOKEN),
        ("github.token", "t"),
        ("github.event.pull_request.number", "7"),
        ("github.base_ref", "main"),
        ("github.event_name == 'push' && '--record' || '--record=local'", record),
    ];
    let value = |value: &Value| {
        let text = value.as_str().expect("it is a text").to_owned();
        let text = known.iter().fold(text, |text, (name, value)| text.replace(&format!("${{{{ {name} }}}}"), value));
        assert!(!text.contains("${{"), "{text} is not known");
        text
    };
    let variables = |env: &Value| -> Vec<(String, String)> {
        env.as_object().into_iter().flatten().map(|(name, text)| (name.clone(), value(text))).collect()
    };
    let holds = |condition: &Value| {
        let Some(condition) = condition.as_str() else { return true };
        let fork = "!github.event.pull_request.head.repo.fork";
        let condition = condition.trim_start_matches("${{ ").trim_end_matches(" }}");
        condition.split(" && ").all(|part| match part {
            "github.event_name == 'push'" | "github.event_name != 'pull_request'" => is_push,
            "github.event_name == 'pull_request'" => !is_push,
            "github.ref_name == 'main'" | "!cancelled()" => true,
            part if part == fork || part.starts_with("hashFiles(") => true,
            part => panic!("{part} is not known"),
        })
    };
    for job in file["jobs"].as_object().expect("there are jobs").values().filter(|job| holds(&job["if"])) {
        assert!(job["runs-on"] == "ubuntu-latest" && job["timeout-minutes"].is_u64(), "{job}");
        for step in job["steps"].as_array().expect("there are steps").iter().filter(|step| holds(&step["if"])) {
            match (step["uses"].as_str(), step["run"].as_str()) {
                (Some("actions/checkout@v4"), None) => {
                    let with = &step["with"];
                    let folder = with["path"].as_str().unwrap_or_default();
                    let is_own = with.get("repository").is_none();
                    let own = if service.is_some() { "api" } else { "shop" };
                    let name = if is_own { own } else { "shop" };
                    assert!(is_own || value(&with["repository"]) == "acme/shop" && value(&with["token"]) == TOKEN);
                    let options: &[&str] = if with["fetch-depth"] == 0 { &[] } else { &["--depth", "1"] };
                    // What was merged last is what it is for.
                    let commit = (is_own && with["fetch-depth"] == 0).then_some(workspace.commit.as_str());
                    workspace.clone(name, folder, options, commit.filter(|_| service.is_some()), true);
                }
                (Some("actions/upload-artifact@v4"), None) => {}
                (None, Some(script)) => {
                    // What strangers choose, such as the name of a branch, is no part of a script.
                    assert!(!script.contains("${{"), "{script}");
                    let variables = [variables(&job["env"]), variables(&step["env"])].concat();
                    let (is_well, said) = workspace.run(&["bash", "-eo", "pipefail", "-c"], script, &variables);
                    if !is_well {
                        return Err(said);
                    }
                }
                _ => panic!("{step}"),
            }
        }
    }
    Ok(())
}

fn gitlab(text: &str, service: Option<&str>, workspace: &Workspace<'_>) -> Result<(), String> {
    let file = yaml(text);
    let is_push = workspace.event == Event::Push;
    let holds = |rule: &&Value| match rule["if"].as_str() {
        Some("$CI_PIPELINE_SOURCE == \"merge_request_event\"") => !is_push,
        Some("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH") => is_push,
        other => panic!("{other:?} is not known"),
    };
    let rule = |rules: &Value| rules.as_array().expect("they are a list").iter().find(holds).cloned();
    let stages: Vec<&str> = file["stages"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let words = ["stages", "workflow", "default", "variables"];
    // Names that mean something else at the top of the file, and so none of jobs.
    let reserved = ["image", "services", "cache", "before_script", "after_script", "include", "pages", "spec", "types"];
    assert!(reserved.iter().chain(&["true", "false", "nil"]).all(|word| file.get(word).is_none()), "{file}");
    let all = file.as_object().expect("it is one").iter();
    let mut jobs: Vec<&Value> = all.filter(|(name, _)| !words.contains(&name.as_str())).map(|(_, job)| job).collect();
    // In the order of their stages, whatever the order of keys here.
    jobs.sort_by_key(|job| stages.iter().position(|stage| job["stage"] == **stage));
    let own = if service.is_some() { "api" } else { "shop" };
    workspace.clone(own, "", &[], Some(&workspace.commit), false);
    let mut given = owned(&[
        ("CI_COMMIT_SHA", &workspace.commit),
        ("CI_PROJECT_PATH", &format!("acme/{own}")),
        ("CI_PROJECT_URL", &format!("{}/acme/{own}", workspace.lab.server.address)),
        ("CI_JOB_TOKEN", TOKEN),
        ("CI_SERVER_HOST", "gitlab.example.com"),
        ("ONEPANE_IMAGE", "onepane:1"),
        ("REGISTRY_USER", "robot"),
        ("REGISTRY_PASSWORD", "hunter2"),
        ("GITOPS_TOKEN", if is_push { "may not write" } else { TOKEN }),
        ("GITOPS_REPOSITORY", "gitlab.example.com/acme/shop.git"),
        ("REPORT_TOKEN", "t"),
        ("CI_API_V4_URL", "https://example.com/api/v4"),
        ("CI_PROJECT_ID", "1"),
        ("CI_MERGE_REQUEST_IID", if is_push { "" } else { "7" }),
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "origin/main"),
        ("PROMOTE_TOKEN", if is_push { TOKEN } else { "" }),
    ]);
    let said = rule(&file["workflow"]["rules"]).expect("the event is one that it is for");
    for (name, value) in [&file["variables"], &said["variables"]].iter().filter_map(|all| all.as_object()).flatten() {
        let value = value.as_str().expect("it is a text").replace("$CI_COMMIT_SHA", &workspace.commit);
        given.push((name.clone(), value));
    }
    for job in jobs.into_iter().filter(|job| job.get("rules").is_none_or(|rules| rule(rules).is_some())) {
        assert!(stages.is_empty() || stages.iter().any(|stage| job["stage"] == **stage), "{job}");
        for part in ["script", "after_script"] {
            let lines = job[part].as_array().into_iter().flatten().map(|line| line.as_str().expect("it is a text"));
            let script = lines.collect::<Vec<_>>().join("\n");
            let (is_well, said) = workspace.run(&["sh", "-eu", "-c"], &script, &given);
            if !is_well {
                return Err(said);
            }
        }
        if job["script"].to_string().contains(" ci run ") {
            let artifacts = &job["artifacts"];
            assert_eq!(
                (&artifacts["reports"]["junit"], &artifacts["when"]),
                (&"report/junit.xml".into(), &"always".into())
            );
        }
    }
    Ok(())
}

fn jenkins(text: &str, service: Option<&str>, workspace: &Workspace<'_>) -> Result<(), String> {
    let code: Vec<&str> = text.lines().filter(|line| !line.starts_with("//")).collect();
    assert_eq!(code.first(), Some(&"pipeline {"));
    for (open, close) in [('{', '}'), ('(', ')'), ('[', ']')] {
        let count = |of: char| code.iter().flat_map(|line| line.chars()).filter(|c| *c == of).count();
        assert_eq!(count(open), count(close), "{open}{close}");
    }
    for word in ["agent {", "stages {", "stage('", "steps {", "junit testResults: 'report/junit.xml'"] {
        assert!(code.iter().any(|line| line.contains(word)), "{word}");
    }
    // In quotes in which Groovy fills in nothing.
    assert!(!code.iter().any(|line| line.trim_start().starts_with("sh \"")), "{text}");
    let is_push = workspace.event == Event::Push;
    let image = format!("{}/api:{}", workspace.lab.registry_host(), workspace.commit);
    let given = owned(&[
        ("IMAGE", &image),
        ("GIT_COMMIT", &workspace.commit),
        ("BRANCH_NAME", if is_push { "main" } else { "PR-7" }),
        ("ONEPANE_IMAGE", "onepane:1"),
        ("REGISTRY_USER", "robot"),
        ("REGISTRY_PASSWORD", "hunter2"),
        ("CHANGE_TARGET", "main"),
        ("GITOPS_USER", "robot"),
        ("GITOPS_TOKEN", TOKEN),
        ("PROMOTE_USER", "robot"),
        ("PROMOTE_TOKEN", TOKEN),
    ]);
    workspace.clone(if service.is_some() { "api" } else { "shop" }, "", &[], Some(&workspace.commit), false);
    let (mut is_on, mut folder) = (true, "");
    let mut lines = code.iter().map(|line| line.trim());
    while let Some(line) = lines.next() {
        let quoted = || line.split('\'').nth(1).expect("it is in quotes");
        match line {
            line if line.starts_with("stage('") => is_on = true,
            "when { changeRequest() }" => is_on = !is_push,
            "when { branch 'main' }" => is_on = is_push,
            line if line.starts_with("when ") => panic!("{line} is not known"),
            line if line.starts_with("dir('") => folder = quoted(),
            line if line.starts_with("git url: env.GITOPS_URL, branch: 'main'") && is_on => {
                workspace.clone("shop", folder, &[], None, false);
            }
            "checkout scm" if is_on => workspace.clone("api", folder, &[], Some(&workspace.commit), false),
            "sh '''" => {
                let script = lines.by_ref().take_while(|line| *line != "'''").collect::<Vec<_>>().join("\n");
                // Nothing of the name of the host here shows what it is.
                let script = script.replace("\\\\", "\\").replace("--pull-request", "--pull-request --forge gitea");
                if is_on {
                    let (is_well, said) = workspace.run(&["sh", "-e", "-c"], &script, &given);
                    if !is_well {
                        return Err(said);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}
