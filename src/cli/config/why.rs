//! `config --why`: where values come from.

use super::{Args, selected};
use crate::cli::{Context, Error};
use crate::compose;
use crate::compose::provenance::{Answer, Explainer};
use crate::ui;

/// The answers to every question, as text or as data.
pub(super) fn show(context: &Context, args: &Args) -> Result<String, Error> {
    let json = match args.format.as_deref() {
        None | Some("" | "text") => false,
        Some("json") => true,
        Some(other) => {
            return Err(Error::user(format!("unsupported format \"{other}\""))
                .help("the formats of --why are text and json"));
        }
    };
    let mut options = selected(context, args)?;
    // Those of the env files have been added to the environment; here they count as what they are.
    options
        .shell
        .retain(|name, _| !name.starts_with("COMPOSE_") || std::env::var_os(name).is_some());
    let (loaded, record) = compose::load_recorded(&options)?;
    context.show_warnings(&loaded.warnings, &loaded.sources)?;
    let explainer = Explainer::new(&loaded, &record, &options);
    let answers: Result<Vec<Answer>, Error> = args
        .why
        .iter()
        .map(|question| {
            let answer = explainer.answer(question);
            answer.map_err(|unknown| {
                let error = Error::user(unknown.message);
                match unknown.help {
                    Some(help) => error.help(help),
                    None => error,
                }
            })
        })
        .collect();
    Ok(if json {
        ui::why::json(&answers?, &loaded.sources)
    } else {
        ui::why::text(&answers?, &loaded.sources, context.settings.color_stdout)
    })
}
