//! Dealing with the bundled engine from outside.

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use bollard::Docker;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, StopContainerOptions,
};
use futures::future::try_join_all;
use rcompose_engine::daemon::{self, Place, Running, Started};
use serde_json::json;

use super::{
    Args, Command, LogsArgs, PruneArgs, StartArgs, StatusArgs, StopArgs, daemon as serving,
};
use crate::cli::{Context, Error, prompt};
use crate::connect::{self, Intent};
use crate::ui;
use crate::ui::table::Layout;

/// Exit code of `status` where the engine does not run, as service managers have it.
const NOT_RUNNING: u8 = 3;

/// Does what the subcommand says.
pub(super) async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let place = Place::new(args.socket, args.root);
    match args.command {
        Command::Serve(args) => serving::serve(context, place, args).await,
        Command::Start(args) => start(&place, args).await,
        Command::Stop(args) => stop(context, &place, &args).await,
        Command::Status(args) => status(context, &place, &args).await,
        Command::Logs(args) => logs(&place, &args),
        Command::Prune(args) => prune(&place, &args).await,
    }
}

/// An error of the engine's daemon, with what to do about it.
pub(super) fn explain(error: rcompose_engine::Error) -> Error {
    Error::Run(connect::bundled::explain(&error))
}

async fn start(place: &Place, args: StartArgs) -> Result<ExitCode, Error> {
    let idle = args.idle.as_deref().unwrap_or(connect::bundled::IDLE);
    serving::idle(idle)?;
    let started = daemon::start(place, Some(idle)).await.map_err(explain)?;
    let socket = place.socket.display();
    ui::out::stderr(&match started {
        Started::Now => format!("the engine listens on {socket}\n"),
        Started::Before => format!("the engine runs already, on {socket}\n"),
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn stop(context: &Context, place: &Place, args: &StopArgs) -> Result<ExitCode, Error> {
    if args.containers && place.running_containers() > 0 {
        daemon::start(place, Some(connect::bundled::IDLE))
            .await
            .map_err(explain)?;
        stop_containers(&client(context, place).await?).await?;
    }
    let stopped = daemon::stop(place).map_err(explain)?;
    let stopped = if stopped {
        "the engine has stopped"
    } else {
        "the engine does not run"
    };
    let without = "without health checks, restarts and names of each other";
    let rest = match place.running_containers() {
        0 => String::new(),
        1 => {
            "; a container goes on, without health checks, restarts and names of others".to_owned()
        }
        count => format!("; {count} containers go on, {without}"),
    };
    ui::out::stderr(&format!("{stopped}{rest}\n"))?;
    Ok(ExitCode::SUCCESS)
}

async fn stop_containers(docker: &Docker) -> Result<(), Error> {
    let running = docker.list_containers(None).await?;
    let stopping = running.into_iter().filter_map(|container| {
        let id = container.id?;
        Some(async move {
            docker
                .stop_container(&id, None::<StopContainerOptions>)
                .await
        })
    });
    try_join_all(stopping).await?;
    Ok(())
}

async fn client(context: &Context, place: &Place) -> Result<Docker, Error> {
    let address = format!("unix://{}", place.socket.display());
    let engine = connect::connect(Some(&address), &context.env, Intent::Look).await?;
    Ok(engine.docker)
}

/// What an engine has; nothing known without a daemon.
#[derive(Debug, Default)]
struct Counts {
    containers: Option<usize>,
    images: Option<usize>,
}

async fn status(context: &Context, place: &Place, args: &StatusArgs) -> Result<ExitCode, Error> {
    let is_json = match args.format.as_str() {
        "pretty" | "table" => false,
        "json" => true,
        other => {
            return Err(
                Error::user(format!("unsupported --format value \"{other}\""))
                    .help("use pretty or json"),
            );
        }
    };
    let mut daemon = Running::find(place).map_err(explain)?;
    let mut known = Counts::default();
    if daemon.is_some() {
        match counts(context, place).await {
            Ok(counts) => known = counts,
            Err(error) => {
                daemon = Running::find(place).map_err(explain)?;
                if daemon.is_some() {
                    return Err(error);
                }
            }
        }
    }
    let running = place.running_containers();
    let text = if is_json {
        as_json(place, daemon.as_ref(), &known, running)
    } else {
        as_text(place, daemon.as_ref(), &known, running)
    };
    ui::out::stdout(&text)?;
    Ok(match daemon {
        Some(_) => ExitCode::SUCCESS,
        None => ExitCode::from(NOT_RUNNING),
    })
}

async fn counts(context: &Context, place: &Place) -> Result<Counts, Error> {
    let docker = client(context, place).await?;
    let all = ListContainersOptionsBuilder::new().all(true).build();
    let images = ListImagesOptionsBuilder::new().build();
    Ok(Counts {
        containers: Some(docker.list_containers(Some(all)).await?.len()),
        images: Some(docker.list_images(Some(images)).await?.len()),
    })
}

fn as_json(place: &Place, daemon: Option<&Running>, counts: &Counts, running: usize) -> String {
    let value = json!({
        "running": daemon.is_some(),
        "socket": place.socket,
        "root": place.layout.root(),
        "pid": daemon.map(|daemon| daemon.pid),
        "version": daemon.map(|daemon| &daemon.version),
        "containers": counts.containers,
        "containers_running": running,
        "images": counts.images,
    });
    format!("{value}\n")
}

fn as_text(place: &Place, daemon: Option<&Running>, counts: &Counts, running: usize) -> String {
    let mut lines = vec![
        format!("socket\t{}", place.socket.display()),
        format!("root\t{}", place.layout.root().display()),
    ];
    match daemon {
        Some(daemon) => {
            lines.push(format!("state\truns, version {}", daemon.version));
            lines.push(format!("process\t{}", daemon.pid));
        }
        None if running > 0 => lines.push(
            "state\tdoes not run; the next command that needs it looks after its containers again"
                .to_owned(),
        ),
        None => lines.push("state\tdoes not run".to_owned()),
    }
    lines.push(match counts.containers {
        Some(all) => format!("containers\t{running} running, {all} in all"),
        None => format!("containers\t{running} running"),
    });
    lines.extend(counts.images.map(|images| format!("images\t{images}")));
    Layout::FORMAT.align(&lines.join("\n"))
}

fn logs(place: &Place, args: &LogsArgs) -> Result<ExitCode, Error> {
    let path = place.log();
    let text = read(&path)?;
    ui::out::stdout(&text)?;
    if args.follow {
        daemon::follow(&path, text.len() as u64, &mut std::io::stdout()).map_err(explain)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> Result<String, Error> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::user(format!(
            "there is no log of the engine at {}",
            path.display()
        ))
        .help("it is written by an engine that was started in the background"),
        _ => Error::user(format!("cannot read {}: {error}", path.display())),
    };
    let mut bytes = Vec::new();
    let mut file = std::fs::File::open(path).map_err(failed)?;
    file.read_to_end(&mut bytes).map_err(failed)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

async fn prune(place: &Place, args: &PruneArgs) -> Result<ExitCode, Error> {
    let root = place.layout.root().display();
    let question = format!(
        "Remove every container, image, volume and network of the bundled engine in {root}"
    );
    if !args.force && !prompt::confirm(&question, false)? {
        return Ok(ExitCode::FAILURE);
    }
    daemon::prune(place).await.map_err(|error| {
        let refused = error.status == 409;
        let error = connect::bundled::explain(&error);
        Error::Run(if refused {
            error.remedy("stop them first: `rcompose down` in their projects, or `rcompose engine stop --containers`")
        } else {
            error
        })
    })?;
    Ok(ExitCode::SUCCESS)
}
