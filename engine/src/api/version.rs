//! The version in front of every path: `/v1.41/containers/json`.

use axum::extract::Request;
use axum::http::Uri;

use crate::{Error, Result};

/// The newest version of the API that is spoken.
pub(crate) const NEWEST: &str = "1.51";
/// The oldest version of the API that is spoken.
pub(crate) const OLDEST: &str = "1.24";

/// The version that a client speaks, kept with the request: (major, minor).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u16, pub(crate) u16);

/// Takes the version off the path. A path without one means the newest version.
///
/// # Errors
/// 400 for a version that is not spoken.
pub(crate) fn strip(mut request: Request) -> Result<Request> {
    let newest = parse(NEWEST).unwrap_or(Version(1, 0));
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    let Some((version, rest)) = split(path) else {
        request.extensions_mut().insert(newest);
        return Ok(request);
    };
    if version > newest {
        let Version(major, minor) = version;
        return Err(Error::bad_request(format!(
            "client version {major}.{minor} is too new. Maximum supported API version is {NEWEST}"
        )));
    }
    if Some(version) < parse(OLDEST) {
        let Version(major, minor) = version;
        return Err(Error::bad_request(format!(
            "client version {major}.{minor} is too old. Minimum supported API version is {OLDEST}"
        )));
    }
    let uri: Uri = rest
        .parse()
        .map_err(|error| Error::bad_request(format!("invalid path: {error}")))?;
    *request.uri_mut() = uri;
    request.extensions_mut().insert(version);
    Ok(request)
}

fn split(path: &str) -> Option<(Version, &str)> {
    let rest = path.strip_prefix("/v")?;
    let (version, _) = rest.split_once('/')?;
    Some((parse(version)?, &rest[version.len()..]))
}

fn parse(text: &str) -> Option<Version> {
    let (major, minor) = text.split_once('.')?;
    Some(Version(major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_split_off() {
        assert_eq!(
            split("/v1.41/info?a=b"),
            Some((Version(1, 41), "/info?a=b"))
        );
        assert_eq!(split("/volumes/a"), None);
        assert_eq!(split("/info"), None);
    }
}
