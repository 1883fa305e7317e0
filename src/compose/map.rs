//! A mapping in the order of its file, small: projects have tens of thousands of them.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use super::node::Entry;

/// Up to so many keys are looked for one by one.
const SMALL: usize = 16;

/// Entries keyed by text, in the order in which they were added.
///
/// Most mappings have a handful of keys, for which a list is both smaller and faster than a hash
/// table; longer ones have an index.
#[derive(Clone, Default)]
pub struct Map {
    entries: Vec<(String, Entry)>,
    /// Where each key is, for more than [`SMALL`] of them.
    ///
    /// Boxed: few mappings have one, and it must cost the others nothing.
    index: Option<Box<Index>>,
}

/// Where each key of a long [`Map`] is: positions alone, since the map has the keys.
#[derive(Clone)]
struct Index {
    hasher: RandomState,
    places: HashTable<u32>,
}

impl Index {
    fn new(entries: &[(String, Entry)]) -> Self {
        let mut index = Self {
            hasher: RandomState::new(),
            places: HashTable::with_capacity(entries.len()),
        };
        for at in 0..entries.len() {
            index.add(entries, at);
        }
        index
    }

    /// Adds the entry at `at`, whose key is new.
    fn add(&mut self, entries: &[(String, Entry)], at: usize) {
        let hash = |at: &u32| self.hasher.hash_one(entries[*at as usize].0.as_str());
        let at = at as u32;
        self.places.insert_unique(hash(&at), at, hash);
    }

    fn find(&self, entries: &[(String, Entry)], key: &str) -> Option<usize> {
        let is_key = |at: &u32| entries[*at as usize].0 == key;
        let at = self.places.find(self.hasher.hash_one(key), is_key)?;
        Some(*at as usize)
    }

    /// Forgets the key at `at`; those behind it move up. To be called before they do.
    fn remove(&mut self, key: &str, at: usize) {
        let at = at as u32;
        let hash = self.hasher.hash_one(key);
        if let Ok(found) = self.places.find_entry(hash, |place| *place == at) {
            found.remove();
        }
        for place in &mut self.places {
            *place -= u32::from(*place > at);
        }
    }
}

impl Map {
    /// A mapping without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// A mapping without entries that has room for some.
    pub fn with_capacity(room: usize) -> Self {
        Self {
            entries: Vec::with_capacity(room),
            index: None,
        }
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The position of a key.
    pub fn get_index_of(&self, key: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.find(&self.entries, key),
            None => self.entries.iter().position(|(known, _)| known == key),
        }
    }

    /// The entry of a key.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        let at = self.get_index_of(key)?;
        Some(&self.entries[at].1)
    }

    /// The entry of a key, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Entry> {
        let at = self.get_index_of(key)?;
        Some(&mut self.entries[at].1)
    }

    /// Whether there is an entry of that key.
    pub fn contains_key(&self, key: &str) -> bool {
        self.get_index_of(key).is_some()
    }

    /// The first entry and its key.
    pub fn first(&self) -> Option<(&String, &Entry)> {
        self.entries.first().map(|(key, entry)| (key, entry))
    }

    /// Sets the entry of a key, which keeps its place if it has one and else comes last. Gives
    /// the entry there was.
    pub fn insert(&mut self, key: String, entry: Entry) -> Option<Entry> {
        if let Some(known) = self.get_mut(&key) {
            return Some(std::mem::replace(known, entry));
        }
        self.push(key, entry);
        None
    }

    /// The entry of a key, or the place for it.
    pub fn entry(&mut self, key: String) -> Slot<'_> {
        Slot { map: self, key }
    }

    fn push(&mut self, key: String, entry: Entry) {
        if self.entries.len() == self.entries.capacity() {
            // Most mappings end small: room to spare would be most of their memory.
            self.entries.reserve_exact((self.entries.len() / 2).max(1));
        }
        self.entries.push((key, entry));
        match &mut self.index {
            Some(index) => index.add(&self.entries, self.entries.len() - 1),
            None => self.renew_index(),
        }
    }

    /// After entries have moved, or the first time there are many.
    fn renew_index(&mut self) {
        let long = self.entries.len() > SMALL;
        self.index = long.then(|| Box::new(Index::new(&self.entries)));
    }

    /// Takes an entry out; those behind it move up.
    pub fn shift_remove(&mut self, key: &str) -> Option<Entry> {
        let at = self.get_index_of(key)?;
        if let Some(index) = &mut self.index {
            index.remove(key, at);
        }
        let (_, entry) = self.entries.remove(at);
        Some(entry)
    }

    /// Keeps the entries that `keep` says yes to.
    pub fn retain(&mut self, mut keep: impl FnMut(&String, &mut Entry) -> bool) {
        let before = self.entries.len();
        self.entries.retain_mut(|(key, entry)| keep(key, entry));
        if self.entries.len() < before {
            self.renew_index();
        }
    }

    /// The keys in their order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &String> + DoubleEndedIterator + Clone {
        self.entries.iter().map(|(key, _)| key)
    }

    /// The entries in their order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Entry> + DoubleEndedIterator + Clone {
        self.entries.iter().map(|(_, entry)| entry)
    }

    /// The entries in their order, to change them.
    pub fn values_mut(&mut self) -> impl ExactSizeIterator<Item = &mut Entry> {
        self.entries.iter_mut().map(|(_, entry)| entry)
    }

    /// The entries without their keys.
    pub fn into_values(self) -> impl ExactSizeIterator<Item = Entry> {
        self.entries.into_iter().map(|(_, entry)| entry)
    }

    /// Keys and entries in their order.
    pub fn iter(&self) -> Iter<'_> {
        fn pair(entry: &(String, Entry)) -> (&String, &Entry) {
            (&entry.0, &entry.1)
        }
        self.entries.iter().map(pair)
    }

    /// Keys and entries in their order, to change the entries.
    pub fn iter_mut(&mut self) -> IterMut<'_> {
        fn pair(entry: &mut (String, Entry)) -> (&String, &mut Entry) {
            (&entry.0, &mut entry.1)
        }
        self.entries.iter_mut().map(pair)
    }
}

