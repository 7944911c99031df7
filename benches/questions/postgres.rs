//! PostgreSQL, asked the same: a row for each project with its document and the columns that are asked about, and the
//! indexes for these questions.
//!
//! Where it could be done in several ways, the faster one is taken:
//! - Lists are arrays in one GIN index, together with the columns that are asked for with them (`btree_gin`), and what is
//!   ordered has a B-tree of its own; one of them has all that is counted. None has what is deleted.
//! - The rows are inserted before there are indexes, and the table is vacuumed and analyzed before it is asked.
//! - It is told that its disk is fast at random, and spared the compiler of queries (JIT), which costs more here than it
//!   gives.
//! - Of the pages by display name it is spared the number of all, which it would count each time.
//!
//! It has less to do than the registry: it holds no index of what nobody asks for here, and no revisions but a log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use partnership_registry::v1::{PartialDate, Project};
use prost::Message as _;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use super::data::{self, Question, Selection};
use super::{Answer, BATCH, PAGE};
use crate::load::{self, Turn};
use crate::{postgres, sample};

const TABLES: &str = "
    CREATE TABLE projects (
        name text PRIMARY KEY, uid uuid NOT NULL, revision bigint NOT NULL, create_time timestamptz NOT NULL,
        update_time timestamptz NOT NULL, deleted boolean NOT NULL, display_name text NOT NULL, state smallint NOT NULL,
        approved date, countries text[] NOT NULL, organizations text[] NOT NULL, focus_areas text[] NOT NULL,
        document bytea NOT NULL);
    CREATE TABLE project_log (
        revision bigint, name text, action text NOT NULL, commit_time timestamptz NOT NULL, document bytea,
        PRIMARY KEY (revision, name));";

const INDEXES: &str = "
    CREATE EXTENSION btree_gin;
    CREATE INDEX ON projects USING gin (organizations, focus_areas, state) WHERE NOT deleted;
    CREATE INDEX ON projects USING gin (countries, approved) WHERE NOT deleted;
    CREATE INDEX ON projects (display_name, name) WHERE NOT deleted;
    CREATE INDEX ON projects (approved DESC NULLS LAST, name DESC) WHERE NOT deleted;
    CREATE INDEX ON projects (state, approved) WHERE NOT deleted;
    CREATE INDEX ON projects (create_time, name);
    CREATE INDEX ON projects (revision, name);
    VACUUM ANALYZE projects;
    CHECKPOINT;";

pub(crate) const SESSION: &str =
    "SET random_page_cost = 1.1; SET effective_cache_size = '8GB'; SET work_mem = '64MB'; SET jit = off;";

const INSERT: &str = "
    WITH revision AS MATERIALIZED (SELECT nextval('revisions') AS revision), row AS (
        INSERT INTO projects
        SELECT name, gen_random_uuid(), revision, now(), now(), false, display_name, state, approved::date,
            string_to_array(countries, ' '), string_to_array(organizations, ' '), string_to_array(focus_areas, ' '),
            document
        FROM revision, unnest($1::text[], $2::text[], $3::smallint[], $4::text[], $5::text[], $6::text[], $7::text[],
            $8::bytea[])
            AS new (name, display_name, state, approved, countries, organizations, focus_areas, document)
        RETURNING revision, name, create_time)
    INSERT INTO project_log SELECT revision, name, 'create', create_time FROM row";

/// The documents are fetched for the page alone, and not for all that are counted.
const SELECTED: &str = "
    WITH found AS MATERIALIZED (
        SELECT name FROM projects
        WHERE organizations @> ARRAY[$1] AND focus_areas @> ARRAY[$2] AND state = $3 AND NOT deleted),
    page AS (SELECT name FROM found ORDER BY name LIMIT 50)
    SELECT document, (SELECT count(*) FROM found) FROM page JOIN projects USING (name) ORDER BY name";

const LATEST: &str = "
    WITH found AS MATERIALIZED (
        SELECT name, approved FROM projects
        WHERE countries @> ARRAY[$1] AND approved BETWEEN $2::text::date AND $3::text::date AND NOT deleted),
    page AS (SELECT name, approved FROM found ORDER BY approved DESC, name DESC LIMIT 50)
    SELECT document, (SELECT count(*) FROM found) FROM page JOIN projects USING (name)
    ORDER BY page.approved DESC, name DESC";

const FIRST: &str = "SELECT document FROM projects WHERE NOT deleted ORDER BY display_name, name LIMIT 50";

const AFTER: &str = "
    SELECT document FROM projects WHERE (display_name, name) > ($1, $2) AND NOT deleted
    ORDER BY display_name, name LIMIT 50";

const BEFORE_THE_LAST: &str =
    "SELECT display_name, name FROM projects WHERE NOT deleted ORDER BY display_name DESC, name DESC OFFSET 50 LIMIT 1";

const COUNT: &str = "
    SELECT state::int, extract(year FROM approved)::int, count(*) FROM projects WHERE NOT deleted GROUP BY 1, 2";

/// A connection, and what was prepared on it.
struct Seat {
    client: Client,
    insert: Statement,
    selected: Statement,
    latest: Statement,
    first: Statement,
    after: Statement,
    count: Statement,
}

/// Connections to a PostgreSQL.
#[derive(Clone)]
pub(crate) struct Postgres {
    seats: Arc<Vec<Arc<Seat>>>,
    /// What stands before the last page by display name.
    before_the_last: (String, String),
}

