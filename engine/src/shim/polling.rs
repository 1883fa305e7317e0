//! What the shim waits for.

use std::os::fd::{AsFd as _, BorrowedFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::connection::{Connection, Role};
use super::process::{Process, Shim};
use super::protocol::Stream;

/// What a descriptor in the poll belongs to.
#[derive(Clone, Copy)]
pub(super) enum Source {
    /// Something happened to a process.
    Signals,
    /// A client connects.
    Listener,
    /// A process wrote something.
    Output(usize, Stream),
    /// A process can take input.
    Input(usize),
    /// A client sends, or can take more.
    Connection(usize),
    /// A client has gone for good.
    Gone(usize),
}

impl Shim {
    /// Waits until something can be done.
    pub(super) fn wait(&self) -> Vec<Source> {
        let sources = self.sources();
        let mut descriptors: Vec<PollFd<'_>> = sources
            .iter()
            .map(|(_, descriptor, flags)| PollFd::new(*descriptor, *flags))
            .collect();
        if poll(&mut descriptors, PollTimeout::NONE).is_err() {
            return Vec::new();
        }
        let ready = descriptors.iter().zip(&sources);
        ready
            .filter_map(|(descriptor, (source, ..))| {
                let events = descriptor.revents().filter(|events| !events.is_empty())?;
                Some(self.happened(*source, events))
            })
            .collect()
    }

    /// A client whose end has been seen has nothing more to say: what still wakes is its going.
    fn happened(&self, source: Source, events: PollFlags) -> Source {
        let gone = events.intersects(PollFlags::POLLHUP | PollFlags::POLLERR);
        match source {
            Source::Connection(number) if gone && self.connections[number].input_ended => {
                Source::Gone(number)
            }
            source => source,
        }
    }

    fn sources(&self) -> Vec<(Source, BorrowedFd<'_>, PollFlags)> {
        let read = PollFlags::POLLIN;
        let mut sources = vec![
            (Source::Signals, self.signals.as_fd(), read),
            (Source::Listener, self.listener.as_fd(), read),
        ];
        for (number, process) in self.processes.iter().enumerate() {
            self.process_sources(number, process, &mut sources);
        }
        for (number, connection) in self.connections.iter().enumerate() {
            let mut flags = PollFlags::empty();
            let takes_input = match connection.role {
                Role::Attached(process) => self.processes[process].stdio.takes_input(),
                _ => true,
            };
            flags.set(PollFlags::POLLIN, takes_input && !connection.input_ended);
            flags.set(PollFlags::POLLOUT, connection.has_outgoing());
            // Without flags only an error wakes: the client has gone for good.
            sources.push((Source::Connection(number), connection.socket.as_fd(), flags));
        }
        sources
    }

    fn process_sources<'a>(
        &self,
        number: usize,
        process: &'a Process,
        sources: &mut Vec<(Source, BorrowedFd<'a>, PollFlags)>,
    ) {
        let is_behind = |connection: &Connection| {
            connection.role == Role::Attached(number) && connection.is_behind()
        };
        let stdio = &process.stdio;
        if !self.connections.iter().any(is_behind) {
            let outputs = [
                (Stream::Stdout, &stdio.stdout),
                (Stream::Stderr, &stdio.stderr),
            ];
            for (stream, file) in outputs {
                if let Some(file) = file {
                    let source = Source::Output(number, stream);
                    sources.push((source, file.as_fd(), PollFlags::POLLIN));
                }
            }
        }
        if let Some(stdin) = stdio.stdin.as_ref().filter(|_| stdio.has_input()) {
            sources.push((Source::Input(number), stdin.as_fd(), PollFlags::POLLOUT));
        }
    }
}
