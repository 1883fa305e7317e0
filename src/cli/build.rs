//! `build`: builds images.

use std::process::ExitCode;

use super::{Context, Error};

/// Options of `build`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Build argument; without a value it is taken from the environment
    #[arg(long = "build-arg", value_name = "NAME[=VALUE]")]
    pub build_args: Vec<String>,

    /// Builder to use
    #[arg(long, value_name = "NAME")]
    pub builder: Option<String>,

    /// Check the build configuration without building
    #[arg(long)]
    pub check: bool,

    /// Memory limit of the build container; the engine's classic builder only
    #[arg(short = 'm', long, value_name = "BYTES")]
    pub memory: Option<String>,

    /// Do not use the build cache
    #[arg(long)]
    pub no_cache: bool,

    /// Print the build as a bake file instead of building
    #[arg(long)]
    pub print: bool,

    /// Attach a provenance attestation
    #[arg(long, value_name = "VALUE")]
    pub provenance: Option<String>,

    /// Look for newer versions of the base images
    #[arg(long)]
    pub pull: bool,

    /// Push the images afterwards
    #[arg(long)]
    pub push: bool,

    /// Do not show the output of the build
    #[arg(short = 'q', long)]
    pub quiet: bool,

    /// Attach a software bill of materials
    #[arg(long, value_name = "VALUE")]
    pub sbom: Option<String>,

    /// SSH agent or keys to offer to the build ("default" for your agent)
    #[arg(long, value_name = "ID[=PATH]")]
    pub ssh: Option<String>,

    /// Also build the services that these depend on
    #[arg(long)]
    pub with_dependencies: bool,

    /// Compress the build context (deprecated)
    #[arg(long, hide = true)]
    pub compress: bool,

    /// Always remove intermediate containers (deprecated)
    #[arg(long, hide = true)]
    pub force_rm: bool,

    /// Keep intermediate containers (deprecated)
    #[arg(long, hide = true)]
    pub no_rm: bool,

    /// Build in parallel (deprecated)
    #[arg(long, hide = true)]
    pub parallel: bool,

    /// How to show progress (deprecated here, give it before the command)
    #[arg(long, value_name = "MODE", hide = true)]
    pub progress: Option<String>,

    /// Services to act on (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Builds the images of the chosen services.
pub async fn run(_context: &Context, _args: Args) -> Result<ExitCode, Error> {
    Err(Error::user("build is not available in this build"))
}
