//! The parameters behind the question mark, as Docker reads them.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// A request's parameters. Of a name that comes several times the first value counts, as in Go's
/// `Request.FormValue`; what may come several times is read from `RawQuery`.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        read(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

fn read<T: DeserializeOwned>(query: &str) -> Result<T> {
    let wrong = |error| Error::bad_request(format!("invalid parameters: {error}"));
    let all: Vec<(String, String)> = serde_urlencoded::from_str(query).map_err(wrong)?;
    let mut firsts: Vec<(String, String)> = Vec::with_capacity(all.len());
    for (name, value) in all {
        if firsts.iter().all(|(known, _)| *known != name) {
            firsts.push((name, value));
        }
    }
    let firsts = serde_urlencoded::to_string(firsts).map_err(Error::internal)?;
    serde_urlencoded::from_str(&firsts).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[derive(serde::Deserialize)]
    struct Two {
        a: Option<String>,
        b: Option<u8>,
    }

    #[test]
    fn the_first_of_several_counts() {
        let two: Two = read("a=x%20y&a=z&b=3&c=&c=4").unwrap();
        assert_eq!((two.a.as_deref(), two.b), (Some("x y"), Some(3)));
        assert_eq!(read::<Two>("b=no").err().unwrap().status, 400);
    }
}
