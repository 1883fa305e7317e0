//! Files that are no files, never end, or lead to themselves.

use std::os::unix::fs::symlink;

use crate::Case;

/// Ways to name a file in a compose file.
const WAYS: [&str; 4] = [
    "services: {a: {image: i, env_file: FILE}}",
    "services: {a: {image: i, label_file: FILE}}",
    "include: [FILE]",
    "services: {a: {extends: {file: FILE, service: a}}}",
];

#[test]
fn that_never_end() {
    for way in WAYS {
        let case = Case::new(&way.replace("FILE", "/dev/zero"));
        case.refused(
            "compose.yaml:1:",
            "/dev/zero is too large: at most 8 MiB are read",
        );
    }
    let case = Case::new("services: {a: {image: i}}");
    for arguments in [["-f", "/dev/zero"], ["--env-file", "/dev/zero"]] {
        case.config(&arguments)
            .refused("", "/dev/zero is too large");
    }
}

#[test]
fn that_are_folders() {
    for way in WAYS {
        let case = Case::new(&way.replace("FILE", "inner"));
        std::fs::create_dir(case.path().join("inner")).expect("a folder");
        case.refused("compose.yaml:1:", "inner is a folder");
    }
}

#[test]
fn that_are_pipes_without_a_writer() {
    let case = Case::new("services: {a: {image: i, env_file: pipe}}");
    nix::unistd::mkfifo(&case.path().join("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    case.refused("compose.yaml:1:", "pipe is a pipe that nobody writes to");
}

#[test]
fn that_link_to_each_other() {
    for way in WAYS {
        let case = Case::new(&way.replace("FILE", "one"));
        symlink("one", case.path().join("two")).expect("a link");
        symlink("two", case.path().join("one")).expect("a link");
        case.refused(
            "compose.yaml:1:",
            "one cannot be read: Too many levels of symbolic links",
        );
    }
}

#[test]
fn that_lead_to_themselves() {
    Case::new("include: [compose.yaml]").refused(
        "compose.yaml:1:11",
        "files include each other in a circle: compose.yaml -> compose.yaml",
    );
    Case::new("services: {a: {extends: {file: compose.yaml, service: a}}}").refused(
        "compose.yaml:1:",
        "services extend each other in a circle: a -> a",
    );
    // Read as an env file, the line is the variable `services`.
    Case::new("services: {a: {image: i, env_file: compose.yaml}}").accepted();
}

#[test]
fn that_lead_on_and_on() {
    let case = Case::new("include: [1.yaml]");
    for index in 1..200 {
        let next = format!("include: [{}.yaml]", index + 1);
        case.file(&format!("{index}.yaml"), next.as_bytes());
    }
    case.refused("99.yaml:1:11", "includes nest deeper than 100 files");
    let case = Case::new("include: [1.yaml, ./1.yaml]");
    for index in 1..30 {
        let next = format!("include: [{0}.yaml, ./{0}.yaml]", index + 1);
        case.file(&format!("{index}.yaml"), next.as_bytes());
    }
    case.file("30.yaml", b"services: {a: {image: i}}");
    case.refused("", "the project has more than 4096 files");
    let links: Vec<String> = (0..1000)
        .map(|index| format!("  s{index}: {{extends: s{}}}\n", index + 1))
        .collect();
    let chain = links.concat();
    Case::new(&format!("services:\n{chain}  s1000: {{image: i}}\n")).refused(
        "compose.yaml:201:",
        "services extend each other over more than 200 steps",
    );
}
