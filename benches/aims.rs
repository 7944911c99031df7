//! What the server is to come to, and whether it did.

use crate::report::{Figures, table};

/// The aims of the parts that were measured.
#[derive(Default)]
pub(crate) struct Aims(Vec<Vec<String>>);

impl Aims {
    pub(crate) fn at_least(&mut self, what: &str, bound: f64, figures: Option<&Figures>) {
        self.add(what, ("≥", bound), figures, |figure| figure >= bound);
    }

    pub(crate) fn at_most(&mut self, what: &str, bound: f64, figures: Option<&Figures>) {
        self.add(what, ("≤", bound), figures, |figure| figure <= bound);
    }

    fn add(&mut self, what: &str, bound: (&str, f64), figures: Option<&Figures>, met: impl Fn(f64) -> bool) {
        let decimals = if bound.1 >= 100.0 { 0 } else { 2 };
        let verdict = figures.map_or("skipped", |figures| if met(figures.median()) { "met" } else { "MISSED" });
        let aim = format!("{} {}", bound.0, crate::report::number(bound.1, decimals));
        let figure = figures.map_or("-".to_owned(), |figures| figures.show(decimals));
        self.0.push(vec![what.to_owned(), aim, figure, verdict.to_owned()]);
    }

    pub(crate) fn print(&self) {
        if !self.0.is_empty() {
            table("Aims, by the medians", &["", "aim", "figure", ""], &self.0);
        }
    }
}
