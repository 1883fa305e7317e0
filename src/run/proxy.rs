//! Proxy variables that the docker command's configuration gives to containers.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

/// Keys of `proxies.*` and the variables they stand for, in upper and lower case.
const VARIABLES: [(&str, &str); 5] = [
    ("httpProxy", "HTTP_PROXY"),
    ("httpsProxy", "HTTPS_PROXY"),
    ("noProxy", "NO_PROXY"),
    ("ftpProxy", "FTP_PROXY"),
    ("allProxy", "ALL_PROXY"),
];

/// Variables for containers of the engine at `address`, from `config.json`.
pub(super) fn variables(address: &str) -> BTreeMap<String, String> {
    let read = || {
        let text = std::fs::read(folder()?.join("config.json")).ok()?;
        serde_json::from_slice(&text).ok()
    };
    read().map_or_else(BTreeMap::new, |config| from_config(&config, address))
}

fn folder() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(folder) = set("DOCKER_CONFIG") {
        return Some(folder.into());
    }
    let home = set(if cfg!(windows) { "USERPROFILE" } else { "HOME" })?;
    Some(PathBuf::from(home).join(".docker"))
}

fn from_config(config: &Value, address: &str) -> BTreeMap<String, String> {
    let proxies = config.get("proxies");
    let of = |key: &str| proxies.and_then(|proxies| proxies.get(key));
    let Some(settings) = of(address).or_else(|| of("default")) else {
        return BTreeMap::new();
    };
    let mut variables = BTreeMap::new();
    for (key, name) in VARIABLES {
        if let Some(value) = settings.get(key).and_then(Value::as_str) {
            variables.insert(name.to_owned(), value.to_owned());
            variables.insert(name.to_lowercase(), value.to_owned());
        }
    }
    variables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engines_own_settings_win_over_the_default() {
        let config = serde_json::json!({"proxies": {
            "default": {"httpProxy": "http://a"},
            "tcp://box:2375": {"httpProxy": "http://b", "noProxy": "x"},
        }});
        let of = |address| from_config(&config, address);
        assert_eq!(of("unix:///x")["HTTP_PROXY"], "http://a");
        assert_eq!(of("tcp://box:2375")["http_proxy"], "http://b");
        assert_eq!(of("tcp://box:2375").len(), 4);
        assert!(from_config(&Value::Null, "x").is_empty());
    }
}
