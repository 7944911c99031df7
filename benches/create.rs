//! Durable Create, beside the echo, a bare journal, and other databases.

use crate::aims::Aims;
use crate::contestant::{self, ECHO, ETCD, POSTGRES};
use crate::load::Work;
use crate::raw_journal::{self, Journal};
use crate::report::{Figures, number};
use crate::{Plan, process};

const IN_FLIGHT: [usize; 4] = [1, 8, 64, 256];
const WITH_AN_AIM: [usize; 2] = [1, 64];

pub(crate) async fn run(plan: &Plan, aims: &mut Aims) {
    for in_flight in plan.in_flight(&IN_FLIGHT, &WITH_AN_AIM) {
        level(plan, in_flight, false, aims).await;
        // As it is with the client crate, which sends a request id with every write.
        if in_flight == 64 && !plan.quick {
            level(plan, in_flight, true, aims).await;
        }
    }
}

async fn level(plan: &Plan, in_flight: usize, with_request_id: bool, aims: &mut Aims) {
    let work = Work::Create { with_request_id };
    let raw_dir = process::directory();
    let (mut contestants, bytes) = contestant::start(&plan.field, in_flight).await;
    if with_request_id {
        // The others know none.
        contestants.retain(|contestant| ![ETCD, POSTGRES].contains(&contestant.name.as_str()));
    }
    for contestant in &contestants {
        contestant.try_out(work, in_flight, plan.turn / 2).await;
    }
    let servers = plan.field.servers.len();
    let (mut raw, mut raw_p50, mut commit_bytes) = (Figures::default(), Figures::default(), 0);
    let mut journals = vec![Journal::default(); servers];
    for _ in 0..plan.rounds {
        for (at, contestant) in contestants.iter_mut().enumerate() {
            let dir = contestant.dir().filter(|_| at < servers).map(std::path::Path::to_owned);
            let before = dir.as_deref().map(Journal::read);
            contestant.turn(work, in_flight, plan.turn).await;
            if let (Some(dir), Some(before)) = (dir, before) {
                journals[at].add(Journal::read(&dir).since(before));
            }
            if at == 0 {
                // Beside the first server: what the disk does changes fastest.
                commit_bytes = journals[0].commit_bytes();
                let (dir, turn) = (raw_dir.path().to_owned(), plan.turn / 2);
                let bare = move || raw_journal::append(&dir, in_flight, commit_bytes, turn);
                let (rate, p50) = tokio::task::spawn_blocking(bare).await.unwrap();
                raw.push(rate);
                raw_p50.push(p50);
            }
        }
    }
    let server = contestants[0].rate.clone();
    let mut rows: Vec<_> = contestants.iter().map(|contestant| contestant.row(&server)).collect();
    for (row, journal) in rows.iter_mut().zip(&journals) {
        row.push(number(journal.group_size(), 1));
    }
    let request_ids = if with_request_id { ", with request ids" } else { "" };
    let title = format!(
        "Create, durable, {in_flight} in flight{request_ids}; a project is answered in {bytes} bytes, and one is \
         {commit_bytes} bytes of the journal"
    );
    let bare = vec!["bare fdatasync".to_owned(), raw.show(0), server.over(&raw).show(2), raw_p50.show(0)];
    let not_measured = ["-", "-", "-"].map(str::to_owned);
    rows.push([bare, not_measured.into(), vec![in_flight.to_string()]].concat());
    if in_flight == 1 {
        // One after the other: no server of this kind that is durable is faster.
        let echo = contestants.iter().find(|contestant| contestant.name == ECHO);
        let least = echo.map(|echo| Figures(echo.p50.0.iter().zip(&raw_p50.0).map(|(a, b)| a + b).collect()));
        let least = least.map_or("-".to_owned(), |least| least.show(0));
        rows.push(["echo, then that", "-", "-", &least, "-", "-", "-", "-"].map(str::to_owned).into());
    }
    contestant::table(&title, "calls", Some("commits/fdatasync"), &rows);

    let of = |name| contestant::rate(&contestants, name).map(|rate| server.over(rate));
    match in_flight {
        1 => {
            let times = contestants[0].p50.over(&raw_p50);
            aims.at_most("Create, 1 in flight: its time, in those of a bare fdatasync (p50)", 1.5, Some(&times));
        }
        64 if !with_request_id => {
            aims.at_least("Create, 64 in flight, of etcd's Put", 1.0, of(ETCD).as_ref());
            aims.at_least("Create, 64 in flight, of PostgreSQL's INSERT", 1.3, of(POSTGRES).as_ref());
            aims.at_least("Create, 64 in flight, of the echo", 0.6, of(ECHO).as_ref());
        }
        _ => {}
    }
}
