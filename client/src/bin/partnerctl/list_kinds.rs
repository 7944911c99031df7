//! `kinds`: the kinds, and the names that the command line knows them by.

use crate::failure::{Exit, Failure};
use crate::kinds;
use crate::output::{self, Format};
use crate::table::{Column, Cut};

pub(crate) fn list_kinds(format: Format) -> Result<Exit, Failure> {
    let columns = [("KIND", Cut::Never), ("COLLECTION", Cut::Never), ("ALSO", Cut::List)];
    let columns = columns.map(|(title, cut)| Column::kept(title, cut)).to_vec();
    let row =
        |(kind, collection, also): (&str, &str, Vec<String>)| vec![kind.into(), collection.into(), also.join(",")];
    output::print_rows(format, columns, &kinds::all().map(row).collect::<Vec<_>>(), "COLLECTION")?;
    Ok(Exit::Success)
}
