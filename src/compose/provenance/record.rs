//! What is kept of a load so that it can be asked about afterwards: every document as it was
//! written, the variables of every scope, and the env files. Kept only where a caller asks for it;
//! a plain load makes none of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::compose::dotenv::Variables;
use crate::compose::loader::Scope;
use crate::compose::node::Node;
use crate::compose::source::Span;

/// Everything that layers of a project said, in the order in which they were read.
#[derive(Debug, Default)]
pub struct Record {
    /// The project itself first, then what it includes.
    pub(super) scopes: Vec<ScopeRecord>,
    /// `env_file` and `label_file` of services.
    pub(super) attached: Vec<Attached>,
    /// Env files of the scope that is opened next.
    pending: Vec<EnvFile>,
    /// Indices of the scopes that are being loaded, outermost first.
    open: Vec<usize>,
}

/// A project or an included part of it.
#[derive(Debug)]
pub(super) struct ScopeRecord {
    /// Number of the scope within the load.
    id: usize,
    /// The absolute folder that relative paths start from.
    pub(super) folder: PathBuf,
    /// Variables for interpolation.
    pub(super) environment: BTreeMap<String, String>,
    /// Its own env files, weakest first.
    pub(super) env_files: Vec<EnvFile>,
    /// The scope that includes it (an index), and the place where.
    pub(super) parent: Option<(usize, Option<Span>)>,
    /// Its documents in the order in which they are merged.
    pub(super) documents: Vec<DocumentRecord>,
    /// Documents of files named by `extends`, keyed by path.
    pub(super) bases: BTreeMap<PathBuf, Vec<Node>>,
}

/// A document, and what it includes.
#[derive(Debug)]
pub(super) struct DocumentRecord {
    /// The tree as written: nothing substituted, with its directives.
    pub(super) tree: Node,
    /// Indices of the scopes it includes.
    pub(super) includes: Vec<usize>,
}

/// Variables of one env file.
#[derive(Debug)]
pub(super) struct EnvFile(pub(super) Variables);

/// A file whose variables become attributes of a service.
#[derive(Debug)]
pub(super) struct Attached {
    /// The service.
    pub(super) service: String,
    /// The attribute they become part of: `environment` or `labels`.
    pub(super) attribute: &'static str,
    /// The variables.
    pub(super) file: EnvFile,
}

impl Record {
    /// A scope starts to load; env files read since the last one are its own.
    pub(crate) fn open(&mut self, scope: &Scope) {
        let index = self.scopes.len();
        let parent = self.open.last().copied();
        if let Some(document) = parent.and_then(|parent| self.scopes[parent].documents.last_mut()) {
            document.includes.push(index);
        }
        self.scopes.push(ScopeRecord {
            id: scope.id,
            folder: scope.folder.clone(),
            environment: scope.environment.clone(),
            env_files: std::mem::take(&mut self.pending),
            parent: parent.map(|parent| (parent, scope.chain.last().and_then(|link| link.1))),
            documents: Vec::new(),
            bases: BTreeMap::new(),
        });
        self.open.push(index);
    }

    /// The innermost scope has loaded.
    pub(crate) fn close(&mut self) {
        self.open.pop();
    }

    /// A document of the innermost scope, before anything is done to it.
    pub(crate) fn document(&mut self, tree: &Node) {
        let Some(index) = self.open.last() else {
            return;
        };
        self.scopes[*index].documents.push(DocumentRecord {
            tree: tree.clone(),
            includes: Vec::new(),
        });
    }

    /// A document of a file named by `extends` in the scope of that number, before anything is done
    /// to it.
    pub(crate) fn base(&mut self, scope: usize, path: &Path, tree: &Node) {
        if let Some(scope) = self.scopes.iter_mut().find(|known| known.id == scope) {
            let documents = scope.bases.entry(path.to_owned()).or_default();
            documents.push(tree.clone());
        }
    }

    /// An env file of the scope that is opened next.
    pub(crate) fn env_file(&mut self, variables: &Variables) {
        self.pending.push(EnvFile(variables.clone()));
    }

    /// A file whose variables become part of an attribute of a service.
    pub(crate) fn attached(
        &mut self,
        service: &str,
        attribute: &'static str,
        variables: &Variables,
    ) {
        self.attached.push(Attached {
            service: service.to_owned(),
            attribute,
            file: EnvFile(variables.clone()),
        });
    }
}
