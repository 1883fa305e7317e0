//! `cache_from` and `cache_to` → what BuildKit is asked for, and the folders of this machine that it reads and writes for that.

use std::collections::HashMap;
use std::path::PathBuf;

use bollard::moby::buildkit::v1::{CacheOptions, CacheOptionsEntry};
use serde_json::{Value, json};

use super::content::Store;
use crate::run::Error;
use crate::run::build::recipe::{Recipe, problem};

/// What the builder puts in front of the name of a folder.
const LOCAL: &str = "local:";

/// The tag of a cache that is given none.
const TAG: &str = "latest";

/// Where the builder's answer has the manifest of a cache that it has written.
const MANIFEST: &str = "cache.manifest";

/// The caches of a build.
#[derive(Debug, Default)]
pub(super) struct Caches {
    imports: Vec<CacheOptionsEntry>,
    exports: Vec<CacheOptionsEntry>,
    /// Folders, keyed by what the builder calls them.
    pub(super) folders: HashMap<String, Store>,
    /// Folders that are written, and the tag of what is written.
    written: Vec<(Store, String)>,
    /// What is passed over, in words for people.
    pub(super) warnings: Vec<String>,
}

impl Caches {
    /// Those of a recipe; `environment` has the variables of this process.
    ///
    /// # Errors
    /// For a folder's cache without its folder.
    pub(super) fn new(
        recipe: &Recipe,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let mut caches = Self::default();
        for mut entry in there(&recipe.cache_from, environment) {
            if entry.r#type != "local" || caches.read(recipe, &mut entry)? {
                caches.imports.push(entry);
            }
        }
        for mut entry in there(&recipe.cache_to, environment) {
            if entry.r#type == "local" {
                caches.write(recipe, &mut entry)?;
            }
            caches.exports.push(entry);
        }
        Ok(caches)
    }

    /// Whether there is the cache that is read from a folder.
    fn read(&mut self, recipe: &Recipe, entry: &mut CacheOptionsEntry) -> Result<bool, Error> {
        let store = folder(recipe, entry, "cache_from", "src")?;
        let tag = entry.attrs.get("tag").map_or(TAG, String::as_str);
        if !entry.attrs.contains_key("digest") {
            let Ok(Some(digest)) = store.tagged(tag) else {
                let (service, place) = (&recipe.service, store.0.display());
                self.warnings.push(format!(
                    "service {service:?}: there is no cache {tag:?} in {place} yet (`build.cache_from`)"
                ));
                return Ok(false);
            };
            entry.attrs.insert("digest".to_owned(), digest);
        }
        self.offer(store, entry, "src");
        Ok(true)
    }

    /// A cache that is written to a folder.
    fn write(&mut self, recipe: &Recipe, entry: &mut CacheOptionsEntry) -> Result<(), Error> {
        let store = folder(recipe, entry, "cache_to", "dest")?;
        let tag = entry.attrs.get("tag").map_or(TAG, String::as_str);
        self.written.push((store.clone(), tag.to_owned()));
        self.offer(store, entry, "dest");
        Ok(())
    }

    /// Gives a folder a name that any path can have in a header of a request.
    fn offer(&mut self, store: Store, entry: &mut CacheOptionsEntry, attribute: &str) {
        let name = format!("{attribute}-{}", self.folders.len());
        self.folders.insert(format!("{LOCAL}{name}"), store);
        entry.attrs.insert(attribute.to_owned(), name);
    }

    /// What the request says of them.
    pub(super) fn options(&self) -> CacheOptions {
        CacheOptions {
            imports: self.imports.clone(),
            exports: self.exports.clone(),
            ..CacheOptions::default()
        }
    }

    /// What the frontend itself imports, as JSON, if anything: it takes no notice of what the request says.
    pub(super) fn imports(&self) -> Option<String> {
        let entries = self.imports.iter();
        let entries = entries.map(|entry| json!({"Type": entry.r#type, "Attrs": entry.attrs}));
        (!self.imports.is_empty()).then(|| entries.collect::<Value>().to_string())
    }

    /// Puts what the builder has written into the indexes of the folders.
    ///
    /// # Errors
    /// When one cannot be written.
    pub(super) fn note(
        &self,
        recipe: &Recipe,
        answer: &HashMap<String, String>,
    ) -> Result<(), Error> {
        let manifest = answer.get(MANIFEST);
        let Some(manifest) = manifest.and_then(|text| serde_json::from_str::<Value>(text).ok())
        else {
            return Ok(());
        };
        for (store, tag) in &self.written {
            store.tag(manifest.clone(), tag).map_err(|error| {
                let (service, place) = (&recipe.service, store.0.display());
                let text =
                    format!("cannot write the cache of service {service:?} to {place}: {error}");
                problem(service, "cache_to", text)
            })?;
        }
        Ok(())
    }
}

/// What an attribute lists, without the caches of GitHub's workflows where this is none.
fn there(
    texts: &[String],
    environment: &dyn Fn(&str) -> Option<String>,
) -> impl Iterator<Item = CacheOptionsEntry> {
    let entries = texts.iter().map(|text| entry(text));
    entries.filter_map(|mut entry| {
        let is_there = entry.r#type != "gha" || is_workflow(&mut entry, environment);
        is_there.then_some(entry)
    })
}

/// The folder that an attribute names.
fn folder(
    recipe: &Recipe,
    entry: &CacheOptionsEntry,
    attribute: &str,
    name: &str,
) -> Result<Store, Error> {
    let path = entry.attrs.get(name).filter(|path| !path.is_empty());
    let path = path.map(|path| Store(PathBuf::from(path)));
    path.ok_or_else(|| {
        let service = &recipe.service;
        let text = format!("a local cache of service {service:?} has no folder");
        problem(service, attribute, text).remedy(format!("name one: type=local,{name}=FOLDER"))
    })
}

/// Whether this is a workflow of GitHub, whose cache the entry gets access to; elsewhere there is none.
fn is_workflow(
    entry: &mut CacheOptionsEntry,
    environment: &dyn Fn(&str) -> Option<String>,
) -> bool {
    let variables = [
        ("token", "ACTIONS_RUNTIME_TOKEN"),
        ("url", "ACTIONS_CACHE_URL"),
        ("url_v2", "ACTIONS_RESULTS_URL"),
    ];
    for (attribute, variable) in variables {
        if let Some(value) = environment(variable).filter(|value| !value.is_empty())
            && !entry.attrs.contains_key(attribute)
        {
            entry.attrs.insert(attribute.to_owned(), value);
        }
    }
    let has = |attribute| entry.attrs.contains_key(attribute);
    has("token") && (has("url") || has("url_v2"))
}

/// `name:tag`, or `type=registry,ref=…`.
fn entry(text: &str) -> CacheOptionsEntry {
    let mut kind = "registry".to_owned();
    let mut attrs = HashMap::new();
    if text.contains('=') {
        for field in text.split(',') {
            let (key, value) = field.split_once('=').unwrap_or((field, ""));
            match key {
                "type" => value.clone_into(&mut kind),
                key => {
                    attrs.insert(key.to_owned(), value.to_owned());
                }
            }
        }
    } else {
        attrs.insert("ref".to_owned(), text.to_owned());
    }
    CacheOptionsEntry {
        r#type: kind,
        attrs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_are_images_or_spelled_out() {
        let plain = entry("reg/x:1");
        assert_eq!(plain.r#type, "registry");
        assert_eq!(plain.attrs.get("ref").map(String::as_str), Some("reg/x:1"));
        let long = entry("type=local,src=/tmp/c");
        assert_eq!(long.r#type, "local");
        assert_eq!(long.attrs.get("src").map(String::as_str), Some("/tmp/c"));
    }

    #[test]
    fn the_cache_of_workflows_is_in_workflows_alone() {
        let mut here = entry("type=gha,scope=x");
        assert!(!is_workflow(&mut here, &|_| None));
        assert!(is_workflow(&mut here, &|name| Some(format!("<{name}>"))));
        let token = here.attrs.get("token").map(String::as_str);
        assert_eq!(token, Some("<ACTIONS_RUNTIME_TOKEN>"));
        assert_eq!(here.attrs.get("scope").map(String::as_str), Some("x"));
    }
}
