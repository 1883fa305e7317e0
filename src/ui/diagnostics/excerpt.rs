//! The lines of a file that a failure comes from.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::human::DEFAULT_WIDTH;
use crate::compose::source::Source;
use crate::compose::{Diagnostic, SourceMap, Span, code};
use crate::report::Excerpt;

/// The message with all lines of the excerpt underlined, below them what a command wrote last, and at the end what to
/// do; text that ends with a newline.
pub fn render(message: &str, excerpt: &Excerpt, help: Option<&str>, color: bool) -> String {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    }
    .term_width(crate::ui::terminal::width().map_or(DEFAULT_WIDTH, usize::from));
    let (shown, marks, column) = lines(excerpt);
    let place = format!("{}:{}:{column}", excerpt.file, excerpt.lines.0);
    let title = Level::ERROR
        .no_name()
        .primary_title(format!("{place}: {message}"));
    let marks = marks
        .into_iter()
        .map(|mark| AnnotationKind::Primary.span(mark));
    let snippet = Snippet::source(shown)
        .line_start(excerpt.lines.0 as usize)
        .annotations(marks);
    let mut text = renderer.render(&[Group::with_title(title).element(snippet)]);
    text.push('\n');
    if !excerpt.output.is_empty() {
        text.push_str("its last output:\n");
        for line in &excerpt.output {
            text.push_str("  ");
            text.push_str(line);
            text.push('\n');
        }
    }
    if let Some(help) = help {
        text.push_str("help: ");
        text.push_str(help);
        text.push('\n');
    }
    text
}

/// The lines as they are shown, the place of what is written on each, and the column where the first one begins.
fn lines(excerpt: &Excerpt) -> (String, Vec<std::ops::Range<usize>>, usize) {
    let (first, last) = excerpt.lines;
    let count = last.saturating_sub(first) as usize + 1;
    let lines = excerpt.text.lines();
    let mut shown = String::new();
    let mut marks = Vec::new();
    let mut column = 1;
    for line in lines.skip(first.saturating_sub(1) as usize).take(count) {
        let content = line.trim();
        let indent = line.len() - line.trim_start().len();
        if marks.is_empty() {
            column = line[..indent].chars().count() + 1;
        }
        let start = shown.len() + indent;
        if !content.is_empty() {
            marks.push(start..start + content.len());
        }
        shown.push_str(line);
        shown.push('\n');
    }
    (shown, marks, column)
}

/// The failure as a problem of a file, with that file: for programs.
pub fn problem(message: &str, excerpt: &Excerpt, help: Option<&str>) -> (Diagnostic, SourceMap) {
    let mut sources = SourceMap::default();
    let source = sources.add(Source {
        name: excerpt.file.clone(),
        text: excerpt.text.as_str().into(),
        parent: None,
    });
    let mut starts = vec![0];
    starts.extend(excerpt.text.match_indices('\n').map(|(at, _)| at + 1));
    let at = |line: u32| starts.get(line as usize).copied();
    let start = at(excerpt.lines.0.saturating_sub(1)).unwrap_or_default();
    let end = at(excerpt.lines.1).unwrap_or(excerpt.text.len());
    let written = excerpt.text.get(start..end).unwrap_or_default();
    let indent = written.len() - written.trim_start().len();
    let range = start + indent..start + written.trim_end().len().max(indent);
    let span = Span::in_text(source, &excerpt.text, range);
    let mut problem = Diagnostic::error(message).code(code::COMMAND).at(span);
    problem.help = help.map(str::to_owned);
    (problem, sources)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt() -> Excerpt {
        Excerpt {
            file: "app/Dockerfile".to_owned(),
            text: "FROM base\n  RUN make \\\n    all\nUSER 1\n".to_owned(),
            lines: (2, 3),
            path: Vec::new(),
            output: vec!["no rule".to_owned()],
        }
    }

    #[test]
    fn all_lines_of_an_instruction_are_underlined() {
        insta::assert_snapshot!(render("make failed", &excerpt(), Some("repair it"), false), @r"
        app/Dockerfile:2:3: make failed
          |
        2 |   RUN make \
          |   ^^^^^^^^^^
        3 |     all
          |     ^^^
        its last output:
          no rule
        help: repair it
        ");
    }

    #[test]
    fn programs_get_the_place() {
        let (problem, sources) = problem("make failed", &excerpt(), None);
        let span = problem.span.expect("it has a place");
        assert_eq!(sources.locate(span), "app/Dockerfile:2:3");
        assert_eq!(sources.end_of(span).line, 3);
    }
}
