//! Tables, fitted to a width by cutting the widest columns.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

const GAP: &str = "   ";

/// No column is cut below this, unless it is narrower itself.
const COLUMN_MIN: usize = 8;

/// The lines of a table, the header first. `width`: what they have to fit in; `None`: as wide as it is.
pub(crate) fn lines(header: Vec<String>, rows: Vec<Vec<String>>, width: Option<usize>) -> Vec<String> {
    let all: Vec<Vec<String>> =
        std::iter::once(header).chain(rows).map(|row| row.iter().map(|cell| one_line(cell)).collect()).collect();
    let mut widths: Vec<usize> = Vec::new();
    for row in &all {
        for (index, cell) in row.iter().enumerate() {
            match widths.get_mut(index) {
                Some(widest) => *widest = (*widest).max(cell.width()),
                None => widths.push(cell.width()),
            }
        }
    }
    if let Some(width) = width {
        fit(&mut widths, width);
    }
    all.iter().map(|row| line(row, &widths)).collect()
}

/// Cuts the widest columns until all fit, or nothing more can be cut. The first column is the name, which is copied: it is cut
/// last.
fn fit(widths: &mut [usize], width: usize) {
    let gaps = GAP.len() * widths.len().saturating_sub(1);
    let mut excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(width);
    if let Some((first, others)) = widths.split_first_mut() {
        cut_widest(others, &mut excess);
        cut_widest(std::slice::from_mut(first), &mut excess);
    }
}

fn cut_widest(widths: &mut [usize], excess: &mut usize) {
    while *excess > 0 {
        match widths.iter_mut().max() {
            Some(widest) if *widest > COLUMN_MIN => *widest -= 1,
            Some(_) | None => return,
        }
        *excess -= 1;
    }
}

fn line(row: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (index, (cell, &width)) in row.iter().zip(widths).enumerate() {
        if index > 0 {
            line.push_str(GAP);
        }
        let cell = cut(cell, width);
        let padding = width.saturating_sub(cell.width());
        line.push_str(&cell);
        line.extend(std::iter::repeat_n(' ', padding));
    }
    line.truncate(line.trim_end().len());
    line
}

/// At most `width` columns of a text; `…` marks a cut.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
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
    cut.push('…');
    cut
}

/// A text in one line, without control characters.
fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a test may fail")]
mod tests {
    use super::*;

    fn table(width: Option<usize>) -> Vec<String> {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = vec![
            row(["countries/kr", "Republic of Korea\nand more\u{1b}[31m", ""]),
            row(["countries/ir", "대한민국 대한민국 대한민국", "ACTIVE"]),
        ];
        lines(row(["NAME", "DISPLAY NAME", "STATE"]), rows, width)
    }

    #[test]
    fn columns_are_aligned_and_every_row_is_a_line() {
        let lines = table(None);
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| !line.contains(['\n', '\u{1b}']) && !line.ends_with(' ')));
        let place = |line: &str, title| line.find(title).map(|at| line.get(..at).unwrap_or_default().width());
        assert_eq!(place(&lines[0], "STATE"), place(&lines[2], "ACTIVE"), "{lines:#?}");
    }

    #[test]
    fn a_table_fits_its_width_and_marks_what_it_cut() {
        let lines = table(Some(40));
        assert!(lines.iter().all(|line| line.width() <= 40), "{lines:#?}");
        assert!(lines.iter().any(|line| line.contains('…')));
        assert!(lines.iter().any(|line| line.starts_with("countries/kr ")), "only the widest is cut: {lines:#?}");
        assert_eq!(table(Some(1)).len(), 3, "too narrow a terminal is no reason to fail");
    }
}
