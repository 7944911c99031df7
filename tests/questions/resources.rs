//! Random resources with all that a question can be asked of: texts of any script, dates of any kind, money, references,
//! lists of lists, and much that is left out.

use std::collections::BTreeMap;

use partnership_registry::Money;
use partnership_registry::v1::*;
use prost_types::Timestamp;
use rand::RngExt as _;
use rand::rngs::StdRng;

use super::calendar::days_of_month;
use super::texts::{LABEL_KEYS, LABEL_VALUES, TEXTS};

/// The kinds that are asked about.
pub(crate) const COLLECTIONS: [&str; 7] =
    ["countries", "focusAreas", "organizations", "officials", "agreements", "projects", "meetings"];

/// How many of each of the kinds that the others refer to.
const OTHERS: [(&str, usize); 4] = [("countries", 9), ("focusAreas", 12), ("organizations", 10), ("officials", 4)];

/// The names that references lead to.
pub(crate) fn others() -> impl Iterator<Item = String> {
    OTHERS.iter().flat_map(|(collection, count)| (0..*count).map(move |at| format!("{collection}/n{at}")))
}

/// Makes resources.
pub(crate) struct Maker<'a> {
    pub(crate) dice: &'a mut StdRng,
    /// The live resources of a kind that has been made already.
    pub(crate) live: BTreeMap<&'static str, Vec<String>>,
}

