//! How containers end.

use futures::future::join_all;
use tokio::task::JoinHandle;

use super::Error;
use super::attach::{self, End};
use super::select::Target;
use crate::connect::Engine;

/// How long the engine may take to note the end of a process whose output has ended.
const DETACH_PAUSE: std::time::Duration = std::time::Duration::from_secs(2);

/// Tells a container whose output has ended from one that was left with the detach keys.
pub(super) async fn after_output(
    engine: &Engine,
    id: &str,
    ending: JoinHandle<Option<i64>>,
) -> End {
    if let Ok(Ok(Some(code))) = tokio::time::timeout(DETACH_PAUSE, ending).await {
        return End::Exited(code);
    }
    let state = engine.docker.inspect_container(id, None).await.ok();
    let state = state.and_then(|container| container.state);
    state
        .filter(|state| state.running != Some(true))
        .and_then(|state| state.exit_code)
        .map_or(End::Detached, End::Exited)
}

/// Waits until all of the containers have stopped, and tells each of them with its exit code as
/// it stops. Returns the code of the last. Uses `POST /containers/{id}/wait`, which the engine
/// answers at the container's end.
///
/// # Errors
/// When the engine does not tell how a container ended.
pub async fn wait(
    engine: &Engine,
    targets: &[Target],
    tell: impl Fn(&Target, i64) -> std::io::Result<()>,
) -> Result<i64, Error> {
    let last = std::cell::Cell::new(0);
    let waiting = targets.iter().map(|target| {
        let (tell, last) = (&tell, &last);
        async move {
            let code = attach::ending(engine, &target.id, "not-running").await;
            let Ok(Some(code)) = code else {
                return Err(Error::new(format!(
                    "the engine did not tell how {} ended",
                    target.name
                )));
            };
            last.set(code);
            tell(target, code).map_err(|error| Error::new(error.to_string()))
        }
    });
    let results = join_all(waiting).await;
    let errors = results.into_iter().filter_map(Result::err).collect();
    Error::join(errors).map_or(Ok(last.get()), Err)
}
