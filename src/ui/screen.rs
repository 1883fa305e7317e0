//! Everything that happens while a plan runs, on one screen: the live block of progress at the
//! bottom, with keyboard shortcuts below it, log lines and warnings above.
//!
//! A thread of its own writes, so that a slow reader of the output never holds up the work.

use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;

use super::log_printer::{self, LogPrinter};
use super::progress::{self, Board, BuildLines, Frame, Mode};
use super::{menu, style, terminal, warning};
use crate::report::build::BuildEvent;
use crate::report::event::{Event, Receiver, Sender, Shortcut, Step, Stream};

/// How often the live block is drawn at most.
const REDRAW: Duration = Duration::from_millis(100);
/// Events taken in at once.
const BATCH: usize = 256;
/// Exit code of a program whose standard output was closed: that of a death by `SIGPIPE`.
const BROKEN_PIPE: i32 = 141;
/// Size assumed where the terminal does not tell its own.
const DEFAULT_SIZE: (u16, u16) = (80, 24);

/// What a screen shows and how.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How progress is shown.
    pub mode: Mode,
    /// Title of the live block: "Running", "Stopping", "Pulling" …
    pub title: &'static str,
    /// Progress goes to standard output instead of standard error.
    pub to_stdout: bool,
    /// Lines of builds go to standard output wherever progress goes.
    pub builds_to_stdout: bool,
    /// Colour the progress.
    pub color: bool,
    /// Mark progress as a dry run.
    pub dry_run: bool,
    /// How log lines are shown.
    pub log: log_printer::Options,
}

/// A screen at work.
#[derive(Debug)]
pub struct Screen {
    finished: oneshot::Receiver<()>,
}

impl Screen {
    /// Opens a screen and returns where to send events to. Call it within the async runtime.
    pub fn open(options: Options) -> (Sender, Self) {
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
        (sender, Self::show(options, receiver))
    }

    /// Shows the events of a channel until all its senders are gone.
    pub fn show(options: Options, receiver: Receiver) -> Self {
        let (done, finished) = oneshot::channel();
        let runtime = tokio::runtime::Handle::current();
        let mut painter = Painter::new(options, Streams::of_process());
        #[expect(
            clippy::disallowed_methods,
            reason = "main cannot be told: it may wait for the engine for long"
        )]
        thread::spawn(move || {
            if let Err(error) = runtime.block_on(painter.run(receiver))
                && error.kind() == io::ErrorKind::BrokenPipe
            {
                // The reader of the output is gone. Nothing that is still to come can be shown.
                std::process::exit(BROKEN_PIPE);
            }
            // The receiver is gone when nobody waits for the screen any more.
            let _ = done.send(());
        });
        Self { finished }
    }

    /// Waits until everything is shown. Drop all senders before.
    pub async fn finish(self) {
        // An error means that the screen's thread is gone, and so is what it had to show.
        let _ = self.finished.await;
    }
}

/// Where to write.
struct Streams {
    stdout: Box<dyn Write + Send>,
    stderr: Box<dyn Write + Send>,
}

impl Streams {
    fn of_process() -> Self {
        Self {
            stdout: Box::new(io::stdout()),
            stderr: Box::new(io::stderr()),
        }
    }
}

struct Painter {
    options: Options,
    mode: Mode,
    streams: Streams,
    logs: LogPrinter,
    board: Board,
    builds: BuildLines,
    /// Keyboard shortcuts at the very bottom.
    menu: Vec<Shortcut>,
    /// Widths of the lines of the block that is on the screen.
    drawn: Vec<usize>,
    /// Whether the cursor is on the last of them, and not below it.
    on_last: bool,
    changed: bool,
    /// Whether something else than progress was shown already.
    interleaved: bool,
    tick: usize,
}

