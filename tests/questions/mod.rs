//! Questions: random filters, orders and pages over random resources, and what the server answers held against an
//! evaluator that reads every resource for every question. It shares no code with the server: the filters are trees of
//! its own, from which their text is written.
//!
//! `PARTNERSHIP_TEST_QUESTIONS` says how many are asked, and `PARTNERSHIP_TEST_SEED` which.

mod asking;
mod author;
pub(crate) mod calendar;
mod expression;
mod memory;
mod order;
mod public_data;
pub(crate) mod raw;
mod resources;
mod row;
mod shape;
mod texts;
mod writer;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use partnership_registry::v1::{Project, Resource};
use partnership_registry_server::time::{Clock as _, SystemClock, Time};
use prost_reflect::Value;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tempfile::TempDir;
use tonic::transport::Channel;

use crate::crash::{seed, setting};
use crate::harness::dynamic::{Caller, message, messages, strings};
use crate::harness::process::Process;
use crate::harness::{Server, within};
use crate::model::api::{Api, Listing};
use asking::Question;
use author::Author;
use expression::Expression;
use memory::{Memory, View};
use resources::COLLECTIONS;
use row::Row;
use shape::{Shape, shapes};
use writer::Writer;

/// How many questions are asked of one set of resources.
const QUESTIONS_OF_A_SET: u64 = 5_000;
/// How many live resources of each kind a set begins with.
const RESOURCES: usize = 60;
const CONNECTIONS: u64 = 4;
/// How many questions are asked for each commit that is made meanwhile.
const QUESTIONS_OF_A_COMMIT: u64 = 40;

/// The days that are asked about.
const DAYS: [(i64, i64, i64); 4] = [(1900, 1, 1), (2019, 6, 30), (2021, 1, 1), (9999, 12, 31)];

/// What those who ask share.
struct Asked {
    shapes: Arc<Vec<Shape>>,
    memory: Arc<RwLock<Memory>>,
    /// The versions of resources as they stand on days.
    standing: Arc<Mutex<Standing>>,
    /// The days that are asked about.
    days: Vec<i64>,
    asked: AtomicU64,
    questions: u64,
}

/// Versions, by their names and revisions, the settled day of the revision that was read, and the day that was asked for.
type Standing = HashMap<(String, u64, i64, Option<i64>), Arc<Row>>;

impl Asked {
    fn is_over(&self) -> bool {
        self.asked.load(Ordering::Relaxed) >= self.questions
    }
}

/// Somebody who asks, and holds every answer against what must be answered.
struct Asker {
    dice: StdRng,
    caller: Caller,
    asked: Arc<Asked>,
    /// By revision, kind and day.
    views: HashMap<(u64, usize, Option<i64>), Arc<View>>,
    /// How many answers had something, and how many had several pages.
    told: Told,
}

#[derive(Debug, Default, Clone, Copy)]
struct Told {
    questions: u64,
    with_something: u64,
    of_the_past: u64,
    commits: u64,
}

impl Asker {
    fn new(channel: Channel, asked: Arc<Asked>, seed: u64) -> Asker {
        let dice = StdRng::seed_from_u64(seed);
        Asker { dice, caller: Caller::new(channel), asked, views: HashMap::new(), told: Told::default() }
    }

    /// The resources of a kind at a revision, which must have been made, as they stand on a day.
    async fn view(&mut self, revision: u64, kind: usize, valid: Option<i64>) -> Arc<View> {
        while self.asked.memory.read().unwrap().head < revision {
            // The server answered what the writer has not heard of yet.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if self.views.len() > 100 {
            self.views.clear();
        }
        if let Some(view) = self.views.get(&(revision, kind, valid)) {
            return view.clone();
        }
        let asked = self.asked.clone();
        let shape = &asked.shapes[kind];
        let mut view = asked.memory.read().unwrap().at(revision, shape, &asked.shapes);
        if shape.is_dated() {
            view.rows = self.standing(&view.rows, revision, shape, valid).await;
        }
        let view = Arc::new(view);
        self.views.insert((revision, kind, valid), view.clone());
        view
    }

