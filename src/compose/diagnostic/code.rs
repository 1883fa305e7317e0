//! The stable ids of the kinds of problems.

use std::fmt;

/// A kind of problem: what `--diagnostics json` and `sarif` name it by. Ids never change their
/// meaning; `docs/diagnostics.md` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    /// Lower-case words joined by hyphens: `unknown-attribute`.
    pub id: &'static str,
    /// The kind in one phrase: lower-case, without a full stop.
    pub summary: &'static str,
}

impl Code {
    /// A kind of problem.
    pub const fn new(id: &'static str, summary: &'static str) -> Self {
        Self { id, summary }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.id)
    }
}

macro_rules! codes {
    ($($name:ident = $id:literal, $summary:literal;)*) => {
        $(
            #[doc = concat!("`", $id, "`: ", $summary, ".")]
            pub const $name: Code = Code::new($id, $summary);
        )*

        /// Every kind of problem that loading a project can find, in the order of the stages.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    NO_COMPOSE_FILE = "no-compose-file", "no compose file was found";
    SEVERAL_COMPOSE_FILES = "several-compose-files", "several files could be the compose file";
    FILE_NOT_FOUND = "file-not-found", "a named file does not exist";
    UNREADABLE_FILE = "unreadable-file", "a file cannot be read";
    NOT_UTF8 = "not-utf8", "a file is not UTF-8 text";
    REMOTE_FILE = "remote-file", "a compose file would have to be fetched";
    FIRST_FORMAT = "first-format", "a file of the first format (2014), with its services at the top level";
    EMPTY_FILE = "empty-file", "a compose file says nothing";
    PROJECT_NAME = "project-name", "a name that no project can have";
    INVALID_SETTING = "invalid-setting", "an environment variable that steers loading has an impossible value";
    LIMIT = "limit", "a file asks for more than is sensible: size, depth, aliases, nested files";
    YAML_SYNTAX = "yaml-syntax", "a file is not YAML";
    DUPLICATE_KEY = "duplicate-key", "a mapping has the same key twice";
    INVALID_KEY = "invalid-key", "a key is not a text";
    UNKNOWN_ANCHOR = "unknown-anchor", "an alias without its anchor, or one that contains itself";
    INVALID_TAG = "invalid-tag", "a value does not fit its YAML tag";
    INVALID_MERGE_KEY = "invalid-merge-key", "`<<` with something other than mappings";
    INVALID_TEMPLATE = "invalid-template", "`${…}` that is no variable";
    REQUIRED_VARIABLE = "required-variable", "a variable that must have a value has none";
    UNSET_VARIABLE = "unset-variable", "a variable without a value becomes an empty text";
    INVALID_ENV_FILE = "invalid-env-file", "a line of an env file cannot be read";
    INVALID_INCLUDE = "invalid-include", "an entry of `include` says nothing that can be included";
    INCLUDE_CYCLE = "include-cycle", "files include each other in a circle";
    INVALID_EXTENDS = "invalid-extends", "`extends` names no service to build on";
    EXTENDS_CYCLE = "extends-cycle", "services extend each other in a circle";
    MERGE_CONFLICT = "merge-conflict", "two files give a value of different kinds";
    OBSOLETE_ATTRIBUTE = "obsolete-attribute", "an attribute that is ignored";
    UNKNOWN_ATTRIBUTE = "unknown-attribute", "an attribute that does not exist";
    MISSING_ATTRIBUTE = "missing-attribute", "an attribute that must be there is missing";
    WRONG_TYPE = "wrong-type", "a value of the wrong type";
    INVALID_VALUE = "invalid-value", "a value that cannot be used here";
    INVALID_NAME = "invalid-name", "a name with characters it cannot have";
    INVALID_DURATION = "invalid-duration", "a text that is no duration";
    INVALID_SIZE = "invalid-size", "a text that is no size in bytes";
    INVALID_PORT = "invalid-port", "a port that cannot be read";
    INVALID_VOLUME = "invalid-volume", "a volume in short form that cannot be read";
    DUPLICATE_ITEM = "duplicate-item", "a list holds the same element twice";
    UNCLEAR_BOOLEAN = "unclear-boolean", "a text that counts as true or false in old YAML only";
    UNDEFINED_SERVICE = "undefined-service", "a service that does not exist";
    UNDEFINED_NETWORK = "undefined-network", "a network that does not exist";
    UNDEFINED_VOLUME = "undefined-volume", "a volume that does not exist";
    UNDEFINED_SECRET = "undefined-secret", "a secret that does not exist";
    UNDEFINED_CONFIG = "undefined-config", "a config that does not exist";
    UNDEFINED_MODEL = "undefined-model", "a model that does not exist";
    DISABLED_SERVICE = "disabled-service", "a service that is needed is not enabled by any profile in use";
    DEPENDENCY_CYCLE = "dependency-cycle", "services depend on each other in a circle";
    CONFLICTING_ATTRIBUTES = "conflicting-attributes", "attributes that exclude or contradict each other";
    MISSING_IMAGE = "missing-image", "a service without an image and a build context";
    MISSING_CONTENT = "missing-content", "a secret or config without content";
    DUPLICATE_MOUNT = "duplicate-mount", "two mounts at the same place of a container";
    DUPLICATE_CONTAINER_NAME = "duplicate-container-name", "two services with the same container name";
    COMMAND = "command", "what was asked for cannot be done";
    OTHER = "other", "a problem of another kind";
}

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn ids_are_unique_words() {
        let mut ids: Vec<&str> = ALL.iter().map(|code| code.id).collect();
        for id in &ids {
            let word = |part: &str| {
                !part.is_empty()
                    && part
                        .chars()
                        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
            };
            assert!(id.split('-').all(word), "{id}");
        }
        let page = include_str!("../../../docs/diagnostics.md");
        for id in &ids {
            assert!(page.contains(&format!("| `{id}` |")), "docs: {id}");
        }
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), ALL.len());
    }
}
