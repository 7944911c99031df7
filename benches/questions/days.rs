//! The question about a day: a page of the agreements of a country that were in force then, beside PostgreSQL with a table
//! of intervals, which has an index for a party and a range of days together (GiST).

use partnership_registry::v1::agreement_service_client::AgreementServiceClient;
use partnership_registry::v1::{
    Agreement, AgreementEvent, AgreementEventType, AgreementParty, AgreementTerminationGround, ListAgreementsRequest,
    PartialDate, Resource,
};
use prost::Message as _;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio_postgres::{Client, Statement};
use tonic::transport::Channel;

use super::{Answer, BATCH, PAGE, Times, data, postgres, registry};
use crate::aims::Aims;
use crate::process::{self, Process};
use crate::report::{number, table};
use crate::{Plan, load};

const SEED: u64 = 1_969;
/// How many agreements there are; a tenth of them if it has to be quick.
const AGREEMENTS: u64 = 100_000;
const TITLE: &str = "Agreement on cooperation in science, technology, education, culture and trade, with two annexes and an \
    exchange of notes about its interpretation";

/// The whole of the question, of which the call chooses country and day.
#[derive(Debug, Clone, Copy)]
enum Of {
    /// One of the fifty countries that have most.
    Some,
    /// The country that is a party to half of all.
    Home,
}

/// The country that is a party to every other agreement.
fn home() -> String {
    data::country(0)
}

struct Made {
    agreement: Agreement,
    /// The first day in force, and the first day after that.
    in_force: Option<(PartialDate, Option<PartialDate>)>,
}

fn date(dice: &mut StdRng, years: std::ops::Range<i32>) -> PartialDate {
    PartialDate::day(dice.random_range(years), dice.random_range(1..=12), dice.random_range(1..=28))
}

fn agreement(number: u64) -> Made {
    let dice = &mut StdRng::seed_from_u64(SEED ^ (number << 16));
    let count = if dice.random_bool(0.9) { 2 } else { dice.random_range(3..12) };
    let mut countries = vec![if number.is_multiple_of(2) { 0 } else { data::some_country(dice) }];
    while countries.len() < count {
        let country = data::some_country(dice);
        if !countries.contains(&country) {
            countries.push(country);
        }
    }
    let party = |at: &usize| AgreementParty {
        party_id: format!("c{at:03}"),
        country: data::country(*at),
        ..AgreementParty::default()
    };
    let signed = date(dice, 1900..2020);
    let begins =
        dice.random_bool(0.9).then(|| PartialDate { year: signed.year + dice.random_range(1..3), ..signed.clone() });
    let ends = begins.as_ref().filter(|_| dice.random_bool(0.4));
    let ends = ends.map(|begins| PartialDate { year: begins.year + dice.random_range(1..40), ..begins.clone() });
    let event = |r#type: AgreementEventType, date: &PartialDate| AgreementEvent {
        r#type: r#type.into(),
        act_date: Some(date.clone()),
        ..AgreementEvent::default()
    };
    let termination = |date: &PartialDate| AgreementEvent {
        ground: AgreementTerminationGround::NotRecorded.into(),
        ..event(AgreementEventType::Termination, date)
    };
    let mut events = vec![event(AgreementEventType::Signature, &signed)];
    events.extend(begins.iter().map(|date| event(AgreementEventType::EntryIntoForce, date)));
    events.extend(ends.iter().map(termination));
    let agreement = Agreement {
        name: format!("agreements/a{number:07}"),
        display_name: format!("{TITLE} {number}"),
        parties: countries.iter().map(party).collect(),
        events,
        conclusion_date: Some(signed),
        ..Agreement::default()
    };
    Made { agreement, in_force: begins.map(|begins| (begins, ends)) }
}

/// The country and the day that a call asks about.
fn asked(of: Of, call: u64) -> (String, PartialDate) {
    let dice = &mut StdRng::seed_from_u64(SEED.wrapping_add(call));
    let country = match of {
        Of::Some => data::country(1 + dice.random_range(0..50)),
        Of::Home => home(),
    };
    (country, date(dice, 1910..2020))
}

/// The registry, asked.
#[derive(Clone)]
struct Server(Channel);

impl Server {
    async fn ask(&self, of: Of, call: u64) -> Answer {
        let (country, day) = asked(of, call);
        let filter = format!("inForce(\"{day}\") AND party(\"{country}\")");
        let request = ListAgreementsRequest { filter, page_size: PAGE, ..ListAgreementsRequest::default() };
        let page = AgreementServiceClient::new(self.0.clone()).list_agreements(request).await.unwrap().into_inner();
        let names = page.agreements.into_iter().map(|agreement| agreement.name).collect();
        Answer { names, total: Some(page.total_size.into()) }
    }
}

const TABLES: &str = "
    CREATE EXTENSION IF NOT EXISTS btree_gist;
    CREATE TABLE agreements (name text PRIMARY KEY, deleted boolean NOT NULL, document bytea NOT NULL);
    CREATE TABLE in_force (name text NOT NULL, party text NOT NULL, days daterange NOT NULL);";

const INDEXES: &str = "
    CREATE INDEX ON in_force USING gist (party, days);
    VACUUM ANALYZE agreements;
    VACUUM ANALYZE in_force;
    CHECKPOINT;";

const INSERT: &str = "INSERT INTO agreements SELECT name, false, document FROM unnest($1::text[], $2::bytea[])
    AS new (name, document)";

const INSERT_DAYS: &str = "INSERT INTO in_force SELECT name, party, daterange(begins::date, ends::date)
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS new (name, party, begins, ends)";

