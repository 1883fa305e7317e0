//! What has to be taken away again, whichever way a command ends.

use std::sync::LazyLock;
use std::time::Duration;

use tokio_util::task::TaskTracker;

/// How long the end of a command waits for it.
const PATIENCE: Duration = Duration::from_secs(10);

static TASKS: LazyLock<TaskTracker> = LazyLock::new(TaskTracker::new);

/// Takes something away beside the command that has left it, which may have been given up: the program's end waits for it.
pub(super) fn begin(work: impl Future<Output = ()> + Send + 'static) {
    // Without a runtime the program has ended already.
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        TASKS.spawn_on(work, &runtime);
    }
}

/// Waits until all has been taken away, for ten seconds at most.
pub async fn finished() {
    TASKS.close();
    if tokio::time::timeout(PATIENCE, TASKS.wait()).await.is_err() {
        tracing::warn!("something was not taken away in {PATIENCE:?}");
    }
}
