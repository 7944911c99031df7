//! Durable Create, beside the echo, a bare journal, and other databases.

use crate::aims::Aims;
use crate::contestant::{self, ECHO, ETCD, POSTGRES};
use crate::load::Work;
use crate::raw_journal::{self, Journal};
use crate::report::{Figures, number, table};
use crate::{Plan, process};

const IN_FLIGHT: [usize; 4] = [1, 8, 64, 256];

pub(crate) async fn run(plan: &Plan, aims: &mut Aims) {
    for in_flight in plan.in_flight(&IN_FLIGHT) {
        level(plan, in_flight, false, aims).await;
        // As it is with the client crate, which sends a request id with every write.
        if in_flight == 64 {
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
        contestant.try_out(work, in_flight, plan.turn).await;
    }
    let servers = plan.field.servers.len();
    let (mut raw, mut commit_bytes) = (Figures::default(), 0);
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
                raw.push(tokio::task::spawn_blocking(bare).await.unwrap());
            }
        }
    }
    let server = contestants[0].rate.clone();
    let mut rows: Vec<_> = contestants.iter().map(|contestant| contestant.row(&server)).collect();
    for (row, journal) in rows.iter_mut().zip(&journals) {
        row.push(number(journal.group_size(), 1));
    }
    let time_of_group = |rate: &f64| in_flight as f64 * 1e6 / rate;
    rows.push(vec![
        "bare fdatasync".to_owned(),
        raw.show(0),
        server.over(&raw).show(2),
        Figures(raw.0.iter().map(time_of_group).collect()).show(0),
    ]);
    rows.last_mut().unwrap().extend(["-", "-", "-"].map(str::to_owned));
    rows.last_mut().unwrap().push(in_flight.to_string());
    let request_ids = if with_request_id { ", with request ids" } else { "" };
    let title = format!(
        "Create, durable, {in_flight} in flight{request_ids}; a project is answered in {bytes} bytes, and one is \
         {commit_bytes} bytes of the journal"
    );
    let head = contestant::head("calls");
    let head: Vec<_> = head.iter().map(String::as_str).chain(["commits/fdatasync"]).collect();
    table(&title, &head, &rows);

    let of = |name| contestant::rate(&contestants, name).map(|rate| server.over(rate));
    match in_flight {
        // One caller: the times are to each other as the rates are, upside down.
        1 => aims.at_most("Create, 1 in flight, in times of a bare fdatasync", 1.5, Some(&raw.over(&server))),
        64 if !with_request_id => {
            aims.at_least("Create, 64 in flight, of etcd's Put", 1.0, of(ETCD).as_ref());
            aims.at_least("Create, 64 in flight, of PostgreSQL's INSERT", 1.3, of(POSTGRES).as_ref());
            aims.at_least("Create, 64 in flight, of the echo", 0.6, of(ECHO).as_ref());
        }
        _ => {}
    }
}
