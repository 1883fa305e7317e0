//! `port`: shows where a container port is published.

use std::process::ExitCode;

use super::{Context, Error};

/// Options of `port`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Number of the container when the service has several replicas
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub index: u64,

    /// Protocol of the port: tcp or udp
    #[arg(long, value_name = "PROTOCOL", default_value = "tcp")]
    pub protocol: String,

    /// Service whose container to look at
    #[arg(value_name = "SERVICE")]
    pub service: String,

    /// Port inside the container
    #[arg(value_name = "PRIVATE_PORT")]
    pub private_port: String,
}

/// Prints the published address.
pub async fn run(_context: &Context, _args: Args) -> Result<ExitCode, Error> {
    Err(Error::user("port is not available in this build"))
}
