//! `logs`: shows what containers wrote.

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use bollard::Docker;
use tokio::sync::mpsc::Receiver;

use super::{Context, Error};
use crate::compose::Project;
use crate::report::event::Event;
use crate::run::logs::{self, Beginning, Follow, Order, Range};
use crate::run::select::{self, Target, Wanted};
use crate::ui;
use crate::ui::log_printer::LogPrinter;

/// Options of `logs`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose logs -f web                       go on as web writes
  rcompose logs --since 10m --timestamps
  rcompose logs --tail 100 web db")]
pub struct Args {
    /// Go on showing new output
    #[arg(short = 'f', long)]
    pub follow: bool,

    /// Number of the container when the service has several replicas
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub index: u64,

    /// Do not colour the prefixes
    #[arg(long)]
    pub no_color: bool,

    /// Do not prefix lines with the name of the container
    #[arg(long)]
    pub no_log_prefix: bool,

    /// Start at this time: a timestamp, or a duration such as 42m before now
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<String>,

    /// Number of lines to show from the end of each log, or "all"
    #[arg(
        short = 'n',
        long,
        value_name = "LINES",
        default_value = "all",
        allow_hyphen_values = true
    )]
    pub tail: String,

    /// Show when each line was written
    #[arg(short = 't', long)]
    pub timestamps: bool,

    /// End at this time: a timestamp, or a duration such as 42m before now
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<String>,

    /// Services to act on (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Shows logs.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let range = range(&args)?;
    if args.index > 0 && args.services.len() != 1 {
        return Err(Error::user("--index needs exactly one service"));
    }
    let (loaded, project) = context.project_or_name(&args.services)?;
    let services = services(&args, loaded.as_ref().map(|loaded| &loaded.project))?;
    let docker = context.connect().await?;
    let mut printer =
        LogPrinter::new(context.log_options(!args.no_log_prefix, args.no_color, args.timestamps));
    let targets = targets(&docker, &project, &services, args.index).await?;
    for target in &targets {
        printer.register(&target.origin.container);
    }
    let (sink, events) = tokio::sync::mpsc::channel(EVENTS);
    let (docker, follow) = (docker.clone(), args.follow);
    let order = if context.strict() {
        Order::Container
    } else {
        Order::Time
    };
    let reading = tokio::spawn(async move {
        if !follow {
            return logs::history(&docker, &targets, &range, order, &sink).await;
        }
        let options = Follow {
            project,
            services,
            index: args.index,
            beginning: Beginning::Log,
            range,
        };
        logs::follow(&docker, &options, &sink).await
    });
    tokio::select! {
        printed = print(events, &mut printer, context) => printed?,
        interrupted = tokio::signal::ctrl_c() => {
            interrupted?;
            return Err(Error::Exit(130));
        }
    }
    match reading.await {
        Ok(result) => result?,
        Err(_) => return Err(Error::user("reading the logs ended unexpectedly")),
    }
    Ok(ExitCode::SUCCESS)
}

/// Lines that are read ahead of what is printed.
const EVENTS: usize = 1024;

fn range(args: &Args) -> Result<Range, Error> {
    let now = jiff::Timestamp::now();
    let time = |name: &str, text: &Option<String>| match text.as_deref() {
        None | Some("") => Ok(None),
        Some(text) => logs::parse_time(text, now).map(Some).ok_or_else(|| {
            Error::user(format!("--{name}: {text:?} is not a time"))
                .help("give a time such as 2026-01-02T13:23:37Z, or a duration such as 42m")
        }),
    };
    let tail = match args.tail.parse::<i64>() {
        Ok(lines) => u64::try_from(lines).ok(),
        Err(_) if args.tail == "all" || args.tail.is_empty() => None,
        Err(_) => {
            let text = &args.tail;
            return Err(Error::user(format!("--tail: {text:?} is not a number"))
                .help("give a number of lines, or \"all\""));
        }
    };
    Ok(Range {
        since: time("since", &args.since)?,
        until: time("until", &args.until)?,
        tail,
        timestamps: args.timestamps,
    })
}

/// The services whose logs are shown; none for whatever there is.
fn services(args: &Args, project: Option<&Project>) -> Result<Vec<String>, Error> {
    let Some(project) = project else {
        return Ok(args.services.clone());
    };
    for service in &args.services {
        if !project.services.contains_key(service) {
            return Err(Error::no_such_service(service, project));
        }
    }
    if args.services.is_empty() {
        return Ok(project.services.keys().cloned().collect());
    }
    Ok(args.services.clone())
}

async fn targets(
    docker: &Docker,
    project: &str,
    services: &[String],
    index: u64,
) -> Result<Vec<Target>, Error> {
    if index > 0 {
        let service = services.first().map_or("", String::as_str);
        return Ok(vec![
            select::one(docker, project, service, index, true).await?,
        ]);
    }
    let wanted = Wanted {
        project,
        services,
        stopped: true,
        one_offs: false,
    };
    Ok(select::containers(docker, wanted).await?)
}

/// Writes what comes until nothing more comes.
async fn print(
    mut events: Receiver<Event>,
    printer: &mut LogPrinter,
    context: &Context,
) -> Result<(), Error> {
    let mut stdout = BufWriter::new(std::io::stdout());
    while let Some(event) = events.recv().await {
        show(event, printer, &mut stdout, context)?;
        while let Ok(event) = events.try_recv() {
            show(event, printer, &mut stdout, context)?;
        }
        stdout.flush()?;
    }
    Ok(())
}

fn show(
    event: Event,
    printer: &mut LogPrinter,
    stdout: &mut impl Write,
    context: &Context,
) -> Result<(), Error> {
    match event {
        Event::Log(line) => stdout.write_all(&printer.line(&line))?,
        Event::Exited {
            origin,
            code,
            restarting,
        } => stdout.write_all(printer.exited(&origin, code, restarting).as_bytes())?,
        Event::Attached(origin) => printer.register(&origin.container),
        Event::Warning(message) => {
            let style = context.error_style();
            ui::out::stderr(&ui::warning::text(&message, style.color))?;
        }
        Event::Note { text, .. } => writeln!(stdout, "{text}")?,
        Event::Step(_) | Event::Build(_) | Event::Menu(_) => {}
    }
    Ok(())
}
