//! Who asks a registry: what clients send with a pull, and what registries ask for.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;

use crate::{Error, Result};

/// What `X-Registry-Auth` says.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Credentials {
    #[serde(default, deserialize_with = "text")]
    username: String,
    #[serde(default, deserialize_with = "text")]
    password: String,
    /// Name and password in one, Base64.
    #[serde(default, deserialize_with = "text")]
    auth: String,
    /// In place of a password.
    #[serde(default, rename = "identitytoken", deserialize_with = "filled")]
    pub(super) identity_token: Option<String>,
    /// A token that the registry takes as it is.
    #[serde(default, rename = "registrytoken", deserialize_with = "filled")]
    registry_token: Option<String>,
}

fn filled<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    Ok(text.filter(|text| !text.is_empty()))
}

/// Clients tell what they do not have as nothing, or as null.
fn text<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(Option::<String>::deserialize(from)?.unwrap_or_default())
}

/// What a registry answers to one it does not know.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// Name and password.
    Basic,
    /// A token of another server.
    Bearer {
        /// Where.
        realm: String,
        /// For whom.
        service: Option<String>,
        /// For what.
        scope: Option<String>,
    },
}

impl Credentials {
    /// Reads the header, Base64 of JSON; nothing, or an empty object, is nobody.
    ///
    /// # Errors
    /// 400 for what is neither.
    pub(crate) fn parse(header: &[u8]) -> Result<Self> {
        let wrong = |error: &dyn std::fmt::Display| {
            Error::bad_request(format!("X-Registry-Auth is not understood: {error}"))
        };
        if header.is_empty() {
            return Ok(Self::default());
        }
        let text = url_safe().decode(header).map_err(|error| wrong(&error))?;
        if text.is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_slice(&text).map_err(|error| wrong(&error))
    }

    /// The value of `Authorization` with name and password.
    pub(super) fn basic(&self) -> Option<String> {
        if !self.auth.is_empty() {
            return Some(format!("Basic {}", self.auth));
        }
        let pair = format!("{}:{}", self.username, self.password);
        (!self.username.is_empty()).then(|| format!("Basic {}", BASE64_STANDARD.encode(pair)))
    }

    /// The same with a token that the registry takes as it is.
    pub(super) fn bearer(&self) -> Option<String> {
        let token = self.registry_token.as_ref()?;
        Some(format!("Bearer {token}"))
    }
}

/// Base64 as clients write it into headers, padded or not.
pub(crate) fn url_safe() -> GeneralPurpose {
    let config = GeneralPurposeConfig::new();
    let config = config.with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&URL_SAFE, config)
}

impl Challenge {
    /// Reads `WWW-Authenticate`.
    pub(super) fn parse(header: &str) -> Option<Self> {
        let (scheme, rest) = header.split_once(' ').unwrap_or((header, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let value = |name: &str| {
            let mut pairs = pairs(rest);
            pairs.find(|(key, _)| key == name).map(|(_, value)| value)
        };
        Some(Self::Bearer {
            realm: value("realm")?,
            service: value("service"),
            scope: value("scope"),
        })
    }
}

/// `key="value",key="value"`; values may have commas.
fn pairs(text: &str) -> impl Iterator<Item = (String, String)> + '_ {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (key, after) = rest.split_once('=')?;
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(',').unwrap_or((after, "")),
        };
        rest = next.trim_start_matches([',', ' ']);
        Some((key.trim().to_ascii_lowercase(), value.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let header =
            r#"Bearer realm="https://a/token",service="s", scope="repository:a:pull,push""#;
        let bearer = Challenge::Bearer {
            realm: "https://a/token".to_owned(),
            service: Some("s".to_owned()),
            scope: Some("repository:a:pull,push".to_owned()),
        };
        assert_eq!(Challenge::parse(header), Some(bearer));
        assert_eq!(
            Challenge::parse("Basic realm=\"x\""),
            Some(Challenge::Basic)
        );
        for wrong in ["", "Negotiate", "Bearer service=\"s\"", "Bearer realm=\"x"] {
            assert_eq!(Challenge::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn credentials_are_read() {
        let header = url_safe().encode(r#"{"username":"u","password":"p","identitytoken":""}"#);
        let credentials = Credentials::parse(header.trim_end_matches('=').as_bytes()).unwrap();
        assert_eq!(credentials.basic().unwrap(), "Basic dTpw");
        assert!(credentials.identity_token.is_none() && credentials.bearer().is_none());
        assert!(Credentials::parse(b"").unwrap().basic().is_none());
        let nobody = url_safe().encode(r#"{"username":null,"auth":null,"identitytoken":null}"#);
        let nobody = Credentials::parse(nobody.trim_end_matches('=').as_bytes());
        assert!(nobody.unwrap().basic().is_none());
        assert_eq!(Credentials::parse(b"%").unwrap_err().status, 400);
    }
}
