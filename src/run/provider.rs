//! Services that another program runs.

use super::Error;
use crate::compose::model::Service;

/// Runs a provider's program.
///
/// # Errors
/// Always, for now: no provider is run yet.
pub(super) fn run(service: &Service, command: &str) -> Result<(), Error> {
    let kind = service
        .provider
        .as_ref()
        .and_then(|provider| provider.kind.as_deref())
        .unwrap_or_default();
    let mut error = Error::new(format!(
        "service {:?}: provider {kind:?} cannot be used for {command}: providers are not supported yet",
        service.name
    ))
    .remedy("run the service as a container, or leave it out with a profile");
    error.path = ["services", &service.name, "provider"]
        .map(str::to_owned)
        .to_vec();
    Err(error)
}
