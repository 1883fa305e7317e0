//! A build that failed → an error with the lines of the Dockerfile that it comes from.

use std::path::Path;

use bollard_buildkit_proto::google::rpc;
use prost::Message as _;

use super::recipe::{Context, Dockerfile, Recipe, problem};
use super::trace::Failed;
use crate::dockerfile;
use crate::report::Excerpt;
use crate::run::Error;

/// First and last line, counted from 1.
pub(super) type Lines = (u32, u32);

/// What a builder says of a build that failed.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Its words.
    pub(super) text: String,
    /// The lines of the Dockerfile, where it tells them.
    pub(super) lines: Option<Lines>,
    /// The step that failed, where it was one.
    pub(super) step: Option<Failed>,
}

/// Places in source files, as BuildKit attaches them to errors.
#[derive(Clone, PartialEq, prost::Message)]
struct Source {
    #[prost(message, repeated, tag = "2")]
    ranges: Vec<bollard_buildkit_proto::pb::Range>,
}

/// The same in older versions, which write JSON.
#[derive(serde::Deserialize)]
struct JsonSource {
    #[serde(default)]
    ranges: Vec<JsonRange>,
}

#[derive(serde::Deserialize)]
struct JsonRange {
    start: JsonPosition,
    end: JsonPosition,
}

#[derive(serde::Deserialize)]
struct JsonPosition {
    #[serde(default)]
    line: u32,
}

/// The lines that the details of an answer of BuildKit name: those of the innermost failure.
pub(super) fn lines_of(status: &tonic::Status) -> Option<Lines> {
    let details = rpc::Status::decode(status.details()).ok()?.details;
    let sources = details
        .iter()
        .filter(|detail| detail.type_url.contains("errdefs.Source"));
    sources
        .filter_map(|detail| {
            let ranges: Vec<Lines> = if detail.type_url.ends_with("+json") {
                let source: JsonSource = serde_json::from_slice(&detail.value).ok()?;
                let ranges = source.ranges.iter();
                ranges
                    .map(|range| (range.start.line, range.end.line))
                    .collect()
            } else {
                let source = Source::decode(detail.value.as_slice()).ok()?;
                let line = |line: i32| u32::try_from(line).unwrap_or(0);
                let ranges = source
                    .ranges
                    .iter()
                    .filter_map(|range| Some((line(range.start?.line), line(range.end?.line))));
                ranges.collect()
            };
            let first = ranges.iter().map(|range| range.0).min()?;
            let last = ranges.iter().map(|range| range.1).max()?;
            (first > 0).then_some((first, last.max(first)))
        })
        .next_back()
}

/// The line that a refusal of a Dockerfile names in its words.
fn line_in(text: &str) -> Option<Lines> {
    let rest = text.split("parse error").nth(1)?;
    let rest = rest.split("line ").nth(1)?;
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    let line: u32 = rest[..end].parse().ok()?;
    (line > 0).then_some((line, line))
}

/// The error for a build that failed.
pub(super) fn error(recipe: &Recipe, report: Report) -> Error {
    let service = &recipe.service;
    let text = plain(&report.text);
    let mut error = Error::new(format!(
        "cannot build the image of service {service:?}: {text}"
    ));
    error.remedy = remedy(recipe, &report.text);
    if is_missing_target(&report.text) {
        error.path = problem(service, "target", "").path;
    }
    if is_refused_entitlement(&report.text) {
        let attribute = if recipe.privileged {
            "privileged"
        } else {
            "entitlements"
        };
        error.path = problem(service, attribute, "").path;
    }
    if is_unknown_cache(&report.text) {
        error.path = problem(service, "cache_to", "").path;
    }
    let lines = report.lines.or_else(|| line_in(&report.text));
    let output = report
        .step
        .as_ref()
        .map(|step| step.lines.clone())
        .unwrap_or_default();
    if let Some((name, text, path)) = dockerfile_of(recipe)
        && let Some(lines) = lines.or_else(|| located(&text, report.step.as_ref()?))
    {
        error.excerpt = Some(Box::new(Excerpt {
            file: name,
            text,
            lines,
            path,
            output,
        }));
        return error;
    }
    if let Some(step) = report.step.filter(|step| !step.lines.is_empty()) {
        error.message.push_str("\n  ");
        error.message.push_str(&step.name);
        for line in &step.lines {
            error.message.push_str("\n  ");
            error.message.push_str(line);
        }
    }
    error
}

/// The lines of the instruction that a step runs.
fn located(text: &str, step: &Failed) -> Option<Lines> {
    let range = dockerfile::locate_step(&dockerfile::parse(text), &step.name)?;
    let line = |end: usize| {
        let before = text.get(..end).unwrap_or_default();
        u32::try_from(before.matches('\n').count() + 1).unwrap_or(u32::MAX)
    };
    Some((line(range.start), line(range.end)))
}

/// The builder's words without what only it understands.
fn plain(text: &str) -> String {
    const LEADS: [&str; 5] = [
        "rpc error: code = Unknown desc = ",
        "failed to solve: ",
        "failed to solve with frontend dockerfile.v0: ",
        "failed to compute cache key: ",
        "dockerfile.v0: ",
    ];
    let mut text = text;
    while let Some(rest) = LEADS.iter().find_map(|lead| text.strip_prefix(lead)) {
        text = rest;
    }
    // `failed to calculate checksum of ref NUMBER::NUMBER: "/file": not found`
    if text.starts_with("failed to calculate checksum of ref ")
        && let Some((_, rest)) = text.split_once(": ")
    {
        text = rest;
    }
    text.to_owned()
}

