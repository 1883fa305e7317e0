//! What the shim does for its clients and with its processes' output.

use libcontainer::container::ContainerStatus;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::connection::{Connection, Incoming, Role};
use super::create::{self, Failure};
use super::log_file::LogFile;
use super::polling::Source;
use super::process::{FIRST, Process, Shim};
use super::protocol::{AttachRequest, ExecRequest, Notice, Reply, Request, Stream};
use super::stdio::Stdio;

impl Shim {
    /// Does what can be done.
    pub(super) fn handle(&mut self, source: Source) {
        match source {
            Source::Signals => {
                while matches!(self.signals.read_signal(), Ok(Some(_))) {}
                self.reap();
            }
            Source::Listener => {
                while let Ok((socket, _)) = self.listener.accept() {
                    self.connections.extend(Connection::new(socket));
                }
            }
            Source::Output(number, stream) => drop(self.output(number, stream)),
            Source::Input(number) => self.processes[number].stdio.write_input(),
            Source::Gone(number) => self.connections[number].abandon(),
            Source::Connection(number) => {
                self.connections[number].send();
                self.receive(number);
            }
        }
    }

    /// Takes output once; whether there was any.
    pub(super) fn output(&mut self, number: usize, stream: Stream) -> bool {
        let mut buffer = vec![0; 32 * 1024];
        let length = self.processes[number].stdio.read(stream, &mut buffer);
        let bytes = &buffer[..length];
        if bytes.is_empty() {
            return false;
        }
        for connection in &mut self.connections {
            if connection.role == Role::Attached(number) {
                connection.frame(stream, bytes);
            }
        }
        if number == FIRST {
            self.write_log(|log| log.write(stream, bytes));
        }
        true
    }

    /// Writes to the log, and tells those who watch it.
    pub(super) fn write_log(&mut self, write: impl FnOnce(&mut LogFile) -> std::io::Result<()>) {
        let Some(log) = &mut self.log else { return };
        if let Err(error) = write(log) {
            // The container goes on without its log, as with any engine whose disk is full.
            tracing::error!("log: {error}");
        }
        for connection in &mut self.connections {
            if connection.role == Role::Watching && !connection.has_outgoing() {
                connection.line(&Notice::Log);
            }
        }
    }

    fn receive(&mut self, number: usize) {
        if self.connections[number].input_ended {
            return;
        }
        match self.connections[number].receive() {
            Incoming::Nothing => {}
            Incoming::Request(request) => {
                let reply = match request {
                    Ok(request) => self.answer(number, request),
                    Err(message) => Reply::Failed {
                        message,
                        code: None,
                    },
                };
                self.connections[number].line(&reply);
                let input = self.connections[number].take_early_input();
                self.input(number, &input);
            }
            Incoming::Input(bytes) => self.input(number, &bytes),
            Incoming::End => self.end_input(number),
        }
    }

    fn input(&mut self, connection: usize, bytes: &[u8]) {
        let connection = &self.connections[connection];
        if let Role::Attached(process) = connection.role
            && connection.wants.stdin
        {
            self.processes[process].stdio.input(bytes);
        }
    }

    fn end_input(&mut self, connection: usize) {
        let connection = &self.connections[connection];
        let Role::Attached(number) = connection.role else {
            return;
        };
        let process = &mut self.processes[number];
        let ends = process.exec.is_some() || self.launch.stdin_once;
        if ends && connection.wants.stdin {
            process.stdio.end_input();
        }
    }

    fn answer(&mut self, number: usize, request: Request) -> Reply {
        self.connections[number].role = Role::Answered;
        match request {
            Request::Watch => {
                self.connections[number].role = Role::Watching;
                Reply::Done { pid: None }
            }
            Request::Attach(wants) => self.attach(number, FIRST, wants),
            Request::Exec(exec) => match create::process(&self.launch, &exec) {
                Ok((pid, stdio)) => self.executing(number, exec, pid, stdio),
                Err(failure) => failure.into(),
            },
            Request::Resize {
                exec,
                width,
                height,
            } => match self.find(exec.as_deref()) {
                Some(process) => done(process.stdio.resize(width, height)),
                None => no_process(),
            },
            Request::Signal { exec, signal } => match self.find(exec.as_deref()) {
                Some(process) => {
                    let pid = process.pid;
                    done(Signal::try_from(signal).and_then(|signal| self.signal(pid, signal)))
                }
                None => no_process(),
            },
            Request::Freeze(true) => thawed(self.container.pause()),
            Request::Freeze(false) => thawed(self.container.resume()),
        }
    }

    fn signal(&mut self, pid: Pid, signal: Signal) -> Result<(), Errno> {
        kill(pid, signal)?;
        // With version 1 of control groups what is frozen does not even die.
        if signal == Signal::SIGKILL && self.container.status() == ContainerStatus::Paused {
            let _ = self.container.resume();
        }
        Ok(())
    }

    fn attach(&mut self, number: usize, process: usize, wants: AttachRequest) -> Reply {
        let pid = self.processes[process].pid.as_raw();
        let connection = &mut self.connections[number];
        connection.role = Role::Attached(process);
        connection.wants = wants;
        Reply::Done { pid: Some(pid) }
    }

    fn executing(&mut self, number: usize, exec: ExecRequest, pid: Pid, stdio: Stdio) -> Reply {
        let wants = exec.streams;
        self.processes.push(Process {
            exec: Some(exec),
            pid,
            stdio,
            ended: None,
        });
        self.attach(number, self.processes.len() - 1, wants)
    }

    /// A process that has not ended.
    fn find(&self, exec: Option<&str>) -> Option<&Process> {
        self.processes.iter().find(|process| {
            process.ended.is_none() && process.exec.as_ref().map(|exec| exec.id.as_str()) == exec
        })
    }
}

fn done(result: Result<(), Errno>) -> Reply {
    match result {
        Ok(()) => Reply::Done { pid: None },
        Err(error) => Failure::new(error).into(),
    }
}

fn thawed(result: Result<(), libcontainer::error::LibcontainerError>) -> Reply {
    match result {
        Ok(()) => Reply::Done { pid: None },
        Err(error) => Failure::new(error).into(),
    }
}

fn no_process() -> Reply {
    Reply::Failed {
        message: "there is no such process any more".to_owned(),
        code: None,
    }
}
