//! Options before the command, and the list of commands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::{
    alpha, attach, bridge, build, commit, completion, config, cp, create, down, engine, events,
    exec, export, images, kill, lint, logs, ls, man, migrate, pause, plan, port, ps, publish, pull,
    push, restart, rm, run, scale, schema, start, stats, stop, top, up, version, volumes, wait,
    watch,
};
use crate::connect::Intent;

/// Define and run applications made of several containers.
#[derive(Debug, Parser)]
#[command(
    name = "rcompose",
    disable_version_flag = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub struct Cli {
    /// Options that hold for every command.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options given before the command; `--dry-run` may also follow it.
#[derive(Debug, Clone, Default, Args)]
pub struct GlobalArgs {
    /// Keep networks, volumes, secrets and configs that no service uses
    #[arg(long)]
    pub all_resources: bool,

    /// Whether to write colours and cursor movements: never, always or auto (default: auto)
    #[arg(long, value_name = "WHEN")]
    pub ansi: Option<String>,

    /// Name things as the first docker-compose did, with "_" between the parts
    #[arg(long)]
    pub compatibility: bool,

    /// How to write problems of files: human, json or sarif (default: human)
    #[arg(long, value_name = "FORMAT")]
    pub diagnostics: Option<String>,

    /// Show what would be done without doing it
    #[arg(long, global = true, display_order = 900)]
    pub dry_run: bool,

    /// Engine to talk to: a socket path, a URL, "docker", "podman" or "bundled"
    #[arg(long, value_name = "ENGINE", env = "RCOMPOSE_ENGINE", hide_env = true)]
    pub engine: Option<String>,

    /// File with environment variables; may be given several times, replaces .env
    #[arg(long = "env-file", value_name = "FILE")]
    pub env_files: Vec<PathBuf>,

    /// Compose file; may be given several times, later ones override earlier ones
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub files: Vec<String>,

    /// Registry that compose files are read from and published to without TLS, as HOST or HOST:PORT
    #[arg(long = "insecure-registry", value_name = "REGISTRY", hide = true)]
    pub insecure_registries: Vec<String>,

    /// How many engine requests may run at once; -1 for no limit
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub parallel: Option<i64>,

    /// Profile to enable; may be given several times, "*" enables all
    #[arg(long = "profile", value_name = "PROFILE")]
    pub profiles: Vec<String>,

    /// How to show progress: auto, tty, plain, json or quiet
    #[arg(long, value_name = "MODE")]
    pub progress: Option<String>,

    /// Folder that relative paths start from (default: the folder of the first compose file)
    #[arg(long, value_name = "DIR")]
    pub project_directory: Option<PathBuf>,

    /// Name of the project
    #[arg(short = 'p', long, value_name = "NAME")]
    pub project_name: Option<String>,

    /// Never write colours and cursor movements (deprecated, use --ansi never)
    #[arg(long, hide = true)]
    pub no_ansi: bool,

    /// Log what the program does
    #[arg(long, hide = true)]
    pub verbose: bool,

    /// Show the version
    #[arg(short = 'v', long, hide = true)]
    pub version: bool,

    /// Folder that relative paths start from (deprecated, use --project-directory)
    #[arg(long, value_name = "DIR", hide = true)]
    pub workdir: Option<PathBuf>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// What docker compose calls experimental
    Alpha(alpha::Args),
    /// Join the standard streams to those of a running container
    Attach(attach::Args),
    /// Turn the project into files for something else, such as Kubernetes
    Bridge(bridge::Args),
    /// Build the images of services
    Build(build::Args),
    /// Make an image of a container
    Commit(commit::Args),
    /// Print a script that completes commands and options in a shell
    Completion(completion::Args),
    /// Check the compose files and print what they mean
    #[command(alias = "convert")]
    Config(config::Args),
    /// Copy files between containers and this machine
    Cp(cp::Args),
    /// Create containers without starting them
    Create(create::Args),
    /// Stop and remove containers and networks
    Down(down::Args),
    /// Start, stop and look after the engine that comes with this program
    Engine(engine::Args),
    /// Tell what happens to containers
    Events(events::Args),
    /// Run a command in a running container
    Exec(exec::Args),
    /// Write all files of a container as an archive
    Export(export::Args),
    /// List the images that containers were made from
    Images(images::Args),
    /// Kill running containers
    Kill(kill::Args),
    /// Find what is probably not meant in compose files and Dockerfiles
    Lint(lint::Args),
    /// Show what containers wrote
    Logs(logs::Args),
    /// List projects
    Ls(ls::Args),
    /// Write manual pages
    Man(man::Args),
    /// Rewrite a compose file of an older format in today's
    Migrate(migrate::Args),
    /// Freeze running containers
    #[command(after_help = "Example:\n  rcompose pause web")]
    Pause(pause::Args),
    /// Show what "up" would do, and why
    Plan(plan::Args),
    /// Show where a container port is published
    Port(port::Args),
    /// List containers
    Ps(ps::Args),
    /// Push the compose files to a registry, for others to run
    Publish(publish::Args),
    /// Pull the images of services
    Pull(pull::Args),
    /// Push the images of services
    Push(push::Args),
    /// Restart containers
    Restart(restart::Args),
    /// Remove stopped containers
    Rm(rm::Args),
    /// Run a command in a new container of a service
    Run(run::Args),
    /// Change the number of containers of services
    Scale(scale::Args),
    /// Print the JSON Schema of compose files, for editors
    Schema(schema::Args),
    /// Start containers that exist
    Start(start::Args),
    /// Show what containers use
    Stats(stats::Args),
    /// Stop containers without removing them
    Stop(stop::Args),
    /// Show the processes of containers
    Top(top::Args),
    /// Let frozen containers go on
    #[command(after_help = "Example:\n  rcompose unpause web")]
    Unpause(pause::Args),
    /// Create and start what the compose files describe
    Up(up::Args),
    /// Show the version
    Version(version::Args),
    /// List volumes
    Volumes(volumes::Args),
    /// Wait until the containers of services have stopped
    Wait(wait::Args),
    /// Refresh containers when their source files change
    Watch(watch::Args),
}

impl Command {
    /// What the command is about to do on an engine.
    pub fn intent(&self) -> Intent {
        match self {
            Self::Build(_)
            | Self::Create(_)
            | Self::Pull(_)
            | Self::Run(_)
            | Self::Scale(_)
            | Self::Up(_)
            | Self::Watch(_) => Intent::Make,
            _ => Intent::Look,
        }
    }
}