/// Keys and entries of a [`Map`].
pub(super) type Iter<'a> = std::iter::Map<
    std::slice::Iter<'a, (String, Entry)>,
    fn(&(String, Entry)) -> (&String, &Entry),
>;

/// Keys and changeable entries of a [`Map`].
pub(super) type IterMut<'a> = std::iter::Map<
    std::slice::IterMut<'a, (String, Entry)>,
    fn(&mut (String, Entry)) -> (&String, &mut Entry),
>;

/// A key of a [`Map`], with or without an entry.
pub struct Slot<'a> {
    map: &'a mut Map,
    key: String,
}

impl<'a> Slot<'a> {
    /// The entry, after adding one if there was none.
    pub fn or_insert_with(self, entry: impl FnOnce() -> Entry) -> &'a mut Entry {
        let at = self.map.get_index_of(&self.key).unwrap_or_else(|| {
            self.map.push(self.key, entry());
            self.map.len() - 1
        });
        &mut self.map.entries[at].1
    }

    /// The entry, after adding one if there was none.
    pub fn or_insert(self, entry: Entry) -> &'a mut Entry {
        self.or_insert_with(|| entry)
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_map().entries(self).finish()
    }
}

/// Equal are mappings with equal entries, whatever their order.
impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .iter()
                .all(|(key, entry)| other.get(key) == Some(entry))
    }
}

#[cfg(test)]
impl std::ops::Index<&str> for Map {
    type Output = Entry;

    /// The entry of a key that is there.
    fn index(&self, key: &str) -> &Entry {
        self.get(key).unwrap_or_else(|| panic!("no key {key:?}"))
    }
}

impl Extend<(String, Entry)> for Map {
    fn extend<T: IntoIterator<Item = (String, Entry)>>(&mut self, entries: T) {
        for (key, entry) in entries {
            self.insert(key, entry);
        }
    }
}

impl FromIterator<(String, Entry)> for Map {
    fn from_iter<T: IntoIterator<Item = (String, Entry)>>(entries: T) -> Self {
        let mut map = Self::new();
        map.extend(entries);
        map
    }
}

impl IntoIterator for Map {
    type Item = (String, Entry);
    type IntoIter = std::vec::IntoIter<(String, Entry)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<'a> IntoIterator for &'a Map {
    type Item = (&'a String, &'a Entry);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &'a mut Map {
    type Item = (&'a String, &'a mut Entry);
    type IntoIter = IterMut<'a>;

    fn into_iter(self) -> IterMut<'a> {
        self.iter_mut()
    }
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use proptest::prelude::*;

    use super::*;
    use crate::compose::node::{Node, Value};
    use crate::compose::testing::node;

    fn entry(number: i64) -> Entry {
        let span = node("a").span;
        Entry {
            key: span,
            node: Node::new(Value::Int(number), span),
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Insert(u8, i64),
        Remove(u8),
        Slot(u8, i64),
        RetainBelow(u8),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            8 => (0..40u8, any::<i64>()).prop_map(|(key, number)| Step::Insert(key, number)),
            3 => (0..40u8).prop_map(Step::Remove),
            3 => (0..40u8, any::<i64>()).prop_map(|(key, number)| Step::Slot(key, number)),
            1 => (0..40u8).prop_map(Step::RetainBelow),
        ];
        proptest::collection::vec(step, 0..80)
    }

    #[test]
    fn a_mapping_is_small() {
        assert!(size_of::<Map>() <= 32);
        assert!(size_of::<Node>() <= 56);
    }

    proptest! {
        #[test]
        fn it_does_what_an_index_map_does(steps in steps()) {
            let mut map = Map::new();
            let mut other: IndexMap<String, Entry> = IndexMap::new();
            for step in steps {
                match step {
                    Step::Insert(key, number) => {
                        let (key, entry) = (key.to_string(), entry(number));
                        let old = other.insert(key.clone(), entry.clone());
                        prop_assert_eq!(map.insert(key, entry), old);
                    }
                    Step::Remove(key) => {
                        let key = key.to_string();
                        prop_assert_eq!(map.shift_remove(&key), other.shift_remove(&key));
                    }
                    Step::Slot(key, number) => {
                        let (key, entry) = (key.to_string(), entry(number));
                        let found = other.entry(key.clone()).or_insert(entry.clone());
                        prop_assert_eq!(map.entry(key).or_insert(entry), found);
                    }
                    Step::RetainBelow(least) => {
                        let keep = |key: &String| key.parse::<u8>().is_ok_and(|key| key >= least);
                        map.retain(|key, _| keep(key));
                        other.retain(|key, _| keep(key));
                    }
                }
                prop_assert_eq!(map.len(), other.len());
                prop_assert!(map.iter().eq(other.iter()));
                for key in (0..40u8).map(|key| key.to_string()) {
                    prop_assert_eq!(map.get(&key), other.get(&key));
                }
            }
        }
    }
}
