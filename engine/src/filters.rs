//! The `filters` parameter of list and event requests.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use crate::{Error, Result};

/// Filters by name; a thing passes when for each name one of the values fits.
///
/// On the wire JSON, `{"label": ["a=b"]}` or the older `{"label": {"a=b": true}}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filters(BTreeMap<String, Vec<String>>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Values {
    List(Vec<String>),
    Set(BTreeMap<String, bool>),
}

impl Filters {
    /// Reads the parameter; `None` and the empty text pass everything.
    ///
    /// # Errors
    /// 400 for what is not such JSON, and for a name that is not in `known`.
    pub(crate) fn parse(text: Option<&str>, known: &[&str]) -> Result<Self> {
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            return Ok(Self::default());
        };
        let raw: BTreeMap<String, Values> = serde_json::from_str(text)
            .map_err(|error| Error::bad_request(format!("invalid filters: {error}")))?;
        let mut filters = BTreeMap::new();
        for (name, values) in raw {
            if !known.contains(&name.as_str()) {
                return Err(Error::bad_request(format!("invalid filter '{name}'")));
            }
            filters.insert(name, values.into_list());
        }
        Ok(Self(filters))
    }

    /// The values of one name; empty where it is not filtered by.
    pub(crate) fn values(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether nothing is said for `name`, or one of its values passes `test`.
    pub(crate) fn any(&self, name: &str, test: impl Fn(&str) -> bool) -> bool {
        let values = self.values(name);
        values.is_empty() || values.iter().any(|value| test(value))
    }

    /// Whether all `label` values fit (`key` or `key=value`) and no `label!` value does.
    pub(crate) fn labels(&self, labels: &HashMap<String, String>) -> bool {
        let fits = |wanted: &String| match wanted.split_once('=') {
            Some((key, value)) => labels.get(key).is_some_and(|label| label == value),
            None => labels.contains_key(wanted),
        };
        self.values("label").iter().all(fits) && !self.values("label!").iter().any(fits)
    }
}

impl Values {
    fn into_list(self) -> Vec<String> {
        match self {
            Self::List(values) => values,
            Self::Set(values) => {
                let set = values.into_iter().filter(|(_, on)| *on);
                set.map(|(value, _)| value).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let known = ["label", "name"];
        let list = Filters::parse(Some(r#"{"label":["a=b"]}"#), &known).unwrap();
        let set = Filters::parse(Some(r#"{"label":{"a=b":true,"c":false}}"#), &known).unwrap();
        assert_eq!(list, set);
        assert!(list.labels(&HashMap::from([("a".to_owned(), "b".to_owned())])));
        assert!(!list.labels(&HashMap::new()));
        assert!(list.any("name", |_| false));
    }

    #[test]
    fn unknown_names_are_refused() {
        let error = Filters::parse(Some(r#"{"colour":["a"]}"#), &["label"]).unwrap_err();
        assert_eq!(error.status, 400);
        assert!(Filters::parse(Some("[]"), &["label"]).is_err());
    }
}
