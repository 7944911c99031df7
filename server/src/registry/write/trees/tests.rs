//! Trees against a naive graph: random commits are refused exactly if what they leave is no forest within the bound.

use std::collections::BTreeMap;

use bytes::Bytes;
use partnership_registry::v1::{FocusArea, resource};
use prost_types::Timestamp;

use super::*;
use crate::registry::index::Index;
use crate::registry::index::tests::record;
use crate::registry::resource::check::Referral;
use crate::registry::resource::stamp::Stamp;
use crate::registry::schema::{contract, kind_of};
use crate::registry::write::ledger::{Known, Outcome};
use crate::store::Action;
use crate::store::dice::Dice;
use crate::time::{Day, Time};

/// The live resources, each with its parent.
type Graph = BTreeMap<usize, Option<usize>>;

/// What is done to a resource: it gets a parent, or none, or is deleted.
#[derive(Debug, Clone, Copy)]
enum Step {
    Parent(Option<usize>),
    Delete,
}

struct Fixture {
    schemas: Arc<Schemas>,
    index: Arc<Index>,
    ledger: Ledger,
}

impl Fixture {
    /// Focus areas that may have so many ancestors.
    fn new(ancestors_max: usize) -> Self {
        let mut schemas = contract();
        let kind = kind_of(&schemas, "focusAreas");
        let parent = schemas.kinds.get_mut(kind.index()).and_then(|kind| kind.parent.as_mut());
        parent.unwrap().ancestors_max = ancestors_max;
        let schemas = Arc::new(schemas);
        let index = Arc::new(Index::new(schemas.clone(), std::time::Duration::MAX, usize::MAX));
        let ledger = Ledger::new(index.clone());
        Self { schemas, index, ledger }
    }

    fn planned(&self, steps: &[(usize, Step)]) -> Vec<Planned> {
        let plan = |(number, step): &(usize, Step)| {
            let (action, parent) = match step {
                Step::Parent(parent) => (Action::Update, *parent),
                Step::Delete => (Action::Delete, None),
            };
            let referral = |parent| Referral { field: "parent".into(), target: self.name(parent) };
            Planned {
                name: self.name(*number),
                action: Some(action),
                previous_revision: 0,
                previous_bytes: 0,
                body: Bytes::new(),
                stamp: Stamp::default(),
                referrals: parent.map(referral).into_iter().collect(),
                ignored: Vec::new(),
            }
        };
        steps.iter().map(plan).collect()
    }

    fn name(&self, number: usize) -> Name {
        Name::parse(&self.schemas, &format!("focusAreas/a{number}")).unwrap()
    }

    /// What the trees say of a commit: the first refusal of each kind of refusal.
    fn refusals(&self, steps: &[(usize, Step)]) -> Vec<Error> {
        let planned = self.planned(steps);
        let trees = Trees::of(&self.schemas, &self.ledger, &planned);
        let place = Place { index: Some(0), verb: "update", singular: "focus_area" };
        planned.iter().filter_map(|plan| trees.check(plan, &place).err()).collect()
    }

    /// Takes a commit into the ledger alone: it is not durable yet.
    fn decide(&mut self, steps: &[(usize, Step)]) {
        let revision = self.ledger.head() + 1;
        let outcome = |plan: &Planned| {
            let parent = plan.parent(&self.schemas).map(Name::shared);
            let known = Known { revision, deleted: !plan.live() };
            let targets = parent.iter().cloned().collect();
            Outcome { name: plan.name.clone(), known, document: Bytes::new(), targets, parent }
        };
        let outcomes: Vec<_> = self.planned(steps).iter().map(outcome).collect();
        self.ledger.add(revision, Time::default().next(), Day(1), None, outcomes);
    }

    /// Makes the graph durable, and forgets what was only decided.
    fn publish(&mut self, steps: &[(usize, Step)]) {
        let area = |(number, step): &(usize, Step)| {
            let (parent, deleted) = match step {
                Step::Parent(parent) => (*parent, false),
                Step::Delete => (None, true),
            };
            resource::Kind::FocusArea(FocusArea {
                name: self.name(*number).to_string(),
                parent: parent.map(|parent| self.name(parent).to_string()).unwrap_or_default(),
                delete_time: deleted.then(Timestamp::default),
                ..FocusArea::default()
            })
        };
        let revision = self.index.head() + 1;
        self.index.apply(&[record(revision, steps.iter().map(area).collect())]).unwrap();
        self.ledger.reset();
    }
}

/// The graph after a commit.
fn after(graph: &Graph, steps: &[(usize, Step)]) -> Graph {
    let mut graph = graph.clone();
    for (number, step) in steps {
        match step {
            Step::Parent(parent) => graph.insert(*number, *parent),
            Step::Delete => graph.remove(number),
        };
    }
    graph
}

/// Whether there is a circle, and whether there is too long a chain.
fn naive(graph: &Graph, max: usize) -> (bool, bool) {
    let (mut circle, mut long) = (false, false);
    for start in graph.keys() {
        let (mut count, mut next) = (0, graph[start]);
        while let Some(parent) = next {
            count += 1;
            if count > graph.len() {
                circle = true;
                break;
            }
            next = graph.get(&parent).copied().flatten();
        }
        long |= count > max && count <= graph.len();
    }
    (circle, long)
}

