//! Processes of containers, as `top` shows them.

use indexmap::IndexSet;

use super::table::Layout;
use crate::report::Processes;

/// The table of `top`; nothing where there is no process.
pub fn table(containers: &[Processes]) -> String {
    if containers.iter().all(|container| container.rows.is_empty()) {
        return String::new();
    }
    let titles = titles(containers);
    let mut text = titles.iter().copied().collect::<Vec<_>>().join("\t") + "\n";
    for container in containers {
        for row in &container.rows {
            let cells: Vec<&str> = titles
                .iter()
                .map(|title| cell(container, row, title))
                .collect();
            text.push_str(&cells.join("\t"));
            text.push('\n');
        }
    }
    Layout::TOP.align(&text)
}

/// Titles in the order in which they were met, the command last.
fn titles(containers: &[Processes]) -> IndexSet<&str> {
    let mut titles: IndexSet<&str> = IndexSet::from(["SERVICE", "#"]);
    for container in containers
        .iter()
        .filter(|container| !container.rows.is_empty())
    {
        titles.extend(container.titles.iter().map(String::as_str));
    }
    if titles.shift_remove("CMD") {
        titles.insert("CMD");
    }
    titles
}

fn cell<'a>(container: &'a Processes, row: &'a [String], title: &str) -> &'a str {
    match title {
        "SERVICE" => &container.service,
        "#" => &container.number,
        _ => container
            .titles
            .iter()
            .position(|known| known == title)
            .and_then(|column| row.get(column))
            .map_or("-", String::as_str),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn processes(service: &str, titles: &[&str], row: &[&str]) -> Processes {
        Processes {
            service: service.into(),
            number: "1".into(),
            titles: titles.iter().map(|title| (*title).into()).collect(),
            rows: vec![row.iter().map(|cell| (*cell).into()).collect()],
        }
    }

    #[test]
    fn the_command_is_last_and_missing_cells_are_dashes() {
        let text = table(&[
            processes("web", &["PID", "CMD"], &["12", "sh"]),
            processes("db", &["PID", "TIME", "CMD"], &["7", "00:00", "sleep"]),
        ]);
        assert_eq!(
            text,
            "SERVICE  #   PID  TIME   CMD\nweb      1   12   -      sh\ndb       1   7    00:00  sleep\n"
        );
        assert_eq!(table(&[]), "");
    }
}
