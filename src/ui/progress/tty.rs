//! Progress as a block of lines that is redrawn in place.

use std::time::Instant;

use anstyle::Style;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::board::{Board, Row};
use super::{DRY_RUN, words as told};
use crate::report::event::{Status, Step};
use crate::ui::style;

/// What a frame depends on besides the steps.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// What is being done, such as "Running".
    pub title: &'a str,
    /// Columns of the terminal.
    pub width: usize,
    /// Rows of the terminal.
    pub height: usize,
    /// The time of the frame.
    pub now: Instant,
    /// Number of the spinner's picture.
    pub tick: usize,
    /// With colours.
    pub color: bool,
    /// Mark every line as a dry run.
    pub dry_run: bool,
}

const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FILL: [char; 9] = ['⠀', '⡀', '⣀', '⣄', '⣤', '⣦', '⣶', '⣷', '⣿'];
/// Rows kept free below the block.
const SPARE_ROWS: usize = 2;
/// What is in front of the output of a step.
const OUTPUT_MARK: &str = "      │ ";
/// Columns that the time at the end of a line takes at least.
const TIME_WIDTH: usize = 8;

/// The lines of one frame, none wider than the terminal and no more than fit on it.
pub fn frame(board: &Board, frame: &Frame<'_>) -> Vec<String> {
    let (done, all) = board.done();
    let header = format!("[+] {} {done}/{all}", frame.title);
    let header = cut(&header, frame.width);
    let header = if done == all {
        style::paint(style::TIME, &header, frame.color)
    } else {
        header
    };
    let mut lines = vec![header];
    lines.extend(body(board, frame));
    lines
}

fn body(board: &Board, frame: &Frame<'_>) -> Vec<String> {
    let room = frame.height.saturating_sub(SPARE_ROWS).max(1);
    let roots: Vec<&Row> = board.roots().collect();
    let rows: Vec<&Row> = roots
        .iter()
        .flat_map(|root| std::iter::once(*root).chain(board.parts(&root.step.id)))
        .collect();
    let column = rows
        .iter()
        .map(|row| name(board, row).width() + indent(row).len())
        .max()
        .unwrap_or_default();
    let draw = |row: &Row| line(board, row, column, frame);
    if rows.len() <= room {
        let mut left = room - rows.len();
        return rows
            .into_iter()
            .flat_map(|row| std::iter::once(draw(row)).chain(output(row, &mut left, frame)))
            .collect();
    }
    if roots.len() <= room {
        return roots.into_iter().map(draw).collect();
    }
    most_telling(&roots, room, draw)
}

/// The last lines that a step wrote, as far as there is room `left` for them.
fn output(row: &Row, left: &mut usize, frame: &Frame<'_>) -> Vec<String> {
    let mut lines: Vec<String> = row
        .output()
        .rev()
        .take(*left)
        .map(|text| {
            let text = anstream::adapter::strip_str(text).to_string();
            let text = text.replace(|c: char| c.is_control(), " ");
            let text = cut(&format!("{OUTPUT_MARK}{text}"), frame.width);
            style::paint(style::OUTPUT, &text, frame.color)
        })
        .collect();
    *left -= lines.len();
    lines.reverse();
    lines
}

/// As many roots as there is room for: failures and what goes on first, in their usual order, and
/// a line that counts the rest.
fn most_telling(roots: &[&Row], room: usize, draw: impl Fn(&Row) -> String) -> Vec<String> {
    let rank = |row: &Row| match row.step.status {
        Status::Error => 0,
        Status::Working => 1,
        Status::Warning => 2,
        Status::Done => 3,
    };
    let mut order: Vec<usize> = (0..roots.len()).collect();
    order.sort_by_key(|index| rank(roots[*index]));
    order.truncate(room.saturating_sub(1));
    order.sort_unstable();
    let hidden = roots.len() - order.len();
    let mut lines: Vec<String> = order.into_iter().map(|index| draw(roots[index])).collect();
    lines.push(format!("   … and {hidden} more"));
    lines
}

/// What is next to the id and, in the column of its own, the status.
fn words(step: &Step) -> (&str, &str) {
    match told(step) {
        (text, "") if step.parent.is_none() => ("", text),
        words => words,
    }
}

