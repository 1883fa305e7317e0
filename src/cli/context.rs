//! What every command needs: the global options, the environment, ways to load and connect.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use super::args::GlobalArgs;
use super::error::{Error, Style};
use super::settings::{Settings, truth};
use crate::compose::{self, Diagnostic, LoadOptions, Loaded, SourceMap};
use crate::connect::{self, Engine, Intent};
use crate::report::event;
use crate::run::artifact::remote_files::RemoteFiles;
use crate::run::select::{self, Target};
use crate::ui::diagnostics::Format;
use crate::ui::progress::Mode;
use crate::ui::screen::{self, Screen};
use crate::ui::{self, log_printer};

/// The surroundings of one command.
#[derive(Debug)]
pub struct Context {
    /// Options given before the command.
    pub global: GlobalArgs,
    /// The environment of the process.
    pub env: BTreeMap<String, String>,
    /// The folder the program was started in; absolute.
    pub working_dir: PathBuf,
    /// How to show things.
    pub settings: Settings,
    /// What `--diagnostics sarif` writes at the end.
    report: Mutex<ui::diagnostics::Sarif>,
    /// What the command is about to do on an engine.
    pub(super) intent: Intent,
    /// Compose files from registries.
    remote: Arc<RemoteFiles>,
}

impl Context {
    /// Reads the surroundings of the process; the given variables win over its environment.
    pub fn new(global: GlobalArgs, variables: Vec<(&'static str, String)>) -> Result<Self, Error> {
        let mut env = environment();
        env.extend(
            variables
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value)),
        );
        let mut context = Self {
            settings: Settings::new(&global, &env)?,
            report: Mutex::default(),
            intent: Intent::Look,
            remote: Arc::new(RemoteFiles::new(&env, &global.insecure_registries)),
            global,
            env,
            working_dir: std::env::current_dir()?,
        };
        context.read_env_files()?;
        Ok(context)
    }

    /// Takes the `COMPOSE_` variables that only the env files have.
    fn read_env_files(&mut self) -> Result<(), Error> {
        let found = compose::variables_in_reach(&self.load_options(&[]));
        let before = self.env.len();
        for (name, value) in found {
            if name.starts_with("COMPOSE_") {
                self.env.entry(name).or_insert(value);
            }
        }
        if self.env.len() > before {
            self.settings = Settings::new(&self.global, &self.env)?;
        }
        Ok(())
    }

    /// `--dry-run`: show what would be done without doing it.
    pub fn dry_run(&self) -> bool {
        self.global.dry_run
    }

    /// `RCOMPOSE_COMPAT=strict`: do as docker compose does even where we mean to be better.
    pub fn strict(&self) -> bool {
        self.env
            .get("RCOMPOSE_COMPAT")
            .is_some_and(|value| value == "strict")
    }

    /// `--compatibility` or `COMPOSE_COMPATIBILITY`: "_" between the parts of names.
    pub fn compatibility(&self) -> bool {
        self.global.compatibility || self.flag("COMPOSE_COMPATIBILITY")
    }

    /// Whether an environment variable is set to something true.
    pub fn flag(&self, name: &str) -> bool {
        self.env.get(name).is_some_and(|value| truth(value))
    }

    /// What [`crate::compose::load`] is asked for with the global options and these services.
    pub fn load_options(&self, services: &[String]) -> LoadOptions {
        LoadOptions {
            files: self.global.files.clone(),
            project_directory: self
                .global
                .project_directory
                .clone()
                .or_else(|| self.global.workdir.clone()),
            project_name: self.global.project_name.clone(),
            profiles: self.global.profiles.clone(),
            env_files: self.global.env_files.clone(),
            services: services.to_vec(),
            all_resources: self.global.all_resources,
            remote: Some(Arc::clone(&self.remote) as _),
            ..LoadOptions::new(self.working_dir.clone(), self.env.clone())
        }
    }

    /// The text of standard input, where a file to load is named `-`.
    pub fn standard_input(&self, options: &LoadOptions) -> Result<Option<String>, Error> {
        if !options.files.iter().any(|file| file == "-") {
            return Ok(None);
        }
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        Ok(Some(text))
    }

    /// Loads the project with these services enabled, and shows what is wrong with it but does
    /// not prevent loading.
    pub fn load_project(&self, services: &[String]) -> Result<Loaded, Error> {
        self.load(self.load_options(services))
    }

    /// Loads the project of `options` for the sake of its images: these can be handled before the env files of its containers
    /// exist. Shows warnings.
    pub fn load_for_images(&self, mut options: LoadOptions) -> Result<Loaded, Error> {
        options.resolve_environment = false;
        self.load(options)
    }

    fn load(&self, mut options: LoadOptions) -> Result<Loaded, Error> {
        options.stdin = self.standard_input(&options)?;
        let loaded = compose::load(&options)?;
        self.show_warnings(&loaded.warnings, &loaded.sources)?;
        Ok(loaded)
    }

    /// Writes warnings to standard error, with their places.
    pub fn show_warnings(&self, warnings: &[Diagnostic], sources: &SourceMap) -> Result<(), Error> {
        let style = self.error_style();
        let text = match style.diagnostics {
            Format::Json => ui::diagnostics::json(warnings, sources),
            Format::Sarif => {
                self.report().add(warnings, sources);
                return Ok(());
            }
            Format::Human if style.json => warnings
                .iter()
                .map(|diagnostic| {
                    ui::warning::json(&ui::diagnostics::headline(diagnostic, sources))
                })
                .collect(),
            Format::Human => ui::diagnostics::render(warnings, sources, style.color),
        };
        Ok(ui::out::stderr(&text)?)
    }

    fn report(&self) -> std::sync::MutexGuard<'_, ui::diagnostics::Sarif> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows how a command ended and gives the exit code of the program.
    pub(super) fn finish(&self, result: Result<ExitCode, Error>) -> ExitCode {
        let style = self.error_style();
        if style.diagnostics != Format::Sarif {
            return result.unwrap_or_else(|error| error.show(style));
        }
        let code = match result {
            Ok(code) => code,
            Err(error) if error.report(&mut self.report()) => ExitCode::from(error.code()),
            Err(error) => error.show(style),
        };
        // Nobody is left to tell when standard error is closed.
        let _ = ui::out::stderr(&self.report().document());
        code
    }

    /// The project where there is one to load, and its name. With `-p` and without `-f` no file
    /// is looked for.
    pub fn project_or_name(&self, services: &[String]) -> Result<(Option<Loaded>, String), Error> {
        if let (Some(name), true) = (&self.global.project_name, self.global.files.is_empty()) {
            return Ok((None, given_name(name)?));
        }
        match self.load_project(services) {
            Ok(loaded) => {
                let name = loaded.project.name.clone();
                Ok((Some(loaded), name))
            }
            Err(error) => match self.name_in_environment() {
                Some(name) => Ok((None, name)),
                None => Err(error),
            },
        }
    }

    /// The project's name: from `-p`, from `COMPOSE_PROJECT_NAME`, otherwise from the files.
    pub fn project_name(&self) -> Result<String, Error> {
        if let Some(name) = &self.global.project_name {
            return given_name(name);
        }
        match self.name_in_environment() {
            Some(name) => Ok(name),
            None => Ok(self.load_project(&[])?.project.name),
        }
    }

    fn name_in_environment(&self) -> Option<String> {
        self.env
            .get("COMPOSE_PROJECT_NAME")
            .filter(|name| !name.is_empty())
            .map(|name| name.to_lowercase())
    }

    /// Connects to the engine that the options and the environment choose.
    pub async fn engine(&self) -> Result<Engine, Error> {
        Ok(connect::connect(self.global.engine.as_deref(), &self.env, self.intent).await?)
    }

    /// The client of [`Self::engine`].
    pub async fn connect(&self) -> Result<bollard::Docker, Error> {
        Ok(self.engine().await?.docker)
    }

    /// The running container of a service, the `index`-th or any (0), and its engine. A container of a service that is no
    /// longer in the file can be reached all the same.
    pub async fn running_container(
        &self,
        service: &str,
        index: u64,
    ) -> Result<(Engine, Target), Error> {
        let (_, project) = self.project_or_name(&[service.to_owned()])?;
        let engine = self.engine().await?;
        let target = select::one(&engine.docker, &project, service, index, false).await?;
        Ok((engine, target))
    }

    /// Opens a screen as [`Self::progress`] does, or none where nothing is to be shown.
    pub fn progress_unless(
        &self,
        quiet: bool,
        title: &'static str,
    ) -> (event::Sender, Option<Screen>) {
        if quiet {
            return (event::nobody(), None);
        }
        let (sender, screen) = self.progress(title);
        (sender, Some(screen))
    }

    /// Opens a screen for the progress of a plan; the title is "Running", "Stopping" and so on.
    ///
    /// Drop every sender, then wait for [`Screen::finish`].
    pub fn progress(&self, title: &'static str) -> (event::Sender, Screen) {
        self.screen(title, self.log_options(true, false, false))
    }

    /// Opens a screen that also shows log lines in a way of the command's own.
    pub fn screen(
        &self,
        title: &'static str,
        log: log_printer::Options,
    ) -> (event::Sender, Screen) {
        Screen::open(self.screen_options(title, log))
    }

    /// Opens a screen for builds, or none where nothing is to be shown. Lines of builds go to standard output, where
    /// docker compose has them; with other commands that is for what they run.
    pub fn progress_of_builds(&self, quiet: bool) -> (event::Sender, Option<Screen>) {
        if quiet {
            return (event::nobody(), None);
        }
        let log = self.log_options(true, false, false);
        let (sender, screen) = Screen::open(screen::Options {
            builds_to_stdout: true,
            ..self.screen_options("Building", log)
        });
        (sender, Some(screen))
    }

    fn screen_options(&self, title: &'static str, log: log_printer::Options) -> screen::Options {
        screen::Options {
            mode: self.settings.progress,
            title,
            to_stdout: self.settings.status_stdout,
            builds_to_stdout: false,
            color: if self.settings.status_stdout {
                self.settings.color_stdout
            } else {
                self.settings.color_stderr
            },
            dry_run: self.global.dry_run,
            log,
        }
    }

    /// How log lines are shown, given `--no-log-prefix`'s opposite, `--no-color` and
    /// `--timestamps`.
    pub fn log_options(
        &self,
        prefix: bool,
        no_color: bool,
        timestamps: bool,
    ) -> log_printer::Options {
        log_printer::Options {
            prefix,
            color: self.settings.color_stdout && !no_color,
            timestamps,
            clear_line: self.settings.color_stdout || self.strict(),
        }
    }

    /// How errors are shown.
    pub fn error_style(&self) -> Style {
        Style {
            json: self.settings.progress == Mode::Json,
            diagnostics: self.settings.diagnostics,
            color: self.settings.color_stderr,
        }
    }
}

/// The variables of the process whose names and values are text.
fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The name given with `-p`, lower-cased; an error where no project can have it.
fn given_name(name: &str) -> Result<String, Error> {
    let lower = name.to_lowercase();
    if compose::normalize_name(&lower) == lower {
        return Ok(lower);
    }
    Err(
        Error::user(format!("invalid project name \"{name}\" from -p")).help(
            "use lower-case letters, digits, hyphens and underscores, starting with a letter or digit",
        ),
    )
}
