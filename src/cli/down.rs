//! `down`: stops and removes what `up` made.

use std::process::ExitCode;

use super::session::{Session, Work};
use super::{Context, Error, providers};
use crate::plan::options::{Down, RemoveImages};
use crate::plan::reconcile;

/// Options of `down`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose down
  rcompose down --volumes --rmi local        data and built images too
  rcompose down web                          only this service")]
pub struct Args {
    /// Treat containers that another folder made under this project name as part of it
    #[arg(long)]
    pub adopt: bool,

    /// Remove containers of services that the compose files do not define
    #[arg(long)]
    pub remove_orphans: bool,

    /// Also remove images: "local" for those without a tag of your own, "all" for every one
    #[arg(long, value_name = "WHICH")]
    pub rmi: Option<String>,

    /// Seconds to let containers stop by themselves
    #[arg(
        short = 't',
        long,
        value_name = "SECONDS",
        allow_negative_numbers = true
    )]
    pub timeout: Option<i64>,

    /// Also remove the named volumes of the project and the anonymous ones of its containers
    #[arg(short = 'v', long)]
    pub volumes: bool,

    /// Services to act on (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

impl Args {
    /// The whole project with the containers of services that are no longer in its files.
    pub(super) fn of_project() -> Self {
        Self {
            adopt: false,
            remove_orphans: true,
            rmi: None,
            timeout: None,
            volumes: false,
            services: Vec::new(),
        }
    }
}

/// Stops and removes containers and networks.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let images = match args.rmi.as_deref() {
        None | Some("") => RemoveImages::None,
        Some("local") => RemoveImages::Local,
        Some("all") => RemoveImages::All,
        Some(other) => {
            return Err(Error::user(format!("invalid value for --rmi: {other:?}"))
                .help("use --rmi local or --rmi all"));
        }
    };
    let session = Session::open_by_name(context, &args.services).await?;
    let mut wants = session.wants_for_down(args.volumes);
    wants.hooks = true;
    wants.project_images = images != RemoveImages::None;
    if let (RemoveImages::All | RemoveImages::Local, Some(project)) = (images, &session.project) {
        wants.images = session.wants_for_up(project, &args.services).images;
    }
    let observed = session.observe(&wants).await?;
    let services = args.services.clone();
    let options = Down {
        services: args.services,
        timeout: args.timeout,
        volumes: args.volumes,
        images,
        remove_orphans: args.remove_orphans || context.flag("COMPOSE_REMOVE_ORPHANS"),
        adopt: args.adopt,
    };
    let scope = session.scope(&observed);
    let plan = reconcile::down(&scope, &observed, &session.settings, &options)
        .map_err(|error| session.plan_error(error))?;
    session
        .perform(plan, Work::thorough("Running", &observed))
        .await?;
    providers::down(&session, &services).await?;
    Ok(ExitCode::SUCCESS)
}
