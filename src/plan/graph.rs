//! The dependency graph of services.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use petgraph::Direction;
use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

use super::error::PlanError;
use crate::compose::model::Service;

/// Services and what they depend on. Dependencies that are not among the services are left out.
#[derive(Debug, Clone)]
pub struct Graph<'a> {
    /// An edge leads from a service to each of its dependencies.
    edges: DiGraphMap<&'a str, ()>,
    order: Vec<&'a str>,
}

impl<'a> Graph<'a> {
    /// Builds the graph. A cycle is an error that names its members in order.
    pub fn new<S>(services: &'a BTreeMap<String, S>) -> Result<Self, PlanError>
    where
        S: Borrow<Service>,
    {
        let mut edges = DiGraphMap::new();
        for (name, service) in services {
            edges.add_node(name.as_str());
            for dependency in service.borrow().depends_on.keys() {
                if services.contains_key(dependency) {
                    edges.add_edge(name.as_str(), dependency.as_str(), ());
                }
            }
        }
        let order = order(&edges).ok_or_else(|| cycle_error(&edges))?;
        Ok(Self { edges, order })
    }

    /// Dependencies before their dependents; by name where the graph leaves a choice.
    pub fn order(&self) -> &[&'a str] {
        &self.order
    }

    /// Direct dependencies, sorted.
    pub fn dependencies(&self, service: &str) -> Vec<&'a str> {
        self.neighbours(service, Direction::Outgoing)
    }

    /// Direct dependents, sorted.
    pub fn dependents(&self, service: &str) -> Vec<&'a str> {
        self.neighbours(service, Direction::Incoming)
    }

    /// The services with all they depend on, directly or not.
    pub fn with_dependencies<'s>(
        &self,
        services: impl IntoIterator<Item = &'s str>,
    ) -> BTreeSet<&'a str> {
        self.closure(services, Direction::Outgoing)
    }

    /// The services with all that depend on them, directly or not.
    pub fn with_dependents<'s>(
        &self,
        services: impl IntoIterator<Item = &'s str>,
    ) -> BTreeSet<&'a str> {
        self.closure(services, Direction::Incoming)
    }

    fn neighbours(&self, service: &str, direction: Direction) -> Vec<&'a str> {
        let Some(node) = self.node(service) else {
            return Vec::new();
        };
        let mut found: Vec<&str> = self.edges.neighbors_directed(node, direction).collect();
        found.sort_unstable();
        found
    }

    fn closure<'s>(
        &self,
        services: impl IntoIterator<Item = &'s str>,
        direction: Direction,
    ) -> BTreeSet<&'a str> {
        let mut todo: Vec<&str> = services
            .into_iter()
            .filter_map(|service| self.node(service))
            .collect();
        let mut found = BTreeSet::new();
        while let Some(service) = todo.pop() {
            if found.insert(service) {
                todo.extend(self.edges.neighbors_directed(service, direction));
            }
        }
        found
    }

    /// The graph's own copy of a name, which lives as long as the services.
    fn node(&self, service: &str) -> Option<&'a str> {
        self.order.iter().copied().find(|name| *name == service)
    }
}

/// `None` if there is a cycle.
fn order<'a>(edges: &DiGraphMap<&'a str, ()>) -> Option<Vec<&'a str>> {
    let mut missing: BTreeMap<&str, usize> = edges
        .nodes()
        .map(|node| (node, edges.neighbors(node).count()))
        .collect();
    let mut ready: BTreeSet<&str> = missing
        .iter()
        .filter(|(_, count)| **count == 0)
        .map(|(node, _)| *node)
        .collect();
    let mut order = Vec::with_capacity(missing.len());
    while let Some(node) = ready.pop_first() {
        order.push(node);
        for dependent in edges.neighbors_directed(node, Direction::Incoming) {
            let count = missing.get_mut(dependent)?;
            *count -= 1;
            if *count == 0 {
                ready.insert(dependent);
            }
        }
    }
    (order.len() == missing.len()).then_some(order)
}

fn cycle_error(edges: &DiGraphMap<&str, ()>) -> PlanError {
    let members = cycle(edges);
    PlanError::new(format!(
        "dependency cycle detected: {}",
        members.join(" -> ")
    ))
}

/// One cycle, its first member repeated at the end.
fn cycle<'a>(edges: &DiGraphMap<&'a str, ()>) -> Vec<&'a str> {
    let component = tarjan_scc(edges)
        .into_iter()
        .filter(|component| {
            component.len() > 1
                || component
                    .first()
                    .is_some_and(|node| edges.contains_edge(node, node))
        })
        .min_by_key(|component| component.iter().min().copied());
    let Some(component) = component else {
        return Vec::new();
    };
    let members: BTreeSet<&str> = component.into_iter().collect();
    let mut path: Vec<&str> = members.first().copied().into_iter().collect();
    // Within a strongly connected component every walk comes back to where it has been.
    while let Some(last) = path.last() {
        let next = edges
            .neighbors(last)
            .filter(|node| members.contains(node))
            .min();
        let Some(next) = next else { break };
        let seen = path.iter().position(|node| *node == next);
        path.push(next);
        if let Some(start) = seen {
            return path.split_off(start);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::model::Dependency;

    fn services(list: &[(&str, &[&str])]) -> BTreeMap<String, Service> {
        list.iter()
            .map(|(name, dependencies)| {
                let service = Service {
                    name: (*name).to_owned(),
                    depends_on: dependencies
                        .iter()
                        .map(|name| ((*name).to_owned(), Dependency::default()))
                        .collect(),
                    ..Service::default()
                };
                ((*name).to_owned(), service)
            })
            .collect()
    }

    #[test]
    fn orders_dependencies_first() {
        let services = services(&[
            ("a", &["c"]),
            ("b", &[]),
            ("c", &["d"]),
            ("d", &[]),
            ("e", &["gone"]),
        ]);
        let graph = Graph::new(&services).unwrap();
        assert_eq!(graph.order(), ["b", "d", "c", "a", "e"]);
        assert_eq!(graph.dependents("d"), ["c"]);
        assert_eq!(graph.dependencies("a"), ["c"]);
        let closure = graph.with_dependencies(["a"]);
        assert_eq!(closure.into_iter().collect::<Vec<_>>(), ["a", "c", "d"]);
        let closure = graph.with_dependents(["d"]);
        assert_eq!(closure.into_iter().collect::<Vec<_>>(), ["a", "c", "d"]);
    }

    #[test]
    fn names_every_member_of_a_cycle() {
        let services = services(&[("a", &["b"]), ("b", &["c"]), ("c", &["a"]), ("d", &["a"])]);
        let error = Graph::new(&services).unwrap_err();
        assert_eq!(
            error.to_string(),
            "dependency cycle detected: a -> b -> c -> a"
        );
    }
}
