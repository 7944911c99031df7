//! The clock of the machine jumps: forward and back, by minutes, hours and years, beyond what a calendar has, at the start
//! and while the server runs. The real binary serves throughout, commits go by the time that has passed, and a clock that
//! cannot be right is refused with a clear message. What is told of time, and what is forgotten by it, is right.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use partnership_registry::v1::country_service_client::CountryServiceClient;
use partnership_registry::v1::{Country, CreateCountryRequest, GetCountryRequest};
use prost_types::Timestamp;
use tempfile::TempDir;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::harness::process::{Ended, Process};
use crate::harness::steady::Steady;
use crate::harness::{refusal, until, within};

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
const YEAR: i64 = 366 * DAY;
/// To the year 1902, and to the year 12000: neither can be told.
const BEFORE_1970: i64 = -4_000_000_000;
const AFTER_9999: i64 = 315_000_000_000;
/// How long a commit may take, and by how much a time may be off: the machine may be busy.
const TOLERANCE: i64 = 30;
const REQUEST_ID: &str = "123e4567-e89b-42d3-a456-426614174000";

/// A machine whose clock can be set.
struct Machine {
    dir: TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Self { dir: tempfile::tempdir().unwrap() };
        machine.set(0);
        machine
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Sets the clock: so many seconds ahead of the time.
    fn set(&self, ahead: i64) {
        // At once, as clocks are set: a file that is read half would show something else.
        let new = self.dir.path().join("new");
        std::fs::write(&new, ahead.to_string()).unwrap();
        std::fs::rename(new, self.dir.path().join("offset")).unwrap();
    }

    fn try_start(&self, flags: &[&str], faults: &str) -> Result<Process, Ended> {
        let offset = self.dir.path().join("offset");
        Process::try_start(&self.data(), |command| {
            command.args(["--drain-grace", "1", "--cache-mib", "16"]).args(flags);
            command.env("PARTNERSHIP_TEST_FAULTS", format!("clock-offset-file={};{faults}", offset.display()));
        })
    }

    fn start(&self, flags: &[&str], faults: &str) -> Process {
        self.try_start(flags, faults).unwrap_or_else(|ended| panic!("{}:\n{}", ended.status, ended.log))
    }

    /// What a server says that does not start.
    fn refused(&self, flags: &[&str]) -> String {
        match self.try_start(flags, "") {
            Ok(server) => panic!("it serves:\n{}", server.log()),
            Err(ended) => {
                assert_eq!(ended.status.code(), Some(1), "{}", ended.log);
                assert!(!ended.log.contains("panicked"), "{}", ended.log);
                ended.log
            }
        }
    }
}

/// The time that has really come.
#[allow(clippy::disallowed_methods, reason = "it is what the server is held against")]
fn real_time() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed()
}

async fn countries(server: &Process) -> CountryServiceClient<Channel> {
    CountryServiceClient::new(server.channel().await)
}

async fn create(server: &Process, id: &str, request_id: &str) -> Result<Country, Status> {
    let country = Some(Country { display_name: "Country".into(), ..Default::default() });
    let (country_id, request_id) = (id.to_owned(), request_id.to_owned());
    let request = CreateCountryRequest { country_id, country, request_id, validate_only: false };
    within(countries(server).await.create_country(request)).await.map(tonic::Response::into_inner)
}

/// When a new resource is made, by the server's own account. Its id may be made by the server, too.
async fn made_at(server: &Process) -> (i64, i32) {
    let made = create(server, "", "").await.unwrap();
    let Timestamp { seconds, nanos } = made.create_time.unwrap();
    (seconds, nanos)
}

fn is_about(seconds: i64, expected: i64) -> bool {
    (seconds - expected).abs() <= TOLERANCE
}

async fn told(server: &Process, what: &str, times: usize) {
    until(what, async || (server.log().matches(what).count() >= times).then_some(())).await;
}

