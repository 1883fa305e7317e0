//! What no builder would accept.

use super::instruction::{Instruction, Keyword};
use super::{Dockerfile, Problem};

/// Flags of each instruction that has some.
const FLAGS: [(Keyword, &[&str]); 5] = [
    (
        Keyword::Add,
        &[
            "chown",
            "chmod",
            "link",
            "keep-git-dir",
            "checksum",
            "exclude",
            "unpack",
        ],
    ),
    (
        Keyword::Copy,
        &["from", "chown", "chmod", "link", "parents", "exclude"],
    ),
    (Keyword::From, &["platform"]),
    (
        Keyword::Healthcheck,
        &[
            "interval",
            "timeout",
            "start-period",
            "start-interval",
            "retries",
        ],
    ),
    (Keyword::Run, &["mount", "network", "security", "device"]),
];

/// Adds what is wrong with the instructions of a text.
pub(super) fn check(file: &mut Dockerfile, text: &str) {
    let mut problems = Vec::new();
    let mut in_stage = false;
    for instruction in &file.instructions {
        if instruction.keyword == Keyword::From {
            in_stage = true;
        } else if !in_stage && instruction.keyword != Keyword::Arg {
            let message = format!("{} stands in front of the first FROM", instruction.keyword);
            let help = "begin with FROM; only ARG may stand before it";
            problems.push(Problem::new(instruction.name.clone(), message).help(help));
        }
        problems.extend(instruction_problem(instruction));
        problems.extend(unknown_flags(instruction));
    }
    if !in_stage && problems.is_empty() && file.problems.is_empty() {
        let first = text.chars().next().map_or(0, char::len_utf8);
        let message = "the file has no FROM";
        let help = "begin with `FROM image:tag`, or `FROM scratch`";
        problems.push(Problem::new(0..first, message).help(help));
    }
    file.problems.append(&mut problems);
}

fn instruction_problem(instruction: &Instruction) -> Option<Problem> {
    let keyword = instruction.keyword;
    let wrong = |message: String, help: &str| {
        Some(Problem::new(instruction.name.clone(), message).help(help))
    };
    let count = instruction.words().len();
    // An empty list of them takes back those of the base.
    if count == 0
        && instruction.json().is_none()
        && !matches!(keyword, Keyword::Cmd | Keyword::Entrypoint)
    {
        return wrong(format!("{keyword} says nothing"), example(keyword));
    }
    match keyword {
        Keyword::From => from(instruction),
        Keyword::Copy | Keyword::Add if count < 2 => {
            let message = format!("{keyword} has a source or a destination, but not both");
            wrong(message, example(keyword))
        }
        Keyword::Shell if instruction.json().is_none_or(|parts| parts.is_empty()) => {
            wrong("SHELL takes a JSON list".to_owned(), example(keyword))
        }
        Keyword::Env | Keyword::Label => {
            let pairs = instruction.pairs();
            let pair = pairs.iter().find(|pair| pair.value.is_none())?;
            let message = format!("{keyword} {} has no value", pair.name);
            let help = format!("write {keyword} {}=value", pair.name);
            Some(Problem::new(pair.range.clone(), message).help(help))
        }
        Keyword::Healthcheck => {
            let words = instruction.words();
            let first = words.first()?;
            let known = ["CMD", "NONE"]
                .iter()
                .any(|name| first.text.eq_ignore_ascii_case(name));
            if known {
                return None;
            }
            let message = format!("HEALTHCHECK {} is neither CMD nor NONE", first.text);
            Some(Problem::new(first.range.clone(), message).help(example(keyword)))
        }
        Keyword::Onbuild => onbuild(instruction),
        _ => None,
    }
}

fn from(instruction: &Instruction) -> Option<Problem> {
    let words = instruction.words();
    let is_as = |index: usize| {
        words
            .get(index)
            .is_some_and(|word| word.text.eq_ignore_ascii_case("as"))
    };
    let range = match words.len() {
        0 | 1 => return None,
        3 if is_as(1) => return None,
        2 if is_as(1) => words[1].range.clone(),
        _ if is_as(1) => words[3].range.clone(),
        _ => words[1].range.clone(),
    };
    let help = example(Keyword::From);
    Some(Problem::new(range, "FROM takes an image, and perhaps AS and a name").help(help))
}

fn onbuild(instruction: &Instruction) -> Option<Problem> {
    let first = instruction.words().into_iter().next()?;
    let message = match Keyword::parse(&first.text) {
        Some(Keyword::Onbuild | Keyword::From | Keyword::Maintainer) => {
            format!("ONBUILD cannot keep {}", first.text.to_uppercase())
        }
        Some(_) => return None,
        None => format!("there is no instruction {}", first.text),
    };
    Some(Problem::new(first.range, message))
}

fn unknown_flags(instruction: &Instruction) -> Vec<Problem> {
    let known = FLAGS
        .iter()
        .find(|(keyword, _)| *keyword == instruction.keyword)
        .map_or(&[][..], |(_, flags)| flags);
    instruction
        .flags
        .iter()
        .filter(|flag| !known.contains(&flag.name.as_str()))
        .map(|flag| {
            let message = format!("{} has no flag --{}", instruction.keyword, flag.name);
            let problem = Problem::new(flag.range.clone(), message);
            if known.is_empty() {
                return problem;
            }
            problem.help(format!("there are --{}", known.join(", --")))
        })
        .collect()
}

fn example(keyword: Keyword) -> &'static str {
    match keyword {
        Keyword::Add | Keyword::Copy => "write `COPY source … destination`",
        Keyword::Arg => "write `ARG name`, or `ARG name=default`",
        Keyword::Env | Keyword::Label => "write `name=value`",
        Keyword::Expose => "write a port, such as `EXPOSE 8080`",
        Keyword::From => "write `FROM image:tag`, or `FROM image:tag AS name`",
        Keyword::Healthcheck => "write `HEALTHCHECK CMD command`, or `HEALTHCHECK NONE`",
        Keyword::Shell => "write `SHELL [\"/bin/bash\", \"-c\"]`",
        _ => "remove it, or say what it is to do",
    }
}
