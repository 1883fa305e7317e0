//! `ps`: lists containers.

use std::process::ExitCode;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Context, Error};
use crate::compose::Project;
use crate::report::Listed;
use crate::run::list::{self, Query};
use crate::ui::listing::Format;
use crate::ui::{self, containers};

/// Options of `ps`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose ps
  rcompose ps --all --format json
  rcompose ps --services --status running")]
pub struct Args {
    /// Also list stopped containers and those made by `run`
    #[arg(short = 'a', long)]
    pub all: bool,

    /// Only list containers for which this holds: status=STATUS
    #[arg(long, value_name = "KEY=VALUE")]
    pub filter: Option<String>,

    /// Format of the output: table, json, "table TEMPLATE" or a Go template
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: String,

    /// Do not cut long values
    #[arg(long)]
    pub no_trunc: bool,

    /// Also list containers of services that the compose files do not define (default: true)
    #[arg(
        long,
        action = clap::ArgAction::Set,
        default_value_t = true,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        hide_default_value = true
    )]
    pub orphans: bool,

    /// Print the container ids only
    #[arg(short = 'q', long)]
    pub quiet: bool,

    /// Print the service names only
    #[arg(long)]
    pub services: bool,

    /// Only list containers in this state: paused, restarting, removing, running, dead, created
    /// or exited
    #[arg(long, value_name = "STATUS")]
    pub status: Vec<String>,

    /// Services to list (default: all)
    #[arg(value_name = "SERVICE")]
    pub selected: Vec<String>,
}

/// Lists containers.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let statuses = statuses(&args)?;
    let format = Format::new(&args.format, containers::COLUMNS)?;
    let (loaded, name) = context.project_or_name(&args.selected)?;
    let services = services(&args, loaded.as_ref().map(|loaded| &loaded.project))?;
    let docker = context.connect().await?;
    let all = args.all || !statuses.is_empty();
    let query = Query {
        project: Some(&name),
        stopped: all,
        one_offs: all,
        foreign: false,
    };
    let mut listed = list::containers(&docker, query).await?;
    listed.retain(|container| {
        (services.is_empty() || services.iter().any(|name| name == container.service()))
            && (statuses.is_empty() || statuses.contains(&container.state))
    });
    ui::out::stdout(&text(&args, &format, &listed)?)?;
    Ok(ExitCode::SUCCESS)
}

/// States of `--status` and `--filter`.
fn statuses(args: &Args) -> Result<Vec<String>, Error> {
    let mut statuses = args.status.clone();
    if let Some(filter) = args.filter.as_deref().filter(|filter| !filter.is_empty()) {
        match filter.split_once('=') {
            Some(("status", status)) => statuses.push(status.to_owned()),
            Some((key, _)) => {
                return Err(
                    Error::user(format!("unknown filter {key}")).help("use --filter status=STATUS")
                );
            }
            None => {
                return Err(Error::user(
                    "arguments to --filter should be in form KEY=VAL",
                ));
            }
        }
    }
    Ok(statuses)
}

/// Services to list; none for all.
fn services(args: &Args, project: Option<&Project>) -> Result<Vec<String>, Error> {
    let Some(project) = project else {
        return Ok(args.selected.clone());
    };
    for service in &args.selected {
        if !project.services.contains_key(service) {
            return Err(Error::no_such_service(service, project));
        }
    }
    if args.selected.is_empty() && !args.orphans {
        return Ok(project.services.keys().cloned().collect());
    }
    Ok(args.selected.clone())
}

fn text(args: &Args, format: &Format, listed: &[Listed]) -> Result<String, Error> {
    if args.quiet {
        return Ok(ui::out::lines(
            listed.iter().map(|container| container.id.as_str()),
        ));
    }
    if args.services {
        let mut names: Vec<&str> = Vec::new();
        for container in listed {
            if !names.contains(&container.service()) {
                names.push(container.service());
            }
        }
        return Ok(names.join("\n") + "\n");
    }
    let (now, zone) = (Timestamp::now(), TimeZone::system());
    let rows: Vec<_> = listed
        .iter()
        .map(|container| containers::row(container, !args.no_trunc, now, &zone))
        .collect();
    Ok(format.render(&containers::header(), &rows)?)
}
