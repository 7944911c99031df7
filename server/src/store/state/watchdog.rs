//! The watchdog: one thread that looks at the calls into sled which have not come back, frees those who wait for a read,
//! and says in the log and in the health what does not come back.
//!
//! It is a thread of its own and no timer of the runtime: a worker that sled keeps may be the very one that would have
//! waited for the timers and for the network, and the others sleep until they are woken from outside.

use std::sync::Arc;
use std::time::Duration;

use super::Shared;

/// How long a caller waits for a read of sled. Reads take microseconds, and the journal is not much slower.
pub(super) const READ_WAIT_MAX: Duration = Duration::from_millis(100);
/// A call that is out for so long is called stalled in the log and in the health. A flush on a busy disk may take a second.
const STALLED_AFTER: Duration = Duration::from_secs(2);
/// How often it looks. What it does then takes less than a microsecond.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Looks until the follower has ended.
pub(super) fn run(shared: &Arc<Shared>) {
    while !shared.has_ended() {
        std::thread::park_timeout(LOOK_EVERY);
        look(shared);
    }
    // What came back after the last look is told too.
    look(shared);
}

fn look(shared: &Shared) {
    shared.calls.give_up_after(READ_WAIT_MAX);
    let now = shared.calls.longer_than(STALLED_AFTER);
    let before = shared.health.set_stalled(now);
    if before == now {
        return;
    }
    if let Some((call, since)) = before {
        let seconds = since.elapsed().as_secs_f64();
        tracing::info!(%call, seconds, "a call into sled has come back; sled is used again");
    }
    if let Some((call, _)) = now {
        tracing::warn!(
            %call,
            "a call into sled has not come back for {} s; until it does, the journal answers instead; \
             no data is at risk, and a restart heals it",
            STALLED_AFTER.as_secs()
        );
    }
}
