//! Get, beside the echo and other databases.

use crate::aims::Aims;
use crate::contestant::{self, ECHO, ETCD};
use crate::load::Work;
use crate::report::table;
use crate::{Plan, echo};

const IN_FLIGHT: [usize; 1] = [64];
/// How many projects there are to be read.
const PROJECTS: usize = 10_000;

pub(crate) async fn run(plan: &Plan, aims: &mut Aims) {
    for in_flight in plan.in_flight(&IN_FLIGHT) {
        let (mut contestants, bytes) = contestant::start(&plan.field, in_flight).await;
        for at in 0..contestants.len() {
            if contestants[at].name == ECHO {
                let same = contestants[at].asked_for(ECHO, vec!["projects/same".to_owned()]);
                let one_text = vec![echo::ONE_TEXT.to_owned()];
                contestants.extend(contestants[at].asked_for("echo of one text of that size", one_text));
                contestants.extend(same);
                contestants.swap_remove(at);
                continue;
            }
            contestants[at].fill(if plan.quick { PROJECTS / 5 } else { PROJECTS }).await;
            if contestants[at].name == ETCD {
                contestants.extend(contestants[at].serializable("etcd, serializable"));
            }
        }
        for _ in 0..plan.rounds {
            for contestant in &mut contestants {
                contestant.turn(Work::Get, in_flight, plan.turn).await;
            }
        }
        let server = contestants[0].rate.clone();
        let rows: Vec<_> = contestants.iter().map(|contestant| contestant.row(&server)).collect();
        let head = contestant::head("calls");
        let head: Vec<_> = head.iter().map(String::as_str).collect();
        table(&format!("Get, {in_flight} in flight, a project of {bytes} bytes"), &head, &rows);
        let of_echo = contestant::rate(&contestants, ECHO).map(|rate| server.over(rate));
        aims.at_least("Get, 64 in flight, of the echo", 0.95, of_echo.as_ref());
    }
}
