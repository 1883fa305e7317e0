//! Compose files that are not on this machine.

use std::path::PathBuf;

use super::diagnostic::{Diagnostic, code};
use super::loader::Loader;
use super::options::FetchError;
use super::paths;
use super::source::Span;

/// Where a compose file is.
pub(crate) enum Located {
    /// At the path that names it.
    Local,
    /// Elsewhere, with a copy at this path.
    Brought(PathBuf),
    /// Elsewhere, and it cannot be brought.
    Missing,
}

impl Loader<'_> {
    /// The path of a compose file that is not named by a path of this machine, once it is here; `Local` for a path. What
    /// cannot be brought is reported.
    pub(crate) fn located(&mut self, text: &str, place: Option<Span>) -> Located {
        if !paths::is_remote(text) {
            return Located::Local;
        }
        let brought = match &self.options.remote {
            Some(remote) => remote.fetch(text),
            None => Err(FetchError {
                message: format!("compose files are not fetched from elsewhere: {text}"),
                help: "fetch it and name the local file".to_owned(),
            }),
        };
        match brought {
            Ok(path) => Located::Brought(path),
            Err(error) => {
                let problem = Diagnostic::error(error.message).code(code::REMOTE_FILE);
                self.report(problem.help(error.help), place);
                Located::Missing
            }
        }
    }
}
