//! Questions about days: listings and counts at a `valid_date`, pages that go on while days turn, and what is told of how
//! they are answered.

use partnership_registry::v1::agreement_service_client::AgreementServiceClient;
use partnership_registry::v1::insight_service_client::InsightServiceClient;
use partnership_registry::v1::registry_service_client::RegistryServiceClient;
use partnership_registry::v1::*;
use partnership_registry_server::time::{Clock as _, SystemClock, Time};
use prost_types::FieldMask;
use tempfile::TempDir;
use tonic::Code;
use tonic::transport::Channel;

use crate::harness::process::Process;
use crate::harness::{Server, TestClock, refused, within};
use crate::service::{commit, country, create, update};

type Agreements = AgreementServiceClient<Channel>;

const DAY: i64 = 86_400;
/// 2000-01-01T12:00:00Z.
const NOON: i64 = 946_728_000;

fn date(text: &str) -> Option<PartialDate> {
    Some(text.parse().unwrap())
}

fn agreement(number: usize, parties: &[&str], events: &[(AgreementEventType, &str)]) -> Agreement {
    let party = |id: &&str| AgreementParty {
        party_id: (*id).into(),
        country: format!("countries/{id}"),
        ..AgreementParty::default()
    };
    let event = |(r#type, date): &(AgreementEventType, &str)| AgreementEvent {
        r#type: (*r#type).into(),
        act_date: self::date(date),
        ground: match r#type {
            AgreementEventType::Termination => AgreementTerminationGround::NotRecorded.into(),
            _ => 0,
        },
        ..AgreementEvent::default()
    };
    Agreement {
        name: format!("agreements/a{number:02}"),
        display_name: format!("Agreement {number:02}"),
        parties: parties.iter().map(party).collect(),
        events: events.iter().map(event).collect(),
        ..Agreement::default()
    }
}

/// Some with certain dates, some with others, and some without.
fn agreements() -> Vec<Agreement> {
    use AgreementEventType::{EntryIntoForce, Signature, Termination};
    let days = ["1999-12-31", "2000-01-01", "2000-01-02", "2000-01-03", "2000-01-10", "2000-01", "2000", "unknown"];
    (0..40)
        .map(|number| {
            let begins = days[number % days.len()];
            let events = match number % 5 {
                0 => vec![(Signature, "1999-06-01"), (EntryIntoForce, begins)],
                1 => vec![(EntryIntoForce, "1990-05-05"), (Termination, begins)],
                2 => vec![(Signature, begins)],
                3 => vec![(EntryIntoForce, begins), (Termination, "2000-01-05")],
                _ => Vec::new(),
            };
            agreement(number, [&["kr", "ir"][..], &["kr", "fr"], &["ir", "fr"]][number % 3], &events)
        })
        .collect()
}

fn all() -> Vec<Mutation> {
    ["kr", "ir", "fr"].map(country).map(create).into_iter().chain(agreements().into_iter().map(create)).collect()
}

/// What of a listing is asked on all pages.
fn list(filter: &str, order_by: &str) -> ListAgreementsRequest {
    ListAgreementsRequest { filter: filter.into(), order_by: order_by.into(), page_size: 1_000, ..Default::default() }
}

fn id(agreement: &Agreement) -> usize {
    agreement.name.strip_prefix("agreements/a").unwrap().parse().unwrap()
}

/// All pages, each told as the number of the resource and its state.
async fn listed(agreements: &mut Agreements, mut request: ListAgreementsRequest) -> Vec<(usize, AgreementState)> {
    let mut listed = Vec::new();
    loop {
        let page = within(agreements.list_agreements(request.clone())).await.unwrap().into_inner();
        listed.extend(page.agreements.iter().map(|it| (id(it), it.status.as_ref().unwrap().state())));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            assert_eq!(page.total_size as usize, listed.len());
            return listed;
        }
    }
}

/// All agreements as Get tells them at a revision, for a day.
async fn each(agreements: &mut Agreements, read_revision: u64, valid_date: &Option<PartialDate>) -> Vec<Agreement> {
    let mut each = Vec::new();
    for number in 0..40 {
        let (name, valid_date) = (format!("agreements/a{number:02}"), valid_date.clone());
        let request = GetAgreementRequest { name, read_revision, valid_date, ..Default::default() };
        each.push(within(agreements.get_agreement(request)).await.unwrap().into_inner());
    }
    each
}