impl Maker<'_> {
    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.dice.random_bool(share)
    }

    pub(crate) fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.dice.random_range(0..all.len())].clone()
    }

    /// None, one or a few.
    fn some<T>(&mut self, mut make: impl FnMut(&mut Self, usize) -> T) -> Vec<T> {
        let count = self.one_of(&[0, 0, 0, 1, 1, 2, 3, 5]);
        (0..count).map(|at| make(self, at)).collect()
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.chance(0.6).then(|| make(self))
    }

    /// One of the values of an enum, with numbers from 0 to this one.
    fn value(&mut self, last: i32) -> i32 {
        self.dice.random_range(0..=last)
    }

    fn text(&mut self) -> String {
        let text = self.one_of(&TEXTS);
        match self.dice.random_range(0..8) {
            0 => format!("{text} {}", self.dice.random_range(0..5)),
            1 => format!("{text} {}", self.one_of(&TEXTS)),
            _ => text.to_owned(),
        }
    }

    fn optional_text(&mut self) -> String {
        self.maybe(Self::text).unwrap_or_default()
    }

    fn labels(&mut self) -> BTreeMap<String, String> {
        self.some(|maker, _| (maker.one_of(&LABEL_KEYS).to_owned(), maker.one_of(&LABEL_VALUES).to_owned()))
            .into_iter()
            .collect()
    }

    fn annotations(&mut self) -> BTreeMap<String, String> {
        self.some(|maker, at| (format!("note{at}"), maker.text())).into_iter().collect()
    }

    fn date(&mut self) -> PartialDate {
        let year = match self.dice.random_range(0..20) {
            0 => self.one_of(&[1, 987, 2300]),
            1..4 => self.dice.random_range(1850..2040),
            // Near each other, so that tests part them.
            _ => self.dice.random_range(2017..2023),
        };
        let month = if self.chance(0.75) { self.dice.random_range(1..=12) } else { 0 };
        let last = if month == 0 { 0 } else { days_of_month(year.into(), month.into()) as i32 };
        let day = match self.dice.random_range(0..8) {
            _ if month == 0 => 0,
            0 | 1 => 0,
            2 => 1,
            3 => last,
            _ => self.dice.random_range(1..=last),
        };
        let date = match self.dice.random_range(0..20) {
            0 => PartialDate::unknown(),
            1 => PartialDate::original("spring of 1968"),
            // What no calendar has is kept as a text.
            2 => PartialDate::day(2023, 2, 30),
            // The last days that there are.
            3 => self.one_of(&[PartialDate::year(9999), PartialDate::month(9999, 12), PartialDate::day(9999, 12, 31)]),
            _ => PartialDate { year, month, day, ..PartialDate::default() },
        };
        let known = date.year != 0 && date.year != 9999;
        let (approximate, uncertain) = (known && self.chance(0.1), known && self.chance(0.1));
        let original_text =
            if date.original_text.is_empty() && self.chance(0.2) { self.text() } else { date.original_text };
        PartialDate { approximate, uncertain, original_text, ..date }
    }

    fn maybe_date(&mut self) -> Option<PartialDate> {
        self.maybe(Self::date)
    }

    fn interval(&mut self) -> Option<DateInterval> {
        // Only one end, so that none is before the other.
        let date = self.maybe_date();
        match self.dice.random_range(0..4) {
            0 => None,
            1 => Some(DateInterval { start_date: date, end_date: None }),
            _ => Some(DateInterval { start_date: None, end_date: date }),
        }
    }

    fn time(&mut self) -> Timestamp {
        let seconds = self.dice.random_range(1_546_300_800..1_640_995_200);
        // Some on the first second of a day.
        let seconds = if self.chance(0.2) { seconds / 86_400 * 86_400 } else { seconds };
        Timestamp { seconds, nanos: self.one_of(&[0, 0, 500_000_000, 123_456_789, 999_999_999, 1]) }
    }

    fn money(&mut self) -> Money {
        let currency_code = self.one_of(&["USD", "USD", "EUR", "IRR", "KRW"]).to_owned();
        let units = match self.dice.random_range(0..4) {
            0 => self.one_of(&[0, i64::MAX / 1_000_000_000, 12_500_000]),
            _ => self.dice.random_range(0..20) * 50,
        };
        Money { currency_code, units, nanos: self.one_of(&[0, 0, 500_000_000, 10_000_000, 1]) }
    }

    fn live(&mut self, collection: &'static str) -> Option<String> {
        let live = self.live.get(collection).filter(|live| !live.is_empty())?.clone();
        Some(self.one_of(&live))
    }

    /// A reference to a live resource of one of these kinds, or to none.
    fn reference(&mut self, collections: &[&'static str]) -> String {
        let collection = self.one_of(collections);
        let name = self.live(collection).filter(|_| self.chance(0.7));
        name.unwrap_or_default()
    }

    fn references(&mut self, collections: &[&'static str]) -> Vec<String> {
        let mut names: Vec<_> =
            self.some(|maker, _| maker.reference(collections)).into_iter().filter(|name| !name.is_empty()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// One of several that exactly one of must be: a country, an organization, or a name that is not resolved.
    fn who(&mut self) -> [String; 3] {
        let mut who = <[String; 3]>::default();
        match self.dice.random_range(0..3) {
            0 => who[0] = self.live("countries").unwrap(),
            1 => who[1] = self.live("organizations").unwrap(),
            _ => who[2] = self.text(),
        }
        who
    }

    fn titles(&mut self) -> Vec<LocalizedText> {
        let all = ["en", "fa", "ko", "zh-Hans"];
        let count = self.dice.random_range(0..all.len());
        let title = |language: &&str| LocalizedText { language_code: (*language).to_owned(), text: self.text() };
        all[..count].iter().map(title).collect()
    }

    fn external_ids(&mut self) -> Vec<ExternalId> {
        self.some(|maker, _| ExternalId {
            scheme: maker.one_of(&["iati", "wikidata", "un-treaty-registration"]).to_owned(),
            id: maker.one_of(&["Q1", "Q2", "5535", "KR-1"]).to_owned(),
            uri: String::new(),
        })
    }

    fn documents(&mut self) -> Vec<Document> {
        self.some(|maker, _| Document {
            title: maker.text(),
            // The second is strange, and found to be so.
            uri: maker.one_of(&["https://example.org/a", "no link", ""]).to_owned(),
            media_type: maker.one_of(&["application/pdf", ""]).to_owned(),
            language_codes: maker.some(|maker, _| maker.one_of(&["en", "fa"]).to_owned()),
            categories: maker.some(|maker, _| maker.one_of(&["text", "minutes"]).to_owned()),
            document_date: maker.maybe_date(),
            description: maker.optional_text(),
            ..Document::default()
        })
    }

    fn place(&mut self) -> Option<Place> {
        self.maybe(|maker| Place {
            locality: maker.optional_text(),
            region_code: maker.one_of(&["KR", "IR", "CH", ""]).to_owned(),
            address_lines: maker.some(|maker, _| maker.text()),
        })
    }

    fn period(&mut self) -> Option<AgreementPeriod> {
        let years = self.dice.random_range(1..6);
        self.maybe(|_| AgreementPeriod { years, ..AgreementPeriod::default() })
    }

    /// A resource of the kind that the name tells.
    pub(crate) fn resource(&mut self, name: &str) -> Resource {
        // It refers to others alone.
        self.live.values_mut().for_each(|live| live.retain(|other| other != name));
        match name.split('/').next().unwrap() {
            "countries" => Country {
                name: name.to_owned(),
                display_name: self.text(),
                labels: self.labels(),
                state: self.value(2),
                r#type: self.value(3),
                focus_areas: self.references(&["focusAreas"]),
                // Without an end, before which it would have to be.
                relations_established_date: self.maybe_date(),
                language_codes: self.some(|maker, at| maker.one_of(&[["en", "fa"], ["ko", "fr"]])[at % 2].to_owned()),
                ..Country::default()
            }
            .into(),
            "focusAreas" => FocusArea {
                name: name.to_owned(),
                display_name: self.text(),
                labels: self.labels(),
                parent: self.reference(&["focusAreas"]),
                description: self.optional_text(),
                ..FocusArea::default()
            }
            .into(),
            "organizations" => Organization {
                name: name.to_owned(),
                display_name: self.text(),
                labels: self.labels(),
                parent: self.reference(&["organizations"]),
                country: self.reference(&["countries"]),
                acronym: self.optional_text(),
                focus_areas: self.references(&["focusAreas"]),
                existence: self.interval(),
                seat: self.place(),
                budgets: self.some(|maker, _| OrganizationBudget {
                    amount: Some(maker.money()),
                    period: maker.interval(),
                    status: maker.value(2),
                    recipient: maker.reference(&["countries"]),
                    ..OrganizationBudget::default()
                }),
                expenditures: self.some(|maker, _| OrganizationExpenditure {
                    amount: Some(maker.signed_money()),
                    period: maker.interval(),
                    ..OrganizationExpenditure::default()
                }),
                ..Organization::default()
            }
            .into(),
            "officials" => Official {
                name: name.to_owned(),
                display_name: self.text(),
                labels: self.labels(),
                organization: self.reference(&["organizations"]),
                country: self.reference(&["countries"]),
                ..Official::default()
            }
            .into(),
            "agreements" => self.agreement(name).into(),
            "projects" => self.project(name).into(),
            _ => self.meeting(name).into(),
        }
    }

    fn agreement(&mut self, name: &str) -> Agreement {
        // Events are kept when parties change, and name none but the first two: these are always there.
        let party = |maker: &mut Self, at| {
            let [country, organization, unresolved_name] = maker.who();
            AgreementParty {
                party_id: format!("p{at}"),
                country,
                organization,
                unresolved_name,
                role: if maker.chance(0.7) { 0 } else { maker.value(5) },
                note: maker.optional_text(),
            }
        };
        let more = self.some(|_, _| ()).len();
        let parties: Vec<_> = (0..2 + more).map(|at| party(self, at)).collect();
        let party_ids: Vec<_> = parties.iter().take(2).map(|party| party.party_id.clone()).collect();
        let events = self.some(|maker, _| {
            use AgreementEventType as Type;
            let r#type = maker.one_of(&[
                Type::Negotiation,
                Type::Adoption,
                Type::Signature,
                Type::Signature,
                Type::Ratification,
                Type::ProvisionalApplication,
                Type::EntryIntoForce,
                Type::EntryIntoForce,
                Type::EntryIntoForce,
                Type::Suspension,
                Type::Resumption,
                Type::Accession,
                Type::Withdrawal,
                Type::Termination,
                Type::Termination,
                Type::Registration,
            ]);
            let ground = if r#type == Type::Termination { maker.dice.random_range(1..=13) } else { 0 };
            let single = matches!(r#type, Type::Accession | Type::Withdrawal);
            let named = if maker.chance(0.3) { 2 } else { 1 };
            AgreementEvent {
                r#type: r#type.into(),
                party_ids: if single || maker.chance(0.4) { party_ids[..named].to_vec() } else { Vec::new() },
                act_date: Some(maker.date()),
                effect_date: maker.maybe_date(),
                instrument: maker.optional_text(),
                ground,
                place: maker.place(),
                officials: maker.references(&["officials"]),
                ..AgreementEvent::default()
            }
        });
        let parent = self.reference(&["agreements"]);
        let parent_relation = if parent.is_empty() { 0 } else { self.value(7) };
        let term = self.maybe(|maker| AgreementTerm {
            length: maker.period(),
            expiry_date: maker.maybe_date(),
            renewal_notice: maker.period(),
            denunciation_notice: maker.period(),
            ..AgreementTerm::default()
        });
        Agreement {
            name: name.to_owned(),
            display_name: self.text(),
            labels: self.labels(),
            annotations: self.annotations(),
            external_ids: self.external_ids(),
            documents: self.documents(),
            r#type: self.value(13),
            binding: self.value(3),
            scope: self.value(3),
            titles: self.titles(),
            short_title: self.optional_text(),
            parties,
            events,
            term,
            parent,
            parent_relation,
            conclusion_date: self.maybe_date(),
            conclusion_place: self.place(),
            depositaries: self.references(&["countries", "organizations"]),
            authentic_language_codes: self.titles().into_iter().map(|title| title.language_code).collect(),
            focus_areas: self.references(&["focusAreas"]),
            registrations: self.some(|maker, _| AgreementRegistration {
                authority: maker.text(),
                number: maker.one_of(&["5535", "12", ""]).to_owned(),
                registration_date: maker.maybe_date(),
                ..AgreementRegistration::default()
            }),
            lead_organization: self.reference(&["organizations"]),
            summary: self.optional_text(),
            ..Agreement::default()
        }
    }

    fn project(&mut self, name: &str) -> Project {
        let mut project = Project {
            name: name.to_owned(),
            display_name: self.text(),
            labels: self.labels(),
            annotations: self.annotations(),
            external_ids: self.external_ids(),
            documents: self.documents(),
            state: self.value(6),
            titles: self.titles(),
            description: self.optional_text(),
            agreements: self.references(&["agreements"]),
            participants: self.some(|maker, _| {
                let [country, organization, unresolved_name] = maker.who();
                ProjectParticipant {
                    country,
                    organization,
                    unresolved_name,
                    role: maker.dice.random_range(1..=4),
                    officials: maker.references(&["officials"]),
                    note: maker.optional_text(),
                }
            }),
            countries: self.references(&["countries"]),
            unresolved_countries: self.some(|maker, _| maker.text()),
            focus_areas: self.references(&["focusAreas"]),
            approval_date: self.maybe_date(),
            planned_end_date: self.maybe_date(),
            actual_end_date: self.maybe_date(),
            budgets: self.some(|maker, _| ProjectBudget {
                amount: Some(maker.money()),
                period: maker.interval(),
                status: maker.value(2),
                r#type: maker.value(2),
                provider: maker.reference(&["countries", "organizations"]),
                note: maker.optional_text(),
            }),
            financing_instrument: self.optional_text(),
            milestones: self.some(|maker, _| ProjectMilestone {
                title: maker.text(),
                due_date: maker.maybe_date(),
                met_date: maker.maybe_date(),
                responsible: maker.reference(&["countries", "organizations", "officials"]),
                ..ProjectMilestone::default()
            }),
            results: self.some(|maker, _| ProjectResult {
                r#type: maker.value(4),
                title: maker.text(),
                indicators: maker.some(|maker, _| ProjectIndicator {
                    title: maker.text(),
                    unit: maker.one_of(&["km", "%", ""]).to_owned(),
                    baseline: maker.maybe(|maker| maker.one_of(&[0.5, -1.25, 3.0, 1e10, 0.1])),
                    target: maker.maybe(|maker| maker.one_of(&[2.5, -7.0, 100.0, 1e-3])),
                    actual_date: maker.maybe_date(),
                    baselines: maker.some(|maker, _| maker.indicator_value()),
                    periods: maker.some(|maker, _| ProjectIndicatorPeriod {
                        period: maker.interval(),
                        targets: maker.some(|maker, _| maker.indicator_value()),
                        actuals: Vec::new(),
                    }),
                    ..ProjectIndicator::default()
                }),
                ..ProjectResult::default()
            }),
            state_note: self.optional_text(),
            reporting_organization: self.reference(&["organizations"]),
            transactions: self.some(|maker, _| ProjectTransaction {
                r#type: maker.dice.random_range(1..=13),
                transaction_date: maker.maybe_date(),
                value: Some(maker.signed_money()),
                provider: maker.reference(&["countries", "organizations"]),
                receiver: maker.reference(&["countries", "organizations"]),
                receiver_text: maker.optional_text(),
                humanitarian: maker.chance(0.3),
                ..ProjectTransaction::default()
            }),
            classifications: self.some(|maker, _| ProjectClassification {
                scheme: maker.one_of(&["iati-policy-marker", "iati-flow-type"]).to_owned(),
                code: maker.one_of(&["1", "2", "10"]).to_owned(),
                name: maker.optional_text(),
                significance: maker.value(5),
            }),
            locations: self.some(|maker, _| ProjectLocation {
                name: maker.optional_text(),
                place: maker.place(),
                latitude: Some(maker.one_of(&[-90.0, 0.0, 35.7, 37.5])),
                longitude: Some(maker.one_of(&[-180.0, 0.0, 51.4, 127.0])),
                approximate: maker.chance(0.5),
                ..ProjectLocation::default()
            }),
            conditions: self.some(|maker, _| ProjectCondition { r#type: maker.value(3), text: maker.text() }),
            ..Project::default()
        };
        project.focus_area_weights = project
            .focus_areas
            .iter()
            .map(|focus_area| ProjectFocusAreaWeight {
                focus_area: focus_area.clone(),
                percent: self.one_of(&[0.0, 33.33, 50.0, 100.0]),
                ..ProjectFocusAreaWeight::default()
            })
            .collect();
        project
    }

    fn indicator_value(&mut self) -> ProjectIndicatorValue {
        ProjectIndicatorValue { value: self.text(), value_date: self.maybe_date(), ..ProjectIndicatorValue::default() }
    }

    /// An amount that may be a correction.
    fn signed_money(&mut self) -> Money {
        let money = self.money();
        if self.chance(0.3) { Money { units: -money.units, nanos: -money.nanos, ..money } } else { money }
    }

    fn meeting(&mut self, name: &str) -> Meeting {
        let participants = self.some(|maker, _| {
            let [represents, organization, unresolved_name] = maker.who();
            let official = if organization.is_empty() && unresolved_name.is_empty() {
                maker.live("officials").unwrap()
            } else {
                String::new()
            };
            let represents =
                if represents.is_empty() { maker.reference(&["countries", "organizations"]) } else { represents };
            MeetingParticipant {
                official,
                organization,
                unresolved_name,
                represents,
                role: maker.value(5),
                attendance: maker.value(5),
                ..MeetingParticipant::default()
            }
        });
        let mut times = [self.time(), self.time()];
        times.sort_by_key(|time| (time.seconds, time.nanos));
        let [start, end] = times;
        Meeting {
            name: name.to_owned(),
            display_name: self.text(),
            labels: self.labels(),
            external_ids: self.external_ids(),
            documents: self.documents(),
            state: self.value(6),
            r#type: self.value(9),
            start_time: self.maybe(|_| start),
            end_time: self.maybe(|_| end),
            time_zone: self.one_of(&["Asia/Tehran", "UTC", ""]).to_owned(),
            meeting_date: self.maybe_date(),
            mode: self.value(3),
            place: self.place(),
            venue: self.reference(&["organizations"]),
            host: self.reference(&["countries", "organizations", "officials"]),
            participants,
            agenda: self.some(|maker, _| MeetingAgendaItem {
                title: maker.text(),
                presenters: maker.references(&["officials", "organizations"]),
                subjects: maker.references(&["countries", "focusAreas"]),
                ..MeetingAgendaItem::default()
            }),
            topics: self.references(&["focusAreas"]),
            decisions: self.some(|maker, _| MeetingDecision {
                text: maker.text(),
                number: maker.one_of(&["1", "2", ""]).to_owned(),
                ..MeetingDecision::default()
            }),
            outcome: self.optional_text(),
            countries: self.references(&["countries"]),
            agreements: self.references(&["agreements"]),
            projects: self.references(&["projects"]),
            other_subjects: self.references(&["officials", "organizations", "focusAreas"]),
            language_codes: self.titles().into_iter().map(|title| title.language_code).collect(),
            previous_meeting: self.reference(&["meetings"]),
            ..Meeting::default()
        }
    }
}
