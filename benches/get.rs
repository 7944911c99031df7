//! Get, beside the echo and other databases.

use crate::aims::Aims;
use crate::contestant::{self, ECHO};
use crate::load::Work;
use crate::{Plan, echo};

const IN_FLIGHT: [usize; 1] = [64];
/// How many projects there are to be read.
const PROJECTS: usize = 10_000;

pub(crate) async fn run(plan: &Plan, aims: &mut Aims) {
    for in_flight in plan.in_flight(&IN_FLIGHT, &IN_FLIGHT) {
        let (started, bytes) = contestant::start(&plan.field, in_flight).await;
        let mut contestants = Vec::new();
        for mut contestant in started {
            if contestant.name == ECHO {
                contestants.extend(contestant.asked_for(ECHO, "projects/same"));
                contestants.extend(contestant.asked_for("echo of one text of that size", echo::ONE_TEXT));
                continue;
            }
            contestant.fill(if plan.quick { PROJECTS / 5 } else { PROJECTS }).await;
            let serializable = contestant.serializable("etcd, serializable");
            contestants.push(contestant);
            contestants.extend(serializable);
        }
        for contestant in &contestants {
            contestant.try_out(Work::Get, in_flight, plan.turn / 2).await;
        }
        for _ in 0..plan.rounds {
            for contestant in &mut contestants {
                contestant.turn(Work::Get, in_flight, plan.turn).await;
            }
        }
        let server = contestants[0].rate.clone();
        let rows: Vec<_> = contestants.iter().map(|contestant| contestant.row(&server)).collect();
        let title = format!("Get, {in_flight} in flight, a project of {bytes} bytes");
        contestant::table(&title, "calls", None, &rows);
        let of_echo = contestant::rate(&contestants, ECHO).map(|rate| server.over(rate));
        aims.at_least("Get, 64 in flight, of the echo", 0.95, of_echo.as_ref());
    }
}
