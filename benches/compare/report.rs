//! The table of medians and ratios.

use std::fmt;

/// Whose number it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// docker compose.
    Reference,
    /// rcompose.
    Ours,
}

/// What a number should be.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// At most so many times the reference's median.
    Ratio(f64),
    /// The median at most so many seconds.
    Seconds(f64),
}

struct Row {
    case: String,
    metric: &'static str,
    reference: Vec<f64>,
    ours: Vec<f64>,
    target: Option<Target>,
}

/// All numbers, in the order in which they were first measured.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    failures: Vec<String>,
}

impl Report {
    /// Adds one number.
    pub(crate) fn add(&mut self, case: &str, metric: &'static str, side: Side, value: f64) {
        self.extend(case, metric, side, [value]);
    }

    /// Adds several numbers.
    pub(crate) fn extend(
        &mut self,
        case: &str,
        metric: &'static str,
        side: Side,
        values: impl IntoIterator<Item = f64>,
    ) {
        let row = self.row(case, metric);
        let numbers = match side {
            Side::Reference => &mut row.reference,
            Side::Ours => &mut row.ours,
        };
        numbers.extend(values);
    }

    /// Remembers a command that failed.
    pub(crate) fn failed(&mut self, failure: String) {
        self.failures.push(failure);
    }

    /// Sets what a number should be.
    pub(crate) fn target(&mut self, case: &str, metric: &'static str, target: Target) {
        self.row(case, metric).target = Some(target);
    }

    fn row(&mut self, case: &str, metric: &'static str) -> &mut Row {
        let known = self
            .rows
            .iter()
            .position(|row| row.case == case && row.metric == metric);
        let index = known.unwrap_or_else(|| {
            self.rows.push(Row {
                case: case.to_owned(),
                metric,
                reference: Vec::new(),
                ours: Vec::new(),
                target: None,
            });
            self.rows.len() - 1
        });
        &mut self.rows[index]
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => sorted[length / 2],
        length => f64::midpoint(sorted[length / 2 - 1], sorted[length / 2]),
    }
}

fn quantity(metric: &str, value: f64) -> String {
    match metric {
        _ if value.is_nan() => "-".into(),
        "memory" => format!("{value:.1} MiB"),
        "requests" => format!("{value}"),
        _ if value.abs() < 1.0 => format!("{:.1} ms", value * 1e3),
        _ => format!("{value:.2} s"),
    }
}

impl Row {
    fn verdict(&self) -> String {
        let (reference, ours) = (median(&self.reference), median(&self.ours));
        let (met, text) = match self.target {
            None => return String::new(),
            Some(Target::Ratio(limit)) => (ours <= reference * limit, format!("≤ {limit}×")),
            Some(Target::Seconds(limit)) => (ours <= limit, format!("≤ {:.0} ms", limit * 1e3)),
        };
        format!("{text:<9} {}", if met { "met" } else { "MISSED" })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut case = "";
        for row in &self.rows {
            if row.case != case {
                case = &row.case;
                let (theirs, ours) = ("docker compose", "rcompose");
                writeln!(
                    f,
                    "\n{case:<40} {theirs:>15} {ours:>12} {:>8}  target",
                    "ratio"
                )?;
            }
            let (reference, ours) = (median(&row.reference), median(&row.ours));
            writeln!(
                f,
                "  {:<38} {:>15} {:>12} {:>7.3}×  {}",
                row.metric,
                quantity(row.metric, reference),
                quantity(row.metric, ours),
                ours / reference,
                row.verdict()
            )?;
        }
        for failure in &self.failures {
            writeln!(f, "\nfailed, not counted: {failure}")?;
        }
        Ok(())
    }
}
