//! The functions of a program.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use crate::Error;

/// The functions of a program, by address. One may have several names: the compiler makes one of functions that are equal.
pub(crate) struct Symbols(BTreeMap<u64, Function>);

struct Function {
    /// Bytes.
    size: u64,
    names: Vec<String>,
}

impl Symbols {
    /// Reads the table of symbols of `program`.
    ///
    /// # Errors
    /// When `nm` is missing or fails.
    pub(crate) fn of(program: &Path) -> Result<Self, Error> {
        let output = Command::new("nm")
            .args(["--defined-only", "--print-size"])
            .arg(program)
            .output()
            .map_err(|error| format!("nm: {error}"))?;
        if !output.status.success() {
            return Err(format!("nm failed: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        let mut functions = BTreeMap::new();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [address, size, "t" | "T" | "w" | "W", name] = words[..] else {
                continue;
            };
            let (address, size) = (
                u64::from_str_radix(address, 16)?,
                u64::from_str_radix(size, 16)?,
            );
            let function = functions.entry(address).or_insert(Function {
                size,
                names: Vec::new(),
            });
            function.names.push(name.to_owned());
        }
        Ok(Self(functions))
    }

    /// Addresses of the functions that `instructions` are of.
    pub(crate) fn containing(&self, instructions: &BTreeSet<u64>) -> BTreeSet<u64> {
        instructions.iter().filter_map(|it| self.at(*it)).collect()
    }

    fn at(&self, instruction: u64) -> Option<u64> {
        let (address, function) = self.0.range(..=instruction).next_back()?;
        (instruction < address + function.size.max(1)).then_some(*address)
    }

    /// What the linker is to look for to find the functions of `uses` (how many commands run them, by address): patterns,
    /// each with the largest number.
    ///
    /// The hash at the end of a name tells instances of a generic function apart. It is left out where a third of all
    /// instances (by their size) or more is wanted: so the name holds for other versions of the compiler and of libraries too.
    pub(crate) fn patterns(&self, uses: &BTreeMap<u64, usize>) -> BTreeMap<String, usize> {
        let mut all: BTreeMap<String, u64> = BTreeMap::new();
        let mut wanted: BTreeMap<String, u64> = BTreeMap::new();
        for (address, function) in &self.0 {
            for pattern in function
                .names
                .iter()
                .map(|it| without_hash(it))
                .collect::<BTreeSet<_>>()
            {
                if uses.contains_key(address) {
                    *wanted.entry(pattern.clone()).or_default() += function.size;
                }
                *all.entry(pattern).or_default() += function.size;
            }
        }
        let mut patterns = BTreeMap::new();
        for (address, uses) in uses {
            for name in &self.0[address].names {
                let general = without_hash(name);
                let pattern = if all[&general] <= 3 * wanted[&general] {
                    general
                } else {
                    with_hash(name)
                };
                let most = patterns.entry(pattern).or_insert(*uses);
                *most = (*most).max(*uses);
            }
        }
        patterns
    }
}

/// `…17h0123456789abcdefE` and what the optimiser appends to that: a star instead.
fn without_hash(name: &str) -> String {
    hash(name).map_or_else(|| name.to_owned(), |start| format!("{}*", &name[..start]))
}

fn with_hash(name: &str) -> String {
    match hash(name).map(|start| start + HASH) {
        Some(end) if end + 1 < name.len() => format!("{}*", &name[..=end]),
        _ => name.to_owned(),
    }
}

/// Digits of a hash.
const HASH: usize = 16;

/// Where the hash of a name begins, if it has one.
fn hash(name: &str) -> Option<usize> {
    let start = name.rfind("17h")? + "17h".len();
    let digits = name.get(start..start + HASH)?;
    let ends = name[start + HASH..].starts_with('E');
    (ends && digits.bytes().all(|it| it.is_ascii_hexdigit())).then_some(start)
}
