//! Measures rcompose beside docker compose, in one run on one engine.
//!
//! `cargo bench --bench compare -- --compose /path/to/docker-compose --engine unix:///path/docker.sock`
//!
//! Wall clock, processor time, peak memory and API requests of `config`, `up -d`, `ps` and `down`,
//! and how long a dependent waits after the engine has said that its dependency is healthy. The
//! two tools take turns; medians are reported. Without `--engine` only `config` is measured. With
//! `--bundled` docker compose on that engine is measured beside rcompose on the bundled one; with
//! `--build` builds of images are, on both.

#![cfg(unix)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints its results"
)]

mod build;
mod bundled;
mod chain;
mod compose_files;
mod engine;
mod measure;
mod options;
mod proxy;
#[path = "../common/release.rs"]
mod release;
mod report;
mod scenarios;
mod tool;

use std::process::ExitCode;

/// Anything that stops a benchmark, worded for people.
type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(code) = measure::serve(&arguments) {
        return code;
    }
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Vec<String>) -> Result<(), Error> {
    let Some(options) = options::Options::read(arguments)? else {
        println!("no --compose given: nothing to compare with");
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let mut report = report::Report::default();
    if options.build {
        let socket = options.engine.as_deref();
        let socket = socket.ok_or("--build needs --engine, the engine to build on")?;
        engine::Engine::prepare(socket, folder.path())?;
        build::builds(&options, socket, folder.path(), &mut report)?;
        print!("{report}");
        return Ok(());
    }
    if options.bundled {
        let socket = options.engine.as_deref();
        let socket = socket.ok_or("--bundled needs --engine, the engine to compare with")?;
        engine::Engine::prepare(socket, folder.path())?;
        bundled::beside_docker(&options, socket, folder.path(), &mut report)?;
        print!("{report}");
        return Ok(());
    }
    scenarios::config(&options, folder.path(), &mut report)?;
    if let Some(socket) = &options.engine {
        let engine = engine::Engine::prepare(socket, folder.path())?;
        scenarios::on_engine(&options, folder.path(), &engine, &mut report)?;
    }
    print!("{report}");
    Ok(())
}