/// The documents are fetched for the page alone, and not for all that are counted.
const IN_FORCE: &str = "
    WITH found AS MATERIALIZED (SELECT name FROM in_force WHERE party = $1 AND days @> $2::text::date),
    page AS (SELECT name FROM found ORDER BY name LIMIT 50)
    SELECT document, (SELECT count(*) FROM found) FROM page JOIN agreements USING (name) WHERE NOT deleted ORDER BY name";

/// PostgreSQL, asked.
struct Postgres {
    client: Client,
    in_force: Statement,
}

impl Postgres {
    async fn fill(address: &str, size: u64) -> Postgres {
        let client = crate::postgres::connect(address).await.unwrap();
        client.batch_execute(postgres::SESSION).await.unwrap();
        client.batch_execute(TABLES).await.unwrap();
        for first in (0..size).step_by(BATCH as usize) {
            let made: Vec<_> = (first..size.min(first + BATCH)).map(agreement).collect();
            let names: Vec<_> = made.iter().map(|made| made.agreement.name.clone()).collect();
            let documents: Vec<_> = made.iter().map(|made| made.agreement.encode_to_vec()).collect();
            client.execute(INSERT, &[&names, &documents]).await.unwrap();
            let [mut names, mut parties, mut begins, mut ends] = [const { Vec::<Option<String>>::new() }; 4];
            for Made { agreement, in_force } in &made {
                let Some((from, to)) = in_force else { continue };
                for party in &agreement.parties {
                    names.push(Some(agreement.name.clone()));
                    parties.push(Some(party.country.clone()));
                    begins.push(Some(from.to_string()));
                    ends.push(to.as_ref().map(PartialDate::to_string));
                }
            }
            client.execute(INSERT_DAYS, &[&names, &parties, &begins, &ends]).await.unwrap();
        }
        // Each by itself: a vacuum runs in no transaction.
        for statement in INDEXES.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
            client.batch_execute(statement).await.unwrap();
        }
        let in_force = client.prepare(IN_FORCE).await.unwrap();
        Postgres { client, in_force }
    }

    async fn ask(&self, of: Of, call: u64) -> Answer {
        let (country, day) = asked(of, call);
        let rows = self.client.query(&self.in_force, &[&country, &day.to_string()]).await.unwrap();
        let names = rows.iter().map(|row| Agreement::decode(row.get::<_, &[u8]>(0)).unwrap().name).collect();
        Answer { names, total: Some(rows.first().map_or(0, |row| row.get(1))) }
    }
}

/// Asks both in turns.
pub(crate) async fn run(plan: &Plan, aims: &mut Aims) {
    let size = if plan.quick { AGREEMENTS / 10 } else { AGREEMENTS };
    let dir = process::directory();
    let server = Process::server(&plan.field.servers[0].1, dir.path());
    let channel = load::connect(&server.address).await.swap_remove(0);
    registry::commit(channel.clone(), data::others()).await;
    for first in (0..size).step_by(BATCH as usize) {
        let resources: Vec<Resource> =
            (first..size.min(first + BATCH)).map(|number| agreement(number).agreement.into()).collect();
        registry::commit(channel.clone(), resources).await;
    }
    process::settle(&server).await;
    let mut beside = None;
    if let Some(installed) = &plan.field.postgres {
        let process = crate::postgres::start(installed, 4).await;
        let postgres = std::sync::Arc::new(Postgres::fill(&process.address, size).await);
        beside = Some((process, postgres));
    }
    let asked = Server(channel);
    let mut rows = Vec::new();
    for (of, told) in
        [(Of::Some, "in force on a day, of a country"), (Of::Home, "the same, of the country that has half of all")]
    {
        let found = compare(of, &asked, beside.as_ref().map(|(_, postgres)| &**postgres)).await;
        let (mut of_server, mut of_postgres) = (Times::default(), Times::default());
        for _ in 0..plan.rounds {
            let server = asked.clone();
            let ask = move |_, call| {
                let server = server.clone();
                async move { drop(server.ask(of, call).await) }
            };
            of_server.push(&load::run(1, plan.turn, ask).await);
            let Some((_, postgres)) = &beside else { continue };
            let postgres = postgres.clone();
            let ask = move |_, call| {
                let postgres = postgres.clone();
                async move { drop(postgres.ask(of, call).await) }
            };
            of_postgres.push(&load::run(1, plan.turn, ask).await);
        }
        rows.push(vec![
            told.to_owned(),
            found,
            of_server.p50.show(0),
            of_server.p99.show(0),
            of_postgres.p50.show(0),
            of_postgres.p99.show(0),
            of_postgres.p50.over(&of_server.p50).show(1),
        ]);
        let p99 = crate::report::Figures(of_server.p99.0.iter().map(|micros| micros / 1e3).collect());
        aims.at_most(&format!("{told}: p99 of {}, ms", number(size as f64, 0)), 2.0, Some(&p99));
    }
    let title = format!("A page of {} agreements", number(size as f64, 0));
    let head = ["", "found", "p50 µs", "p99 µs", "PostgreSQL's p50", "its p99", "times as fast (p50)"];
    table(&title, &head, &rows);
    println!("resident {} MiB", number(server.resident_mib(), 0));
}

/// Sees that both answer the same, and tells how many that are on average.
async fn compare(of: Of, server: &Server, postgres: Option<&Postgres>) -> String {
    const CALLS: u64 = 20;
    let mut found = 0;
    for call in 0..CALLS {
        let answer = server.ask(of, call).await;
        found += answer.total.unwrap_or_default();
        if let Some(postgres) = postgres {
            assert_eq!(answer, postgres.ask(of, call).await, "{of:?} {call}");
        }
    }
    number(found as f64 / CALLS as f64, 0)
}