fn remedy(recipe: &Recipe, text: &str) -> Option<String> {
    let is_missing_file = text.contains("failed to calculate checksum of ref")
        || text.contains("failed to compute cache key")
        || text.contains("file not found in build context");
    let remedy = if text.contains("unsupported frontend capability") {
        "`build.additional_contexts` needs a newer engine (23 or later)".to_owned()
    } else if text.contains("unknown flag: --") || text.contains("unknown instruction") {
        "correct the Dockerfile; newer syntax needs a newer engine".to_owned()
    } else if is_refused_entitlement(text) {
        "allow it in the engine's configuration (`builder.entitlements`)".to_owned()
    } else if is_unknown_cache(text) {
        "use type=inline, or turn on the engine's containerd image store".to_owned()
    } else if is_missing_file && text.contains("not found") {
        match &recipe.context {
            Context::Local(root) => format!(
                "create it below the build context {}, or correct the path; a .dockerignore may leave it out",
                root.display()
            ),
            Context::Remote(_) => "correct the path".to_owned(),
        }
    } else if is_missing_target(text) {
        "correct `build.target`, or name a stage of the Dockerfile with `AS`".to_owned()
    } else {
        return None;
    };
    Some(remedy)
}

/// Whether the builder cannot write a cache of the kind that `build.cache_to` asks for.
fn is_unknown_cache(text: &str) -> bool {
    text.contains("unknown cache exporter")
}

fn is_refused_entitlement(text: &str) -> bool {
    text.contains("is not allowed") && text.contains("entitlement")
}

/// Whether the Dockerfile has no stage of the name that `build.target` gives.
fn is_missing_target(text: &str) -> bool {
    text.contains("target stage") && text.contains("could not be found")
        || text.contains("failed to reach build target")
}

/// The Dockerfile of a recipe, where it is here: its name for people, its text, and the attribute of the compose files
/// that it stands in.
fn dockerfile_of(recipe: &Recipe) -> Option<(String, String, Vec<String>)> {
    let read = |path: &Path| Some((shown(path), std::fs::read_to_string(path).ok()?, Vec::new()));
    match (&recipe.dockerfile, &recipe.context) {
        (Dockerfile::Outside(path), _) => read(path),
        (Dockerfile::Inside(path), Context::Local(root)) => read(&root.join(path)),
        (Dockerfile::Inside(_), Context::Remote(_)) => None,
        (Dockerfile::Inline(text), _) => {
            let path = ["services", &recipe.service, "build", "dockerfile_inline"];
            let path = path.map(str::to_owned).to_vec();
            Some(("Dockerfile".to_owned(), text.clone(), path))
        }
    }
}

/// A path as people would write it here.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let inside = here.and_then(|here| path.strip_prefix(here).ok());
    inside.unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_errors_name_their_line() {
        let text = "failed to solve: dockerfile parse error on line 3: unknown instruction: NO";
        assert_eq!(line_in(text), Some((3, 3)));
        let older = "dockerfile parse error line 12: unknown instruction: NO";
        assert_eq!(line_in(older), Some((12, 12)));
        assert_eq!(line_in("exit code: 3"), None);
    }

    #[test]
    fn steps_are_found_in_the_dockerfile() {
        let text = "FROM base AS one\nENV A=1\nRUN make \\\n  all\nCOPY a b\n";
        let step = |name: &str| Failed {
            name: name.to_owned(),
            lines: Vec::new(),
        };
        assert_eq!(
            located(text, &step("[one 2/3] RUN make   all")),
            Some((3, 4))
        );
        assert_eq!(located(text, &step("Step 4/4 : COPY a b")), Some((5, 5)));
        assert_eq!(located(text, &step("exporting to image")), None);
    }

    #[test]
    fn words_of_the_inside_are_left_out() {
        let text = "failed to solve: failed to compute cache key: failed to calculate checksum of \
                    ref 1a::2b: \"/nosuch\": not found";
        assert_eq!(plain(text), "\"/nosuch\": not found");
        assert_eq!(plain("exit code: 3"), "exit code: 3");
    }

    #[test]
    fn details_of_an_answer_have_the_lines() {
        use bollard_buildkit_proto::pb::{Position, Range};
        let position = |line| Some(Position { line, character: 0 });
        let source = Source {
            ranges: vec![Range {
                start: position(3),
                end: position(5),
            }],
        };
        let mut details = rpc::Status {
            code: 2,
            ..rpc::Status::default()
        };
        let any = |url: &str, value: Vec<u8>| bollard_buildkit_proto::google::protobuf::Any {
            type_url: url.to_owned(),
            value,
        };
        details
            .details
            .push(any("errdefs.Source", source.encode_to_vec()));
        let status = |details: &rpc::Status| {
            let details = details.encode_to_vec();
            tonic::Status::with_details(tonic::Code::Unknown, "no", details.into())
        };
        assert_eq!(lines_of(&status(&details)), Some((3, 5)));
        let json = br#"{"ranges":[{"start":{"line":7},"end":{"line":7}}]}"#;
        let url = "github.com/moby/buildkit/errdefs.Source+json";
        details.details.push(any(url, json.to_vec()));
        assert_eq!(lines_of(&status(&details)), Some((7, 7)));
    }
}
