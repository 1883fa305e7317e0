//! The command line: one file per command, and what they share.
//!
//! This is the only place where loading, planning, running and showing meet.

pub mod alpha;
pub mod args;
mod attached;
mod command_line;
pub mod context;
mod creation;
pub(crate) mod dockerfiles;
pub mod error;
mod foreground;
mod help;
mod parse;
mod plugin;
mod prompt;
mod providers;
mod session;
pub mod settings;
mod unsupported;

pub mod attach;
pub mod bridge;
pub mod build;
pub mod commit;
pub mod completion;
pub mod config;
pub mod cp;
pub mod create;
pub mod down;
pub mod engine;
pub mod events;
pub mod exec;
pub mod export;
pub mod images;
pub mod kill;
pub mod lint;
pub mod logs;
pub mod ls;
pub mod man;
pub mod migrate;
pub mod pause;
pub mod plan;
pub mod port;
pub mod ps;
pub mod publish;
pub mod pull;
pub mod push;
pub mod restart;
pub mod rm;
pub mod run;
pub mod scale;
pub mod schema;
pub mod start;
pub mod stats;
pub mod stop;
pub mod top;
pub mod up;
pub mod version;
pub mod volumes;
pub mod wait;
pub mod watch;
mod watching;

use std::process::ExitCode;

use args::Command;
pub use context::Context;
pub use error::Error;

/// Runs the program with the arguments of the process and returns its exit code.
pub fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    if let Some(code) = engine::shims(&args).or_else(|| completion::answer(&args)) {
        return code;
    }
    let style = parse::error_style(&args);
    let parsed = match parse::parse(args.into_iter()) {
        Ok(parsed) => parsed,
        Err(outcome) => return outcome.show(style),
    };
    if let Err(error) = engine::detach(&parsed.command) {
        return error.show(style);
    }
    let mut context = match Context::new(parsed.global, parsed.env) {
        Ok(context) => context,
        Err(error) => return error.show(style),
    };
    context.intent = parsed.command.intent();
    // One thread is plenty, the engine does the work; a second one costs memory.
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return context.finish(Err(error.into())),
    };
    let result = runtime.block_on(async {
        let result = dispatch(&context, parsed.command).await;
        crate::run::cleanup::finished().await;
        result
    });
    // A blocked read of standard input must not keep the program alive.
    runtime.shutdown_background();
    context.finish(result)
}

async fn dispatch(context: &Context, command: Command) -> Result<ExitCode, Error> {
    match command {
        Command::Alpha(args) => alpha::run(context, args).await,
        Command::Attach(args) => attach::run(context, args).await,
        Command::Bridge(args) => bridge::run(context, args).await,
        Command::Build(args) => build::run(context, args).await,
        Command::Commit(args) => commit::run(context, args).await,
        Command::Completion(args) => completion::run(context, args).await,
        Command::Config(args) => config::run(context, args).await,
        Command::Cp(args) => cp::run(context, args).await,
        Command::Create(args) => create::run(context, args).await,
        Command::Down(args) => down::run(context, args).await,
        Command::Engine(args) => engine::run(context, args).await,
        Command::Events(args) => events::run(context, args).await,
        Command::Exec(args) => exec::run(context, args).await,
        Command::Export(args) => export::run(context, args).await,
        Command::Images(args) => images::run(context, args).await,
        Command::Kill(args) => kill::run(context, args).await,
        Command::Lint(args) => lint::run(context, args).await,
        Command::Logs(args) => logs::run(context, args).await,
        Command::Ls(args) => ls::run(context, args).await,
        Command::Man(args) => man::run(context, args).await,
        Command::Migrate(args) => migrate::run(context, args).await,
        Command::Pause(args) => pause::pause(context, args).await,
        Command::Plan(args) => plan::run(context, args).await,
        Command::Port(args) => port::run(context, args).await,
        Command::Ps(args) => ps::run(context, args).await,
        Command::Publish(args) => publish::run(context, args).await,
        Command::Pull(args) => pull::run(context, args).await,
        Command::Push(args) => push::run(context, args).await,
        Command::Restart(args) => restart::run(context, args).await,
        Command::Rm(args) => rm::run(context, args).await,
        Command::Run(args) => run::run(context, args).await,
        Command::Scale(args) => scale::run(context, args).await,
        Command::Schema(args) => schema::run(context, args).await,
        Command::Start(args) => start::run(context, args).await,
        Command::Stats(args) => stats::run(context, args).await,
        Command::Stop(args) => stop::run(context, args).await,
        Command::Top(args) => top::run(context, args).await,
        Command::Unpause(args) => pause::unpause(context, args).await,
        Command::Up(args) => up::run(context, args).await,
        Command::Version(args) => version::run(context, args).await,
        Command::Volumes(args) => volumes::run(context, args).await,
        Command::Wait(args) => wait::run(context, args).await,
        Command::Watch(args) => watch::run(context, args).await,
    }
}

#[cfg(test)]
mod tests;
