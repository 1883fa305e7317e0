//! Which images to pull and build before containers are made.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::container::platform;
use super::super::error::PlanError;
use super::super::observed::{Image, Observed};
use super::super::options::{Build, Settings, Up};
use super::super::reason::Reason;
use super::super::step::{Action, Edge, Plan, Pull, StepId};
use super::super::{names, requirement};
use super::wanted::Wanted;
use crate::compose::model::{MountType, Service};
use crate::compose::{Diagnostic, Project};

const DAY: i64 = 24 * 60 * 60;
const SERVICE_CONTEXT: &str = "service:";

/// Pulls and builds. Refuses what the engine cannot do, and warns of what it will ignore,
/// before anything is made.
pub fn images(
    project: &Project,
    observed: &Observed,
    settings: &Settings,
    options: &Up,
) -> Result<Plan, PlanError> {
    let wanted = Wanted::new(project, options)?;
    let mut planner = Planner {
        project,
        observed,
        settings,
        options,
        plan: Plan::default(),
        pulls: BTreeMap::new(),
        builds: BTreeMap::new(),
    };
    planner.plan.warnings = check(project, settings, &wanted)?;
    for service in wanted.services.values() {
        planner.pull(service)?;
        planner.pull_mounted_images(service);
    }
    planner.build_all(&wanted)?;
    Ok(planner.plan)
}

/// Warnings about the services; an error if the engine cannot do what they ask.
pub(super) fn check(
    project: &Project,
    settings: &Settings,
    wanted: &Wanted,
) -> Result<Vec<Diagnostic>, PlanError> {
    let services = wanted
        .services
        .values()
        .flat_map(|service| requirement::service(project, service, settings));
    let networks = super::wanted::networks_in_use(&wanted.services)
        .into_iter()
        .flat_map(|key| requirement::network(project, key, settings));
    let mut found: Vec<Diagnostic> = services.chain(networks).collect();
    found.extend(duplicate_names(project, wanted));
    // A secret of several services is found with each of them.
    let mut unique: Vec<Diagnostic> = Vec::with_capacity(found.len());
    for diagnostic in found {
        if !unique.contains(&diagnostic) {
            unique.push(diagnostic);
        }
    }
    PlanError::check(unique)
}

fn duplicate_names(project: &Project, wanted: &Wanted) -> Vec<Diagnostic> {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    let mut found = Vec::new();
    for service in wanted.services.values() {
        let Some(name) = &service.container_name else {
            continue;
        };
        let Some(owner) = owners.insert(name, &service.name) else {
            continue;
        };
        let place = |service| project.span_of(&["services", service, "container_name"]);
        let message = format!(
            "service \"{}\": container name \"{name}\" is already in use by service \"{owner}\"",
            service.name
        );
        let error = Diagnostic::error(message)
            .at(place(&service.name))
            .related(place(owner), "first used here")
            .help("give each service a container name of its own, or none");
        found.push(error);
    }
    found
}

struct Planner<'a> {
    project: &'a Project,
    observed: &'a Observed,
    settings: &'a Settings,
    options: &'a Up,
    plan: Plan,
    /// Pull steps keyed by reference and platform.
    pulls: BTreeMap<(String, Option<String>), StepId>,
    /// Build steps keyed by service; `None` where there is nothing to build.
    builds: BTreeMap<String, Option<StepId>>,
}

