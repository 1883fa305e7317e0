//! Circles of dependencies.

use std::collections::{BTreeMap, BTreeSet};

use crate::compose::diagnostic::{Diagnostic, code};
use crate::compose::model::Project;

/// Reports every circle once, with all of its members.
pub(super) fn check(project: &Project, problems: &mut Vec<Diagnostic>) {
    let mut search = Search {
        project,
        done: BTreeSet::new(),
        reported: BTreeSet::new(),
        problems,
    };
    for name in project.services.keys() {
        search.visit(name);
    }
}

struct Search<'a> {
    project: &'a Project,
    done: BTreeSet<&'a str>,
    reported: BTreeSet<BTreeSet<&'a str>>,
    problems: &'a mut Vec<Diagnostic>,
}

impl<'a> Search<'a> {
    /// Walks depth first without recursion: a chain may be as long as the project.
    fn visit(&mut self, start: &'a str) {
        if self.done.contains(start) {
            return;
        }
        let mut path: Vec<&'a str> = vec![start];
        let mut places: BTreeMap<&'a str, usize> = BTreeMap::from([(start, 0)]);
        let mut pending: Vec<Vec<&'a str>> = vec![self.targets(start)];
        while let Some(targets) = pending.last_mut() {
            let Some(next) = targets.pop() else {
                pending.pop();
                if let Some(name) = path.pop() {
                    places.remove(name);
                    self.done.insert(name);
                }
                continue;
            };
            if let Some(&first) = places.get(next) {
                self.report(&path[first..]);
            } else if !self.done.contains(next) {
                places.insert(next, path.len());
                path.push(next);
                pending.push(self.targets(next));
            }
        }
    }

    /// What a service depends on, last first.
    fn targets(&self, name: &str) -> Vec<&'a str> {
        let project = self.project;
        let Some(service) = project.services.get(name) else {
            return Vec::new();
        };
        service
            .depends_on
            .keys()
            .rev()
            .filter(|target| project.services.contains_key(*target))
            .map(String::as_str)
            .collect()
    }

    fn report(&mut self, members: &[&'a str]) {
        if !self.reported.insert(members.iter().copied().collect()) {
            return;
        }
        let Some(first) = members.first() else {
            return;
        };
        let mut names = members.to_vec();
        names.push(first);
        let message = match members {
            [name] => format!("service \"{name}\" depends on itself"),
            _ => format!(
                "services depend on each other in a circle: {}",
                names.join(" -> ")
            ),
        };
        let mut problem = Diagnostic::error(message)
            .code(code::DEPENDENCY_CYCLE)
            .help(if members.len() == 1 {
                "remove this dependency"
            } else {
                "remove one of these dependencies"
            });
        for (index, pair) in names.windows(2).enumerate() {
            let span = self.span(pair[0], pair[1]);
            problem = if index == 0 {
                problem.at(span)
            } else {
                problem.related(span, format!("\"{}\" depends on \"{}\"", pair[0], pair[1]))
            };
        }
        self.problems.push(problem);
    }

    fn span(&self, from: &str, to: &str) -> crate::compose::source::Span {
        let path = ["services", from, "depends_on"];
        self.project
            .tree
            .at(&path)
            .and_then(|node| node.as_map()?.get(to))
            .map_or_else(|| self.project.span_of(&path), |entry| entry.key)
    }
}
