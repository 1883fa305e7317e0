//! A file over HTTP.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::http::Response;
use axum::http::header::{CONTENT_DISPOSITION, LAST_MODIFIED};
use futures::StreamExt as _;

use super::Fetched;
use crate::http::get;
use crate::image::Hashed;
use crate::{Error, Result};

/// Writes a file into the folder, of mode 600 and with the time that the server knows.
pub(super) async fn fetch(url: &str, checksum: Option<&str>, fetched: &mut Fetched) -> Result<()> {
    if let Some(checksum) = checksum {
        let hex = checksum.strip_prefix("sha256:").unwrap_or_default();
        if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let message =
                format!("invalid checksum {checksum:?}: it must be sha256: and 64 digits");
            return Err(Error::bad_request(message));
        }
    }
    let response = get(url).await?;
    let name = name(&response, url);
    let modified = response.headers().get(LAST_MODIFIED);
    let modified = modified.and_then(|time| time.to_str().ok()).and_then(time);
    let path = fetched.folder().join(&name);
    let failed = |error: std::io::Error| Error::io("write", &path, error);
    let mut file = Hashed::new(File::create(&path).map_err(failed)?);
    let mut pieces = response.into_body().into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| Error::bad_request(format!("{url}: {error}")))?;
        file.write_all(&piece).map_err(failed)?;
    }
    let digest = file.digest();
    if let Some(checksum) = checksum.filter(|checksum| !digest.eq_ignore_ascii_case(checksum)) {
        let message = format!("{url}: the digest is {digest}, expected {checksum}");
        return Err(Error::bad_request(message));
    }
    let opened = File::open(&path).map_err(failed)?;
    let permissions = std::fs::Permissions::from_mode(0o600);
    opened.set_permissions(permissions).map_err(failed)?;
    opened
        .set_modified(modified.unwrap_or(SystemTime::UNIX_EPOCH))
        .map_err(failed)?;
    let seconds = modified.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    fetched.key = format!("{digest} {name} {}", seconds.unwrap_or_default().as_secs());
    fetched.file = Some(name);
    Ok(())
}

/// What the server calls it, or the last name of the address.
fn name(response: &Response<Body>, url: &str) -> String {
    let said = response.headers().get(CONTENT_DISPOSITION);
    let said = said.and_then(|text| text.to_str().ok()).and_then(|text| {
        let (_, name) = text.split_once("filename=")?;
        let name = name.split(';').next().unwrap_or(name).trim();
        Some(name.trim_matches('"').to_owned())
    });
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    let last = path
        .split_once('/')
        .and_then(|(_, path)| path.rsplit('/').next());
    let is_name =
        |name: &String| !matches!(name.as_str(), "" | "." | "..") && !name.contains(['/', '\0']);
    let names = [said, last.map(str::to_owned)].into_iter().flatten();
    let mut names = names.filter(is_name);
    names.next().unwrap_or_else(|| "__unnamed__".to_owned())
}

/// The time of a header: `Wed, 21 Oct 2015 07:28:00 GMT`.
fn time(text: &str) -> Option<SystemTime> {
    let time = jiff::fmt::rfc2822::parse(text).ok()?;
    let seconds = u64::try_from(time.timestamp().as_second()).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files() {
        let named = |said: Option<&str>, url: &str| {
            let mut response = Response::new(Body::empty());
            if let Some(said) = said {
                let said = said.parse().unwrap();
                response.headers_mut().insert(CONTENT_DISPOSITION, said);
            }
            name(&response, url)
        };
        assert_eq!(named(None, "http://x/a/b.txt?c=d#e"), "b.txt");
        assert_eq!(named(None, "http://x/"), "__unnamed__");
        assert_eq!(named(None, "http://x"), "__unnamed__");
        let said = Some("attachment; filename=\"c.tar\"; size=3");
        assert_eq!(named(said, "http://x/b"), "c.tar");
        assert_eq!(named(Some("inline; filename=../../c"), "http://x/b"), "b");
    }

    #[test]
    fn times_of_headers() {
        let time = time("Wed, 21 Oct 2015 07:28:00 GMT").unwrap();
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(since.as_secs(), 1_445_412_480);
    }
}
