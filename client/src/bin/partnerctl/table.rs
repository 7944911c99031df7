//! Tables, fitted to a width: texts are cut, then the least important columns are left out, before a date or a name is cut.

use unicode_width::UnicodeWidthChar as _;

const GAP: &str = "   ";

/// A text is cut down to this before another column is left out; the title, which says most, less far.
const TEXT_MIN: usize = 12;
const TITLE_MIN: usize = 24;

/// Where nothing can be left out any more, no column is cut below this.
const COLUMN_MIN: usize = 8;

/// How a cell may be shortened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Not at all, such as a date.
    Never,
    /// At its end.
    Text,
    /// At its end; it gets room before other texts.
    Title,
    /// After any of its items, with the number of the others.
    List,
}

/// A column. The first ones are the most important.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) title: String,
    pub(crate) cut: Cut,
    /// It is not left out, however narrow the terminal is.
    pub(crate) kept: bool,
    /// Its cells end below one another, as numbers do.
    pub(crate) right: bool,
}

impl Column {
    pub(crate) fn new(title: impl Into<String>, cut: Cut) -> Self {
        Self { title: title.into(), cut, kept: false, right: false }
    }

    /// One that is not left out.
    pub(crate) fn kept(title: impl Into<String>, cut: Cut) -> Self {
        Self { kept: true, ..Self::new(title, cut) }
    }

    /// The same, for numbers.
    pub(crate) fn right(self) -> Self {
        Self { right: true, ..self }
    }
}

/// A column with its cells, and the room that it gets.
struct Fitted {
    column: Column,
    cells: Vec<String>,
    room: usize,
    natural: usize,
}

/// The lines of a table, the header first. `width`: what they have to fit in; `None`: as wide as it is.
pub(crate) fn lines(columns: Vec<Column>, rows: &[Vec<String>], width: Option<usize>) -> Vec<String> {
    let fitted = columns.into_iter().enumerate().map(|(index, column)| {
        let cells: Vec<_> = rows.iter().map(|row| one_line(row.get(index).map_or("", String::as_str))).collect();
        let natural =
            cells.iter().map(|cell| width_of(cell)).chain([width_of(&column.title)]).max().unwrap_or_default();
        Fitted { column, cells, room: natural, natural }
    });
    let mut fitted: Vec<Fitted> = fitted.collect();
    if let Some(width) = width {
        fit(&mut fitted, width);
    }
    let header = line(fitted.iter().map(|of| (of, of.column.title.as_str())));
    let row = |index: usize| line(fitted.iter().map(|of| (of, of.cells.get(index).map_or("", String::as_str))));
    std::iter::once(header).chain((0..rows.len()).map(row)).collect()
}

fn fit(columns: &mut Vec<Fitted>, width: usize) {
    if needed(columns) <= width {
        return;
    }
    // What says nothing is the first to go.
    columns.retain(|of| of.column.kept || of.cells.iter().any(|cell| !cell.is_empty()));
    for of in columns.iter_mut() {
        of.room = least(of);
    }
    while needed(columns) > width {
        let Some(last) = columns.iter().rposition(|of| !of.column.kept) else { break };
        columns.remove(last);
    }
    // Titles get what is left, then the others in their order.
    let mut left = width.saturating_sub(needed(columns));
    for title in [true, false] {
        for of in columns.iter_mut().filter(|of| (of.column.cut == Cut::Title) == title) {
            let more = left.min(of.natural - of.room);
            of.room += more;
            left -= more;
        }
    }
    // The first column is the name, which is copied: it is cut last.
    let mut excess = needed(columns).saturating_sub(width);
    if let Some((first, others)) = columns.split_first_mut() {
        cut_widest(others, &mut excess);
        cut_widest(std::slice::from_mut(first), &mut excess);
    }
}

/// The least room in which a column still says what it has to.
fn least(of: &Fitted) -> usize {
    let title = width_of(&of.column.title);
    let least = match of.column.cut {
        Cut::Never => of.natural,
        Cut::Text => TEXT_MIN,
        Cut::Title => TITLE_MIN,
        Cut::List => of.cells.iter().map(|cell| width_of(&items(cell, 0))).max().unwrap_or_default(),
    };
    least.max(title).min(of.natural)
}

fn needed(columns: &[Fitted]) -> usize {
    columns.iter().map(|of| of.room).sum::<usize>() + GAP.len() * columns.len().saturating_sub(1)
}

fn cut_widest(columns: &mut [Fitted], excess: &mut usize) {
    while *excess > 0 {
        match columns.iter_mut().max_by_key(|of| of.room) {
            Some(widest) if widest.room > COLUMN_MIN => widest.room -= 1,
            Some(_) | None => return,
        }
        *excess -= 1;
    }
}

fn line<'a>(cells: impl Iterator<Item = (&'a Fitted, &'a str)>) -> String {
    let mut line = String::new();
    for (index, (of, cell)) in cells.enumerate() {
        if index > 0 {
            line.push_str(GAP);
        }
        let cell = match of.column.cut {
            Cut::List if width_of(cell) > of.room => cut(&items(cell, of.room), of.room),
            Cut::List | Cut::Text | Cut::Title | Cut::Never => cut(cell, of.room),
        };
        let padding = " ".repeat(of.room.saturating_sub(width_of(&cell)));
        line.push_str(&if of.column.right { padding + &cell } else { cell + &padding });
    }
    line.truncate(line.trim_end().len());
    line
}