impl Painter {
    fn new(options: Options, streams: Streams) -> Self {
        let is_terminal = if options.to_stdout {
            terminal::stdout_is_terminal()
        } else {
            terminal::stderr_is_terminal()
        };
        Self {
            options,
            mode: options.mode.resolve(is_terminal),
            streams,
            logs: LogPrinter::new(options.log),
            board: Board::default(),
            builds: BuildLines::default(),
            menu: Vec::new(),
            drawn: Vec::new(),
            on_last: false,
            changed: false,
            interleaved: false,
            tick: 0,
        }
    }

    async fn run(&mut self, mut receiver: Receiver) -> io::Result<()> {
        let mut ticker = tokio::time::interval(REDRAW);
        ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let live = self.mode == Mode::Tty && !self.board.is_empty();
            tokio::select! {
                count = receiver.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        return self.close();
                    }
                    for event in batch.drain(..) {
                        self.take(event)?;
                    }
                    if !self.menu.is_empty() {
                        self.draw()?;
                    }
                    self.streams.stdout.flush()?;
                }
                _ = ticker.tick(), if live => {
                    self.tick += 1;
                    self.draw()?;
                }
            }
        }
    }

    fn take(&mut self, event: Event) -> io::Result<()> {
        match event {
            Event::Step(step) => self.step(step),
            Event::Build(event) => self.build(&event),
            Event::Log(line) => {
                let bytes = self.logs.line(&line);
                self.above(line.stream, &bytes)
            }
            Event::Attached(origin) => {
                self.logs.register(&origin.container);
                Ok(())
            }
            Event::Exited {
                origin,
                code,
                restarting,
            } => {
                let text = self.logs.exited(&origin, code, restarting);
                self.above(Stream::Stdout, text.as_bytes())
            }
            Event::Note { text, stream } => self.above(stream, format!("{text}\n").as_bytes()),
            Event::Menu(menu) => self.show_menu(menu),
            Event::Warning(message) => {
                let text = if self.mode == Mode::Json {
                    warning::json(&message)
                } else {
                    warning::text(&message, self.options.color)
                };
                self.above(Stream::Stderr, text.as_bytes())
            }
        }
    }

    fn step(&mut self, step: Step) -> io::Result<()> {
        let text = match self.mode {
            Mode::Quiet => return Ok(()),
            Mode::Plain | Mode::Auto => progress::plain_line(&step, self.options.dry_run),
            Mode::Json => progress::json_line(&step, self.options.dry_run),
            Mode::Tty => {
                if self.board.is_empty() && self.interleaved {
                    self.options.title = title(&step.text).unwrap_or(self.options.title);
                }
                self.board.update(step, Instant::now());
                self.changed = true;
                return Ok(());
            }
        };
        self.status().write_all(text.as_bytes())
    }

    fn build(&mut self, event: &BuildEvent) -> io::Result<()> {
        let now = Instant::now();
        match self.mode {
            Mode::Quiet => Ok(()),
            Mode::Json => self.step(progress::build_step(event)),
            Mode::Tty => {
                self.board.update_build(event, now);
                self.changed = true;
                Ok(())
            }
            Mode::Plain | Mode::Auto => {
                let text = self.builds.take(event, now);
                if self.options.builds_to_stdout {
                    self.streams.stdout.write_all(text.as_bytes())
                } else {
                    self.status().write_all(text.as_bytes())
                }
            }
        }
    }

    fn show_menu(&mut self, menu: Vec<Shortcut>) -> io::Result<()> {
        if self.mode != Mode::Tty {
            return Ok(());
        }
        self.menu = menu;
        self.changed = true;
        if self.menu.is_empty() {
            self.erase()?;
        }
        Ok(())
    }

    /// Writes something above the live block. A block in which nothing goes on stays where it is,
    /// and a new one starts with the next step.
    fn above(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        self.interleaved = true;
        if self.board.is_working() {
            self.erase()?;
            self.changed = true;
        } else {
            self.settle()?;
            self.erase()?;
            self.changed = true;
        }
        match stream {
            Stream::Stdout => self.streams.stdout.write_all(bytes),
            Stream::Stderr => {
                self.streams.stdout.flush()?;
                self.streams.stderr.write_all(bytes)
            }
        }
    }

    /// Draws the last state of the block and forgets it.
    fn settle(&mut self) -> io::Result<()> {
        if !self.board.is_empty() {
            let menu = std::mem::take(&mut self.menu);
            self.changed |= !menu.is_empty();
            self.draw()?;
            self.menu = menu;
            self.board = Board::default();
            self.drawn.clear();
        }
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        self.changed |= !self.menu.is_empty();
        self.menu.clear();
        self.settle()?;
        self.erase()?;
        self.streams.stdout.flush()?;
        self.streams.stderr.flush()
    }

    fn draw(&mut self) -> io::Result<()> {
        if !self.changed && !self.board.is_working() {
            return Ok(());
        }
        self.changed = false;
        let (width, lines) = self.lines();
        let mut text = String::from("\x1b[?25l");
        text.push_str(&self.upwards(width));
        self.on_last = !self.menu.is_empty();
        for (index, line) in lines.iter().enumerate() {
            text.push_str(line);
            text.push_str("\x1b[K");
            if !self.on_last || index + 1 < lines.len() {
                text.push('\n');
            }
        }
        text.push_str("\x1b[J\x1b[?25h");
        self.drawn = lines.iter().map(|line| style::width(line)).collect();
        self.streams.stdout.flush()?;
        let status = self.status();
        status.write_all(text.as_bytes())?;
        status.flush()
    }

    /// Columns of the terminal, and the lines to draw on it.
    fn lines(&self) -> (usize, Vec<String>) {
        let (width, height) = terminal::size(self.options.to_stdout).unwrap_or(DEFAULT_SIZE);
        let mut lines = Vec::new();
        if !self.board.is_empty() {
            lines = progress::frame(
                &self.board,
                &Frame {
                    title: self.options.title,
                    width: width.into(),
                    height: usize::from(height) - usize::from(!self.menu.is_empty()),
                    now: Instant::now(),
                    tick: self.tick,
                    color: self.options.color,
                    dry_run: self.options.dry_run,
                },
            );
        }
        if !self.menu.is_empty() {
            lines.push(menu::line(&self.menu, width.into(), self.options.color));
        }
        (width.into(), lines)
    }

    fn erase(&mut self) -> io::Result<()> {
        if self.drawn.is_empty() {
            return Ok(());
        }
        let (width, _) = terminal::size(self.options.to_stdout).unwrap_or(DEFAULT_SIZE);
        let text = self.upwards(width.into()) + "\x1b[J";
        self.drawn.clear();
        let status = self.status();
        status.write_all(text.as_bytes())?;
        status.flush()
    }

    /// Moves to the first line of the block. A terminal that became narrower since has wrapped
    /// the lines.
    fn upwards(&self, width: usize) -> String {
        let rows: usize = self
            .drawn
            .iter()
            .map(|line| line.div_ceil(width.max(1)).max(1))
            .sum();
        match rows - usize::from(self.on_last && rows > 0) {
            0 => "\r".to_owned(),
            rows => format!("\r\x1b[{rows}A"),
        }
    }

    fn status(&mut self) -> &mut Box<dyn Write + Send> {
        if self.options.to_stdout {
            &mut self.streams.stdout
        } else {
            &mut self.streams.stderr
        }
    }
}

/// The title of a block that begins with such a step, where it is not what the screen was opened
/// for.
fn title(text: &str) -> Option<&'static str> {
    ["Stopp", "Kill", "Remov", "Restart", "Build"]
        .into_iter()
        .zip(["Stopping", "Killing", "Removing", "Restarting", "Building"])
        .find_map(|(start, title)| text.starts_with(start).then_some(title))
}

#[cfg(test)]
mod tests;
