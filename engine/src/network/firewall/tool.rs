//! Runs the host's firewall tool.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::sync::Mutex;

use super::iptables::{self, Chains, Jump};
use super::nft;
use super::rules::Rules;
use crate::{Error, Result};

/// Where the tools are when PATH does not say.
const FOLDERS: [&str; 3] = ["/usr/sbin", "/sbin", "/usr/bin"];

/// Keeps the host's firewall as the networks want it.
#[derive(Debug, Default)]
pub(crate) struct Firewall(Mutex<Applied>);

#[derive(Debug, Default)]
struct Applied {
    /// What the firewall has by now; nothing is known at first.
    rules: Option<Rules>,
    /// Whether it has been said that no tool is there.
    complained: bool,
}

/// A tool of the host.
#[derive(Debug)]
enum Tool {
    /// `iptables-restore` and `iptables`, or those for IPv6.
    Iptables { restore: PathBuf, iptables: PathBuf },
    /// `nft`.
    Nft(PathBuf),
}

impl Firewall {
    /// Brings the firewall to what `wanted` gives; that is asked for when those before are
    /// through, so that of many changes at once the first and the last are written.
    ///
    /// # Errors
    /// 500 when the tool fails. That there is no tool is told in the daemon's log, since
    /// published ports and containers among themselves work without it.
    pub(crate) async fn apply(&self, wanted: impl FnOnce() -> Rules) -> Result<()> {
        let mut applied = self.0.lock().await;
        let rules = wanted();
        if applied.rules.as_ref() == Some(&rules) {
            return Ok(());
        }
        let former = applied.rules.take();
        for is_ipv4 in [true, false] {
            let had = former.as_ref().is_some_and(|former| former.has(is_ipv4));
            // After a restart there may be rules of a former daemon; those for IPv6 would only be
            // there with a network that still is.
            let is_first = former.is_none() && is_ipv4;
            if rules.has(is_ipv4) {
                applied.replace(&rules, is_ipv4).await?;
            } else if had || is_first {
                remove(&rules.tag, is_ipv4).await;
            }
        }
        applied.rules = Some(rules);
        Ok(())
    }
}

impl Applied {
    async fn replace(&mut self, rules: &Rules, is_ipv4: bool) -> Result<()> {
        let tools = tools(is_ipv4);
        if tools.is_empty() {
            if rules.matter() && !self.complained {
                self.complained = true;
                tracing::warn!(
                    "neither iptables nor nft is installed: containers cannot reach beyond this host"
                );
            }
            return Ok(());
        }
        let mut failure = None;
        for tool in &tools {
            match tool.replace(rules, is_ipv4).await {
                Ok(()) => return Ok(()),
                Err(error) => {
                    tracing::debug!("{error}");
                    failure.get_or_insert(error);
                }
            }
        }
        failure.map_or(Ok(()), Err)
    }
}

/// Takes away what any of the tools may have written.
async fn remove(tag: &str, is_ipv4: bool) {
    for tool in tools(is_ipv4) {
        tool.remove(tag, is_ipv4).await;
    }
}

impl Tool {
    async fn replace(&self, rules: &Rules, is_ipv4: bool) -> Result<()> {
        match self {
            Self::Nft(nft) => run(nft, &["-f", "-"], &nft::replace(rules, is_ipv4)).await,
            Self::Iptables { restore, iptables } => {
                let jumps = Chains::new(&rules.tag).jumps();
                let checks = jumps.each_ref().map(|jump| change(iptables, "-C", jump));
                let found = futures::future::join_all(checks).await;
                let missing = jumps.iter().zip(&found).filter(|(_, found)| found.is_err());
                let missing: Vec<_> = missing.map(|(jump, _)| jump.chain).collect();
                let is_missing = |jump: &Jump| missing.contains(&jump.chain);
                let text = iptables::restore(rules, is_ipv4, is_missing);
                run(restore, &["--noflush", "-w"], &text).await
            }
        }
    }

    /// What is not there cannot be taken away: failures mean nothing.
    async fn remove(&self, tag: &str, is_ipv4: bool) {
        match self {
            Self::Nft(nft) => {
                let table = nft::table(tag);
                let family = if is_ipv4 { "ip" } else { "ip6" };
                if run(nft, &["list", "table", family, &table], "")
                    .await
                    .is_ok()
                {
                    let _ = run(nft, &["-f", "-"], &nft::delete(tag, is_ipv4)).await;
                }
            }
            Self::Iptables { restore, iptables } => {
                let chains = Chains::new(tag);
                let [forward, _, outward] = chains.jumps();
                let is_there = change(iptables, "-C", &forward).await.is_ok()
                    || change(iptables, "-C", &outward).await.is_ok();
                if !is_there {
                    return;
                }
                let text = iptables::removal(&chains);
                if run(restore, &["--noflush", "-w"], &text).await.is_err() {
                    // Somebody else has taken a part of them away.
                    remove_one_by_one(iptables, &chains).await;
                }
                if let Some(nft) = find("nft") {
                    for table in ["filter", "nat"] {
                        remove_unused(&nft, is_ipv4, table).await;
                    }
                }
            }
        }
    }
}

async fn remove_one_by_one(iptables: &Path, chains: &Chains) {
    for jump in chains.jumps() {
        let _ = change(iptables, "-D", &jump).await;
    }
    for action in ["-F", "-X"] {
        for (table, chain) in chains.all() {
            let _ = run(iptables, &["-w", "-t", table, action, chain], "").await;
        }
    }
}

async fn change(iptables: &Path, action: &str, jump: &Jump) -> Result<()> {
    let mut arguments = vec!["-w", "-t", jump.table, action, jump.chain];
    arguments.extend(jump.rule.split(' '));
    run(iptables, &arguments, "").await
}

/// `iptables` that writes to nftables leaves the tables and chains that it has made for our rules;
/// it makes them again when it needs them.
async fn remove_unused(nft: &Path, is_ipv4: bool, table: &str) {
    let family = if is_ipv4 { "ip" } else { "ip6" };
    let listed = said(nft, &["list", "table", family, table], "").await;
    if let Some(text) = listed
        .ok()
        .and_then(|listed| nft::delete_unused(&listed, table, is_ipv4))
    {
        let _ = run(nft, &["-f", "-"], &text).await;
    }
}

async fn run(program: &Path, arguments: &[&str], input: &str) -> Result<()> {
    said(program, arguments, input).await.map(drop)
}

/// What a program prints.
async fn said(program: &Path, arguments: &[&str], input: &str) -> Result<String> {
    let failed = |error: &dyn std::fmt::Display| {
        Error::internal(format!(
            "{} {}: {error}",
            program.display(),
            arguments.join(" ")
        ))
    };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(&error))?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that does not read says why when it ends.
        let _ = stdin.write_all(input.as_bytes()).await;
    }
    let output = child
        .wait_with_output()
        .await
        .map_err(|error| failed(&error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(failed(&String::from_utf8_lossy(&output.stderr).trim()))
}

/// The tools of the host for one family, the preferred one first: rules of `iptables` are the
/// ones that Docker's are among.
fn tools(is_ipv4: bool) -> Vec<Tool> {
    let prefix = if is_ipv4 { "" } else { "6" };
    let name = |suffix: &str| format!("ip{prefix}tables{suffix}");
    let iptables = find(&name("-restore")).zip(find(&name("")));
    let iptables = iptables.map(|(restore, iptables)| Tool::Iptables { restore, iptables });
    iptables
        .into_iter()
        .chain(find("nft").map(Tool::Nft))
        .collect()
}

fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path)
        .chain(FOLDERS.map(PathBuf::from))
        .collect();
    folders
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}
