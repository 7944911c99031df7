//! ListTimeline: what happened when, in a partnership and to one agreement; in order, in pages, and what it refuses.

use partnership_registry::v1::insight_service_client::InsightServiceClient;
use partnership_registry::v1::registry_service_client::RegistryServiceClient;
use partnership_registry::v1::*;
use prost_types::Timestamp;
use tonic::Code;
use tonic::transport::Channel;

use crate::harness::process::Process;
use crate::harness::{Refusal, Server, refused, within};
use crate::service::{commit, country, create, delete};

type Insight = InsightServiceClient<Channel>;

async fn insight(server: &Server) -> Insight {
    InsightServiceClient::new(server.channel().await)
}

fn of_korea() -> ListTimelineRequest {
    ListTimelineRequest { country: "countries/kr".into(), ..ListTimelineRequest::default() }
}

fn of_agreement(name: &str) -> ListTimelineRequest {
    ListTimelineRequest { agreement: name.into(), ..ListTimelineRequest::default() }
}

fn date(text: &str) -> Option<PartialDate> {
    Some(text.parse().unwrap())
}

fn event(r#type: AgreementEventType, act: &str, effect: &str) -> AgreementEvent {
    AgreementEvent {
        r#type: r#type.into(),
        act_date: date(act),
        effect_date: if effect.is_empty() { None } else { date(effect) },
        ..AgreementEvent::default()
    }
}

async fn listed(insight: &mut Insight, request: ListTimelineRequest) -> ListTimelineResponse {
    within(insight.list_timeline(request)).await.unwrap().into_inner()
}

async fn refusal_of(insight: &mut Insight, request: ListTimelineRequest) -> Refusal {
    refused(within(insight.list_timeline(request)).await)
}

