//! `port`: shows where a container port is published.

use std::process::ExitCode;

use bollard::Docker;

use super::{Context, Error};
use crate::report::Listed;
use crate::run::list::{self, Query};
use crate::ui;

/// Options of `port`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose port web 80
  rcompose port --protocol udp --index 2 dns 53")]
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
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let port: u16 = args.private_port.parse().map_err(|_| {
        Error::user(format!(
            "\"{}\" is no port: it must be a number from 0 to 65535",
            args.private_port
        ))
    })?;
    let protocol = args.protocol.to_lowercase();
    let name = context.project_name()?;
    let docker = context.connect().await?;
    let container = container(&docker, &name, &args).await?;
    let published = container
        .ports
        .iter()
        .find(|candidate| candidate.target == port && candidate.protocol == protocol)
        .ok_or_else(|| missing(&container, port, &protocol))?;
    ui::out::stdout(&format!("{}:{}\n", published.ip, published.published))?;
    Ok(ExitCode::SUCCESS)
}

/// The container with the asked number, otherwise the first; one made by `run` only where there
/// is no other.
async fn container(docker: &Docker, project: &str, args: &Args) -> Result<Listed, Error> {
    let query = Query {
        project: Some(project),
        one_offs: true,
        ..Query::default()
    };
    let mut listed = list::containers(docker, query).await?;
    listed.retain(|container| {
        container.service() == args.service && (args.index == 0 || container.number() == args.index)
    });
    listed.sort_by_key(|container| (container.is_one_off(), container.number()));
    listed.into_iter().next().ok_or_else(|| {
        let which = match args.index {
            0 => String::new(),
            number => format!(" container #{number}"),
        };
        Error::user(format!(
            "service \"{}\" is not running{which}",
            args.service
        ))
    })
}

fn missing(container: &Listed, port: u16, protocol: &str) -> Error {
    let mut known: Vec<String> = container
        .ports
        .iter()
        .map(|port| format!("{}/{}", port.target, port.protocol))
        .collect();
    known.dedup();
    Error::user(format!(
        "no port {port}/{protocol} for container {}: {}",
        container.name,
        known.join(", ")
    ))
}