impl Planner<'_> {
    fn image_name(&self, service: &Service) -> String {
        names::image(&self.project.name, service, self.settings.separator)
    }

    fn policy<'s>(&'s self, service: &'s Service) -> Option<&'s str> {
        self.options
            .pull
            .as_deref()
            .or(service.pull_policy.as_deref())
            .filter(|policy| !policy.is_empty())
    }

    /// The local image, unless it is for another platform than the service asks for.
    fn local(&self, service: &Service) -> Option<&Image> {
        let image = self.observed.images.get(&self.image_name(service))?;
        let fits = service
            .platform
            .as_deref()
            .is_none_or(|platform| image_fits(image, platform));
        fits.then_some(image)
    }

    fn pull(&mut self, service: &Service) -> Result<(), PlanError> {
        let Some(image) = service.image.clone().filter(|image| !image.is_empty()) else {
            return Ok(());
        };
        let Some(reason) = self.pull_reason(service)? else {
            return Ok(());
        };
        let key = (image.clone(), platform(self.project, service));
        if let Some(step) = self.pulls.get(&key) {
            if let Action::Pull(pull) = &mut self.plan.steps[step.0].action {
                pull.services.push(service.name.clone());
            }
            return Ok(());
        }
        let pull = Pull {
            services: vec![service.name.clone()],
            buildable: self.is_built(&image),
            image,
            platform: key.1.clone(),
        };
        let step = self.plan.push(Action::Pull(pull), reason, Vec::new());
        self.pulls.insert(key, step);
        Ok(())
    }

    /// Whether some service of the project builds an image of this name.
    fn is_built(&self, image: &str) -> bool {
        self.project
            .services
            .values()
            .any(|service| service.build.is_some() && self.image_name(service) == image)
    }

    fn pull_reason(&self, service: &Service) -> Result<Option<Reason>, PlanError> {
        let local = self.local(service);
        let policy = self.policy(service);
        let by_policy = || policy.map(|policy| Reason::PullPolicy(policy.to_owned()));
        let missing = || local.is_none().then_some(Reason::ImageMissing);
        // Asked to build, there is no use in pulling what the build makes.
        if service.build.is_some() && self.options.build == Build::Always {
            return Ok(None);
        }
        Ok(match policy {
            Some("always") => by_policy(),
            Some("never" | "build") => None,
            Some(policy) => match refresh_interval(policy) {
                Some(Ok(seconds)) => {
                    let fresh = local
                        .and_then(|image| image.last_tagged)
                        .is_some_and(|tagged| self.options.now <= tagged + seconds);
                    if fresh {
                        None
                    } else {
                        missing().or_else(by_policy)
                    }
                }
                Some(Err(())) => return Err(self.bad_interval(service, policy)),
                None => missing(),
            },
            None => missing(),
        })
    }

    fn bad_interval(&self, service: &Service, policy: &str) -> PlanError {
        let span = self
            .project
            .span_of(&["services", &service.name, "pull_policy"]);
        Diagnostic::error(format!(
            "service \"{}\": the interval of pull_policy {policy} is not a duration",
            service.name
        ))
        .at(span)
        .help("write it like every_12h or every_2d")
        .into()
    }

    fn pull_mounted_images(&mut self, service: &Service) {
        for mount in &service.volumes {
            let (MountType::Image, Some(image)) = (mount.kind, &mount.source) else {
                continue;
            };
            let key = (image.clone(), None);
            if self.observed.images.contains_key(image) || self.pulls.contains_key(&key) {
                continue;
            }
            let pull = Pull {
                services: vec![service.name.clone()],
                image: image.clone(),
                platform: None,
                buildable: false,
            };
            let step = self
                .plan
                .push(Action::Pull(pull), Reason::ImageMissing, Vec::new());
            self.pulls.insert(key, step);
        }
    }

    fn build_all(&mut self, wanted: &Wanted) -> Result<(), PlanError> {
        if self.options.build == Build::Never {
            return self.check_nothing_missing(wanted);
        }
        for service in wanted.services.values() {
            self.build(service, wanted, &mut Vec::new())?;
        }
        Ok(())
    }

    fn check_nothing_missing(&self, wanted: &Wanted) -> Result<(), PlanError> {
        let missing = wanted.services.values().find(|service| {
            service.build.is_some() && service.image.is_none() && self.local(service).is_none()
        });
        missing.map_or(Ok(()), |service| {
            Err(Diagnostic::error(format!(
                "service \"{}\": image {} does not exist and building is off",
                service.name,
                self.image_name(service)
            ))
            .at(self.project.span_of(&["services", &service.name, "build"]))
            .help("leave out --no-build")
            .into())
        })
    }

    /// Plans the build of a service after the builds its contexts refer to, and after those of the wanted services that
    /// it may start from.
    fn build(
        &mut self,
        service: &Arc<Service>,
        wanted: &Wanted,
        path: &mut Vec<String>,
    ) -> Result<Option<StepId>, PlanError> {
        if let Some(step) = self.builds.get(&service.name) {
            return Ok(*step);
        }
        let Some(reason) = self.build_reason(service) else {
            self.builds.insert(service.name.clone(), None);
            return Ok(None);
        };
        if path.contains(&service.name) {
            path.push(service.name.clone());
            let message = format!(
                "the builds of these services need each other: {}",
                path.join(" -> ")
            );
            return Err(PlanError::new(message));
        }
        path.push(service.name.clone());
        let unless_pulled = self.pull_of(service);
        let mut after: Vec<Edge> = unless_pulled.map(Edge::optional).into_iter().collect();
        let project = self.project;
        let bases = project.named_bases(service);
        let bases = bases.filter(|name| wanted.services.contains_key(*name));
        for name in context_services(service).chain(bases) {
            if let Some(other) = project.services.get(name) {
                let step = self.build(&Arc::new(other.clone()), wanted, path)?;
                after.extend(step.map(Edge::required));
            }
        }
        path.pop();
        let action = Action::Build {
            service: Arc::clone(service),
            image: self.image_name(service),
            unless_pulled,
        };
        let step = self.plan.push(action, reason, after);
        self.builds.insert(service.name.clone(), Some(step));
        Ok(Some(step))
    }

    /// The pull of the image that the service would build.
    fn pull_of(&self, service: &Service) -> Option<StepId> {
        let image = service.image.clone()?;
        let key = (image, platform(self.project, service));
        self.pulls.get(&key).copied()
    }

    fn build_reason(&self, service: &Service) -> Option<Reason> {
        service.build.as_ref()?;
        let asked = self.options.build == Build::Always || self.policy(service) == Some("build");
        if asked {
            return Some(Reason::BuildRequested);
        }
        self.local(service)
            .is_none()
            .then_some(Reason::ImageMissing)
    }
}