impl Postgres {
    /// Makes the tables, fills them with so many projects, and makes the indexes.
    pub(crate) async fn fill(address: &str, size: u64, connections: usize) -> Postgres {
        let client = postgres::connect(address).await.unwrap();
        client.batch_execute(TABLES).await.unwrap();
        let insert = client.prepare(INSERT).await.unwrap();
        for first in (0..size).step_by(BATCH as usize) {
            let projects: Vec<_> = (first..size.min(first + BATCH)).map(data::named).collect();
            let columns = Columns::new(&projects);
            client.execute(&insert, &columns.parameters()).await.unwrap();
        }
        // Each by itself: a vacuum runs in no transaction.
        for statement in INDEXES.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
            client.batch_execute(statement).await.unwrap();
        }
        let before = client.query_one(BEFORE_THE_LAST, &[]).await.unwrap();
        let mut seats = Vec::new();
        for _ in 0..connections {
            seats.push(Arc::new(Seat::take(address).await));
        }
        Postgres { seats: Arc::new(seats), before_the_last: (before.get(0), before.get(1)) }
    }

    pub(crate) async fn ask(&self, question: Question, call: u64) -> Answer {
        let Seat { client, selected, latest, first, after, count, .. } = &*self.seats[0];
        let rows = match question {
            Question::Few | Question::Many => {
                let Selection { organization, focus_area, state } = Selection::new(question, call);
                client.query(selected, &[&organization, &focus_area, &(state as i16)]).await
            }
            Question::Latest => {
                let (country, first, last) = data::country_and_years(call);
                client.query(latest, &[&country, &format!("{first}-01-01"), &format!("{last}-12-31")]).await
            }
            Question::First => client.query(first, &[]).await,
            Question::Last => client.query(after, &[&self.before_the_last.0, &self.before_the_last.1]).await,
            Question::Count => {
                let mut groups: Vec<_> = client.query(count, &[]).await.unwrap().iter().map(group).collect();
                groups.sort();
                return Answer { names: groups, total: None };
            }
        };
        let rows = rows.unwrap();
        assert!(rows.len() <= PAGE as usize);
        let names = rows.iter().map(|row| Project::decode(row.get::<_, &[u8]>(0)).unwrap().name).collect();
        let total = match question {
            Question::First | Question::Last => None,
            Question::Few | Question::Many | Question::Latest | Question::Count => {
                Some(rows.first().map_or(0, |row| row.get(1)))
            }
        };
        Answer { names, total }
    }

    /// Creates projects, so many in flight, with the numbers from this one on.
    pub(crate) async fn create(&self, next: Arc<AtomicU64>, in_flight: usize, time: Duration) -> Turn {
        assert!(in_flight <= self.seats.len());
        let seats = self.seats.clone();
        load::run(in_flight, time, move |caller, _| {
            let seat = seats[caller].clone();
            let project = Project { name: sample::name(), ..data::project(next.fetch_add(1, Ordering::Relaxed)) };
            let columns = Columns::new(&[project]);
            async move {
                seat.client.execute(&seat.insert, &columns.parameters()).await.unwrap();
            }
        })
        .await
    }
}

impl Seat {
    async fn take(address: &str) -> Seat {
        let client = postgres::connect(address).await.unwrap();
        client.batch_execute(SESSION).await.unwrap();
        Seat {
            insert: client.prepare(INSERT).await.unwrap(),
            selected: client.prepare(SELECTED).await.unwrap(),
            latest: client.prepare(LATEST).await.unwrap(),
            first: client.prepare(FIRST).await.unwrap(),
            after: client.prepare(AFTER).await.unwrap(),
            count: client.prepare(COUNT).await.unwrap(),
            client,
        }
    }
}

/// A group of a count, as the registry tells it.
fn group(row: &Row) -> String {
    let (state, year, count): (i32, Option<i32>, i64) = (row.get(0), row.get(1), row.get(2));
    format!("{state} {} {count}", year.map_or(String::new(), |year| format!("{year:04}")))
}

/// The columns of some projects. Lists stand with spaces between their items, since arrays of arrays are no rows.
#[derive(Default)]
struct Columns {
    names: Vec<String>,
    display_names: Vec<String>,
    states: Vec<i16>,
    approved: Vec<Option<String>>,
    countries: Vec<String>,
    organizations: Vec<String>,
    focus_areas: Vec<String>,
    documents: Vec<Vec<u8>>,
}

impl Columns {
    fn new(projects: &[Project]) -> Columns {
        let mut columns = Columns::default();
        for project in projects {
            let organizations: Vec<_> =
                project.participants.iter().map(|participant| participant.organization.as_str()).collect();
            columns.names.push(project.name.clone());
            columns.display_names.push(project.display_name.clone());
            columns.states.push(project.state as i16);
            columns.approved.push(project.approval_date.as_ref().map(PartialDate::to_string));
            columns.countries.push(project.countries.join(" "));
            columns.organizations.push(organizations.join(" "));
            columns.focus_areas.push(project.focus_areas.join(" "));
            let name = project.name.clone();
            columns.documents.push(Project { name, ..sample::stamped(project.clone(), 1) }.encode_to_vec());
        }
        columns
    }

    fn parameters(&self) -> [&(dyn ToSql + Sync); 8] {
        let Columns { names, display_names, states, approved, countries, organizations, focus_areas, documents } = self;
        [names, display_names, states, approved, countries, organizations, focus_areas, documents]
    }
}
