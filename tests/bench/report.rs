//! The table, and its lines as JSON.

use std::fmt;
use std::io::Write;
use std::path::Path;

use serde::Serialize;

/// One figure beside the raw limit and the goal.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub name: String,
    pub unit: &'static str,
    pub ours: f64,
    pub raw: Option<f64>,
    /// Ours by raw.
    pub ratio: Option<f64>,
    pub goal: String,
    pub met: bool,
}

/// What is wanted of a figure.
#[derive(Debug, Clone, Copy)]
pub enum Goal {
    /// At least so many times the raw limit.
    TimesRaw(f64),
    /// At most this.
    AtMost(f64),
    /// At most this, and at most so many times raw.
    AtMostAndTimesRaw(f64, f64),
}

impl Row {
    pub fn new(name: &str, unit: &'static str, ours: f64, raw: Option<f64>, goal: Goal) -> Self {
        let ratio = raw.map(|raw| ours / raw);
        let (met, goal) = match goal {
            Goal::TimesRaw(times) => (ratio.is_some_and(|ratio| ratio >= times), format!("≥ {times} × raw")),
            Goal::AtMost(most) => (ours <= most, format!("≤ {most} {unit}")),
            Goal::AtMostAndTimesRaw(most, times) => (
                ours <= most && ratio.is_some_and(|ratio| ratio <= times),
                format!("≤ {most} {unit}, ≤ {times} × raw"),
            ),
        };
        Self { name: name.to_owned(), unit, ours, raw, ratio, goal, met }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_dash = |figure: Option<f64>| figure.map_or_else(|| "–".to_owned(), short);
        write!(
            f,
            "{:<20} {:>9} {:<4} {:>9} {:>7}  {:<28} {}",
            self.name,
            short(self.ours),
            self.unit,
            or_dash(self.raw),
            or_dash(self.ratio),
            self.goal,
            if self.met { "met" } else { "MISSED" }
        )
    }
}

/// All rows.
#[derive(Debug, Default)]
pub struct Report {
    rows: Vec<Row>,
}

impl Report {
    pub fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// One JSON object a line.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let mut file = std::fs::File::create(path)?;
        for row in &self.rows {
            writeln!(file, "{}", serde_json::to_string(row)?)?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<20} {:>9} {:<4} {:>9} {:>7}  {:<28}", "row", "ours", "", "raw", "ratio", "goal")?;
        self.rows.iter().try_for_each(|row| writeln!(f, "{row}"))
    }
}

/// The middle one.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().expect("at least one run")
}

/// The figure below which so many per cent lie.
pub fn percentile(figures: &mut [f64], per_cent: usize) -> f64 {
    figures.sort_by(f64::total_cmp);
    let index = (figures.len() * per_cent / 100).min(figures.len().saturating_sub(1));
    figures.get(index).copied().expect("at least one sample")
}

fn short(figure: f64) -> String {
    match figure {
        f if f >= 100.0 => format!("{f:.0}"),
        f if f >= 10.0 => format!("{f:.1}"),
        f => format!("{f:.2}"),
    }
}
