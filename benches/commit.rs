//! Commits of 500 resources, beside the echo and other databases.

use crate::Plan;
use crate::aims::Aims;
use crate::contestant::{self, POSTGRES};
use crate::load::{BATCH, Work};

const IN_FLIGHT: [usize; 3] = [1, 2, 4];
const WITH_AN_AIM: [usize; 1] = [2];

pub(crate) async fn run(plan: &Plan, aims: &mut Aims) {
    for in_flight in plan.in_flight(&IN_FLIGHT, &WITH_AN_AIM) {
        let (mut contestants, _) = contestant::start(&plan.field, in_flight).await;
        for contestant in &contestants {
            contestant.try_out(Work::Commit, in_flight, plan.turn / 2).await;
        }
        for _ in 0..plan.rounds {
            for contestant in &mut contestants {
                contestant.turn(Work::Commit, in_flight, plan.turn).await;
            }
        }
        let server = contestants[0].rate.clone();
        let rows: Vec<_> = contestants.iter().map(|contestant| contestant.row(&server)).collect();
        let title = format!("Commit, durable, {BATCH} new projects each, {in_flight} in flight");
        contestant::table(&title, "resources", None, &rows);
        if in_flight == 2 {
            aims.at_least("Commit of 500, 2 in flight, resources/s", 60_000.0, Some(&server));
            let of_postgres = contestant::rate(&contestants, POSTGRES).map(|rate| server.over(rate));
            aims.at_least("Commit of 500, 2 in flight, of PostgreSQL's", 2.0, of_postgres.as_ref());
        }
    }
}
