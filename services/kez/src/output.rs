//! What a command prints: lines for people, or one JSON object a line for scripts.

use std::io::Write;

use serde::Serialize;

use crate::failure::Failure;
use crate::visible;

/// How results are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::Args)]
pub struct Output {
    /// Print one JSON object a line, for scripts
    #[arg(long)]
    pub json: bool,
}

impl Output {
    /// One result, in both ways; `human` holds nothing hostile.
    pub fn item(self, value: &impl Serialize, human: impl FnOnce() -> String) -> Result<(), Failure> {
        let text = if self.json { visible::json(&serde_json::to_string(value)?) } else { human() };
        write(&text)
    }

    /// A line that only people need.
    pub fn note(self, text: &str) -> Result<(), Failure> {
        if self.json { Ok(()) } else { write(text) }
    }
}

/// Writes a line at once, so that whoever reads along sees it.
fn write(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{text}")?;
    Ok(stdout.flush()?)
}

/// A number of things, such as `1 event` and `2 events`.
pub fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// Rows of text in columns, each as wide as its widest cell; the first row is the heading.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    let row = |cells: &Vec<String>| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(row).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let cells = |row: [&str; 3]| row.map(str::to_owned).to_vec();
        let rows = [
            cells(["SERVICE", "REPLICAS", "REQUESTS"]),
            cells(["inbox", "2", "12"]),
            cells(["auth-callout", "1", ""]),
        ];
        assert_eq!(
            table(&rows),
            "SERVICE       REPLICAS  REQUESTS\ninbox         2         12\nauth-callout  1"
        );
    }
}
