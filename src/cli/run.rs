//! `run`: runs a command in a new container of a service.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::creation::{self, Making};
use super::session::{Session, Signals, Work};
use super::{Context, Error, attached, command_line};
use crate::compose::Project;
use crate::compose::model::Service;
use crate::plan::observed::Observed;
use crate::plan::options::{Run, Up};
use crate::plan::{Action, Plan, StepId, inject, reconcile};
use crate::report::event::{self, Event, Status};
use crate::run;
use crate::run::execute::{OnFailure, execute};
use crate::run::oneoff::{self, OneOff};
use crate::ui;

/// Options of `run`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose run --rm web npm test             a new container, gone afterwards
  rcompose run --rm -e DEBUG=1 -v ./data:/data web sh
  rcompose run -d --name job worker")]
pub struct Args {
    /// Build the image first
    #[arg(long)]
    pub build: bool,

    /// Linux capability to add
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    pub cap_add: Vec<String>,

    /// Linux capability to drop
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    pub cap_drop: Vec<String>,

    /// Leave the container running in the background and print its id
    #[arg(short = 'd', long)]
    pub detach: bool,

    /// Entrypoint, in place of the image's
    #[arg(long, value_name = "COMMAND", allow_hyphen_values = true)]
    pub entrypoint: Option<String>,

    /// Environment variable for the container
    #[arg(short = 'e', long, value_name = "NAME[=VALUE]")]
    pub env: Vec<String>,

    /// File with environment variables for the container
    #[arg(long, value_name = "FILE")]
    pub env_from_file: Vec<std::path::PathBuf>,

    /// Keep standard input open (default: true)
    #[arg(
        short = 'i',
        long,
        action = clap::ArgAction::Set,
        default_value_t = true,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        hide_default_value = true
    )]
    pub interactive: bool,

    /// Label to add to the container or to change
    #[arg(short = 'l', long, value_name = "NAME=VALUE")]
    pub label: Vec<String>,

    /// Name of the container
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// Do not allocate a terminal (default: one is allocated where standard output is one)
    #[arg(
        short = 'T',
        long = "no-TTY",
        visible_alias = "no-tty",
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        hide_possible_values = true,
        value_name = "BOOL"
    )]
    pub no_tty: Option<bool>,

    /// Do not start the services that this one depends on
    #[arg(long)]
    pub no_deps: bool,

    /// Publish a port of the container
    #[arg(short = 'p', long, value_name = "PORT")]
    pub publish: Vec<String>,

    /// When to pull: always, missing, never or policy
    #[arg(long, value_name = "WHEN", default_value = "policy")]
    pub pull: String,

    /// Do not print anything but the output of the command
    #[arg(short = 'q', long)]
    pub quiet: bool,

    /// Do not show the output of builds
    #[arg(long)]
    pub quiet_build: bool,

    /// Do not show the progress of pulls
    #[arg(long)]
    pub quiet_pull: bool,

    /// Remove containers of services that the compose files do not define
    #[arg(long)]
    pub remove_orphans: bool,

    /// Remove the container when the command ends
    #[arg(long)]
    pub rm: bool,

    /// Publish the ports of the service
    #[arg(short = 'P', long)]
    pub service_ports: bool,

    /// Answer to the network aliases of the service
    #[arg(long)]
    pub use_aliases: bool,

    /// User to run the command as
    #[arg(short = 'u', long, value_name = "USER")]
    pub user: Option<String>,

    /// Mount a volume or folder
    #[arg(short = 'v', long, value_name = "VOLUME")]
    pub volume: Vec<String>,

    /// Folder to run the command in
    #[arg(short = 'w', long, value_name = "DIR")]
    pub workdir: Option<String>,

    /// Allocate a terminal
    #[arg(
        short = 't',
        long,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        hide = true
    )]
    pub tty: Option<bool>,

    /// Service to run
    #[arg(value_name = "SERVICE")]
    pub service: String,

    /// Command and its arguments (default: the service's)
    #[arg(
        value_name = "COMMAND",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub command: Vec<String>,
}