async fn stop(server: Process) -> String {
    let ended = tokio::task::spawn_blocking(|| server.stop()).await.unwrap();
    assert!(ended.status.success(), "{}", ended.log);
    assert!(!ended.log.contains("panicked"), "{}", ended.log);
    ended.log
}

const JUMPED: &str = "the clock has jumped and is not followed";
const RETURNED: &str = "the clock goes with the time again";

/// Lets the clock jump while the server runs. Answers the first jump, in seconds, that commits followed.
async fn jump_while_running(server: &Process, machine: &Machine) -> Option<i64> {
    let mut jumps = 0;
    let mut last = (0, 0);
    for jump in [2 * HOUR, -2 * HOUR, 10 * YEAR, BEFORE_1970, AFTER_9999, i64::MAX / 2] {
        machine.set(jump);
        let made = made_at(server).await;
        assert!(made > last, "times grow");
        last = made;
        if !is_about(made.0, real_time()) {
            return Some(jump);
        }
        jumps += 1;
        told(server, JUMPED, jumps).await;
        machine.set(0);
        told(server, RETURNED, jumps).await;
        let made = made_at(server).await;
        assert!(made > last && is_about(made.0, real_time()), "{made:?} after a jump by {jump}");
        last = made;
    }
    assert_eq!(server.log().matches(JUMPED).count(), jumps, "each jump is told once:\n{}", server.log());
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_go_by_the_time_that_has_passed_when_the_clock_jumps() {
    let machine = Machine::new();
    let server = machine.start(&[], "");
    let steady = Steady::begin(server.channel().await, "steady");
    assert_eq!(jump_while_running(&server, &machine).await, None);
    // Small differences are followed.
    for ahead in [20 * MINUTE, 50 * MINUTE] {
        machine.set(ahead);
        let (seconds, _) = made_at(&server).await;
        assert!(is_about(seconds, real_time() + ahead), "{seconds} with a clock {ahead} ahead");
    }
    // But a time never comes twice.
    machine.set(0);
    let (seconds, _) = made_at(&server).await;
    assert!(is_about(seconds, real_time() + 50 * MINUTE));
    let times = steady.end().await;
    println!("p99 of create while the clock jumps: {:?}", times.p99("create"));
    stop(server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_trusts_any_clock_is_caught() {
    let machine = Machine::new();
    let server = machine.start(&[], "trust-any-clock");
    assert_eq!(jump_while_running(&server, &machine).await, Some(2 * HOUR));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_cannot_be_right_is_refused_at_the_start_and_nothing_is_made() {
    let machine = Machine::new();
    for ahead in [BEFORE_1970, AFTER_9999, i64::MIN / 2, i64::MAX / 2] {
        machine.set(ahead);
        let log = machine.refused(&[]);
        assert!(log.contains("which is not in the years 1970 to 9999; set it"), "{log}");
        assert!(!machine.data().exists(), "nothing is made");
    }
    // With the old rule, it serves at a time that cannot be told.
    machine.set(AFTER_9999);
    let server = machine.start(&[], "trust-any-clock");
    assert!(made_at(&server).await.0 > 253_402_300_799);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_far_ahead_of_the_last_commit_is_refused_unless_the_operator_says_that_it_is_right() {
    let machine = Machine::new();
    let server = machine.start(&[], "");
    made_at(&server).await;
    stop(server).await;

    machine.set(402 * DAY);
    let log = machine.refused(&[]);
    assert!(log.contains("days after the last commit") && log.contains("--accept-time-jump"), "{log}");
    // The time of a year's rest is caught up.
    machine.set(398 * DAY);
    let server = machine.start(&[], "");
    assert!(is_about(made_at(&server).await.0, real_time() + 398 * DAY));
    stop(server).await;

    machine.set(10 * YEAR);
    machine.refused(&[]);
    let server = machine.start(&["--accept-time-jump"], "");
    assert!(is_about(made_at(&server).await.0, real_time() + 10 * YEAR));
    stop(server).await;
    // Once is enough.
    stop(machine.start(&[], "")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_from_the_future_is_read_and_continued() {
    let machine = Machine::new();
    machine.set(10 * YEAR);
    let server = machine.start(&[], "");
    let first = made_at(&server).await;
    stop(server).await;

    machine.set(0);
    let server = machine.start(&[], "");
    told(&server, "the last commit was made at a later time than the clock shows", 1).await;
    for n in 1..=3 {
        assert_eq!(made_at(&server).await, (first.0, first.1 + n), "a nanosecond each");
    }
    let read_time = Some(Timestamp { seconds: real_time(), nanos: 0 });
    let request = GetCountryRequest { name: "countries/none".into(), read_time, ..Default::default() };
    let told = within(countries(&server).await.get_country(request)).await.unwrap_err();
    assert_eq!(refusal(&told).reason, "TIME_BEFORE_FIRST");
    stop(server).await;

    // When the time has come, all is well.
    machine.set(10 * YEAR + HOUR);
    let server = machine.start(&[], "");
    assert!(is_about(made_at(&server).await.0, real_time() + 10 * YEAR + HOUR));
    stop(server).await;

    // After a time that cannot be told there is none.
    machine.set(AFTER_9999);
    let server = machine.start(&[], "trust-any-clock");
    made_at(&server).await;
    stop(server).await;
    machine.set(0);
    let log = machine.refused(&[]);
    assert!(log.contains("beyond the year 9999") && log.contains("go on from a copy"), "{log}");
}

/// Repeats a request after two days, on a server that remembers ids for one. Answers what comes of it.
async fn repeat_after_two_days(faults: &str) -> Result<Country, Status> {
    let machine = Machine::new();
    let one_day = ["--request-id-retention-days", "1"];
    let server = machine.start(&one_day, faults);
    let made = create(&server, "kr", REQUEST_ID).await.unwrap();
    stop(server).await;

    // As long as nothing is committed, it is remembered, and the same after a restart.
    machine.set(2 * DAY);
    for _ in 0..2 {
        let server = machine.start(&one_day, faults);
        assert_eq!(create(&server, "kr", REQUEST_ID).await.unwrap(), made);
        stop(server).await;
    }
    let server = machine.start(&one_day, faults);
    create(&server, "ir", "").await.unwrap();
    let again = create(&server, "kr", REQUEST_ID).await;
    stop(server).await;
    let server = machine.start(&one_day, faults);
    let after_restart = create(&server, "kr", REQUEST_ID).await;
    assert_eq!(again.is_ok(), after_restart.is_ok(), "what is forgotten does not depend on a restart");
    again
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_is_forgotten_after_its_time() {
    let told = repeat_after_two_days("").await.unwrap_err();
    assert_eq!(told.code(), Code::AlreadyExists, "{told}");
    // A server that forgets none is caught.
    repeat_after_two_days("remember-every-request-id").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_to_read_at_that_no_calendar_has_is_refused() {
    let machine = Machine::new();
    for (faults, good) in [("", false), ("any-read-time", true)] {
        let server = machine.start(&[], faults);
        let name = format!("countries/kr-{}", faults.len());
        create(&server, &name["countries/".len()..], "").await.unwrap();
        let mut client = countries(&server).await;
        for (seconds, nanos, field, value) in [
            (253_402_300_799, -1, "read_time.nanos", "must be 0 to 999,999,999, and is -1"),
            (253_402_300_800, 0, "read_time", "must be a time of the years 1 to 9999, and has 253402300800 seconds"),
        ] {
            let read_time = Some(Timestamp { seconds, nanos });
            let request = GetCountryRequest { name: name.clone(), read_time, ..Default::default() };
            match within(client.get_country(request)).await {
                Ok(_) => assert!(good, "{seconds} {nanos} is accepted"),
                Err(status) => {
                    let told = refusal(&status);
                    assert!(!good && told.code == Code::InvalidArgument && told.names(field), "{told:?}");
                    assert!(told.fields[0].1.starts_with(value), "{told:?}");
                }
            }
        }
        stop(server).await;
    }
}