/// The entries as `date type name`, in their order.
fn told(listed: &ListTimelineResponse) -> Vec<String> {
    let entries = listed.entries.iter();
    entries.map(|entry| format!("{} {} {}", entry.recorded_date.as_ref().unwrap(), entry.r#type, entry.name)).collect()
}

/// Korea, an agreement that it is party of, a project, a meeting, and an agreement of others.
fn a_partnership() -> Vec<Mutation> {
    let korea = Country { relations_established_date: date("1948"), ..country("kr") };
    let party = |id: &str| AgreementParty {
        party_id: id.into(),
        country: format!("countries/{id}"),
        ..AgreementParty::default()
    };
    let ratified =
        AgreementEvent { party_ids: vec!["kr".into()], ..event(AgreementEventType::Ratification, "1969-05", "") };
    let agreement = Agreement {
        name: "agreements/x".into(),
        display_name: "X".into(),
        parties: vec![party("kr"), party("ir")],
        events: vec![
            event(AgreementEventType::Signature, "1968-03-01", ""),
            ratified,
            event(AgreementEventType::EntryIntoForce, "1969-06-01", "1969-07-01"),
            event(AgreementEventType::Notification, "unknown", ""),
        ],
        ..Agreement::default()
    };
    let other = Agreement {
        name: "agreements/y".into(),
        display_name: "Y".into(),
        parties: vec![party("ir")],
        conclusion_date: date("1950"),
        ..Agreement::default()
    };
    let participant = ProjectParticipant {
        country: "countries/kr".into(),
        role: ProjectRole::Funding.into(),
        ..ProjectParticipant::default()
    };
    let project = Project {
        name: "projects/p".into(),
        display_name: "P".into(),
        participants: vec![participant],
        planned_end_date: date("1969"),
        ..Project::default()
    };
    let meeting = Meeting {
        name: "meetings/m".into(),
        display_name: "M".into(),
        start_time: Some(Timestamp { seconds: -36_000_000, nanos: 0 }),
        participants: vec![MeetingParticipant {
            unresolved_name: "A. N.".into(),
            represents: "countries/kr".into(),
            ..MeetingParticipant::default()
        }],
        ..Meeting::default()
    };
    vec![create(korea), create(country("ir")), create(agreement), create(other), create(project), create(meeting)]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dates_of_a_partnership_come_in_order_and_unknown_ones_last() {
    let server = Server::start().await;
    commit(&mut server.registry().await, a_partnership()).await.unwrap();
    let mut insight = insight(&server).await;
    let all = listed(&mut insight, of_korea()).await;
    let expected = [
        "1948 relations_established_date countries/kr",
        "1968-03-01 SIGNATURE agreements/x",
        "1968-11-10 start_time meetings/m",
        "1969 planned_end_date projects/p",
        "1969-05 RATIFICATION agreements/x",
        "1969-06-01 ENTRY_INTO_FORCE agreements/x",
        "1969-07-01 ENTRY_INTO_FORCE agreements/x",
        "unknown NOTIFICATION agreements/x",
    ];
    assert_eq!(told(&all), expected);
    assert_eq!((all.total_size, all.next_page_token.as_str()), (8, ""));
    let [ratification, .., unknown] = &all.entries[4..] else { panic!("{all:?}") };
    assert_eq!(ratification.parties, ["countries/kr"]);
    assert_eq!(
        (ratification.earliest_date.clone(), ratification.latest_date.clone()),
        (date("1969-05-01"), date("1969-05-31"))
    );
    assert_eq!((ratification.display_name.as_str(), ratification.of_effect), ("X", false));
    assert_eq!((&unknown.earliest_date, &unknown.latest_date), (&None, &None));
    assert!(all.entries[6].of_effect && !all.entries[5].of_effect, "{all:?}");

    let newest = listed(&mut insight, ListTimelineRequest { order_by: "date desc".into(), ..of_korea() }).await;
    let expected = [
        "1969 planned_end_date projects/p",
        "1969-07-01 ENTRY_INTO_FORCE agreements/x",
        "1969-06-01 ENTRY_INTO_FORCE agreements/x",
        "1969-05 RATIFICATION agreements/x",
        "1968-11-10 start_time meetings/m",
        "1968-03-01 SIGNATURE agreements/x",
        "1948 relations_established_date countries/kr",
        "unknown NOTIFICATION agreements/x",
    ];
    assert_eq!(told(&newest), expected, "by the last day that each may be");

    let of_one = listed(&mut insight, of_agreement("agreements/y")).await;
    assert_eq!(told(&of_one), ["1950 conclusion_date agreements/y"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_and_kinds_leave_the_rest_out() {
    let server = Server::start().await;
    commit(&mut server.registry().await, a_partnership()).await.unwrap();
    let mut insight = insight(&server).await;
    let window = |start: &str, end: &str| {
        let end_of = |text: &str| if text.is_empty() { None } else { date(text) };
        Some(DateInterval { start_date: end_of(start), end_date: end_of(end) })
    };
    let table: [(_, &[&str], &[&str]); 6] = [
        (window("1968-03-02", "1969-05-01"), &[], &["1968-11-10", "1969", "1969-05"]),
        (window("1968-03", "1968"), &[], &["1968-03-01", "1968-11-10"]),
        (window("1969-07-02", ""), &[], &["1969"]),
        (window("", "1948-01-01"), &[], &["1948"]),
        (None, &["projects", "meetings"], &["1968-11-10", "1969"]),
        (window("", ""), &["agreements"], &["1968-03-01", "1969-05", "1969-06-01", "1969-07-01"]),
    ];
    for (window, collections, expected) in table {
        let collections: Vec<_> = collections.iter().map(|&collection| collection.to_owned()).collect();
        let request = ListTimelineRequest { window, collections, ..of_korea() };
        let dates: Vec<_> = listed(&mut insight, request.clone())
            .await
            .entries
            .iter()
            .map(|entry| entry.recorded_date.as_ref().unwrap().to_string())
            .collect();
        assert_eq!(dates, expected, "{request:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_one_snapshot_whatever_is_written_meanwhile() {
    let server = Server::start().await;
    commit(&mut server.registry().await, a_partnership()).await.unwrap();
    let mut insight = insight(&server).await;
    let whole = listed(&mut insight, of_korea()).await;
    let (mut found, mut request) = (Vec::new(), ListTimelineRequest { page_size: 3, ..of_korea() });
    loop {
        let page = listed(&mut insight, request.clone()).await;
        assert_eq!((page.total_size, page.revision), (8, whole.revision));
        assert!(page.entries.len() <= 3);
        found.extend(told(&page));
        if page.next_page_token.is_empty() {
            break;
        }
        if request.page_token.is_empty() {
            commit(&mut server.registry().await, vec![delete("projects/p")]).await.unwrap();
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(found, told(&whole));
    let now = listed(&mut insight, of_korea()).await;
    assert_eq!(now.total_size, 7, "what is deleted has gone: {now:?}");
    let then = listed(&mut insight, ListTimelineRequest { read_revision: whole.revision, ..of_korea() }).await;
    assert_eq!(told(&then), told(&whole));
    let other = ListTimelineRequest { order_by: "date desc".into(), ..request };
    let refusal = refusal_of(&mut insight, other).await;
    assert_eq!(refusal.code, Code::InvalidArgument, "{refusal:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_timeline_can_be_of_is_refused() {
    let server = Server::start().await;
    commit(&mut server.registry().await, a_partnership()).await.unwrap();
    let mut insight = insight(&server).await;
    let window = |start: &str, end: &str| Some(DateInterval { start_date: date(start), end_date: date(end) });
    let table = [
        (ListTimelineRequest::default(), Code::InvalidArgument, "country"),
        (ListTimelineRequest { agreement: "agreements/x".into(), ..of_korea() }, Code::InvalidArgument, "agreement"),
        (of_agreement("countries/kr"), Code::InvalidArgument, "agreement"),
        (of_agreement("agreements/none"), Code::NotFound, ""),
        (
            ListTimelineRequest { window: window("1970", "1969"), ..of_korea() },
            Code::InvalidArgument,
            "window.end_date",
        ),
        (
            ListTimelineRequest { window: window("unknown", "1969"), ..of_korea() },
            Code::InvalidArgument,
            "window.start_date",
        ),
        (
            ListTimelineRequest { collections: vec!["treaties".into()], ..of_korea() },
            Code::InvalidArgument,
            "collections[0]",
        ),
        (ListTimelineRequest { order_by: "name".into(), ..of_korea() }, Code::InvalidArgument, "order_by"),
        (ListTimelineRequest { page_size: -1, ..of_korea() }, Code::InvalidArgument, "page_size"),
        (ListTimelineRequest { page_token: "x".into(), ..of_korea() }, Code::InvalidArgument, ""),
        (ListTimelineRequest { read_revision: 99, ..of_korea() }, Code::OutOfRange, ""),
    ];
    for (request, code, field) in table {
        let refusal = refusal_of(&mut insight, request.clone()).await;
        assert_eq!(refusal.code, code, "{request:?}: {refusal:?}");
        if !field.is_empty() {
            assert_eq!(
                refusal.fields.iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>(),
                [field],
                "{request:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_takes_part_in_too_much_is_told_so() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start_with(data.path(), |command| {
        command.env("PARTNERSHIP_TEST_FAULTS", "costs-max=2");
    });
    let mut insight = InsightServiceClient::new(server.channel().await);
    commit(&mut RegistryServiceClient::new(server.channel().await), a_partnership()).await.unwrap();
    let refusal = refusal_of(&mut insight, of_korea()).await;
    assert_eq!((refusal.code, refusal.reason.as_str()), (Code::FailedPrecondition, "TOO_COSTLY"), "{refusal:?}");
    let fewer = ListTimelineRequest { collections: vec!["projects".into()], ..of_korea() };
    assert_eq!(listed(&mut insight, fewer).await.total_size, 1);
}
