//! What to compare, and how often.

use std::path::PathBuf;

use clap::Parser;

use crate::{Error, release};

/// Compares rcompose with docker compose.
#[derive(Parser)]
#[command(name = "compare")]
struct Arguments {
    /// The docker compose binary
    #[arg(long, value_name = "PATH")]
    compose: Option<PathBuf>,

    /// The rcompose binary (default: the release build)
    #[arg(long, value_name = "PATH")]
    rcompose: Option<PathBuf>,

    /// Socket of the engine to measure on; without it only `config` is measured
    #[arg(long, value_name = "unix://PATH")]
    engine: Option<String>,

    /// Measure rcompose on its bundled engine beside docker compose on --engine, and nothing else
    #[arg(long)]
    bundled: bool,

    /// Measure builds of images on --engine and on the bundled engine, and nothing else
    #[arg(long)]
    build: bool,

    /// How often to measure each case on the engine
    #[arg(long, default_value_t = 3)]
    repetitions: usize,

    /// How often to measure each `config`
    #[arg(long, default_value_t = 9)]
    config_repetitions: usize,

    /// Numbers of services for `up -d`
    #[arg(long, value_delimiter = ',', default_values_t = [10, 50])]
    sizes: Vec<usize>,

    /// Length of the chain of health checks, 0 for none
    #[arg(long, default_value_t = 10)]
    chain: usize,

    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

/// What to compare, and how often.
pub(crate) struct Options {
    /// The docker compose binary.
    pub(crate) compose: PathBuf,
    /// The rcompose binary.
    pub(crate) rcompose: PathBuf,
    /// Path of the engine's socket.
    pub(crate) engine: Option<PathBuf>,
    /// Whether the engines are compared.
    pub(crate) bundled: bool,
    /// Whether builds of images are measured.
    pub(crate) build: bool,
    /// Repetitions of each case on the engine.
    pub(crate) repetitions: usize,
    /// Repetitions of each `config`.
    pub(crate) config_repetitions: usize,
    /// Numbers of services.
    pub(crate) sizes: Vec<usize>,
    /// Services in the chain of health checks.
    pub(crate) chain: usize,
}

impl Options {
    /// Reads the command line; `None` when there is nothing to compare with, as in a plain
    /// `cargo bench` or `cargo test`.
    ///
    /// # Errors
    /// When the release build is to be measured and cannot be built.
    pub(crate) fn read(arguments: Vec<String>) -> Result<Option<Self>, Error> {
        let program = std::iter::once("compare".to_owned());
        let arguments = Arguments::parse_from(program.chain(arguments));
        let engine = arguments
            .engine
            .map(|engine| PathBuf::from(engine.trim_start_matches("unix://")));
        let Some(compose) = arguments.compose else {
            return Ok(None);
        };
        Ok(Some(Self {
            compose,
            rcompose: arguments.rcompose.map_or_else(release::rcompose, Ok)?,
            engine,
            bundled: arguments.bundled,
            build: arguments.build,
            repetitions: arguments.repetitions.max(1),
            config_repetitions: arguments.config_repetitions.max(1),
            sizes: arguments.sizes,
            chain: arguments.chain,
        }))
    }
}
