//! `POST /build`: the classic builder.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;

use super::Answer;
use super::Query;
use super::images::{blocking, is_true, tell, values};
use super::lines::lines;
use crate::archive::{Root, Unpack, body_reader, decompress, unpack};
use crate::build::{Build, build};
use crate::engine::Engine;
use crate::image::Reference;
use crate::{Error, Result, identifier};

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new().route("/build", post(run))
}

#[derive(Debug, Deserialize)]
struct Parameters {
    dockerfile: Option<String>,
    remote: Option<String>,
    buildargs: Option<String>,
    labels: Option<String>,
    target: Option<String>,
    version: Option<String>,
    squash: Option<String>,
    outputs: Option<String>,
    networkmode: Option<String>,
    extrahosts: Option<String>,
    q: Option<String>,
}

async fn run(
    State(engine): State<Arc<Engine>>,
    Query(parameters): Query<Parameters>,
    RawQuery(query): RawQuery,
    body: Body,
) -> Answer {
    parameters.refuse()?;
    let tags = values(query.as_deref(), "t");
    let tags = tags
        .iter()
        .filter(|tag| !tag.is_empty())
        .map(|tag| Ok(Reference::parse(tag)?.tagged()));
    let mut request = Build {
        context: engine
            .layout
            .images()
            .join("coming")
            .join(identifier::new()),
        dockerfile: parameters.dockerfile.unwrap_or_default(),
        tags: tags.collect::<Result<_>>()?,
        args: decoded::<HashMap<String, Option<String>>>(
            "buildargs",
            parameters.buildargs.as_deref(),
        )?,
        labels: decoded::<BTreeMap<String, String>>("labels", parameters.labels.as_deref())?,
        target: parameters.target.unwrap_or_default(),
    };
    let quiet = is_true(parameters.q.as_deref());
    let reader = body_reader(body);
    lines(move |lines| async move {
        let context = request.context.clone();
        let unpacked = blocking(move || {
            let failed =
                |error: std::io::Error| Error::bad_request(format!("build context: {error}"));
            std::fs::create_dir_all(&context).map_err(failed)?;
            let root = Root::open(&context).map_err(failed)?;
            unpack(
                &root,
                decompress(reader).map_err(failed)?,
                Unpack::default(),
            )
            .map_err(failed)
        })
        .await;
        let say = |text: &str| {
            if !quiet {
                lines.say(text);
            }
        };
        let built = match unpacked {
            Ok(_) => build(&engine, &request, &say).await,
            Err(error) => Err(error),
        };
        let context = std::mem::take(&mut request.context);
        let _ = tokio::fs::remove_dir_all(context).await;
        let id = built?;
        lines.send(&json!({ "aux": { "ID": id } }));
        if quiet {
            lines.say(&format!("{id}\n"));
        }
        for tag in &request.tags {
            tell(&engine, "tag", &id, &tag.familiar());
        }
        Ok(())
    })
    .await
}

impl Parameters {
    /// Refuses what is not honoured, by name.
    fn refuse(&self) -> Result<()> {
        let given = |value: &Option<String>| {
            value
                .as_deref()
                .is_some_and(|value| !matches!(value, "" | "0" | "false" | "null" | "[]"))
        };
        if self.version.as_deref() == Some("2") {
            return Err(Error::not_supported("the builder of version 2 (BuildKit)"));
        }
        let refused = [
            ("remote", &self.remote),
            ("squash", &self.squash),
            ("outputs", &self.outputs),
            ("extrahosts", &self.extrahosts),
        ];
        if let Some((name, _)) = refused.into_iter().find(|(_, value)| given(value)) {
            return Err(Error::not_supported(format!("the build parameter {name}")));
        }
        let network = self.networkmode.as_deref().unwrap_or_default();
        if !matches!(network, "" | "default" | "bridge") {
            return Err(Error::not_supported(format!(
                "the build parameter networkmode={network}"
            )));
        }
        Ok(())
    }
}

fn decoded<T: serde::de::DeserializeOwned + Default>(name: &str, text: Option<&str>) -> Result<T> {
    let Some(text) = text.filter(|text| !matches!(*text, "" | "null")) else {
        return Ok(T::default());
    };
    serde_json::from_str(text).map_err(|error| Error::bad_request(format!("{name}: {error}")))
}
