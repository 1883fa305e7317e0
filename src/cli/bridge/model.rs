//! What a transformation reads: the project with the contents of its configs and secrets.

use crate::cli::Error;
use crate::compose::model::ObjectSource;
use crate::compose::node::{Entry, Node};
use crate::compose::source::Source;
use crate::compose::{Project, SourceMap, emit, yaml};

/// The model as YAML, every mapping sorted.
pub(super) fn text(project: &Project) -> Result<String, Error> {
    let emitted = emit::yaml(project);
    let source = SourceMap::default().add(Source {
        name: "model".to_owned(),
        text: emitted.as_str().into(),
        parent: None,
    });
    let read = yaml::parse(source, &emitted)
        .ok()
        .and_then(|mut documents| documents.pop());
    let mut tree = read.ok_or_else(|| Error::user("the model of the project cannot be written"))?;
    for (name, config) in &project.configs {
        add(&mut tree, "configs", name, content(config)?);
    }
    for (name, secret) in &project.secrets {
        add(&mut tree, "secrets", name, content(secret)?);
    }
    Ok(emit::node_yaml(&tree))
}

/// The content of what is not external, wherever it comes from.
fn content(object: &ObjectSource) -> Result<Option<String>, Error> {
    if object.external {
        return Ok(None);
    }
    match &object.file {
        Some(file) => {
            let bytes = std::fs::read(file)
                .map_err(|error| Error::user(format!("cannot read {file}: {error}")))?;
            Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
        }
        None => Ok(object.content.clone()),
    }
}

fn add(tree: &mut Node, section: &str, name: &str, content: Option<String>) {
    let Some(content) = content else {
        return;
    };
    let span = tree.span;
    let found = tree
        .as_map_mut()
        .and_then(|root| root.get_mut(section))
        .and_then(|entry| entry.node.as_map_mut())
        .and_then(|section| section.get_mut(name))
        .and_then(|entry| entry.node.as_map_mut());
    if let Some(object) = found {
        let node = Node::str(content, span);
        object.insert("content".to_owned(), Entry { key: span, node });
    }
}