fn indent(row: &Row) -> &'static str {
    if row.step.parent.is_some() { "  " } else { "" }
}

/// What is on the left of the status: the id, how full its parts are, and the text.
fn name(board: &Board, row: &Row) -> String {
    let (text, _) = words(&row.step);
    let mut fill = String::new();
    let (mut current, mut total) = (0, 0);
    if row.step.status == Status::Working {
        for part in board.parts(&row.step.id) {
            let share = part.step.progress.map_or(0.0, |progress| {
                current += progress.current;
                total += progress.total;
                progress.current as f64 / (progress.total.max(1)) as f64
            });
            let share = if part.step.status == Status::Working {
                share.min(1.0)
            } else {
                1.0
            };
            fill.push(FILL[(share * (FILL.len() - 1) as f64) as usize]);
        }
    }
    if fill.is_empty() {
        return format!("{} {text}", row.step.id);
    }
    let size = if total > 0 {
        format!(" {:>7} / {:<7}", human_size(current), human_size(total))
    } else {
        String::new()
    };
    format!("{} [{fill}]{size} {text}", row.step.id)
}

fn line(board: &Board, row: &Row, column: usize, frame: &Frame<'_>) -> String {
    let (icon, color) = icon(row.step.status, frame.tick);
    let mark = if frame.dry_run { DRY_RUN } else { "" };
    let pad = indent(row);
    let name = name(board, row);
    let fill = " ".repeat(column.saturating_sub(name.width() + pad.len()));
    let (_, status) = words(&row.step);
    let status = status.lines().next().unwrap_or_default();
    let time = format!("{:.1}s ", row.elapsed(frame.now).as_secs_f64());

    // The status gives way first, then the name.
    let time_width = time.len().max(TIME_WIDTH);
    let room = frame.width.saturating_sub(time_width);
    let left = cut(
        &format!("{name}{fill}"),
        room.saturating_sub(pad.len() + mark.width() + 3),
    );
    let used = pad.len() + 3 + mark.width() + left.width() + 1;
    let status = cut(status, frame.width.saturating_sub(used + time_width));
    let gap = frame
        .width
        .saturating_sub(used + status.width() + time.len());
    format!(
        "{pad} {} {}{left} {}{}{}",
        style::paint(color, icon, frame.color),
        style::paint(style::DRY_RUN, mark, frame.color),
        style::paint(status_style(row.step.status), &status, frame.color),
        " ".repeat(gap),
        style::paint(style::TIME, &time, frame.color),
    )
}

fn icon(status: Status, tick: usize) -> (&'static str, Style) {
    match status {
        Status::Working => (SPINNER[tick % SPINNER.len()], style::WORKING),
        Status::Done => ("✔", style::SUCCESS),
        Status::Warning => ("!", style::WARNING),
        Status::Error => ("✘", style::ERROR),
    }
}

fn status_style(status: Status) -> Style {
    match status {
        Status::Working => Style::new(),
        Status::Done => style::SUCCESS,
        Status::Warning => style::WARNING,
        Status::Error => style::ERROR,
    }
}

/// The text, or as much of it as fits with an ellipsis.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 1;
    for character in text.chars() {
        used += character.width().unwrap_or(0);
        if used > width {
            break;
        }
        kept.push(character);
    }
    if width > 0 {
        kept.push('…');
    }
    kept
}

