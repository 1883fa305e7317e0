//! Answers: JSON bodies, and errors as Docker's `{"message"}`.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::{Error, Result};

/// What a handler of the API gives.
pub(crate) type Answer<T = Response> = Result<T>;

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status == StatusCode::NOT_MODIFIED {
            return status.into_response();
        }
        (status, Json(json!({ "message": self.message }))).into_response()
    }
}