/// As many items of a list as there is room for, one at least, and the number of the others: `countries/ir +1`.
fn items(list: &str, width: usize) -> String {
    let items: Vec<&str> = list.split(',').collect();
    let shown = |count: usize| {
        let first = items.get(..count).unwrap_or_default().join(",");
        if count < items.len() { format!("{first} +{}", items.len() - count) } else { first }
    };
    (1..=items.len()).rev().map(shown).find(|text| width_of(text) <= width).unwrap_or_else(|| shown(1))
}

/// At most `width` columns of a text; `…` marks a cut.
fn cut(text: &str, width: usize) -> String {
    if width_of(text) <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut used = 0;
    for letter in text.chars() {
        used += letter.width().unwrap_or(0);
        if used + 1 > width {
            break;
        }
        cut.push(letter);
    }
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}

/// The columns that a terminal needs for a text. It counts letter by letter: of ligatures, such as that of lam and alef,
/// it knows nothing.
fn width_of(text: &str) -> usize {
    text.chars().map(|letter| letter.width().unwrap_or(0)).sum()
}

/// A text in one line, without control characters, and without marks that would turn around what stands behind it.
fn one_line(text: &str) -> String {
    let turns = |letter| matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let letters = text.chars().filter(|letter| !turns(*letter));
    letters.map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a test may fail")]
mod tests {
    use super::*;

    fn columns() -> Vec<Column> {
        vec![
            Column::kept("NAME", Cut::Never),
            Column::kept("DISPLAY NAME", Cut::Title),
            Column::new("STATE", Cut::Never),
            Column::new("SINCE", Cut::Never),
            Column::new("PARTIES", Cut::List),
        ]
    }

    fn table(width: Option<usize>) -> Vec<String> {
        let row = |cells: [&str; 5]| cells.map(str::to_owned).to_vec();
        let rows = [
            row([
                "countries/kr",
                "Republic of Korea\nand more\u{1b}[31m",
                "",
                "2025-10-15",
                "countries/ir,countries/kr",
            ]),
            row(["countries/ir", "대한민국 대한민국 대한민국", "ACTIVE", "", "countries/ir"]),
            row(["countries/af", "همکاری\u{200c}های فناورانه لا", "ACTIVE", "2024", ""]),
        ];
        lines(columns(), &rows, width)
    }

    #[test]
    fn columns_are_aligned_and_every_row_is_a_line() {
        let lines = table(None);
        assert_eq!(lines.len(), 4);
        assert!(lines.iter().all(|line| !line.contains(['\n', '\u{1b}']) && !line.ends_with(' ')));
        let place = |line: &str, title| line.find(title).map(|at| width_of(line.get(..at).unwrap_or_default()));
        assert_eq!(place(&lines[0], "STATE"), place(&lines[2], "ACTIVE"), "{lines:#?}");
        assert_eq!(place(&lines[0], "STATE"), place(&lines[3], "ACTIVE"), "{lines:#?}");
    }

    #[test]
    fn lists_and_titles_are_shortened_first_then_columns_left_out_and_names_and_dates_are_whole() {
        let fits = |width| {
            let lines = table(Some(width));
            assert!(lines.iter().all(|line| width_of(line) <= width), "{lines:#?}");
            assert!(lines[1].starts_with("countries/kr   "), "{lines:#?}");
            lines
        };
        let lines = fits(79);
        assert!(lines[1].ends_with("2025-10-15   countries/ir +1"), "{lines:#?}");
        let lines = fits(78);
        assert!(lines[0].ends_with("SINCE") && lines[1].ends_with("2025-10-15"), "{lines:#?}");
        let lines = fits(50);
        assert!(lines[0].ends_with("STATE") && lines[2].ends_with("ACTIVE"), "{lines:#?}");
        let lines = fits(30);
        assert!(lines[0].ends_with("DISPLAY NAME") && lines[1].ends_with('…'), "{lines:#?}");
        assert_eq!(table(Some(1)).len(), 4, "too narrow a terminal is no reason to fail");
    }

    #[test]
    fn numbers_end_below_one_another() {
        let columns = vec![Column::kept("TYPE", Cut::Text), Column::kept("COUNT", Cut::Never).right()];
        let rows = [["a", "12"], ["bb", "1234567"], ["", ""]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(lines(columns, &rows, None), ["TYPE     COUNT", "a           12", "bb     1234567", ""]);
    }

    #[test]
    fn what_is_empty_is_left_out_before_anything_is_shortened() {
        let rows = [vec!["a/b".to_owned(), "a title of some length".to_owned(), String::new(), "2025".to_owned()]];
        let lines = lines(columns(), &rows, Some(37));
        assert_eq!(lines[1], "a/b    a title of some length   2025", "{lines:#?}");
    }
}
