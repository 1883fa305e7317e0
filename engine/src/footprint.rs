//! Giving back memory that is not needed any more.
//!
//! One process runs beside each container, most of its life waiting: what it needed to make the
//! container would stay with it, fifty times over with fifty containers.

use std::fs;

use nix::errno::Errno;
use nix::libc;
use nix::sys::resource::{Resource, getrlimit};

/// How much of the stack below the caller is left alone.
const STACK_MARGIN: usize = 16 * 1024;
/// Size that the stack is looked through at most.
const STACK_LIMIT: u64 = 8 * 1024 * 1024;
/// Bytes of a page, or a multiple of it.
const PAGE: usize = 4096;

/// A mapping of this process.
#[derive(Debug, PartialEq, Eq)]
struct Mapping {
    start: usize,
    end: usize,
    flags: String,
    name: String,
}

/// Keeps threads that allocate from each having an arena of its own, which would never shrink.
/// Before there are any.
pub(crate) fn share_arenas() {
    #[cfg(target_env = "gnu")]
    #[expect(unsafe_code, reason = "the C library has no safe wrapper")]
    // SAFETY: only sets parameters of the allocator, whatever its state.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
        // As by default, but for good: it would grow with what is freed.
        libc::mallopt(libc::M_TRIM_THRESHOLD, 128 * 1024);
    }
}

/// Gives freed memory back to the system.
pub(crate) fn trim() {
    #[cfg(target_env = "gnu")]
    #[expect(unsafe_code, reason = "the C library has no safe wrapper")]
    // SAFETY: only unmaps what the allocator has free.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Gives back freed memory, the program's code, which is read again where it is needed, and the
/// stack that deeper calls have used. Only in a process with one thread.
pub(crate) fn give_back() {
    trim();
    give_code_back();
    let Ok(table) = fs::read_to_string("/proc/self/maps") else {
        return;
    };
    let here = std::ptr::from_ref(&table).addr();
    let is_stack = |mapping: &Mapping| mapping.name == "[stack]";
    let Some(stack) = mappings(&table).find(is_stack) else {
        return;
    };
    let limit = getrlimit(Resource::RLIMIT_STACK).map_or(STACK_LIMIT, |(soft, _)| soft);
    let is_whole = stack.end.saturating_sub(stack.start) as u64 <= limit.min(STACK_LIMIT);
    let end = here.saturating_sub(STACK_MARGIN) / PAGE * PAGE;
    if is_whole && (stack.start..stack.end).contains(&end) {
        forget(stack.start, end);
    }
}

/// Gives the pages of the program's own code back; they are read again from its file, or from the
/// system's cache, where they are needed.
pub(crate) fn give_code_back() {
    let Ok(table) = fs::read_to_string("/proc/self/maps") else {
        return;
    };
    // By way of /proc: the file may have been replaced or removed since.
    let Ok(program) = fs::read_link("/proc/self/exe") else {
        return;
    };
    let program = program.to_string_lossy();
    let is_code = |mapping: &Mapping| mapping.flags == "r-xp" && mapping.name == program;
    for mapping in mappings(&table).filter(is_code) {
        forget(mapping.start, mapping.end);
    }
}

/// Code that was never written, or stack that nothing lives on.
fn forget(start: usize, end: usize) {
    let address = std::ptr::with_exposed_provenance_mut(start);
    #[expect(unsafe_code, reason = "there is no safe way to name memory")]
    // SAFETY: private mappings whose pages come back as they were where they are of a file and have
    // never been written, and stack below everything that is in use.
    let given = unsafe { libc::madvise(address, end - start, libc::MADV_DONTNEED) };
    if let Err(error) = Errno::result(given) {
        tracing::debug!("give memory back: {error}");
    }
}

/// The lines of `/proc/self/maps`.
fn mappings(table: &str) -> impl Iterator<Item = Mapping> {
    table.lines().filter_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let number = |text| usize::from_str_radix(text, 16).ok();
        let mut words = rest.splitn(5, ' ');
        let flags = words.next()?.to_owned();
        let name = words.nth(3).unwrap_or_default().trim_start().to_owned();
        Some(Mapping {
            start: number(start)?,
            end: number(end)?,
            flags,
            name,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappings_are_read() {
        let table = "00200000-0083d000 r--p 00000000 fe:00 123                        /a b/engine\n\
                     7ffc28a32000-7ffc28a53000 rw-p 00000000 00:00 0                          [stack]\n\
                     7fc238000000-7fc23804a000 rw-p 00000000 00:00 0 \n";
        let names: Vec<_> = mappings(table)
            .map(|mapping| (mapping.flags, mapping.name))
            .collect();
        let expected = [("r--p", "/a b/engine"), ("rw-p", "[stack]"), ("rw-p", "")];
        assert_eq!(
            names,
            expected.map(|(flags, name)| (flags.to_owned(), name.to_owned()))
        );
    }

    #[test]
    fn life_goes_on_without_what_was_given_back() {
        let before: Vec<u32> = (0..100_000).collect();
        trim();
        give_code_back();
        assert!(before.iter().copied().eq(0..100_000));
    }
}
