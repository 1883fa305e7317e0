//! `up`: creates and starts what the compose files describe.

use std::collections::BTreeSet;
use std::process::ExitCode;

use tokio_util::sync::CancellationToken;

use super::creation::{self, Making};
use super::foreground::{self, Attachment, OnExit};
use super::session::{Session, Work};
use super::settings::truth;
use super::watching::{self, Watching};
use super::{Context, Error, attached};
use crate::compose::Project;
use crate::plan::options::{Recreate, Up};
use crate::ui::progress::Mode;
use crate::ui::terminal;

/// Options of `up`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose up                                until Ctrl-C, with the output
  rcompose up -d --wait                      in the background, once all is healthy
  rcompose up -d --build --scale web=3 web")]
pub struct Args {
    /// Treat containers that another folder made under this project name as part of it
    #[arg(long)]
    pub adopt: bool,

    /// Stop all containers when one stops; not with -d
    #[arg(long)]
    pub abort_on_container_exit: bool,

    /// Stop all containers when one fails; not with -d
    #[arg(long)]
    pub abort_on_container_failure: bool,

    /// Also recreate the services that these depend on; not with --no-recreate
    #[arg(long)]
    pub always_recreate_deps: bool,

    /// Show the output of this service only; not with --attach-dependencies
    #[arg(long, value_name = "SERVICE")]
    pub attach: Vec<String>,

    /// Also show the output of services that these depend on
    #[arg(long)]
    pub attach_dependencies: bool,

    /// Build images first
    #[arg(long)]
    pub build: bool,

    /// Leave containers running in the background
    #[arg(short = 'd', long)]
    pub detach: bool,

    /// Return the exit code of this service; implies --abort-on-container-exit
    #[arg(long, value_name = "SERVICE")]
    pub exit_code_from: Option<String>,

    /// Recreate containers even when nothing changed
    #[arg(long)]
    pub force_recreate: bool,

    /// Offer keyboard shortcuts while attached (default: where standard output is a terminal)
    #[arg(
        long,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        value_name = "BOOL"
    )]
    pub menu: Option<bool>,

    /// Do not show the output of this service
    #[arg(long, value_name = "SERVICE")]
    pub no_attach: Vec<String>,

    /// Do not build images
    #[arg(long)]
    pub no_build: bool,

    /// Do not colour the prefixes
    #[arg(long)]
    pub no_color: bool,

    /// Leave the services that these depend on alone
    #[arg(long)]
    pub no_deps: bool,

    /// Do not prefix lines with the name of the container
    #[arg(long)]
    pub no_log_prefix: bool,

    /// Leave containers that exist as they are; not with --force-recreate
    #[arg(long)]
    pub no_recreate: bool,

    /// Create containers without starting them
    #[arg(long)]
    pub no_start: bool,

    /// When to pull: always, missing, never or policy
    #[arg(long, value_name = "WHEN", default_value = "policy")]
    pub pull: String,

    /// Do not show the output of builds
    #[arg(long)]
    pub quiet_build: bool,

    /// Do not show the progress of pulls
    #[arg(long)]
    pub quiet_pull: bool,

    /// Remove containers of services that the compose files do not define
    #[arg(long)]
    pub remove_orphans: bool,

    /// Give recreated containers new anonymous volumes
    #[arg(short = 'V', long)]
    pub renew_anon_volumes: bool,

    /// Number of containers of a service, in place of what the file says
    #[arg(long, value_name = "SERVICE=N")]
    pub scale: Vec<String>,

    /// Seconds to let containers stop by themselves
    #[arg(
        short = 't',
        long,
        value_name = "SECONDS",
        allow_negative_numbers = true
    )]
    pub timeout: Option<i64>,

    /// Show when each line was written
    #[arg(long)]
    pub timestamps: bool,

    /// Wait until services run or are healthy; implies -d
    #[arg(long)]
    pub wait: bool,

    /// Seconds to wait at most
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub wait_timeout: u64,

    /// Watch source files and refresh containers when they change
    #[arg(short = 'w', long)]
    pub watch: bool,

    /// Answer yes to every question
    #[arg(short = 'y', long, alias = "y")]
    pub yes: bool,

    /// Services to act on (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Brings the project up.
pub async fn run(context: &Context, mut args: Args) -> Result<ExitCode, Error> {
    validate(&mut args)?;
    let session = Session::open(context, &args.services).await?;
    let project = session.project()?;
    if project.services.is_empty() && !context.global.all_resources {
        return Err(Error::user("no service selected"));
    }
    if let Some(service) = &args.exit_code_from
        && !project.services.contains_key(service)
    {
        return Err(Error::no_such_service(service, project));
    }
    let mut options = options(context, project, &args)?;
    let mut attachment = attachment(project, &args)?;
    attachment.menu = menu(context, &args);
    let watching = watching(&session, &args, attachment.menu)?;
    let making = Making {
        quiet_pull: args.quiet_pull,
        quiet_build: args.quiet_build,
        yes: args.yes,
    };
    let prepared = creation::prepare(&session, &mut options, making).await?;
    if args.detach || args.no_start || context.dry_run() || !prepared.plan.has_containers() {
        let work = Work::new("Running", &prepared.observed);
        session.perform(prepared.plan, work).await?;
        return Ok(ExitCode::SUCCESS);
    }
    foreground::run(&session, prepared, attachment, watching).await
}

