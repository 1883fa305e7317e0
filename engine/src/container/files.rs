//! The files that every container gets: hosts, hostname, resolv.conf.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::handle::brief;
use super::parts::Network;
use super::record::Record;
use crate::engine::Engine;
use crate::{Error, Result};

/// Paths on the host of a container's own files.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    /// `/etc/hosts`
    pub(crate) hosts: PathBuf,
    /// `/etc/hostname`
    pub(crate) hostname: PathBuf,
    /// `/etc/resolv.conf`
    pub(crate) resolv: PathBuf,
}

impl Files {
    /// Where they are, written or not.
    pub(crate) fn of(engine: &Engine, id: &str) -> Self {
        let folder = engine.layout.container_run(id);
        Self {
            hosts: folder.join("hosts"),
            hostname: folder.join("hostname"),
            resolv: folder.join("resolv.conf"),
        }
    }
}

/// Writes them anew.
///
/// # Errors
/// 500 when the disk does not take them.
pub(super) async fn write(engine: &Engine, record: &Record, network: &Network) -> Result<Files> {
    let files = Files::of(engine, &record.id);
    let hostname = format!("{}\n", record.hostname());
    let hosts = hosts(record, network);
    let host = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let resolv = resolv(record, network, &host);
    let written = files.clone();
    brief(move || {
        let pairs = [
            (&written.hosts, hosts),
            (&written.hostname, hostname),
            (&written.resolv, resolv),
        ];
        for (path, text) in pairs {
            write_one(path, &text)?;
        }
        Ok(())
    })
    .await?;
    Ok(files)
}

fn write_one(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|error| Error::io("write", path, error))
}

fn hosts(record: &Record, network: &Network) -> String {
    let shared = record.host_config.network_mode.as_deref() == Some("host");
    let mut text = match shared.then(|| fs::read_to_string("/etc/hosts")) {
        Some(Ok(text)) => text,
        _ => "127.0.0.1\tlocalhost\n\
              ::1\tlocalhost ip6-localhost ip6-loopback\n\
              fe00::\tip6-localnet\n\
              ff00::\tip6-mcastprefix\n\
              ff02::1\tip6-allnodes\n\
              ff02::2\tip6-allrouters\n"
            .to_owned(),
    };
    for (address, names) in &network.hosts {
        let _ = writeln!(text, "{address}\t{names}");
    }
    text
}

/// With a name server of our own that alone, which forwards; otherwise the host's, without
/// those that are only reachable from the host itself.
fn resolv(record: &Record, network: &Network, host: &str) -> String {
    let asked = &record.host_config;
    let mut text = String::new();
    let own = asked.dns.as_deref().unwrap_or_default();
    let shared = asked.network_mode.as_deref() == Some("host");
    if let Some(address) = network.nameserver {
        let _ = writeln!(text, "nameserver {address}");
    } else if own.is_empty() {
        let is_reachable =
            |address: &&str| shared || !(address.starts_with("127.") || *address == "::1");
        for address in values(host, "nameserver").filter(is_reachable) {
            let _ = writeln!(text, "nameserver {address}");
        }
    } else {
        for address in own {
            let _ = writeln!(text, "nameserver {address}");
        }
    }
    line(&mut text, "search", asked.dns_search.as_deref(), host);
    let options = asked
        .dns_options
        .as_deref()
        .filter(|options| !options.is_empty());
    let from_network = network.nameserver.map(|_| vec!["ndots:0".to_owned()]);
    line(
        &mut text,
        "options",
        options.or(from_network.as_deref()),
        host,
    );
    text
}

fn line(text: &mut String, name: &str, asked: Option<&[String]>, host: &str) {
    let words = match asked {
        Some(words) if !words.is_empty() => words.join(" "),
        _ => values(host, name).last().unwrap_or_default().to_owned(),
    };
    if !words.is_empty() && words != "." {
        let _ = writeln!(text, "{name} {words}");
    }
}

fn values<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = text
        .lines()
        .filter_map(|line| line.trim().split_once(char::is_whitespace));
    lines
        .filter(move |(first, _)| *first == name)
        .map(|(_, rest)| rest.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_resolv_file() {
        let text = "# comment\nnameserver 10.0.0.1\nsearch a b\n nameserver\t10.0.0.2 \n";
        assert_eq!(
            values(text, "nameserver").collect::<Vec<_>>(),
            ["10.0.0.1", "10.0.0.2"]
        );
        let mut written = String::new();
        line(&mut written, "search", None, text);
        line(&mut written, "search", Some(&["c".to_owned()]), text);
        line(&mut written, "search", Some(&[".".to_owned()]), text);
        assert_eq!(written, "search a b\nsearch c\n");
    }
}