/// A size in decimal units with four digits: `12.34MB`.
pub(crate) fn human_size(bytes: u64) -> String {
    super::super::format::human_size(bytes, 4)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::report::build::{BuildEvent, Change, Ending, Line};
    use crate::report::event::{Progress, Step};

    fn show(board: &Board, width: usize, height: usize, now: Instant) -> String {
        frame(
            board,
            &Frame {
                title: "Running",
                width,
                height,
                now,
                tick: 0,
                color: false,
                dry_run: false,
            },
        )
        .join("\n")
    }

    #[test]
    fn times_are_at_the_right_edge() {
        let start = Instant::now();
        let mut board = Board::default();
        board.update(Step::working("Container p-db-1", "Waiting"), start);
        board.update(Step::done("Container p-web-1", "Running"), start);
        insta::assert_snapshot!(show(&board, 50, 24, start + Duration::from_millis(1234)), @r#"
        [+] Running 1/2
         ⠋ Container p-db-1   Waiting                1.2s 
         ✔ Container p-web-1  Running                0.0s
        "#);
        board.update(
            Step::done("Container p-db-1", "Healthy"),
            start + Duration::from_secs(2),
        );
        insta::assert_snapshot!(show(&board, 30, 24, start + Duration::from_secs(5)), @r#"
        [+] Running 2/2
         ✔ Container p-db-1      2.0s 
         ✔ Container p-web-1     0.0s
        "#);
    }

    #[test]
    fn layers_are_below_their_image_while_there_is_room() {
        let start = Instant::now();
        let mut board = Board::default();
        board.update(Step::working("web", "Pulling"), start);
        for (id, current) in [("1a2b", 1_000_000), ("3c4d", 2_500_000)] {
            let mut layer = Step::working(id, "Downloading").part_of("web");
            layer.progress = Some(Progress {
                current,
                total: 4_000_000,
            });
            board.update(layer, start);
        }
        insta::assert_snapshot!(show(&board, 60, 24, start), @r#"
        [+] Running 0/3
         ⠋ web [⣀⣦]   3.5MB / 8MB      Pulling                 0.0s 
           ⠋ 1a2b Downloading                                  0.0s 
           ⠋ 3c4d Downloading                                  0.0s
        "#);
        insta::assert_snapshot!(show(&board, 60, 4, start), @r#"
        [+] Running 0/3
         ⠋ web [⣀⣦]   3.5MB / 8MB      Pulling                 0.0s
        "#);
    }

    #[test]
    fn a_low_terminal_shows_what_matters() {
        let start = Instant::now();
        let mut board = Board::default();
        for number in 1..=9 {
            board.update(
                Step::done(format!("Container p-{number}"), "Started"),
                start,
            );
        }
        board.update(Step::error("Container p-5", "Error"), start);
        board.update(Step::working("Container p-7", "Starting"), start);
        let shown = show(&board, 40, 6, start);
        insta::assert_snapshot!(shown, @r#"
        [+] Running 8/9
         ✔ Container p-1  Started          0.0s 
         ✘ Container p-5  Error            0.0s 
         ⠋ Container p-7  Starting         0.0s 
           … and 6 more
        "#);
        assert!(shown.lines().count() < 6);
    }

    fn of_build(name: &str, change: Change) -> BuildEvent {
        BuildEvent {
            service: "web".into(),
            step: name.into(),
            name: name.into(),
            change,
        }
    }

    #[test]
    fn builds_show_the_output_of_what_goes_on_and_fold_up() {
        let start = Instant::now();
        let mut board = Board::default();
        board.update(Step::working("web", "Building"), start);
        let done = || Change::Ended(Ending::Done(Duration::ZERO));
        let internal = "[web internal] load build definition";
        for change in [Change::Started, done()] {
            board.update_build(&of_build(internal, change), start);
        }
        board.update_build(&of_build("[web 1/2] COPY a b", done()), start);
        board.update_build(&of_build("[web 2/2] RUN x", Change::Started), start);
        for number in 1..=9 {
            let line = Line {
                text: format!("\x1b[1mline {number}\x1b[0m"),
                after: Duration::ZERO,
            };
            board.update_build(&of_build("[web 2/2] RUN x", Change::Output(line)), start);
        }
        insta::assert_snapshot!(show(&board, 60, 8, start), @r"
        [+] Running 2/4
         ⠋ web [⣿⠀]                       Building             0.0s 
           ✔ [web 1/2] COPY a b DONE 0.0s                      0.0s 
           ⠋ [web 2/2] RUN x                                   0.0s 
              │ line 7
              │ line 8
              │ line 9
        ");
        board.update(Step::done("web", "Built"), start);
        insta::assert_snapshot!(show(&board, 60, 8, start), @r"
        [+] Running 3/4
         ✔ web  Built                                          0.0s
        ");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let start = Instant::now();
        let mut board = Board::default();
        board.update(
            Step::error("Container プロジェクト-web-1", "Error").detail("a long story ".repeat(20)),
            start,
        );
        for width in [1, 5, 12, 20, 40, 200] {
            for line in show(&board, width, 24, start).lines() {
                assert!(line.width() <= width.max(12), "{width}: {line:?}");
            }
        }
    }
}
