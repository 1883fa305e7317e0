//! A client of the shim's socket.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;

use serde::Serialize;

use super::protocol::{AttachRequest, Request, Stream, header};

/// Bytes that a client may be behind before the process has to wait for it.
const LARGEST_BACKLOG: usize = 1 << 20;

/// Longest request; the daemon's are far shorter.
const LONGEST_REQUEST: usize = 1 << 16;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Its request has not come yet.
    New,
    /// It is answered; what is left is to send the answer.
    Answered,
    /// It wants notices.
    Watching,
    /// It is connected to the process with this number.
    Attached(usize),
}

/// A client.
#[derive(Debug)]
pub(super) struct Connection {
    /// Its socket, which does not block.
    pub(super) socket: UnixStream,
    /// What it is for.
    pub(super) role: Role,
    /// Which streams it wants.
    pub(super) wants: AttachRequest,
    /// Whether it has closed its side.
    pub(super) input_ended: bool,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    broken: bool,
    finished: bool,
}

/// What came from a client.
#[derive(Debug)]
pub(super) enum Incoming {
    /// Nothing, for now.
    Nothing,
    /// Its request.
    Request(Result<Request, String>),
    /// Standard input.
    Input(Vec<u8>),
    /// The end of its side.
    End,
}

impl Connection {
    /// A client that has just connected.
    ///
    /// # Errors
    /// When the socket cannot be made not to block.
    pub(super) fn new(socket: UnixStream) -> std::io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            role: Role::New,
            wants: AttachRequest::default(),
            input_ended: false,
            incoming: Vec::new(),
            outgoing: Vec::new(),
            broken: false,
            finished: false,
        })
    }

    /// Whether it can be forgotten.
    pub(super) fn is_over(&self) -> bool {
        let idle = self.outgoing.is_empty();
        self.broken
            || (self.finished && idle)
            || (self.input_ended && idle && matches!(self.role, Role::New | Role::Answered))
    }

    /// Whether there is something to send.
    pub(super) fn has_outgoing(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Whether the process it is connected to has to wait for it.
    pub(super) fn is_behind(&self) -> bool {
        self.outgoing.len() > LARGEST_BACKLOG
    }

    /// Reads once.
    pub(super) fn receive(&mut self) -> Incoming {
        let mut buffer = [0; 8192];
        let length = match self.socket.read(&mut buffer) {
            Ok(length) => length,
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                return Incoming::Nothing;
            }
            Err(_) => {
                self.broken = true;
                return Incoming::End;
            }
        };
        if length == 0 {
            self.input_ended = true;
            return Incoming::End;
        }
        let bytes = &buffer[..length];
        match self.role {
            Role::New => self.request(bytes),
            Role::Attached(_) => Incoming::Input(bytes.to_vec()),
            Role::Answered | Role::Watching => Incoming::Nothing,
        }
    }

    fn request(&mut self, bytes: &[u8]) -> Incoming {
        self.incoming.extend_from_slice(bytes);
        let Some(end) = self.incoming.iter().position(|byte| *byte == b'\n') else {
            self.broken = self.incoming.len() > LONGEST_REQUEST;
            return Incoming::Nothing;
        };
        let request = serde_json::from_slice(&self.incoming[..end]);
        self.incoming.drain(..=end);
        Incoming::Request(request.map_err(|error| error.to_string()))
    }

    /// What came in one piece with the request: standard input already.
    pub(super) fn take_early_input(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.incoming)
    }

    /// Sends a line of JSON.
    pub(super) fn line(&mut self, line: &impl Serialize) {
        if let Ok(text) = serde_json::to_vec(line) {
            self.outgoing.extend_from_slice(&text);
            self.outgoing.push(b'\n');
            self.send();
        }
    }

    /// Sends output if it wants this stream.
    pub(super) fn frame(&mut self, stream: Stream, bytes: &[u8]) {
        let wanted = match stream {
            Stream::Stdout => self.wants.stdout,
            Stream::Stderr => self.wants.stderr,
            Stream::Exit => true,
        };
        if wanted {
            self.outgoing
                .extend_from_slice(&header(stream, bytes.len()));
            self.outgoing.extend_from_slice(bytes);
            self.send();
        }
    }

    /// Nothing more will be sent after what is on its way.
    pub(super) fn finish(&mut self) {
        self.finished = true;
    }

    /// The client has gone: what is left for it goes nowhere.
    pub(super) fn abandon(&mut self) {
        self.broken = true;
    }

    /// Sends as much as the socket takes.
    pub(super) fn send(&mut self) {
        while !self.outgoing.is_empty() && !self.broken {
            match self.socket.write(&self.outgoing) {
                Ok(length) => drop(self.outgoing.drain(..length)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => self.broken = true,
            }
        }
    }

    /// Sends the rest, waiting for a slow client for a second at most.
    pub(super) fn flush(&mut self) {
        let patience = Some(std::time::Duration::from_secs(1));
        if self.socket.set_nonblocking(false).is_ok()
            && self.socket.set_write_timeout(patience).is_ok()
        {
            self.send();
        }
    }
}
