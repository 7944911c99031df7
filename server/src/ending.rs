//! The end of the process: asked for by a signal, and sure to come. A thread of its own hears the signals and counts the
//! time, since every other thread may be stuck in the disk or in sled.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use crate::faults;

/// The exit code of a process that did not wait for its end: something hung, or it was asked twice. Nothing that was
/// acknowledged is lost by it, since that is in the journal; but whoever runs the server has to know.
const EXIT_UNFINISHED: i32 = 1;

/// How long the thread of the log gets to write its last line.
const LAST_LINE_WAIT: Duration = Duration::from_millis(100);

/// Hears the signals that ask the process to end, from when it is made.
pub struct Ending {
    asked: oneshot::Receiver<()>,
    stage: Arc<Mutex<&'static str>>,
}

impl Ending {
    /// Hears signals from now on. The process ends no later than `max` after the first (SIGTERM or SIGINT), and at once
    /// with the second. An error: the system gives no thread, or no signals.
    pub fn begin(max: Duration) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let signals = {
            let _runtime = runtime.enter();
            Signals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? }
        };
        let (ask, asked) = oneshot::channel();
        let stage = Arc::new(Mutex::new("starting"));
        let told = stage.clone();
        std::thread::Builder::new().name("ending".into()).spawn(move || {
            let why = runtime.block_on(wait(signals, ask, max.saturating_sub(LAST_LINE_WAIT)));
            tracing::error!(stage = *told.lock(), "the process ends unfinished: {why}");
            std::thread::sleep(LAST_LINE_WAIT);
            std::process::exit(EXIT_UNFINISHED);
        })?;
        Ok(Self { asked, stage })
    }

    /// Waits until the process is asked to end.
    pub async fn asked(&mut self) {
        let _ = (&mut self.asked).await;
    }

    /// Notes what is done now, for the log if that should hang.
    pub fn now(&self, stage: &'static str) {
        *self.stage.lock() = stage;
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Waits until the process has to end, and answers why.
async fn wait(mut signals: Signals, ask: oneshot::Sender<()>, max: Duration) -> &'static str {
    signals.next().await;
    let _ = ask.send(());
    let late = async {
        match faults::planted("end-without-deadline") {
            None => tokio::time::sleep(max).await,
            Some(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = signals.next() => "it was asked again",
        () = late => "its time is over",
    }
}
