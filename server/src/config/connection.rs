//! Connections: what one may cost, and how long it may keep others waiting. None of this can be chosen: a client that
//! behaves never comes near it.

use std::time::Duration;

/// A connection that has not said what HTTP/2 begins with is closed within 10 s: a client says it with its first packet.
/// One second less, since connections are looked at once a second ([`CONNECTION_CHECK_EVERY`]).
pub const GREETING_MAX: Duration = Duration::from_secs(9);

/// A frame, or the headers of a call, that are begun are complete within 10 s, or the connection is closed: no frame is
/// larger than 16 KiB, which takes a line of 13 kbit/s. One second less, as above.
pub const FRAME_MAX: Duration = Duration::from_secs(9);

/// How often a connection is looked at for what takes too long: seldom enough to cost nothing, often enough for limits
/// of some seconds.
pub const CONNECTION_CHECK_EVERY: Duration = Duration::from_secs(1);

/// How many frames that carry nothing (settings, pings, priorities, resets, window updates, empty data) a client may send
/// at once. A busy one sends some for each answer, for which the answers make up; a flood is through this in milliseconds.
pub const CONTROL_FRAMES_MAX: u32 = 10_000;

/// How many more of them it may send with each second. Harmless: a call costs as much as several.
pub const CONTROL_FRAMES_PER_SECOND: u32 = 1_000;

/// How many more of them it may send for each frame of an answer. For one, clients send a window update for the stream and
/// one for the connection, and some a ping to measure the line.
pub const CONTROL_FRAMES_PER_ANSWER: u32 = 3;

/// Shorter frames of an answer earn nothing: whoever takes answers in crumbs has more work done than is of use. Any
/// message with more in it than an acknowledgement is longer.
pub const ANSWER_FRAME_BYTES_MIN: u32 = 32;

/// A caller that takes nothing of what is owed to it is cut off after this time: longer than a line is lost for or a
/// program stops to think, and short enough that what it holds is not held for good.
pub const TAKING_MAX: Duration = Duration::from_secs(60);

/// The same while more than half of what may be held for callers is taken: those who take nothing must not keep out those
/// who do.
pub const TAKING_MAX_UNDER_PRESSURE: Duration = Duration::from_secs(5);

/// How much of one request is received ahead of being read. As much per call can be held in memory; a longer line than
/// of 20 ms at 100 Mbit/s is slowed by it.
pub const STREAM_WINDOW_BYTES: u32 = 256 << 10;

/// How much of all requests on one connection is received ahead of being read.
pub const CONNECTION_WINDOW_BYTES: u32 = 1 << 20;

/// How much of one answer the HTTP/2 library keeps until it can be sent.
pub const SEND_BUFFER_BYTES: usize = 64 << 10;

/// How much of all answers on one connection the system keeps until it is taken. By itself it would keep 4 MiB, which
/// counts as memory of the server in a container.
pub const SOCKET_SEND_BUFFER_BYTES: usize = 256 << 10;

/// The largest headers of a call: the choice of the HTTP/2 library, and twice what gRPC libraries take.
pub const HEADERS_BYTES_MAX: u32 = 16 << 10;

/// How long connecting waits after the system refused to accept a connection, as it does when there are no more
/// descriptors: at first this, and twice as long each time up to [`ACCEPT_PAUSE_MAX`].
pub const ACCEPT_PAUSE_MIN: Duration = Duration::from_millis(50);

/// The longest pause: what a client hardly notices once there are descriptors again.
pub const ACCEPT_PAUSE_MAX: Duration = Duration::from_secs(1);

/// When the server stops, a connection without open calls has this long to take the message that says so.
pub const LAST_WORD_MAX: Duration = Duration::from_millis(250);