/// Runs a one-off container and returns its exit code.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    if args.service_ports && !args.publish.is_empty() {
        return Err(Error::user(
            "--service-ports and --publish are incompatible",
        ));
    }
    let terminal = terminal(&args)?;
    let session = Session::open(context, std::slice::from_ref(&args.service)).await?;
    let project = Arc::clone(session.project()?);
    if !project.services.contains_key(&args.service) {
        return Err(Error::no_such_service(&args.service, &project));
    }
    let mut options = options(context, &project, &args, terminal)?;
    let making = Making {
        quiet_pull: args.quiet_pull || args.quiet,
        quiet_build: args.quiet_build || args.quiet,
        yes: false,
    };
    let prepared = creation::prepare(&session, &mut options.dependencies, making).await?;
    let observed = prepared.observed;
    let plan = reconcile::run(&project, &observed, &session.settings, &options)
        .map_err(|error| session.plan_error(error))?;
    if context.dry_run() {
        let work = Work::new("Running", &observed);
        session.perform(plan, work).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let container = create(&session, plan, &observed, &args, &options).await?;
    if args.detach {
        oneoff::detached(&session.engine, &container).await?;
        if !args.quiet {
            ui::out::stdout(&format!("{}\n", container.id))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let terminal = container.terminal && std::io::stdin().is_terminal();
    let detached = CancellationToken::new();
    let streams = attached::streams_of(terminal, args.interactive, &detached)?;
    let raw = attached::raw(terminal)?;
    let code = oneoff::attached(&session.engine, &container, streams, detached).await;
    drop(raw);
    attached::exit(code.map_err(|error| session.run_error(error))?)
}

/// Brings up the dependencies and creates the container.
async fn create(
    session: &Session<'_>,
    plan: Plan,
    observed: &Observed,
    args: &Args,
    options: &Run,
) -> Result<OneOff, Error> {
    session.warn(&plan.warnings)?;
    let (step, service) = one_off(&plan)
        .ok_or_else(|| Error::user(format!("service {:?} cannot be run", args.service)))?;
    let context = session.context;
    let name = service.container_name.clone().unwrap_or_default();
    let (sender, screen) = if args.quiet {
        (tokio::sync::mpsc::unbounded_channel().0, None)
    } else {
        let (sender, screen) = context.progress("Running");
        (without(sender, format!("Container {name}")), Some(screen))
    };
    // Once the container runs, signals are for it.
    let interrupt = CancellationToken::new();
    let listening = tokio::spawn({
        let interrupt = interrupt.clone();
        async move {
            Signals::new().next().await;
            interrupt.cancel();
        }
    });
    let job = session
        .job(sender)
        .interrupted_by(&interrupt)
        .listening_for(&plan, &observed.containers);
    let job = Arc::new(job);
    let parallel = context.settings.parallel;
    let result = execute(plan, Arc::clone(&job), OnFailure::Halt, parallel).await;
    listening.abort();
    let id = job.made_by(step);
    drop(job);
    if let Some(screen) = screen {
        screen.finish().await;
    }
    result.map_err(|error| session.run_error(error))?;
    let project = session.project()?;
    Ok(OneOff {
        id: id.ok_or_else(|| Error::user("the container was not created"))?,
        files: inject::injections(project, &service),
        terminal: service.tty,
        auto_remove: options.auto_remove,
    })
}

/// The step that creates the container, and the service as it is run.
fn one_off(plan: &Plan) -> Option<(StepId, Arc<Service>)> {
    plan.steps.iter().enumerate().find_map(|(index, step)| {
        let Action::Create(create) = &step.action else {
            return None;
        };
        create.one_off.as_ref()?;
        Some((StepId(index), Arc::clone(&create.service)))
    })
}

/// Passes on all events but the progress of one resource, unless that fails: it is not what the
/// person wants to see the output of.
fn without(sender: event::Sender, id: String) -> event::Sender {
    let (filter, mut events) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            let hidden = matches!(
                &event,
                Event::Step(step) if step.id == id && step.status != Status::Error
            );
            if !hidden {
                event::send(&sender, event);
            }
        }
    });
    filter
}

/// Whether the container gets a terminal: as it is asked for, or where a person sits in front of us.
fn terminal(args: &Args) -> Result<bool, Error> {
    let asked = match (args.tty, args.no_tty) {
        (Some(_), Some(_)) => {
            return Err(Error::user("--tty and --no-TTY can't be used together"));
        }
        (Some(tty), None) => tty,
        (None, Some(none)) => !none,
        (None, None) => return Ok(attached::is_interactive()),
    };
    if asked && args.interactive && !args.detach && !std::io::stdin().is_terminal() {
        return Err(Error::user("the input device is not a TTY")
            .help("run it from a terminal, or with --no-TTY"));
    }
    Ok(asked)
}

fn options(
    context: &Context,
    project: &Project,
    args: &Args,
    terminal: bool,
) -> Result<Run, Error> {
    let (volumes, ports) = command_line::mounts_and_ports(context, &args.volume, &args.publish)?;
    let slug: [u8; 32] = rand::random();
    let (remove_orphans, ignore_orphans) =
        creation::orphans(context, project, args.remove_orphans)?;
    let entrypoint = args.entrypoint.as_deref().map(words).transpose()?;
    Ok(Run {
        service: args.service.clone(),
        slug: run::hex(&slug),
        name: args.name.clone().filter(|name| !name.is_empty()),
        command: args.command.clone(),
        entrypoint,
        environment: command_line::environment(project, &args.env, &args.env_from_file)?,
        labels: command_line::labels(&args.label)?,
        user: args.user.clone(),
        working_dir: args.workdir.clone(),
        volumes,
        publish: ports,
        service_ports: args.service_ports,
        use_aliases: args.use_aliases,
        cap_add: args.cap_add.clone(),
        cap_drop: args.cap_drop.clone(),
        tty: terminal,
        interactive: args.interactive,
        auto_remove: args.rm,
        no_deps: args.no_deps,
        dependencies: Up {
            services: vec![args.service.clone()],
            no_deps: args.no_deps,
            remove_orphans,
            ignore_orphans,
            build: creation::build(args.build, false)?,
            pull: creation::pull(&args.pull)?,
            now: creation::now(),
            ..Up::default()
        },
    })
}

/// Splits a command line as a shell does.
fn words(text: &str) -> Result<Vec<String>, Error> {
    shell_words::split(text).map_err(|_| {
        Error::user(format!("--entrypoint: {text:?} has an open quote")).help("close it")
    })
}
