//! `commit`: makes an image of a service's container.

use std::process::ExitCode;

use super::{Context, Error};
use crate::report::event::{Status, Step, send};
use crate::run::commit::{self, Options};

/// Options of `commit`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose commit db shop-db:seeded
  rcompose commit -c \"CMD [\\\"nginx\\\"]\" -m \"with plugins\" web shop-web:plugins")]
pub struct Args {
    /// Who made it, such as "Ada <ada@example.com>"
    #[arg(short = 'a', long, value_name = "NAME")]
    pub author: Option<String>,

    /// Instruction of a Dockerfile that changes the image; may be given several times
    #[arg(short = 'c', long, value_name = "INSTRUCTION")]
    pub change: Vec<String>,

    /// Number of the container when the service has several replicas
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub index: u64,

    /// What the image is
    #[arg(short = 'm', long, value_name = "TEXT")]
    pub message: Option<String>,

    /// Freeze the container meanwhile (default: true)
    #[arg(
        short = 'p',
        long,
        action = clap::ArgAction::Set,
        default_value_t = true,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        hide_default_value = true,
        value_name = "BOOL"
    )]
    pub pause: bool,

    /// Service whose container to use
    #[arg(value_name = "SERVICE")]
    pub service: String,

    /// Name of the image
    #[arg(value_name = "REPOSITORY[:TAG]")]
    pub reference: Option<String>,
}

/// Makes an image of a container.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let (engine, target) = context.running_container(&args.service, args.index).await?;
    let options = Options {
        reference: args.reference.filter(|name| !name.is_empty()),
        author: args.author,
        comment: args.message,
        changes: args.change,
        pause: args.pause,
    };
    let (sender, screen) = context.progress("Committing");
    let words = format!("Commit {}", target.name);
    let tell = |status, detail: String| {
        send(
            &sender,
            Step::new(&target.name, status, &words).detail(detail),
        );
    };
    tell(Status::Working, "Committing".to_owned());
    let result = if context.dry_run() {
        Ok("Committed".to_owned())
    } else {
        let made = commit::commit(&engine, &target.id, &options).await;
        made.map(|id| format!("Committed as {id}"))
    };
    match &result {
        Ok(words) => tell(Status::Done, words.clone()),
        Err(_) => tell(Status::Error, "Error".to_owned()),
    }
    drop(sender);
    screen.finish().await;
    result?;
    Ok(ExitCode::SUCCESS)
}