#[tokio::test(flavor = "multi_thread")]
async fn listings_and_counts_on_a_day_agree_with_what_is_read_one_by_one() {
    let clock = TestClock::at(NOON);
    let server = Server::start_at(clock.clone()).await;
    let mut registry = server.registry().await;
    let mut agreements = AgreementServiceClient::new(server.channel().await);
    let mut insight = InsightServiceClient::new(server.channel().await);
    let mut revisions = vec![commit(&mut registry, all()).await.unwrap().revision];
    // Days turn while the server runs, and each is asked about from each.
    for (turned, id) in ["de", "jp", "no"].into_iter().enumerate() {
        clock.set(NOON + DAY * (1 + 3 * turned as i64));
        revisions.push(commit(&mut registry, vec![create(country(id))]).await.unwrap().revision);
    }
    let days = ["1990-05-04", "1990-05-05", "2000-01-01", "2000-01-03", "2000-01-04", "2000-01-31", "2001-01-01"];
    for valid_date in std::iter::once(None).chain(days.map(date)) {
        for read_revision in &revisions {
            let read_revision = *read_revision;
            let each = each(&mut agreements, read_revision, &valid_date).await;
            let status = |agreement: &Agreement| agreement.status.clone().unwrap();
            type Test = fn(&Agreement) -> bool;
            let tests: [(&str, Test); 7] = [
                ("state = IN_FORCE", |it| it.state() == AgreementState::InForce),
                ("status.state != IN_FORCE", |it| it.status.as_ref().unwrap().state() != AgreementState::InForce),
                ("status.in_force = UNKNOWN", |it| it.status.as_ref().unwrap().in_force() == Truth::Unknown),
                ("status.possible_states = SIGNED", |it| {
                    it.status.as_ref().unwrap().possible_states().any(|state| state == AgreementState::Signed)
                }),
                ("status.since:*", |it| it.status.as_ref().unwrap().since.is_some()),
                ("status.parties.bound = TRUE", |it| {
                    it.status.as_ref().unwrap().parties.iter().any(|party| party.bound() == Truth::True)
                }),
                ("", |_| true),
            ];
            for (filter, test) in tests {
                for order_by in ["", "status.since", "status.state desc, name", "state"] {
                    let (valid_date, page_size) = (valid_date.clone(), 7);
                    let asked =
                        ListAgreementsRequest { read_revision, valid_date, page_size, ..list(filter, order_by) };
                    let mut found = listed(&mut agreements, asked).await;
                    let expected = each.iter().filter(|it| test(it)).map(|it| (id(it), status(it).state()));
                    if order_by.starts_with("status.state") {
                        assert!(found.is_sorted_by(|one, other| one.1 as i32 >= other.1 as i32), "{found:?}");
                    }
                    found.sort();
                    assert_eq!(found, expected.collect::<Vec<_>>(), "{filter} by {order_by} at {read_revision}");
                }
            }
            for (path, key) in [
                ("state", (|it| vec![it.state().as_str_name().to_owned()]) as fn(&Agreement) -> Vec<String>),
                ("status.state", |it| vec![it.status.as_ref().unwrap().state().as_str_name().to_owned()]),
                ("status.in_force", |it| vec![it.status.as_ref().unwrap().in_force().as_str_name().to_owned()]),
                ("status.possible_states", |it| {
                    let possible = it.status.as_ref().unwrap().possible_states();
                    possible.map(|state| state.as_str_name().to_owned()).collect()
                }),
                ("status.since", |it| {
                    vec![it.status.as_ref().unwrap().since.as_ref().map(ToString::to_string).unwrap_or_default()]
                }),
            ] {
                let (collection, group_by, valid_date) =
                    ("agreements".into(), vec![path.to_owned()], valid_date.clone());
                let request =
                    CountResourcesRequest { collection, group_by, read_revision, valid_date, ..Default::default() };
                let counted = within(insight.count_resources(request)).await.unwrap().into_inner();
                let mut found: Vec<_> = counted.groups.iter().map(|it| (it.keys[0].clone(), it.count)).collect();
                found.sort();
                let mut expected = std::collections::BTreeMap::new();
                for key in each.iter().flat_map(key) {
                    *expected.entry(key).or_insert(0) += 1;
                }
                assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{path} at {read_revision}");
                assert_eq!(counted.total_size, 40);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_goes_on_when_days_turn_and_shows_the_day_on_which_it_began() {
    use AgreementEventType::{EntryIntoForce, Signature, Termination};
    let clock = TestClock::at(NOON);
    let server = Server::start_at(clock.clone()).await;
    let mut registry = server.registry().await;
    let mut agreements = AgreementServiceClient::new(server.channel().await);
    let all: Vec<_> = (0..20)
        .map(|number| {
            let events = [(Signature, "1999-06-01"), (EntryIntoForce, "2000-01-02"), (Termination, "2000-01-03")];
            create(agreement(number, &["kr", "ir"], &events))
        })
        .collect();
    commit(&mut registry, ["kr", "ir"].map(country).map(create).into_iter().chain(all).collect()).await.unwrap();
    for (filter, order_by) in [
        ("state = SIGNED", ""),
        ("status.state = SIGNED", "display_name desc"),
        ("status.possible_states = SIGNED", "status.since"),
        ("status.since = 1999-06-01", "status.state, name desc"),
        ("NOT inForce(2000-01-01)", "state"),
        ("status.parties.signed = TRUE", "name desc"),
    ] {
        clock.set(NOON);
        let name = format!("agreements/a{:02}", 0);
        // The days of the loop before do not come again: a listing of then is pinned to its revision.
        let read_revision = 1;
        let first = ListAgreementsRequest { page_size: 3, read_revision, ..list(filter, order_by) };
        let mut request = first.clone();
        let mut found = Vec::new();
        for turn in 0.. {
            let page = within(agreements.list_agreements(request.clone())).await.unwrap().into_inner();
            assert_eq!((page.total_size, page.revision), (20, 1), "{filter} by {order_by}");
            for agreement in &page.agreements {
                let status = agreement.status.as_ref().unwrap();
                let told = (agreement.state(), status.state(), status.valid_date.clone());
                let expected = (AgreementState::Signed, AgreementState::Signed, date("2000-01-01"));
                assert_eq!(told, expected, "{filter} by {order_by}, {turn}");
                found.push(id(agreement));
            }
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
            clock.set(NOON + DAY * (turn + 1));
            let renamed =
                Agreement { display_name: format!("{filter} {turn}"), name: name.clone(), ..Agreement::default() };
            commit(&mut registry, vec![update(renamed, &["display_name"])]).await.unwrap();
        }
        let in_order = found.clone();
        found.sort_unstable();
        assert_eq!(found, (0..20).collect::<Vec<_>>(), "{filter} by {order_by}");
        assert_eq!(in_order.is_sorted(), !order_by.ends_with("desc"), "{filter} by {order_by}");
    }
    let now = listed(&mut agreements, list("state = TERMINATED", "status.since desc")).await;
    assert_eq!(now.len(), 20, "{now:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_day_is_bound_into_the_tokens_of_pages_and_refused_where_it_says_nothing() {
    let server = Server::start_at(TestClock::at(NOON)).await;
    let mut registry = server.registry().await;
    let mut agreements = AgreementServiceClient::new(server.channel().await);
    let mut insight = InsightServiceClient::new(server.channel().await);
    commit(&mut registry, all()).await.unwrap();
    let request = ListAgreementsRequest { page_size: 3, valid_date: date("2000-01-03"), ..list("", "") };
    let page_token = within(agreements.list_agreements(request.clone())).await.unwrap().into_inner().next_page_token;
    let next = ListAgreementsRequest { page_token, ..request };
    within(agreements.list_agreements(next.clone())).await.unwrap();
    for valid_date in [None, date("2000-01-04")] {
        let refusal =
            refused(within(agreements.list_agreements(ListAgreementsRequest { valid_date, ..next.clone() })).await);
        assert!(refusal.names("page_token"), "{refusal:?}");
    }
    for wrong in ["2000", "2000-01", "2000-01-03~", "unknown"] {
        let valid_date = date(wrong);
        let asked = ListAgreementsRequest { valid_date: valid_date.clone(), ..list("", "") };
        let refusal = refused(within(agreements.list_agreements(asked)).await);
        assert!(refusal.code == Code::InvalidArgument && refusal.names("valid_date"), "{wrong}: {refusal:?}");
        let asked = CountResourcesRequest { collection: "agreements".into(), valid_date, ..Default::default() };
        let refusal = refused(within(insight.count_resources(asked)).await);
        assert!(refusal.code == Code::InvalidArgument && refusal.names("valid_date"), "{wrong}: {refusal:?}");
    }
    let (collection, valid_date) = ("countries".into(), date("2000-01-03"));
    let asked = CountResourcesRequest { collection, valid_date, ..Default::default() };
    let refusal = refused(within(insight.count_resources(asked)).await);
    let told = "must be left out of a question about countries, which stand alike on all days";
    assert_eq!(refusal.fields, [("valid_date".to_owned(), told.to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_tells_how_parties_stand_only_if_it_is_asked_by_name() {
    let server = Server::start_at(TestClock::at(NOON)).await;
    commit(&mut server.registry().await, all()).await.unwrap();
    let mut agreements = AgreementServiceClient::new(server.channel().await);
    for (paths, parties) in
        [(&[][..], 0), (&["status"], 2), (&["status.parties"], 2), (&["status.state"], 0), (&["*"], 0)]
    {
        let read_mask = Some(FieldMask { paths: paths.iter().map(|&path| path.to_owned()).collect() });
        let request = ListAgreementsRequest { read_mask, page_size: 1, ..list("", "") };
        let page = within(agreements.list_agreements(request)).await.unwrap().into_inner();
        assert_eq!(page.agreements[0].status.as_ref().unwrap().parties.len(), parties, "{paths:?}");
    }
}

/// The server of this test reads no more for a question.
const READS_MAX: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_day_has_moved_counts_as_no_change_and_its_plan_tells_how_days_are_asked() {
    use AgreementEventType::{EntryIntoForce, Signature};
    let data = TempDir::new().unwrap();
    let ahead = data.path().join("ahead");
    // The machine's clock stands at noon of a day of the year 2000, and `turned` days later.
    let offset = NOON - SystemClock.now().seconds_after(Time::default());
    let start = |turned: i64| {
        std::fs::write(&ahead, (offset + turned * DAY).to_string()).unwrap();
        let faults = format!("costs-max={READS_MAX};clock-offset-file={}", ahead.display());
        Process::start_with(&data.path().join("data"), |command| {
            command.env("PARTNERSHIP_TEST_FAULTS", faults).arg("--accept-time-jump");
        })
    };
    let server = start(0);
    let of =
        |number| create(agreement(number, &["kr", "ir"], &[(Signature, "1999-06-01"), (EntryIntoForce, "2000-01-02")]));
    let mut registry = RegistryServiceClient::new(server.channel().await);
    let all = ["kr", "ir"].map(country).map(create).into_iter().chain((0..30).map(of));
    let then = commit(&mut registry, all.collect()).await.unwrap().revision;
    let mut agreements = AgreementServiceClient::new(server.channel().await);
    let mut request = ListAgreementsRequest { page_size: 7, ..list("state = SIGNED", "") };
    let first = within(agreements.list_agreements(request.clone())).await.unwrap().into_inner();
    assert_eq!(first.total_size, 30);
    request.page_token = first.next_page_token;
    assert!(server.stop().status.success());

    let server = start(1);
    let mut registry = RegistryServiceClient::new(server.channel().await);
    let mut agreements = AgreementServiceClient::new(server.channel().await);
    let mut plan_of = async |request: ListAgreementsRequest| {
        let request = ListAgreementsRequest { explain: true, ..request };
        within(agreements.list_agreements(request)).await.unwrap().into_inner().plan.unwrap()
    };
    let sources = |plan: &QueryPlan| plan.tests.iter().map(QueryTest::source).collect::<Vec<_>>();
    // Nothing was written yet on the new day, which has not come for the registry.
    let plan = plan_of(list("state = SIGNED", "")).await;
    assert_eq!((plan.found, sources(&plan)), (30, vec![QueryTestSource::Index]));
    commit(&mut registry, vec![create(country("fr"))]).await.unwrap();
    let plan = plan_of(list("state = IN_FORCE AND inForce(2000-01-02)", "status.since")).await;
    assert_eq!((plan.found, sources(&plan)), (30, vec![QueryTestSource::Index; 2]));
    let at = |filter: &str, order_by: &str| ListAgreementsRequest { read_revision: then, ..list(filter, order_by) };
    let plan = plan_of(at("state = SIGNED AND NOT inForce(1999-07-01)", "display_name")).await;
    assert_eq!((plan.found, plan.changed, plan.cost), (30, 0, 0), "a day has turned, and nothing has changed");
    assert_eq!(sources(&plan), [QueryTestSource::Timelines; 2]);
    let plan = plan_of(at("status.since = 1999-06-01 AND status.parties.bound = TRUE", "status.since")).await;
    assert_eq!(sources(&plan), [QueryTestSource::IndexAndDocuments, QueryTestSource::Documents]);
    assert_eq!((plan.found, plan.open, plan.cost_max), (0, 30, READS_MAX as i64));

    let mut found = first.agreements;
    while !request.page_token.is_empty() {
        let page = within(agreements.list_agreements(request.clone())).await.unwrap().into_inner();
        found.extend(page.agreements);
        request.page_token = page.next_page_token;
    }
    assert_eq!(found.iter().map(id).collect::<Vec<_>>(), (0..30).collect::<Vec<_>>());
    assert!(found.iter().all(|it| it.state() == AgreementState::Signed), "as they stood then");

    let costly = within(agreements.list_agreements(at("state = SIGNED", "status.since"))).await.unwrap_err();
    let told = "order_by: would read and sort 30 resources by status.since, which no index knows of another day than the \
                newest settled one, and may sort 10; narrow the filter, or order by a field that is the same on all days";
    assert_eq!((costly.code(), costly.message()), (Code::FailedPrecondition, told));
    let some =
        within(agreements.list_agreements(at("display_name = \"*3\"", "status.since"))).await.unwrap().into_inner();
    assert_eq!(some.agreements.iter().map(id).collect::<Vec<_>>(), [3, 13, 23]);
}
