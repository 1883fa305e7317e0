//! The Docker Engine API: one file per resource.

mod answer;
mod archive;
mod attach;
mod build;
mod build_context;
mod build_remote;
mod build_trace;
mod commit;
mod containers;
mod distribution;
mod events;
mod exec;
mod images;
mod images_shown;
mod info;
mod lines;
mod logs;
mod networks;
mod query;
mod system;
mod usage;
mod version;
mod volumes;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};

use crate::Error;
use crate::engine::Engine;

pub(crate) use answer::Answer;
pub(crate) use events::nanoseconds;
use query::Query;
pub(crate) use system::architecture;
pub(crate) use version::{NEWEST, OLDEST, strip as strip_version};

/// The whole API, without the version in front of the path.
pub(crate) fn router(engine: Arc<Engine>) -> Router {
    Router::new()
        .merge(system::routes())
        .merge(events::routes())
        .merge(containers::routes())
        .merge(archive::routes())
        .merge(attach::routes())
        .merge(exec::routes())
        .merge(info::routes())
        .merge(logs::routes())
        .merge(usage::routes())
        .merge(networks::routes())
        .merge(distribution::routes())
        .merge(images::routes())
        .merge(build::routes())
        .merge(commit::routes())
        .merge(volumes::routes())
        .fallback(no_such_page)
        .method_not_allowed_fallback(no_such_page)
        .with_state(engine)
}

async fn no_such_page(request: Request) -> Response {
    let path = request.uri().path().to_owned();
    Error::not_found(format!("page not found: {} {path}", request.method())).into_response()
}

/// Whether a query parameter says yes, as Docker reads them.
pub(crate) fn is_true(value: Option<&str>) -> bool {
    let text = value.unwrap_or_default().trim().to_ascii_lowercase();
    !matches!(text.as_str(), "" | "0" | "no" | "false" | "none")
}
