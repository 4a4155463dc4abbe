//! What the commands that use the network have in common: flags and settings, as `onepane_fetch` wants them.

use super::Failure;
use super::flags::Parsed;
use super::log;
use camino::Utf8PathBuf;
use onepane_diagnostics::Severity;
use onepane_fetch::{
    Access, ChartRequest, Credentials, DEFAULT_TIMEOUT, Fetcher, Paths, RegistryAccess, Said, Secret, Settings, Tls,
};
use onepane_world::World;
use std::io::{BufRead, IsTerminal, Read, Stdin};
use std::time::Duration;

/// More than this is no password.
const LONGEST_PASSWORD: u64 = 1 << 20;

/// What fetches, for these flags and this environment.
pub(super) fn fetcher(flags: &Parsed) -> Result<Fetcher, Failure> {
    let world = super::world()?;
    let mut settings = Settings::from_variables(&|name| world.env(name));
    settings.paths = paths(flags, &world);
    Ok(Fetcher::new(settings))
}

/// Helm's files and folders as flags and environment have them.
pub(super) fn paths(flags: &Parsed, world: &dyn World) -> Paths {
    let mut paths = Paths::from_variables(&|name| world.env(name));
    let Paths { repository_config, repository_cache, registry_config, content_cache } = &mut paths;
    for (flag, path) in [
        ("repository-config", repository_config),
        ("repository-cache", repository_cache),
        ("registry-config", registry_config),
        ("content-cache", content_cache),
    ] {
        if let Some(given) = flags.text(flag) {
            *path = given.into();
        }
    }
    paths
}

/// The flags of [`SERVER`](super::flags::SERVER) and `--pass-credentials`.
pub(super) fn access(flags: &Parsed) -> Access {
    Access {
        credentials: credentials(flags),
        tls: tls(flags, "insecure-skip-tls-verify"),
        pass_credentials_all: flags.is_set("pass-credentials"),
        plain_http: flags.is_set("plain-http"),
    }
}

/// The same for commands that talk to registries only.
pub(super) fn registry_access(flags: &Parsed) -> RegistryAccess {
    let Access { credentials, tls, plain_http, .. } = access(flags);
    RegistryAccess { credentials, tls, plain_http, ..RegistryAccess::default() }
}

/// `--username` and `--password`.
pub(super) fn credentials(flags: &Parsed) -> Credentials {
    let text = |name| flags.text(name).unwrap_or_default();
    Credentials { username: text("username").to_owned(), password: Secret::new(text("password")) }
}

/// The flags about certificates; `insecure` is what the one is called that does without.
pub(super) fn tls(flags: &Parsed, insecure: &str) -> Tls {
    let path = |name| Utf8PathBuf::from(flags.text(name).unwrap_or_default());
    Tls {
        cert_file: path("cert-file"),
        key_file: path("key-file"),
        ca_file: path("ca-file"),
        insecure_skip_verify: flags.is_set(insecure),
    }
}

/// The chart that `reference` and the flags of [`CHART_LOCATION`](super::flags::CHART_LOCATION) name.
pub(super) fn chart_request(flags: &Parsed, reference: &str) -> Result<ChartRequest, Failure> {
    let version = flags.text("version").unwrap_or_default();
    let version = if version.is_empty() && flags.is_set("devel") { ">0.0.0-0" } else { version };
    Ok(ChartRequest {
        chart: reference.to_owned(),
        version: version.to_owned(),
        repository: flags.text("repo").unwrap_or_default().to_owned(),
        access: access(flags),
        timeout: DEFAULT_TIMEOUT,
    })
}

/// Prints what is said: lines on stdout.
pub(super) fn out(said: Said) {
    match said {
        Said::Line(line) => super::print(format!("{line}\n").as_bytes()),
        Said::Warning(warning) => log(warning.severity, &warning.message),
    }
}

/// Prints what is said on stderr, for commands whose stdout is data.
pub(super) fn aside(said: Said) {
    match said {
        Said::Line(line) => eprintln!("{line}"),
        Said::Warning(warning) => log(warning.severity, &warning.message),
    }
}

/// `--timeout`, Helm's two minutes by default. What is no time at all is no limit, as in Go.
pub(super) fn timeout(flags: &Parsed) -> Duration {
    const FOREVER: Duration = Duration::from_secs(365 * 24 * 3600);
    match flags.text("timeout").map(seconds) {
        None => DEFAULT_TIMEOUT,
        Some(seconds) if seconds > 0.0 => Duration::try_from_secs_f64(seconds).unwrap_or(FOREVER).min(FOREVER),
        Some(_) => FOREVER,
    }
}

/// The seconds of a Go duration, which was checked when the flags were read.
fn seconds(text: &str) -> f64 {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut sum = 0.0;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (digits, after) = rest.split_at(number);
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len()));
        let scale = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "m" => 60.0,
            "h" => 3600.0,
            _ => 1.0,
        };
        // Where there are no digits there is a minus, and no limit.
        let Ok(number) = digits.parse::<f64>() else { return 0.0 };
        sum += number * scale;
        rest = after;
    }
    sum
}

/// The user and password of the flags; with `--password-stdin`, the password is what stdin has.
pub(super) fn credentials_or_stdin(flags: &Parsed) -> Result<Credentials, Failure> {
    let mut credentials = credentials(flags);
    if flags.is_set("password-stdin") {
        let mut text = String::new();
        let read = std::io::stdin().lock().take(LONGEST_PASSWORD).read_to_string(&mut text);
        read.map_err(|error| format!("stdin can't be read: {error}"))?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        credentials.password = Secret::new(text.strip_suffix('\r').unwrap_or(text));
    }
    Ok(credentials)
}

/// Asks the user for a line.
pub(super) fn ask(prompt: &str) -> Result<String, Failure> {
    let stdin = on_terminal()?;
    super::print(prompt.as_bytes());
    let mut line = String::new();
    let read = stdin.lock().take(LONGEST_PASSWORD).read_line(&mut line);
    read.map_err(|error| format!("stdin can't be read: {error}"))?;
    Ok(line.trim().to_owned())
}

/// Asks the user for a password, which is not shown while it is typed.
pub(super) fn ask_password() -> Result<Secret, Failure> {
    on_terminal()?;
    let password =
        rpassword::prompt_password("Password: ").map_err(|error| format!("no password was read: {error}"))?;
    if password.is_empty() { Err("password required".to_owned().into()) } else { Ok(Secret::new(&password)) }
}

fn on_terminal() -> Result<Stdin, Failure> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Ok(stdin);
    }
    let message = "a user name and a password are required, and there is no terminal to ask for them on: give --username \
                   and --password-stdin";
    Err(message.to_owned().into())
}

/// Says that a password on the command line is seen by others, in Helm's words.
pub(super) fn warn_of_password(flags: &Parsed) {
    if flags.is_given("password") && !flags.is_set("password-stdin") {
        log(Severity::Warning, "using --password via the CLI is insecure. Use --password-stdin");
    }
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn durations_are_gos() {
        for (text, wanted) in [("1m30s", 90.0), ("250ms", 0.25), ("1.5h", 5400.0), ("0", 0.0), ("-5s", 0.0)] {
            assert!((seconds(text) - wanted).abs() < 1e-9, "{text}");
        }
    }
}
