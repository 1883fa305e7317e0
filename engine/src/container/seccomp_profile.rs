//! Profiles of system calls that people write: Docker's format, with parts that hold only for
//! some architectures, capabilities and kernels.

use nix::sys::utsname::uname;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::architecture;
use crate::{Error, Result};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    default_action: String,
    default_errno_ret: Option<u32>,
    #[serde(default)]
    architectures: Option<Vec<String>>,
    #[serde(default)]
    arch_map: Option<Vec<Family>>,
    #[serde(default)]
    syscalls: Option<Vec<Rule>>,
    #[serde(default)]
    listener_path: String,
}

/// An architecture with those whose programs it runs too.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Family {
    architecture: String,
    #[serde(default)]
    sub_architectures: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    #[serde(default)]
    name: String,
    #[serde(default)]
    names: Option<Vec<String>>,
    action: String,
    errno_ret: Option<u32>,
    #[serde(default)]
    args: Option<Vec<Argument>>,
    #[serde(default)]
    includes: Condition,
    #[serde(default)]
    excludes: Condition,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Argument {
    index: u32,
    value: u64,
    #[serde(default)]
    value_two: u64,
    op: String,
}

/// Where a rule holds; what is not said holds everywhere.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    #[serde(default)]
    caps: Option<Vec<String>>,
    #[serde(default)]
    arches: Option<Vec<String>>,
    #[serde(default)]
    min_kernel: Option<String>,
}

/// The OCI runtime specification's `linux.seccomp` of a profile, for a container with these
/// capabilities.
///
/// # Errors
/// 400 for what is no profile, 501 for one that needs a program that decides.
pub(super) fn read(text: &str, capabilities: &[String]) -> Result<Value> {
    let wrong =
        |error: &dyn std::fmt::Display| Error::bad_request(format!("seccomp profile: {error}"));
    let profile: Profile = serde_json::from_str(text).map_err(|error| wrong(&error))?;
    if !profile.listener_path.is_empty() {
        return Err(Error::not_supported("listenerPath of a seccomp profile"));
    }
    let families = profile.arch_map.unwrap_or_default();
    let mut architectures = profile.architectures.unwrap_or_default();
    if !architectures.is_empty() && !families.is_empty() {
        return Err(wrong(&"both architectures and archMap are given"));
    }
    let own = families
        .into_iter()
        .find(|family| family.architecture == native());
    if let Some(family) = own {
        architectures.push(family.architecture);
        architectures.extend(family.sub_architectures.unwrap_or_default());
    }
    let kernel = kernel();
    let mut rules = Vec::new();
    for rule in profile.syscalls.unwrap_or_default() {
        if rule.holds(capabilities, kernel) {
            rules.push(rule.shown().map_err(|error| wrong(&error))?);
        }
    }
    let mut shown = json!({ "defaultAction": profile.default_action, "syscalls": rules });
    if let Some(errno) = profile.default_errno_ret {
        shown["defaultErrnoRet"] = errno.into();
    }
    if !architectures.is_empty() {
        shown["architectures"] = json!(architectures);
    }
    // Names of actions, comparisons and architectures that nobody knows are told here.
    serde_json::from_value::<oci_spec::runtime::LinuxSeccomp>(shown.clone())
        .map_err(|error| wrong(&error))?;
    Ok(shown)
}

impl Rule {
    fn holds(&self, capabilities: &[String], kernel: (u32, u32)) -> bool {
        let listed = |names: &Option<Vec<String>>| names.clone().unwrap_or_default();
        let has = |name: &String| capabilities.contains(name);
        let is_here = |name: &String| name == architecture();
        let is_new = |least: &Option<String>| {
            least
                .as_deref()
                .is_some_and(|least| kernel >= version(least))
        };
        let (with, without) = (&self.includes, &self.excludes);
        let arches = listed(&with.arches);
        (arches.is_empty() || arches.iter().any(is_here))
            && !listed(&without.arches).iter().any(is_here)
            && listed(&with.caps).iter().all(has)
            && !listed(&without.caps).iter().any(has)
            && (with.min_kernel.is_none() || is_new(&with.min_kernel))
            && !is_new(&without.min_kernel)
    }