#[test]
fn a_commit_is_refused_exactly_if_it_leaves_a_circle_or_too_long_a_chain() {
    const AREAS: usize = 12;
    let mut dice = Dice(7);
    let (mut refused, mut circles, mut taken) = (0, 0, 0);
    for _ in 0..60 {
        let max = 1 + dice.below(4);
        let mut fixture = Fixture::new(max);
        let mut graph: Graph = (0..AREAS).map(|number| (number, None)).collect();
        let all: Vec<_> = graph.keys().map(|number| (*number, Step::Parent(None))).collect();
        fixture.publish(&all);
        for _ in 0..60 {
            let mut steps: BTreeMap<usize, Step> = BTreeMap::new();
            for _ in 0..=dice.below(4) {
                let step = match dice.below(8) {
                    0 => Step::Delete,
                    1 => Step::Parent(None),
                    _ => Step::Parent(Some(dice.below(AREAS))),
                };
                steps.insert(dice.below(AREAS), step);
            }
            let steps: Vec<_> = steps.into_iter().collect();
            let next = after(&graph, &steps);
            // Whether references hold is asked before, and elsewhere.
            if next.values().flatten().any(|parent| !next.contains_key(parent)) {
                continue;
            }
            let (circle, long) = naive(&next, max);
            let errors = fixture.refusals(&steps);
            let told = format!("{graph:?} and {steps:?} of at most {max}: {errors:?}");
            assert_eq!(errors.is_empty(), !circle && !long, "{told}");
            // A circle that is longer than a chain may be is told as that.
            let told_circle = errors.iter().any(|error| matches!(error, Error::ParentCycle { .. }));
            assert!(circle || !told_circle, "{told}");
            if errors.is_empty() {
                taken += 1;
                graph = next;
                if dice.below(3) == 0 {
                    let step = |number| match graph.get(&number) {
                        Some(parent) => (number, Step::Parent(*parent)),
                        None => (number, Step::Delete),
                    };
                    fixture.publish(&(0..AREAS).map(step).collect::<Vec<_>>());
                } else {
                    fixture.decide(&steps);
                }
            } else {
                refused += 1;
                circles += usize::from(told_circle);
            }
        }
    }
    assert!(taken > 300 && circles > 100 && refused > circles + 100, "{taken} {circles} {refused}");
}

#[test]
fn what_is_wrong_with_a_tree_is_told_with_the_chain() {
    let mut fixture = Fixture::new(32);
    let steps: Vec<_> = (0..33).map(|n: usize| (n, Step::Parent(n.checked_sub(1)))).collect();
    assert!(fixture.refusals(&steps).is_empty(), "32 ancestors are allowed, whatever the order");
    fixture.publish(&steps);
    let errors = fixture.refusals(&[(33, Step::Parent(Some(32)))]);
    let Some(Error::TooManyAncestors { field, name, max: 32, chain }) = errors.first() else { panic!("{errors:?}") };
    assert_eq!((field.as_str(), name.as_str()), ("mutations[0].update.resource.focus_area.parent", "focusAreas/a33"));
    assert_eq!((chain.named.len(), chain.more, chain.named[1].as_str()), (10, 24, "focusAreas/a32"));
    // What would move too far down is named, and not what takes it along.
    let errors = fixture.refusals(&[(0, Step::Parent(Some(99))), (99, Step::Parent(None))]);
    let Some(Error::TooManyAncestors { name, chain, .. }) = errors.first() else { panic!("{errors:?}") };
    assert_eq!((name.as_str(), chain.named[0].as_str()), ("focusAreas/a32", "focusAreas/a32"));
    let errors = fixture.refusals(&[(0, Step::Parent(Some(0)))]);
    assert_eq!(
        errors[0].to_string(),
        "mutations[0].update.resource.focus_area.parent: leads in a circle: focusAreas/a0 -> focusAreas/a0"
    );
}

#[test]
fn so_many_descendants_move_down_together_and_no_more() {
    let mut fixture = Fixture::new(32);
    let mut wide: Vec<_> = (2..DESCENDANTS_MAX + 1).map(|n| (n, Step::Parent(Some(1)))).collect();
    wide.extend([(0, Step::Parent(None)), (1, Step::Parent(None))]);
    fixture.publish(&wide);
    let down = [(1, Step::Parent(Some(0)))];
    assert!(fixture.refusals(&down).is_empty());
    fixture.publish(&[(DESCENDANTS_MAX + 1, Step::Parent(Some(2))), (DESCENDANTS_MAX + 2, Step::Parent(Some(2)))]);
    let errors = fixture.refusals(&down);
    assert!(matches!(errors.as_slice(), [Error::SubtreeTooLarge { max: DESCENDANTS_MAX, .. }]), "{errors:?}");
    // Sideways and up nothing has to be looked at.
    assert!(fixture.refusals(&[(2, Step::Parent(Some(0)))]).is_empty());
}
