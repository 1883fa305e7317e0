//! The flags of `config`.

/// Options of `config`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose config                            the project as it is understood
  rcompose config --services
  rcompose config --why services.web.image   where a value comes from")]
pub struct Args {
    /// Print the variables used for interpolation
    #[arg(long)]
    pub environment: bool,

    /// Format of the output: yaml or json
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,

    /// Print the configuration hash of these services ("*" for all)
    #[arg(long, value_name = "SERVICES")]
    pub hash: Option<String>,

    /// Print the image names
    #[arg(long)]
    pub images: bool,

    /// Print an override file that pins images to their digests
    #[arg(long)]
    pub lock_image_digests: bool,

    /// Print the model names
    #[arg(long)]
    pub models: bool,

    /// Print the network names
    #[arg(long)]
    pub networks: bool,

    /// Do not check that references between parts of the project hold
    #[arg(long)]
    pub no_consistency: bool,

    /// Do not read the env files of services
    #[arg(long)]
    pub no_env_resolution: bool,

    /// Leave variables as they are written
    #[arg(long)]
    pub no_interpolate: bool,

    /// Leave defaults out
    #[arg(long)]
    pub no_normalize: bool,

    /// Leave paths as they are written
    #[arg(long)]
    pub no_path_resolution: bool,

    /// File to write to instead of standard output
    #[arg(short = 'o', long, value_name = "FILE")]
    pub output: Option<std::path::PathBuf>,

    /// Print the profile names
    #[arg(long)]
    pub profiles: bool,

    /// Only check, print nothing
    #[arg(short = 'q', long)]
    pub quiet: bool,

    /// Pin images to their digests
    #[arg(long)]
    pub resolve_image_digests: bool,

    /// Print the service names
    #[arg(long)]
    pub services: bool,

    /// Print the variables that the files use, with their defaults
    #[arg(long)]
    pub variables: bool,

    /// Print the volume names
    #[arg(long)]
    pub volumes: bool,

    /// Tell which layers set a value and which one won: a path such as services.web.image, or a
    /// variable
    #[arg(long, value_name = "PATH|VARIABLE", conflicts_with = "no_interpolate")]
    pub why: Vec<String>,

    /// Services to show (default: all)
    #[arg(value_name = "SERVICE")]
    pub selected: Vec<String>,
}
