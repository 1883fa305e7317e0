//! `cp`: copies files between containers and this machine.

use std::process::ExitCode;

use futures::future::join_all;

use super::{Context, Error};
use crate::connect::Engine;
use crate::report::event::{self, Sender, Step, send};
use crate::run::select::{self, Target, Wanted};
use crate::run::{self, copy};

/// Options of `cp`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose cp web:/etc/nginx/nginx.conf .     a file of the container
  rcompose cp ./site/. web:/srv               what is in a folder, to all containers of the service
  rcompose cp web:/var/log - | tar -t         as an archive")]
pub struct Args {
    /// Also copy to containers made by "run"
    #[arg(long)]
    pub all: bool,

    /// Let files in the container belong to the container's user
    #[arg(short = 'a', long)]
    pub archive: bool,

    /// Copy what a link in the source path points to
    #[arg(short = 'L', long)]
    pub follow_link: bool,

    /// Number of the container when the service has several replicas
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub index: u64,

    /// What to copy: a path, SERVICE:PATH, or - for an archive on standard input
    #[arg(value_name = "SOURCE")]
    pub source: String,

    /// Where to copy it: a path, SERVICE:PATH, or - for an archive on standard output
    #[arg(value_name = "DESTINATION")]
    pub destination: String,
}

/// A side of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Side {
    Service { name: String, path: String },
    Here(String),
}

/// `SERVICE:PATH`, or a path of this machine: one that is absolute, begins with a dot or has no
/// colon.
fn side(text: &str) -> Side {
    let local = std::path::Path::new(text).is_absolute() || text.starts_with('/');
    match text.split_once(':') {
        Some((name, path)) if !local && !name.starts_with('.') && !name.is_empty() => {
            Side::Service {
                name: name.to_owned(),
                path: path.to_owned(),
            }
        }
        _ => Side::Here(text.to_owned()),
    }
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    ToContainer,
    FromContainer,
}

/// A copy that was understood.
#[derive(Debug)]
struct Copy {
    direction: Direction,
    service: String,
    inside: String,
    here: String,
    options: copy::Options,
}

impl Copy {
    fn understand(args: &Args) -> Result<Self, Error> {
        let (direction, service, inside, here) = match (side(&args.source), side(&args.destination))
        {
            (Side::Here(here), Side::Service { name, path }) => {
                (Direction::ToContainer, name, path, here)
            }
            (Side::Service { name, path }, Side::Here(here)) => {
                (Direction::FromContainer, name, path, here)
            }
            (Side::Service { .. }, Side::Service { .. }) => {
                return Err(Error::user("copying between services is not supported")
                    .help("copy to this machine first, then to the other service"));
            }
            (Side::Here(_), Side::Here(_)) => {
                return Err(Error::user("unknown copy direction")
                    .help("write one of the two paths as SERVICE:PATH"));
            }
        };
        Ok(Self {
            direction,
            service,
            inside,
            here,
            options: copy::Options {
                follow_link: args.follow_link,
                archive: args.archive,
            },
        })
    }

    /// What is told of one container.
    fn words(&self, container: &str) -> String {
        match self.direction {
            Direction::ToContainer => {
                format!("copy {} to {container}:{}", self.here, self.inside)
            }
            Direction::FromContainer => {
                format!("copy {container}:{} to {}", self.inside, self.here)
            }
        }
    }

    async fn run(
        &self,
        context: &Context,
        engine: &Engine,
        target: &Target,
        sender: &Sender,
    ) -> Result<(), run::Error> {
        let words = self.words(&target.name);
        let tell = |status, detail| {
            let step = Step::new(&target.name, status, &words).detail(detail);
            send(sender, step);
        };
        tell(event::Status::Working, "Copying");
        if !context.dry_run() {
            let copied = self.copy(context, engine, &target.id).await;
            if let Err(error) = copied {
                tell(event::Status::Error, "Error");
                return Err(error);
            }
        }
        tell(event::Status::Done, "Copied");
        Ok(())
    }

    async fn copy(&self, context: &Context, engine: &Engine, id: &str) -> Result<(), run::Error> {
        let (inside, options) = (self.inside.as_str(), self.options);
        let here = absolute(context, &self.here);
        match (self.direction, self.here.as_str()) {
            (Direction::ToContainer, "-") => {
                copy::archive_to_container(engine, id, tokio::io::stdin(), inside, options).await
            }
            (Direction::ToContainer, _) => {
                copy::to_container(engine, id, &here, inside, options).await
            }
            (Direction::FromContainer, "-") => {
                copy::archive_from_container(engine, id, inside, tokio::io::stdout(), options).await
            }
            (Direction::FromContainer, _) => {
                copy::from_container(engine, id, inside, &here, options).await
            }
        }
    }
}

/// From the root, with the end as it was written.
fn absolute(context: &Context, path: &str) -> String {
    let slashes = path.replace(std::path::MAIN_SEPARATOR, "/");
    if std::path::Path::new(path).is_absolute() {
        return slashes;
    }
    let folder = context.working_dir.to_string_lossy();
    format!(
        "{}/{slashes}",
        folder.replace(std::path::MAIN_SEPARATOR, "/")
    )
}

/// Copies files.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let copy = Copy::understand(&args)?;
    let (_, project) = context.project_or_name(std::slice::from_ref(&copy.service))?;
    let engine = context.engine().await?;
    let targets = targets(&engine, &project, &copy, &args).await?;
    let (sender, screen) = context.progress("Copying");
    let copying = targets
        .iter()
        .map(|target| copy.run(context, &engine, target, &sender));
    let results = join_all(copying).await;
    drop(sender);
    screen.finish().await;
    let errors = results.into_iter().filter_map(Result::err).collect();
    match run::Error::join(errors) {
        Some(error) => Err(error.into()),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// One container to copy from; all to copy to, unless one is chosen.
async fn targets(
    engine: &Engine,
    project: &str,
    copy: &Copy,
    args: &Args,
) -> Result<Vec<Target>, Error> {
    let service = &copy.service;
    if args.index > 0 {
        let one = select::one(&engine.docker, project, service, args.index, true).await?;
        return Ok(vec![one]);
    }
    let wanted = Wanted {
        project,
        services: std::slice::from_ref(service),
        stopped: true,
        one_offs: args.all,
    };
    let mut targets = select::containers(&engine.docker, wanted).await?;
    targets.sort_by_key(|target| (target.one_off, target.number));
    if targets.is_empty() {
        return Err(
            Error::user(format!("no container found for service \"{service}\""))
                .help(format!("create it: rcompose create {service}")),
        );
    }
    if copy.direction == Direction::FromContainer {
        targets.truncate(1);
    } else if copy.here == "-" && targets.len() > 1 {
        return Err(Error::user(format!(
            "standard input can be copied to one container, and service \"{service}\" has {}",
            targets.len()
        ))
        .help("choose one with --index"));
    }
    Ok(targets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_and_paths_are_told_apart() {
        let service = |name: &str, path: &str| Side::Service {
            name: name.to_owned(),
            path: path.to_owned(),
        };
        assert_eq!(side("web:/etc/a"), service("web", "/etc/a"));
        assert_eq!(side("web:a:b"), service("web", "a:b"));
        for local in ["/web:a", "./web:a", "plain", "-", ".hidden:a"] {
            assert_eq!(side(local), Side::Here(local.to_owned()));
        }
    }
}
