use std::sync::{Arc, Mutex, PoisonError};

use super::*;
use crate::report::event::{LogLine, Origin};

/// A stream that remembers what was written.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Both streams after showing the events.
async fn shown(mode: Mode, events: Vec<Event>) -> (String, String) {
    let (stdout, stderr) = (Written::default(), Written::default());
    let mut painter = Painter::new(
        Options {
            mode,
            title: "Running",
            to_stdout: false,
            builds_to_stdout: false,
            color: false,
            dry_run: false,
            log: log_printer::Options {
                prefix: true,
                color: false,
                timestamps: false,
                clear_line: false,
            },
        },
        Streams {
            stdout: Box::new(stdout.clone()),
            stderr: Box::new(stderr.clone()),
        },
    );
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    for event in events {
        assert!(sender.send(event).is_ok());
    }
    drop(sender);
    assert!(painter.run(receiver).await.is_ok());
    (stdout.text(), stderr.text())
}

fn log(stream: Stream, text: &'static str) -> Event {
    Event::Log(LogLine {
        origin: Origin {
            container: "web-1".into(),
            service: "web".into(),
        },
        stream,
        timestamp: None,
        bytes: text.as_bytes().into(),
    })
}

fn events() -> Vec<Event> {
    vec![
        Event::Step(Step::working("Container p-web-1", "Starting")),
        Event::Warning("careful".into()),
        log(Stream::Stdout, "out"),
        Event::Step(Step::done("Container p-web-1", "Started")),
        log(Stream::Stderr, "err"),
        Event::Step(Step::done("Container p-web-1", "Stopped")),
    ]
}

#[tokio::test]
async fn plain_lines_are_in_the_order_of_events() {
    let (stdout, stderr) = shown(Mode::Plain, events()).await;
    assert_eq!(stdout, "web-1  | out\n");
    assert_eq!(
        stderr,
        " Container p-web-1  Starting\nwarning: careful\n Container p-web-1  Started\n\
         web-1  | err\n Container p-web-1  Stopped\n"
    );
}

#[tokio::test]
async fn quiet_shows_warnings_and_logs_only() {
    let (stdout, stderr) = shown(Mode::Quiet, events()).await;
    assert_eq!(stdout, "web-1  | out\n");
    assert_eq!(stderr, "warning: careful\nweb-1  | err\n");
}

#[tokio::test]
async fn json_has_warnings_as_objects() {
    let (_, stderr) = shown(Mode::Json, vec![Event::Warning("careful".into())]).await;
    let value: serde_json::Value = serde_json::from_str(&stderr).unwrap_or_default();
    assert_eq!(value["level"], "warning");
    assert_eq!(value["msg"], "careful");
}

#[tokio::test]
async fn a_finished_block_stays_above_the_logs_and_the_next_one_is_new() {
    let (_, stderr) = shown(Mode::Tty, events()).await;
    let lines: Vec<String> = anstream::adapter::strip_str(&stderr)
        .to_string()
        .lines()
        .map(|line| line.trim_start_matches('\r').trim_end().to_owned())
        .collect();
    let kept: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
    assert_eq!(kept[0], "warning: careful");
    assert_eq!(kept[1], "[+] Running 1/1");
    assert!(kept[2].starts_with("✔ Container p-web-1  Started"));
    assert_eq!(kept[3], "web-1  | err");
    assert_eq!(kept[4], "[+] Stopping 1/1");
    assert!(kept[5].starts_with("✔ Container p-web-1  Stopped"));
}

#[tokio::test]
async fn shortcuts_stay_below_everything_and_go_in_the_end() {
    let menu = vec![Shortcut {
        key: 'd',
        action: "Detach",
    }];
    let mut all = vec![Event::Menu(menu.clone())];
    all.extend(events());
    let (stdout, stderr) = shown(Mode::Tty, all).await;
    assert_eq!(stdout, "web-1  | out\n");
    let mut parser = vt100::Parser::new(ROWS, COLUMNS, 0);
    parser.process(stderr.replace('\n', "\r\n").as_bytes());
    let screen = parser.screen().contents();
    assert!(!screen.contains("Detach"), "{screen}");
    assert_eq!(screen.matches("web-1  | err").count(), 1, "{screen}");
    assert_eq!(screen.matches("Stopped").count(), 1, "{screen}");
    let (_, plain) = shown(Mode::Plain, vec![Event::Menu(menu)]).await;
    assert_eq!(plain, "");
}

const ROWS: std::num::NonZeroU16 = std::num::NonZeroU16::new(24).unwrap();
const COLUMNS: std::num::NonZeroU16 = std::num::NonZeroU16::new(80).unwrap();