    /// Resources as they stand on a day: read by their names, for that day.
    async fn standing(&self, rows: &[Arc<Row>], revision: u64, shape: &Shape, valid: Option<i64>) -> Vec<Arc<Row>> {
        let settled = self.asked.memory.read().unwrap().settled(revision);
        let key = |row: &Row| (row.name.clone(), row::revision(&row.message), settled, valid);
        let missing: Vec<String> = {
            let known = self.asked.standing.lock().unwrap();
            rows.iter().filter(|row| !known.contains_key(&key(row))).map(|row| row.name.clone()).collect()
        };
        if !missing.is_empty() {
            let method = &shape.kind.batch_get;
            let fields = [("names", strings(missing)), ("read_revision", Value::U64(revision))];
            let mut request = message(&method.input(), fields);
            if let Some(day) = valid {
                request.set_field_by_name("valid_date", asking::date(day));
            }
            let read = within(self.caller.call(method, request)).await.unwrap();
            let mut known = self.asked.standing.lock().unwrap();
            for message in messages(&read, &shape.kind.plural) {
                let row = Row::new(shape, message);
                known.insert(key(&row), Arc::new(row));
            }
        }
        let known = self.asked.standing.lock().unwrap();
        rows.iter().map(|row| known[&key(row)].clone()).collect()
    }

    /// The resources that a question is about, as they stand on its days.
    async fn view_of(&mut self, question: &Question, revision: u64, kind: usize) -> Arc<View> {
        let view = self.view(revision, kind, question.valid).await;
        let days = question.expression.as_ref().map(Expression::days).unwrap_or_default();
        if days.is_empty() {
            return view;
        }
        let mut view = View::clone(&view);
        for day in days {
            let of_day = self.view(revision, kind, Some(day)).await;
            let rows = of_day.rows.iter().map(|row| (row.name.clone(), row.clone()));
            view.days.insert(day, rows.collect());
        }
        Arc::new(view)
    }

    /// Asks until enough was asked. The error tells which question is answered wrongly, and how.
    async fn ask(mut self) -> Result<Told, String> {
        while !self.asked.is_over() {
            self.asked.asked.fetch_add(1, Ordering::Relaxed);
            let (kind, question) = self.question().await;
            if let Err(wrong) = self.check(kind, &question).await {
                self.asked.asked.store(u64::MAX / 2, Ordering::Relaxed);
                return Err(self.least(kind, question, wrong).await);
            }
        }
        Ok(self.told)
    }

    async fn question(&mut self) -> (usize, Question) {
        // Mostly of the kinds that have most to ask.
        let kind = match self.dice.random_range(0..10) {
            0..8 => self.dice.random_range(4..COLLECTIONS.len()),
            _ => self.dice.random_range(0..4),
        };
        let head = self.asked.memory.read().unwrap().head;
        let view = self.view(head, kind, None).await;
        let asked = self.asked.clone();
        let shapes = &asked.shapes;
        let mut author = Author { dice: &mut self.dice, shape: &shapes[kind], view: &view, days: &asked.days };
        let expression = (author.dice.random_range(0..20) > 0).then(|| author.expression());
        let order = author.order();
        let read_revision = match self.dice.random_range(0..10) {
            0..6 => 0,
            6..8 => head - self.dice.random_range(0..head.min(10)),
            _ => (self.dice.random_range(1..=head) / 8 * 8).max(1),
        };
        let mut question = Question {
            expression,
            order,
            page_size: 1_000,
            show_deleted: self.dice.random_bool(0.2),
            read_revision,
            valid: None,
            whole: self.dice.random_bool(0.05),
        };
        if shapes[kind].is_dated() && self.dice.random_bool(0.4) {
            question.valid = Some(asked.days[self.dice.random_range(0..asked.days.len())]);
        }
        if self.dice.random_bool(0.3) {
            // At most some pages: each is a call.
            let view = self.view_of(&question, head, kind).await;
            let found = question.expected(&shapes[kind], &view).len() as i32;
            question.page_size = self.dice.random_range(1..=10).max(found / 6);
        }
        (kind, question)
    }

