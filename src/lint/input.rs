//! What rules look at, and the places of its parts.

use std::ops::Range;
use std::path::Path;

use super::build_file::BuildFile;
use super::place;
use crate::compose::model::Service;
use crate::compose::node::Node;
use crate::compose::source::Relation;
use crate::compose::{Project, SourceMap, Span, Written, template};

/// What rules look at.
pub struct Input<'a> {
    /// The project and its files.
    pub written: &'a Written,
    /// The Dockerfiles of the project's services, or those that were named.
    pub dockerfiles: &'a [BuildFile],
    /// Whether there is a file or folder at an absolute path.
    pub exists: &'a dyn Fn(&Path) -> bool,
}

impl std::fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input")
            .field("written", &self.written)
            .field("dockerfiles", &self.dockerfiles)
            .finish_non_exhaustive()
    }
}

impl<'a> Input<'a> {
    /// The files.
    pub(super) fn sources(&self) -> &'a SourceMap {
        &self.written.sources
    }

    /// The project with all services enabled.
    pub(super) fn project(&self) -> &'a Project {
        &self.written.project
    }

    /// All services, by name.
    pub(super) fn services(&self) -> impl Iterator<Item = &'a Service> + use<'a> {
        self.written.project.services.values()
    }

    /// The documents whose top-level sections count: those of base files of `extends` do not.
    pub(super) fn main_documents(&self) -> impl Iterator<Item = &'a Node> + use<'a> {
        let sources = self.sources();
        self.written.documents.iter().filter(move |document| {
            let parent = sources.get(document.span.source).parent;
            parent.is_none_or(|(relation, _)| relation != Relation::Extends)
        })
    }

    /// The whole text of the file that a place is in.
    pub(super) fn source(&self, span: Span) -> &'a str {
        &self.sources().get(span.source).text
    }

    /// The text at a place, as it was written.
    pub(super) fn text(&self, span: Span) -> &'a str {
        self.source(span)
            .get(span.start as usize..span.end as usize)
            .unwrap_or_default()
    }

    /// Whether the text at a place has a variable in it.
    pub(super) fn is_templated(&self, span: Span) -> bool {
        !template::variables(self.text(span)).is_empty()
    }

    /// Places inside of a place, given where they are in its text, in bytes.
    pub(super) fn inside(&self, span: Span, range: Range<usize>) -> Span {
        let start = span.start as usize;
        let range = start + range.start..start + range.end;
        place::within(self.source(span), span, range)
    }

    /// The place of a service's name.
    pub(super) fn service(&self, name: &str) -> Span {
        self.key(&["services"], name)
    }

    /// The place of the deepest part of an attribute of a service that was written in a file.
    pub(super) fn attribute(&self, service: &str, path: &[&str]) -> Span {
        let mut full = vec!["services", service];
        full.extend(path);
        if self.project().tree.at(&full[..2]).is_none() {
            return self.service(service);
        }
        self.project().span_of(&full)
    }

    /// The place of the name of an attribute of a service.
    pub(super) fn attribute_key(&self, service: &str, path: &[&str], key: &str) -> Span {
        let mut full = vec!["services", service];
        full.extend(path);
        self.key(&full, key)
    }

    /// The place of an item of a list of a service: that of its `key` if it is a mapping.
    pub(super) fn item(&self, service: &str, path: &[&str], index: usize, key: &str) -> Span {
        let mut full = vec!["services", service];
        full.extend(path);
        let item = self
            .project()
            .tree
            .at(&full)
            .and_then(|node| node.as_seq()?.get(index));
        item.map_or_else(
            || self.attribute(service, path),
            |item| item.get(key).map_or(item.span, |node| node.span),
        )
    }

    fn key(&self, path: &[&str], key: &str) -> Span {
        self.project()
            .tree
            .at(path)
            .and_then(|node| node.as_map()?.get(key))
            .map_or_else(|| self.project().span_of(path), |entry| entry.key)
    }
}
