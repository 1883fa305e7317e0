//! Named contexts that are images, for builders that know no named contexts: the instructions that use them name the
//! images instead.

use std::collections::BTreeMap;
use std::path::Path;

use super::recipe::{Context, Dockerfile, NamedContext, Recipe};

/// Scheme of contexts that are images.
const IMAGE_SCHEME: &str = "docker-image://";

impl Recipe {
    /// The same build without those of its named contexts that are images, which its instructions then name themselves.
    /// A Dockerfile that is not here, or cannot be read, stays as it is.
    pub(super) fn without_image_contexts(mut self) -> Self {
        let images: BTreeMap<String, String> = self
            .contexts
            .iter()
            .filter_map(|(name, context)| Some((name.clone(), image(context)?.to_owned())))
            .collect();
        if images.is_empty() {
            return self;
        }
        let Some(text) = self.instructions() else {
            return self;
        };
        self.dockerfile = Dockerfile::Inline(substitute(&text, &images));
        self.contexts.retain(|name, _| !images.contains_key(name));
        self
    }

    fn instructions(&self) -> Option<String> {
        let read = |path: &Path| std::fs::read_to_string(path).ok();
        match (&self.dockerfile, &self.context) {
            (Dockerfile::Inline(text), _) => Some(text.clone()),
            (Dockerfile::Outside(path), _) => read(path),
            (Dockerfile::Inside(path), Context::Local(root)) => read(&root.join(path)),
            (Dockerfile::Inside(_), Context::Remote(_)) => None,
        }
    }
}

fn image(context: &NamedContext) -> Option<&str> {
    match context {
        NamedContext::Image(image) => Some(image),
        NamedContext::Reference(text) => text.strip_prefix(IMAGE_SCHEME),
        NamedContext::Local(_) => None,
    }
}

/// Instructions with the images in the place of the names that stand for them.
fn substitute(text: &str, images: &BTreeMap<String, String>) -> String {
    let mut result = String::with_capacity(text.len());
    let mut keyword = String::new();
    let mut continued = false;
    for line in text.split_inclusive('\n') {
        if !continued {
            keyword = line
                .split_whitespace()
                .next()
                .unwrap_or_default()
                .to_ascii_uppercase();
        }
        let mut base_seen = false;
        for word in line.split_inclusive(char::is_whitespace) {
            let bare = word.trim_end();
            let replaced = match keyword.as_str() {
                "FROM" if !base_seen => from(bare, images, &mut base_seen),
                "COPY" | "ADD" => bare
                    .strip_prefix("--from=")
                    .and_then(|name| Some(format!("--from={}", images.get(name)?))),
                "RUN" => mount(bare, images),
                _ => None,
            };
            result.push_str(replaced.as_deref().unwrap_or(bare));
            result.push_str(&word[bare.len()..]);
        }
        continued = line.trim_end().ends_with('\\');
    }
    result
}

/// A word of `FROM`, up to the first that is neither the keyword nor an option.
fn from(word: &str, images: &BTreeMap<String, String>, seen: &mut bool) -> Option<String> {
    if word.is_empty() || word.starts_with("--") || word.eq_ignore_ascii_case("FROM") {
        return None;
    }
    *seen = true;
    images.get(word).cloned()
}

/// A `--mount=` of `RUN`, with its `from` replaced.
fn mount(word: &str, images: &BTreeMap<String, String>) -> Option<String> {
    let options = word.strip_prefix("--mount=")?;
    let options = options.split(',').map(|option| {
        let name = option.strip_prefix("from=");
        let image = name.and_then(|name| images.get(name));
        image.map_or_else(|| option.to_owned(), |image| format!("from={image}"))
    });
    Some(format!("--mount={}", options.collect::<Vec<_>>().join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_stand_where_their_names_stood() {
        let images = BTreeMap::from([("base".to_owned(), "shop-base".to_owned())]);
        let text = "# FROM base\nfrom --platform=linux/amd64  base AS base2\nCOPY --from=base base /base\nADD base .\n\
            RUN --mount=type=bind,from=base,target=/x \\\n  --mount=from=base,target=/y echo base --from=base\nCOPY --from=base2 a b\nFROM other AS base\n";
        assert_eq!(
            substitute(text, &images),
            "# FROM base\nfrom --platform=linux/amd64  shop-base AS base2\nCOPY --from=shop-base base /base\nADD base .\n\
            RUN --mount=type=bind,from=shop-base,target=/x \\\n  --mount=from=shop-base,target=/y echo base --from=base\nCOPY --from=base2 a b\nFROM other AS base\n"
        );
    }
}