    async fn check(&mut self, kind: usize, question: &Question) -> Result<(), String> {
        let shapes = self.asked.shapes.clone();
        let answer = within(question.ask(&self.caller, &shapes[kind])).await?;
        if question.read_revision != 0 && answer.revision != question.read_revision {
            return Err(format!("it is answered of revision {}", answer.revision));
        }
        let view = self.view_of(question, answer.revision, kind).await;
        self.told.questions += 1;
        self.told.with_something += u64::from(!answer.resources.is_empty());
        self.told.of_the_past += u64::from(question.read_revision != 0);
        question.check(&answer, &shapes[kind], &view)
    }

    /// The simplest question that is answered wrongly, and how.
    async fn least(&mut self, kind: usize, mut question: Question, mut wrong: String) -> String {
        let shapes = self.asked.shapes.clone();
        let briefly: String = wrong.chars().take(300).collect();
        let mut told = format!("{}\n{briefly}", question.told(&shapes[kind]));
        'simpler: loop {
            for simpler in question.simpler() {
                // What is only refused is another mistake, unless that is what is looked for.
                match self.check(kind, &simpler).await {
                    Err(also) if also.starts_with("it is refused") == wrong.starts_with("it is refused") => {
                        (question, wrong) = (simpler, also);
                        continue 'simpler;
                    }
                    _ => {}
                }
            }
            told.push_str(&format!("\n\nand the least of it:\n{}\n{wrong}", question.told(&shapes[kind])));
            return told;
        }
    }
}

