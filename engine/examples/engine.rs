//! The engine as a program of its own, for tests: `engine serve --socket S --root R --run R2`,
//! and `engine shims FOLDER`, which the daemon starts for what runs beside each container.

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
mod linux {
    use std::path::PathBuf;
    use std::process::ExitCode;

    use rcompose_engine::daemon::{Place, ServeOptions, serve};

    /// Runs what the arguments say. The program's name may be told twice: shims come from
    /// `<program> engine shims FOLDER`.
    pub(crate) fn main() -> ExitCode {
        let mut arguments: Vec<String> = std::env::args().skip(1).collect();
        if arguments.first().is_some_and(|first| first == "engine") {
            arguments.remove(0);
        }
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        match words.as_slice() {
            // Before any thread exists: the container library changes the state of its process.
            ["shims", _] => rcompose_engine::shim::serve_forks(),
            ["serve", options @ ..] => match run(options) {
                Ok(()) => ExitCode::SUCCESS,
                Err(message) => fail(&message),
            },
            _ => {
                fail("usage: engine serve --socket PATH --root DIR --run DIR | engine shims FOLDER")
            }
        }
    }

    fn run(options: &[&str]) -> Result<(), String> {
        let option = |name: &str| {
            let pair = options.chunks_exact(2).find(|pair| pair[0] == name);
            pair.map(|pair| PathBuf::from(pair[1]))
                .ok_or_else(|| format!("{name} is missing"))
        };
        let place = Place::new(Some(option("--socket")?), Some(option("--root")?))
            .with_run(option("--run")?);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        runtime
            .block_on(serve(place, ServeOptions::default(), || ()))
            .map_err(|error| error.to_string())
    }

    #[expect(clippy::print_stderr, reason = "a program's way to say what is wrong")]
    fn fail(message: &str) -> ExitCode {
        eprintln!("engine: {message}");
        ExitCode::FAILURE
    }
}
