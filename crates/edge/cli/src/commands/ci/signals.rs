//! Who is asked to stop: [`stops`].

use onepane_ci::Stop;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Ctrl-C and SIGTERM, as they come, and the end of the terminal, which is as good. It has to be called within a runtime.
#[cfg(unix)]
pub(super) fn stops() -> std::io::Result<UnboundedReceiver<Stop>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (sender, receiver) = unbounded_channel();
    let (mut interrupts, mut ends) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut hangups = if is_hangup_ignored() { None } else { Some(signal(SignalKind::hangup())?) };
    tokio::spawn(async move {
        loop {
            let stop = tokio::select! {
                Some(()) = interrupts.recv() => Stop::Interrupt,
                Some(()) = ends.recv() => Stop::Terminate,
                Some(()) = next(&mut hangups) => Stop::Terminate,
                else => return,
            };
            if sender.send(stop).is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}

/// The next of signals that count.
#[cfg(unix)]
async fn next(signals: &mut Option<tokio::signal::unix::Signal>) -> Option<()> {
    match signals {
        Some(signals) => signals.recv().await,
        None => std::future::pending().await,
    }
}

/// Whether it was started by `nohup`, which wants it to go on.
#[cfg(unix)]
fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    // SIGHUP is the first.
    ignored.is_some_and(|ignored| ignored & 1 == 1)
}

/// Ctrl-C, as it comes. It has to be called within a runtime.
#[cfg(not(unix))]
pub(super) fn stops() -> std::io::Result<UnboundedReceiver<Stop>> {
    let (sender, receiver) = unbounded_channel();
    tokio::spawn(async move { while tokio::signal::ctrl_c().await.is_ok() && sender.send(Stop::Interrupt).is_ok() {} });
    Ok(receiver)
}