/// Makes a set of resources, and asks so many questions of it while it goes on changing, before and after a restart.
async fn ask_of_a_set(seed: u64, questions: u64, fault: Option<&str>) -> Result<Told, String> {
    let data = TempDir::new().unwrap();
    let ahead = data.path().join("ahead");
    let start = |ahead_by: i64| {
        std::fs::write(&ahead, ahead_by.to_string()).unwrap();
        let clock = format!("clock-offset-file={}", ahead.display());
        Process::start_with(&data.path().join("data"), |command| {
            let faults = ["checkpoint-bytes=65536", "scrub-at-full-speed", &clock].into_iter().chain(fault);
            command.env("PARTNERSHIP_TEST_FAULTS", faults.collect::<Vec<_>>().join(";")).arg("--accept-time-jump");
        })
    };
    // In years in which much happens to the resources: first before most of it, and then in the midst of it.
    let now = SystemClock.now().seconds_after(Time::default());
    let [first, then] = [calendar::day(2018, 7, 1), calendar::day(2020, 11, 2)].map(|day| day * 86_400 - now);
    let mut server = start(first);
    let (shapes, memory) = (Arc::new(shapes(&COLLECTIONS)), Arc::new(RwLock::new(Memory::default())));
    let mut writer = Writer {
        dice: StdRng::seed_from_u64(seed),
        channel: server.channel().await,
        shapes: shapes.clone(),
        memory: memory.clone(),
        created: 0,
        made: 0,
        refused: 0,
    };
    let began = std::time::Instant::now();
    writer.fill(RESOURCES).await;
    println!("filled in {:?}, {} commits, {} refused", began.elapsed(), writer.made, writer.refused);
    let mut told = Told::default();
    let standing: Arc<Mutex<Standing>> = Arc::default();
    for half in 0..2 {
        let (shapes, memory) = (shapes.clone(), memory.clone());
        let (standing, asked) = (standing.clone(), AtomicU64::new(0));
        let days = DAYS.map(|(year, month, day)| calendar::day(year, month, day)).to_vec();
        let asked = Arc::new(Asked { shapes, memory, standing, days, asked, questions: questions / 2 });
        writer.channel = server.channel().await;
        let mut asking = tokio::task::JoinSet::new();
        for number in 0..CONNECTIONS {
            let seed = seed.wrapping_add(half * CONNECTIONS + number);
            asking.spawn(Asker::new(server.channel().await, asked.clone(), seed).ask());
        }
        let mut due = QUESTIONS_OF_A_COMMIT;
        while !asked.is_over() {
            if asked.asked.load(Ordering::Relaxed) >= due {
                writer.write().await;
                due += QUESTIONS_OF_A_COMMIT;
            } else {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        println!("asked after {:?}", began.elapsed());
        for one in asking.join_all().await {
            let one = one?;
            told.questions += one.questions;
            told.with_something += one.with_something;
            told.of_the_past += one.of_the_past;
        }
        if half == 0 {
            if seed.is_multiple_of(2) {
                server.kill();
            } else {
                assert!(server.stop().status.success());
            }
            server = start(then);
        }
    }
    assert!(writer.refused < writer.made, "{} commits were made, and {} refused", writer.made, writer.refused);
    Ok(Told { commits: writer.made, ..told })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_question_is_answered_as_by_reading_all_resources() {
    let seed = seed();
    let questions = setting("PARTNERSHIP_TEST_QUESTIONS").unwrap_or(20_000);
    let mut told = Told::default();
    for set in 0..questions.div_ceil(QUESTIONS_OF_A_SET) {
        let of_set = QUESTIONS_OF_A_SET.min(questions - set * QUESTIONS_OF_A_SET);
        // Every other set is asked as if it were of many: what is sorted and looked at of few is walked and scanned then.
        let as_if_many = (set % 2 == 1).then_some("as-if-many");
        let one = ask_of_a_set(seed.wrapping_add(set << 8), of_set, as_if_many).await;
        let one = one.unwrap_or_else(|wrong| panic!("PARTNERSHIP_TEST_SEED={seed}, set {set}:\n{wrong}"));
        told.questions += one.questions;
        told.with_something += one.with_something;
        told.of_the_past += one.of_the_past;
        told.commits += one.commits;
    }
    println!("{told:?}");
    assert!(told.questions >= questions / 2 * 2, "{told:?}");
    assert!(told.with_something > told.questions / 3, "most select something: {told:?}");
    assert!(told.of_the_past > told.questions / 5, "many are of the past: {told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_planted_fault_is_found_by_questions() {
    let seed = seed();
    for fault in ["filter-not-two-valued", "index-misses-updates", "index-keeps-yesterday"] {
        let wrong = ask_of_a_set(seed, QUESTIONS_OF_A_SET, Some(fault)).await;
        let wrong = wrong.expect_err(fault);
        let least = wrong.lines().skip_while(|line| !line.starts_with("and the least")).nth(1);
        println!("{fault} was noticed: {}", least.unwrap_or(&wrong));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_a_list_had_twice_is_forgotten_once() {
    let server = Server::start().await;
    let api = Api::new(server.channel().await);
    let project = |id: &str, countries: &[&str]| -> Resource {
        let unresolved_countries = countries.iter().map(|country| (*country).to_owned()).collect();
        let name = format!("projects/{id}");
        Project { name, display_name: id.to_owned(), unresolved_countries, ..Project::default() }.into()
    };
    api.create(project("one", &["Siam", "Siam"]), String::new(), false).await.unwrap();
    let all = vec!["*".to_owned()];
    api.update(project("one", &["Burma"]), all, false, String::new(), false).await.unwrap();
    // These two would share what stood for the value that is gone.
    api.create(project("two", &["Ceylon"]), String::new(), false).await.unwrap();
    api.create(project("three", &["Persia"]), String::new(), false).await.unwrap();
    for (country, expected) in
        [("Siam", None), ("Burma", Some("one")), ("Ceylon", Some("two")), ("Persia", Some("three"))]
    {
        let filter = format!("unresolved_countries = \"{country}\"");
        let listing = Listing { collection: "projects", page_size: 10, filter, ..Listing::default() };
        let found: Vec<_> =
            api.list(listing).await.unwrap().resources.into_iter().map(|one| one.name().to_owned()).collect();
        assert_eq!(found, expected.map(|id| format!("projects/{id}")).into_iter().collect::<Vec<_>>(), "{country}");
    }
}
