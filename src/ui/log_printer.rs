//! Output of containers → lines with a prefix.

use std::fmt::Write as _;

use indexmap::IndexMap;

use crate::report::event::{LogLine, Origin};

/// How log lines are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Put the name of the container before each line.
    pub prefix: bool,
    /// Colour the prefixes.
    pub color: bool,
    /// Put the time before each line, where the line has one.
    pub timestamps: bool,
    /// Clear the line before telling that a container stopped, as docker compose does even where
    /// the output is no terminal.
    pub clear_line: bool,
}

/// Colours in the order in which containers get them: cyan, yellow, green, magenta, blue, then
/// the same, intense.
const COLORS: [&str; 10] = [
    "36", "33", "32", "35", "34", "36;1", "33;1", "32;1", "35;1", "34;1",
];

/// Formats lines and remembers which containers there are.
#[derive(Debug)]
pub struct LogPrinter {
    options: Options,
    /// Colour code of each name, in the order of registration.
    names: IndexMap<String, &'static str>,
    width: usize,
}

impl LogPrinter {
    /// A printer that knows no container yet.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            names: IndexMap::new(),
            width: 0,
        }
    }

    /// Gives a container its colour and makes room for its name.
    pub fn register(&mut self, name: &str) {
        if !self.names.contains_key(name) {
            let color = COLORS[self.names.len() % COLORS.len()];
            self.names.insert(name.to_owned(), color);
            self.width = self.width.max(name.chars().count());
        }
    }

    /// The bytes to write for a line, with its newline.
    pub fn line(&mut self, line: &LogLine) -> Vec<u8> {
        let mut bytes = self.prefix(&line.origin).into_bytes();
        if self.options.timestamps
            && let Some(timestamp) = &line.timestamp
        {
            bytes.extend_from_slice(timestamp.as_bytes());
            bytes.push(b' ');
        }
        bytes.extend_from_slice(&line.bytes);
        bytes.push(b'\n');
        bytes
    }

    /// The line that tells that a container stopped.
    pub fn exited(&mut self, origin: &Origin, code: i64, restarting: bool) -> String {
        let clear = if self.options.clear_line {
            "\r\x1b[K"
        } else {
            ""
        };
        let again = if restarting { " (restarting)" } else { "" };
        let text = format!(
            "{clear}{} exited with code {code}{again}\n",
            origin.container
        );
        self.paint(&origin.container, text)
    }

    fn prefix(&mut self, origin: &Origin) -> String {
        if !self.options.prefix {
            return String::new();
        }
        let name = &origin.container;
        self.register(name);
        let mut prefix = String::new();
        // Writing to a string cannot fail.
        let _ = write!(prefix, "{name:<width$} | ", width = self.width + 1);
        self.paint(name, prefix)
    }

    fn paint(&mut self, name: &str, text: String) -> String {
        self.register(name);
        match self.names.get(name) {
            Some(color) if self.options.color => format!("\x1b[{color}m{text}\x1b[0m"),
            _ => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::event::Stream;

    const PLAIN: Options = Options {
        prefix: true,
        color: false,
        timestamps: false,
        clear_line: false,
    };

    fn origin(container: &str) -> Origin {
        Origin {
            container: container.into(),
            service: "s".into(),
        }
    }

    fn line(container: &str, text: &'static str) -> LogLine {
        LogLine {
            origin: origin(container),
            stream: Stream::Stdout,
            timestamp: Some("2026-11-21T07:13:07.123456789Z".into()),
            bytes: text.as_bytes().into(),
        }
    }

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[test]
    fn prefixes_grow_with_the_longest_name_so_far() {
        let mut printer = LogPrinter::new(PLAIN);
        assert_eq!(text(printer.line(&line("a-1", "x"))), "a-1  | x\n");
        printer.register("long-1");
        assert_eq!(text(printer.line(&line("a-1", "x"))), "a-1     | x\n");
        assert_eq!(text(printer.line(&line("long-1", ""))), "long-1  | \n");
    }

    #[test]
    fn colors_follow_registration_and_start_over() {
        let mut printer = LogPrinter::new(Options {
            color: true,
            ..PLAIN
        });
        assert_eq!(
            text(printer.line(&line("a", "x"))),
            "\u{1b}[36ma  | \u{1b}[0mx\n"
        );
        for number in 0..9 {
            printer.register(&number.to_string());
        }
        assert!(text(printer.line(&line("k", "x"))).starts_with("\u{1b}[36mk "));
        assert!(text(printer.line(&line("4", "x"))).starts_with("\u{1b}[36;1m4 "));
    }

    #[test]
    fn timestamps_come_after_the_prefix() {
        let mut printer = LogPrinter::new(Options {
            timestamps: true,
            ..PLAIN
        });
        assert_eq!(
            text(printer.line(&line("a-1", "x"))),
            "a-1  | 2026-11-21T07:13:07.123456789Z x\n"
        );
        let mut bare = LogPrinter::new(Options {
            prefix: false,
            ..PLAIN
        });
        assert_eq!(text(bare.line(&line("a-1", "x"))), "x\n");
    }

    #[test]
    fn bytes_that_are_no_text_pass_through() {
        let mut printer = LogPrinter::new(Options {
            prefix: false,
            ..PLAIN
        });
        let mut odd = line("a-1", "");
        odd.bytes = vec![0xff, 0x00, b'a'].into();
        assert_eq!(printer.line(&odd), vec![0xff, 0x00, b'a', b'\n']);
    }

    #[test]
    fn exits_are_told_in_the_colour_of_the_container() {
        let mut printer = LogPrinter::new(PLAIN);
        assert_eq!(
            printer.exited(&origin("a-1"), 4, false),
            "a-1 exited with code 4\n"
        );
        let mut strict = LogPrinter::new(Options {
            color: true,
            clear_line: true,
            ..PLAIN
        });
        assert_eq!(
            strict.exited(&origin("a-1"), 0, true),
            "\u{1b}[36m\r\u{1b}[Ka-1 exited with code 0 (restarting)\n\u{1b}[0m"
        );
    }
}