    fn shown(self) -> Result<Value, String> {
        let mut names = self.names.unwrap_or_default();
        if !self.name.is_empty() && !names.is_empty() {
            return Err("a rule has both name and names".to_owned());
        }
        if !self.name.is_empty() {
            names.push(self.name);
        }
        let mut shown = json!({ "names": names, "action": self.action });
        if let Some(errno) = self.errno_ret {
            shown["errnoRet"] = errno.into();
        }
        let arguments: Vec<Value> = self
            .args
            .unwrap_or_default()
            .into_iter()
            .map(Argument::shown)
            .collect();
        if !arguments.is_empty() {
            shown["args"] = json!(arguments);
        }
        Ok(shown)
    }
}

impl Argument {
    fn shown(self) -> Value {
        // `seccomp::threads` says why the two change places.
        let (value, two) = if self.op == "SCMP_CMP_MASKED_EQ" {
            (self.value_two, self.value)
        } else {
            (self.value, self.value_two)
        };
        json!({ "index": self.index, "value": value, "valueTwo": two, "op": self.op })
    }
}

fn native() -> &'static str {
    match architecture() {
        "amd64" => "SCMP_ARCH_X86_64",
        "arm64" => "SCMP_ARCH_AARCH64",
        _ => "SCMP_ARCH_NATIVE",
    }
}

/// The kernel's version: its first two numbers.
fn kernel() -> (u32, u32) {
    let release = uname().map(|system| system.release().to_string_lossy().into_owned());
    version(&release.unwrap_or_default())
}

fn version(text: &str) -> (u32, u32) {
    let mut numbers = text
        .split(|c: char| !c.is_ascii_digit())
        .map(|number| number.parse().unwrap_or_default());
    (
        numbers.next().unwrap_or_default(),
        numbers.next().unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_hold_where_they_say() {
        let profile = json!({
            "defaultAction": "SCMP_ACT_ALLOW",
            "archMap": [
                { "architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"] },
                { "architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"] },
            ],
            "syscalls": [
                { "name": "chmod", "action": "SCMP_ACT_ERRNO", "comment": "of former times" },
                { "names": ["a"], "action": "SCMP_ACT_LOG", "includes": { "caps": ["CAP_BPF"] } },
                { "names": ["b"], "action": "SCMP_ACT_LOG", "excludes": { "caps": ["CAP_BPF"] } },
                { "names": ["c"], "action": "SCMP_ACT_LOG", "includes": { "minKernel": "99.0" } },
                { "names": ["d"], "action": "SCMP_ACT_LOG", "includes": { "minKernel": "3.10" } },
                { "names": ["e"], "action": "SCMP_ACT_LOG", "includes": { "arches": ["none"] } },
                { "names": ["clone"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38,
                  "args": [{ "index": 0, "value": 7, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ" }] },
            ],
        });
        let shown = read(&profile.to_string(), &["CAP_BPF".to_owned()]).unwrap();
        let rules = shown["syscalls"].as_array().unwrap();
        let names: Vec<_> = rules
            .iter()
            .map(|rule| rule["names"][0].as_str().unwrap())
            .collect();
        assert_eq!(names, ["chmod", "a", "d", "clone"]);
        assert_eq!(rules[3]["args"][0]["valueTwo"], 7);
        assert!(
            shown["architectures"]
                .as_array()
                .is_some_and(|all| all.len() == 2)
        );
    }

    #[test]
    fn what_is_no_profile_is_told() {
        for text in ["{}", "x", r#"{"defaultAction":"SCMP_ACT_WONDER"}"#] {
            let error = read(text, &[]).unwrap_err();
            assert_eq!(error.status, 400, "{text}");
            assert!(error.message.starts_with("seccomp profile: "), "{error}");
        }
    }
}
