//! `scale`: changes the number of containers of services.

use std::collections::BTreeMap;
use std::process::ExitCode;

use super::creation::{self, Making};
use super::session::{Session, Work};
use super::{Context, Error};
use crate::plan::options::Up;

/// Options of `scale`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Example:
  rcompose scale web=3 worker=2")]
pub struct Args {
    /// Leave the services that these depend on alone
    #[arg(long)]
    pub no_deps: bool,

    /// Services with the number of containers each is to have
    #[arg(value_name = "SERVICE=N", required = true)]
    pub services: Vec<String>,
}

/// Starts or removes containers until there are as many as asked for.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let scale = parse(&args.services)?;
    let services: Vec<String> = scale.keys().cloned().collect();
    let session = Session::open(context, &services).await?;
    let mut options = Up {
        services,
        no_deps: args.no_deps,
        scale,
        ignore_orphans: true,
        now: creation::now(),
        ..Up::default()
    };
    let prepared = creation::prepare(&session, &mut options, Making::default()).await?;
    let work = Work::new("Scaling", &prepared.observed);
    session.perform(prepared.plan, work).await?;
    Ok(ExitCode::SUCCESS)
}

fn parse(given: &[String]) -> Result<BTreeMap<String, u64>, Error> {
    let mut scale = BTreeMap::new();
    for text in given {
        let invalid = || {
            Error::user(format!("invalid scale specifier: {text}"))
                .help("write it as SERVICE=NUMBER")
        };
        let (name, count) = text.split_once('=').ok_or_else(invalid)?;
        if name.is_empty() {
            return Err(invalid());
        }
        scale.insert(name.to_owned(), count.parse().map_err(|_| invalid())?);
    }
    Ok(scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specifiers() {
        let given = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let read: Vec<String> = given(&["a=2", "b=0"]);
        assert_eq!(
            parse(&read).unwrap(),
            [("a".to_owned(), 2), ("b".to_owned(), 0)].into()
        );
        for text in ["a", "=1", "a=", "a=x", "a=-1"] {
            let wrong: Vec<String> = given(&[text]);
            assert!(parse(&wrong).is_err(), "{text}");
        }
    }
}