/// Services whose images the build uses as contexts.
fn context_services(service: &Service) -> impl Iterator<Item = &str> {
    service
        .build
        .iter()
        .flat_map(|build| build.additional_contexts.values())
        .filter_map(|context| context.strip_prefix(SERVICE_CONTEXT))
}

/// Seconds between refreshes for `daily`, `weekly` and `every_…`; `None` for other policies.
fn refresh_interval(policy: &str) -> Option<Result<i64, ()>> {
    match policy {
        "daily" => Some(Ok(DAY)),
        "weekly" => Some(Ok(7 * DAY)),
        _ => policy
            .strip_prefix("every_")
            .map(|text| parse_interval(text).ok_or(())),
    }
}

/// Reads `1w2d3h4m5s`.
fn parse_interval(text: &str) -> Option<i64> {
    let mut total = 0_i64;
    let mut digits = String::new();
    for character in text.chars() {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        let seconds = match character {
            'w' => 7 * DAY,
            'd' => DAY,
            'h' => 60 * 60,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        let count: i64 = digits.parse().ok()?;
        digits.clear();
        total = total.checked_add(count.checked_mul(seconds)?)?;
    }
    (digits.is_empty() && !text.is_empty()).then_some(total)
}

/// Whether an image is for the platform `os[/arch[/variant]]` or `arch`.
fn image_fits(image: &Image, platform: &str) -> bool {
    if image.architecture.is_empty() {
        return true;
    }
    let mut parts = platform.split('/');
    let (os, architecture, variant) = match (parts.next(), parts.next(), parts.next()) {
        (Some(os), Some(architecture), variant) => (os, architecture, variant),
        (Some("linux" | "windows" | "darwin"), None, _) | (None, ..) => return true,
        (Some(architecture), None, _) => ("linux", architecture, None),
    };
    let canonical = |name: &str| match name {
        "x86_64" | "x86-64" => "amd64".to_owned(),
        "aarch64" => "arm64".to_owned(),
        "armhf" => "arm".to_owned(),
        other => other.to_owned(),
    };
    let variant_fits =
        variant.is_none_or(|variant| image.variant.is_empty() || image.variant == variant);
    image.os == os && canonical(&image.architecture) == canonical(architecture) && variant_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals() {
        assert_eq!(refresh_interval("daily"), Some(Ok(DAY)));
        assert_eq!(refresh_interval("every_1w2h"), Some(Ok(7 * DAY + 7200)));
        assert_eq!(refresh_interval("every_x"), Some(Err(())));
        assert_eq!(refresh_interval("every_"), Some(Err(())));
        assert_eq!(refresh_interval("missing"), None);
    }

    #[test]
    fn platforms() {
        let image = Image {
            os: "linux".into(),
            architecture: "amd64".into(),
            ..Image::default()
        };
        assert!(image_fits(&image, "linux/amd64"));
        assert!(image_fits(&image, "x86_64"));
        assert!(image_fits(&image, "linux"));
        assert!(!image_fits(&image, "linux/arm64"));
    }
}
