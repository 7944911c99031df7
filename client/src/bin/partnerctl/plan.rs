//! `--explain`: how a listing or a count would be found, and what that costs.

use partnership_registry_client::json;
use partnership_registry_client::v1::{QueryPlan, QueryTest, QueryTestSource};

use crate::failure::{Exit, Failure};
use crate::output::{self, Format};
use crate::table::{Column, Cut};

const MESSAGE: &str = "partnership.registry.v1.QueryPlan";

/// Prints a plan: in words, or as the server sent it.
pub(crate) fn print(format: Format, plan: &QueryPlan) -> Result<Exit, Failure> {
    if !format.is_table() {
        output::print_value(format, &json::message_to_value(MESSAGE, plan)?)?;
        return Ok(Exit::Success);
    }
    if !plan.tests.is_empty() {
        let columns = vec![
            Column::kept("TEST", Cut::Text),
            Column::kept("ANSWERED BY", Cut::Never),
            Column::kept("RESOURCES", Cut::Never).right(),
        ];
        output::print_table(columns, &plan.tests.iter().map(row).collect::<Vec<_>>(), format == Format::Table)?;
        output::line("")?;
    }
    for line in words(plan) {
        output::line(&line)?;
    }
    Ok(Exit::Success)
}

fn row(test: &QueryTest) -> Vec<String> {
    let by = match test.source() {
        QueryTestSource::Timelines => "timelines",
        QueryTestSource::IndexAndDocuments => "an index, and reading",
        QueryTestSource::Index | QueryTestSource::Documents | QueryTestSource::Unspecified => {
            if test.indexed {
                "an index"
            } else {
                "reading"
            }
        }
    };
    vec![test.text.clone(), by.to_owned(), test.matches.to_string()]
}

/// What a plan says besides its tests, each on a line.
fn words(plan: &QueryPlan) -> Vec<String> {
    let mut words = vec![format!("found     {}, by indexes", counted(plan.found, "resource"))];
    if plan.open > 0 {
        words.push(format!("open      {}, which are read", counted(plan.open, "resource")));
    }
    if plan.changed > 0 {
        let changed = counted(plan.changed, "resource");
        words.push(format!("changed   {changed} since that revision, which are read as they were"));
    }
    if !plan.order.is_empty() {
        words.push(format!("order     {}", plan.order));
    }
    let refused = if plan.cost > plan.cost_max { ": it would be refused" } else { "" };
    words.push(format!("cost      {} to read, of at most {}{refused}", counted(plan.cost, "document"), plan.cost_max));
    words
}

fn counted(count: i64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_told_in_words() {
        let plan = QueryPlan {
            found: 1,
            open: 40,
            changed: 2,
            order: "walks conclusion_date, newest first".into(),
            cost: 42,
            cost_max: 20_000,
            ..QueryPlan::default()
        };
        let expected = [
            "found     1 resource, by indexes",
            "open      40 resources, which are read",
            "changed   2 resources since that revision, which are read as they were",
            "order     walks conclusion_date, newest first",
            "cost      42 documents to read, of at most 20000",
        ];
        assert_eq!(words(&plan), expected);
        let dear = words(&QueryPlan { cost: 20_001, cost_max: 20_000, ..QueryPlan::default() });
        assert_eq!(
            dear,
            [
                "found     0 resources, by indexes",
                "cost      20001 documents to read, of at most 20000: it would be refused",
            ]
        );
    }
}
