//! What containers use → rows of `stats`.

use serde_json::{Map, Value, json};

use super::format::{binary_size, human_size};
use super::template::Row;
use crate::report::usage::Usage;

/// The table of `stats`.
pub const COLUMNS: &str = "{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}";

/// Digits of an id in a table.
const ID_WIDTH: usize = 12;

/// The titles of the fields.
pub fn header() -> Row {
    Row::of_titles(&[
        ("Container", "CONTAINER"),
        ("ID", "CONTAINER ID"),
        ("Name", "NAME"),
        ("CPUPerc", "CPU %"),
        ("MemUsage", "MEM USAGE / LIMIT"),
        ("MemPerc", "MEM %"),
        ("NetIO", "NET I/O"),
        ("BlockIO", "BLOCK I/O"),
        ("PIDs", "PIDS"),
    ])
}

/// The fields of one container; `cut` shortens its id. What is not known yet is `--`.
pub fn row(usage: &Usage, cut: bool) -> Row {
    let short: String = usage.id.chars().take(ID_WIDTH).collect();
    let id = if cut { short.clone() } else { usage.id.clone() };
    let unknown = "--".to_owned();
    let pair = |left: String, right: String| format!("{left} / {right}");
    let (processor, memory, share, network, disk, processes) = if let Some(figures) = &usage.figures
    {
        (
            format!("{:.2}%", figures.processor),
            pair(
                binary_size(figures.memory),
                binary_size(figures.memory_limit),
            ),
            format!("{:.2}%", figures.memory_share()),
            pair(human_size(figures.received, 3), human_size(figures.sent, 3)),
            pair(human_size(figures.read, 3), human_size(figures.written, 3)),
            figures.processes.to_string(),
        )
    } else {
        let both = pair(unknown.clone(), unknown.clone());
        let one = unknown;
        (
            one.clone(),
            both,
            one.clone(),
            one.clone(),
            one.clone(),
            one,
        )
    };
    let fields = json!({
        "BlockIO": disk,
        "CPUPerc": processor,
        "Container": short,
        "ID": id,
        "MemPerc": share,
        "MemUsage": memory,
        "Name": usage.name,
        "NetIO": network,
        "PIDs": processes,
    });
    Row {
        fields: match fields {
            Value::Object(map) => map,
            _ => Map::new(),
        },
        ..Row::default()
    }
}

/// A text drawn over the one before: each line up to its end, and nothing below.
pub fn redrawn(text: &str) -> String {
    format!("\u{1b}[H{}\u{1b}[J", text.replace('\n', "\u{1b}[K\n"))
}

/// What clears the terminal before the first text.
pub const CLEAR: &str = "\u{1b}[2J";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::usage::Figures;
    use crate::ui::listing::Format;

    fn usage(figures: Option<Figures>) -> Usage {
        Usage {
            id: "0123456789abcdef".to_owned(),
            name: "p-web-1".to_owned(),
            figures,
        }
    }

    fn shown(format: &str, cut: bool, figures: Option<Figures>) -> String {
        let format = Format::new(format, COLUMNS).unwrap_or_else(|error| panic!("{error}"));
        let rows = [row(&usage(figures), cut)];
        format.render(&header(), &rows).unwrap_or_default()
    }

    #[test]
    fn the_table_is_that_of_the_docker_cli() {
        let figures = Figures {
            processor: 1.234,
            memory: 2_883_584,
            memory_limit: 8_223_506_432,
            received: 1234,
            sent: 0,
            read: 5_000_000,
            written: 12,
            processes: 3,
        };
        assert_eq!(
            shown("table", true, Some(figures)),
            "CONTAINER ID   NAME      CPU %     MEM USAGE / LIMIT    MEM %     NET I/O       BLOCK I/O   PIDS\n\
             0123456789ab   p-web-1   1.23%     2.75MiB / 7.659GiB   0.04%     1.23kB / 0B   5MB / 12B   3\n"
        );
        assert_eq!(
            shown("json", false, Some(Figures::default())),
            "{\"BlockIO\":\"0B / 0B\",\"CPUPerc\":\"0.00%\",\"Container\":\"0123456789ab\",\
             \"ID\":\"0123456789abcdef\",\"MemPerc\":\"0.00%\",\"MemUsage\":\"0B / 0B\",\
             \"Name\":\"p-web-1\",\"NetIO\":\"0B / 0B\",\"PIDs\":\"0\"}\n"
        );
    }

    #[test]
    fn what_is_not_known_yet_is_dashes() {
        assert_eq!(
            shown("{{.CPUPerc}} {{.MemUsage}} {{.PIDs}}", true, None),
            "-- -- / -- --\n"
        );
    }

    #[test]
    fn lines_are_drawn_over() {
        assert_eq!(redrawn("a\nb\n"), "\u{1b}[Ha\u{1b}[K\nb\u{1b}[K\n\u{1b}[J");
    }
}
