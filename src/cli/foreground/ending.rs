//! Stopping and killing what was brought up.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::time::Instant;

use super::Foreground;
use crate::plan::options::{Kill, Stop};
use crate::plan::reconcile;
use crate::run;
use crate::run::execute::{OnFailure, execute};
use crate::run::observe::{self, Wants};

/// Work on the way to the end.
pub(super) type Stopping<'s> = Pin<Box<dyn Future<Output = Result<(), run::Error>> + 's>>;

impl<'s> Foreground<'s> {
    /// Stops what was brought up, dependents first.
    pub(super) fn stop(&self) -> Stopping<'s> {
        let session = self.session;
        let options = Stop {
            services: self.attachment.named.clone(),
            timeout: self.attachment.timeout,
        };
        let mut job = session.job(self.sender.clone());
        job.hook_output = true;
        let parallel = session.context.settings.parallel;
        Box::pin(async move {
            let wants = Wants::containers(&session.name);
            let observed = observe::observe(&session.engine, &wants).await?;
            let plan = reconcile::stop(&session.scope(&observed), &observed, &options)
                .map_err(|error| run::Error::new(error.to_string()))?;
            execute(plan, Arc::new(job), OnFailure::Continue, parallel).await
        })
    }

    /// Kills what was brought up: all at once, as somebody waits.
    pub(super) fn kill(&self) -> Stopping<'s> {
        let session = self.session;
        let options = Kill {
            services: self.attachment.named.clone(),
            signal: "SIGKILL".to_owned(),
            remove_orphans: false,
            all: false,
        };
        let job = session.job(self.sender.clone());
        Box::pin(async move {
            let wants = Wants::containers(&session.name);
            let observed = observe::observe(&session.engine, &wants).await?;
            let plan = reconcile::kill(&session.scope(&observed), &observed, &options);
            execute(plan, Arc::new(job), OnFailure::Continue, None).await
        })
    }
}

/// Waits for the work, where there is any.
pub(super) async fn some(work: &mut Option<Stopping<'_>>) -> Result<(), run::Error> {
    match work {
        Some(work) => work.await,
        None => std::future::pending().await,
    }
}

/// Waits for a time, where there is one.
pub(super) async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
