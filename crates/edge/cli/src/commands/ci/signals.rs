//! Who is asked to stop: [`stops`].

use onepane_ci::Stop;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Ctrl-C and SIGTERM, as they come. It has to be called within a runtime.
#[cfg(unix)]
pub(super) fn stops() -> std::io::Result<UnboundedReceiver<Stop>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (sender, receiver) = unbounded_channel();
    let (mut interrupts, mut ends) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::spawn(async move {
        loop {
            let stop = tokio::select! {
                Some(()) = interrupts.recv() => Stop::Interrupt,
                Some(()) = ends.recv() => Stop::Terminate,
                else => return,
            };
            if sender.send(stop).is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}

/// Ctrl-C, as it comes. It has to be called within a runtime.
#[cfg(not(unix))]
pub(super) fn stops() -> std::io::Result<UnboundedReceiver<Stop>> {
    let (sender, receiver) = unbounded_channel();
    tokio::spawn(async move { while tokio::signal::ctrl_c().await.is_ok() && sender.send(Stop::Interrupt).is_ok() {} });
    Ok(receiver)
}