/// What can be watched: asked for by `--watch`, or offered by the menu.
fn watching<'s>(
    session: &'s Session<'_>,
    args: &Args,
    menu: bool,
) -> Result<Option<Watching<'s>>, Error> {
    if !args.watch && !menu {
        return Ok(None);
    }
    let options = watching::Options {
        prune: true,
        quiet: args.quiet_build,
        no_build: args.no_build,
    };
    let token = CancellationToken::new();
    let watching = Watching::prepare(session, &args.services, options, token);
    if args.watch {
        return watching.map(Some);
    }
    Ok(watching.ok())
}

/// Whether keyboard shortcuts are offered: where a person sits at a terminal, unless the option
/// or `COMPOSE_MENU` says no.
fn menu(context: &Context, args: &Args) -> bool {
    let variable = || context.env.get("COMPOSE_MENU").map(|value| truth(value));
    let wanted = args.menu.or_else(variable).unwrap_or(true);
    let progress = context.settings.progress;
    wanted
        && !args.detach
        && attached::is_interactive()
        && progress.resolve(terminal::stderr_is_terminal()) == Mode::Tty
        && terminal::stderr_is_terminal()
}

fn validate(args: &mut Args) -> Result<(), Error> {
    if args.exit_code_from.is_some() && !args.abort_on_container_failure {
        args.abort_on_container_exit = true;
    }
    if args.abort_on_container_exit && args.abort_on_container_failure {
        return Err(Error::user(
            "--abort-on-container-failure cannot be combined with --abort-on-container-exit",
        ));
    }
    let attached = args.attach_dependencies
        || args.abort_on_container_exit
        || args.abort_on_container_failure
        || args.watch
        || !args.attach.is_empty();
    if args.wait && attached {
        return Err(Error::user(
            "--wait cannot be combined with --abort-on-container-exit, --abort-on-container-failure, --attach, --attach-dependencies or --watch",
        ));
    }
    if args.wait {
        args.detach = true;
    }
    if args.detach && attached {
        return Err(Error::user(
            "--detach cannot be combined with --abort-on-container-exit, --abort-on-container-failure, --attach, --attach-dependencies or --watch",
        ));
    }
    if !args.attach.is_empty() && args.attach_dependencies {
        return Err(Error::user(
            "cannot combine --attach and --attach-dependencies",
        ));
    }
    if args.renew_anon_volumes && args.no_recreate {
        return Err(Error::user(
            "--no-recreate and --renew-anon-volumes are incompatible",
        ));
    }
    if args.always_recreate_deps && args.no_recreate {
        return Err(Error::user(
            "--always-recreate-deps and --no-recreate are incompatible",
        ));
    }
    Ok(())
}

fn options(context: &Context, project: &Project, args: &Args) -> Result<Up, Error> {
    let recreate = creation::recreate(args.force_recreate, args.no_recreate)?;
    let recreate_dependencies = if args.always_recreate_deps {
        Recreate::Force
    } else if args.no_recreate {
        Recreate::Never
    } else {
        Recreate::Diverged
    };
    let (remove_orphans, ignore_orphans) =
        creation::orphans(context, project, args.remove_orphans)?;
    Ok(Up {
        services: args.services.clone(),
        no_deps: args.no_deps,
        recreate,
        recreate_dependencies,
        inherit_volumes: !args.renew_anon_volumes,
        scale: creation::scale(project, &args.scale)?,
        timeout: args.timeout,
        remove_orphans,
        ignore_orphans,
        adopt: args.adopt,
        start: !args.no_start,
        wait: args.wait,
        wait_timeout: Some(args.wait_timeout).filter(|seconds| *seconds > 0),
        build: creation::build(args.build, args.no_build)?,
        pull: creation::pull(&args.pull)?,
        now: creation::now(),
        ..Up::default()
    })
}

/// Whose output is shown, and what an exit means.
fn attachment(project: &Project, args: &Args) -> Result<Attachment, Error> {
    let mut services: BTreeSet<String> = if args.attach.is_empty() {
        shown(project, args)
    } else {
        args.attach.iter().cloned().collect()
    };
    let unknown: Vec<&str> = services
        .iter()
        .filter(|name| !project.services.contains_key(*name))
        .map(String::as_str)
        .collect();
    if !unknown.is_empty() {
        return Err(Error::user(format!(
            "cannot attach to services not included in up: {}",
            unknown.join(", ")
        )));
    }
    for name in &args.no_attach {
        services.remove(name);
    }
    Ok(Attachment {
        services,
        named: args.services.clone(),
        prefix: !args.no_log_prefix,
        no_color: args.no_color,
        timestamps: args.timestamps,
        on_exit: match (
            args.abort_on_container_exit,
            args.abort_on_container_failure,
        ) {
            (true, _) => OnExit::Stop,
            (_, true) => OnExit::StopOnFailure,
            _ => OnExit::GoOn,
        },
        exit_code_from: args.exit_code_from.clone(),
        timeout: args.timeout,
        watch: args.watch,
        menu: false,
    })
}

/// Services whose output is shown unless the command line says otherwise.
fn shown(project: &Project, args: &Args) -> BTreeSet<String> {
    let mut todo: Vec<&str> = if args.services.is_empty() {
        project.services.keys().map(String::as_str).collect()
    } else {
        args.services.iter().map(String::as_str).collect()
    };
    let mut seen = BTreeSet::new();
    let mut services = BTreeSet::new();
    while let Some(name) = todo.pop() {
        let Some(service) = project.services.get(name) else {
            continue;
        };
        if !seen.insert(name) {
            continue;
        }
        if service.attach != Some(false) {
            services.insert(name.to_owned());
        }
        if args.attach_dependencies {
            todo.extend(service.depends_on.keys().map(String::as_str));
        }
    }
    services
}
