//! Names of containers, images, networks and volumes.

use crate::compose::model::{Network, Service, Volume};

/// Digits of a container id or slug that names show.
const SHORT_ID: usize = 12;

/// `project-service-number`, or the service's `container_name`.
pub fn container(project: &str, service: &Service, number: u32, separator: char) -> String {
    match &service.container_name {
        Some(name) => name.clone(),
        None => replica(project, &service.name, number, separator),
    }
}

/// `project-service-number`.
pub fn replica(project: &str, service: &str, number: u32, separator: char) -> String {
    format!("{project}{separator}{service}{separator}{number}")
}

/// `project-service-run-slug`, with the first twelve digits of the slug.
pub fn one_off(project: &str, service: &str, slug: &str, separator: char) -> String {
    let slug = short(slug);
    format!("{project}{separator}{service}{separator}run{separator}{slug}")
}

/// The name a replacement has until the container it replaces is gone.
pub fn temporary(replaced_id: &str, name: &str) -> String {
    format!("{}_{name}", short(replaced_id))
}

/// Value of the label that says what a container replaces: its name without the project.
pub fn replaced(service: &Service, number: u32, separator: char) -> String {
    service
        .container_name
        .clone()
        .unwrap_or_else(|| format!("{}{separator}{number}", service.name))
}

/// The service's image: its `image`, else `project-service`.
pub fn image(project: &str, service: &Service, separator: char) -> String {
    service
        .image
        .clone()
        .filter(|image| !image.is_empty())
        .unwrap_or_else(|| format!("{project}{separator}{}", service.name))
}

/// The network's name on the engine: its `name`, else `project_key`.
pub fn network(project: &str, key: &str, network: &Network) -> String {
    network
        .name
        .clone()
        .unwrap_or_else(|| format!("{project}_{key}"))
}

/// The volume's name on the engine: its `name`, else `project_key`.
pub fn volume(project: &str, key: &str, volume: &Volume) -> String {
    volume
        .name
        .clone()
        .unwrap_or_else(|| format!("{project}_{key}"))
}

/// The first twelve digits of an id.
pub fn short(id: &str) -> &str {
    id.get(..SHORT_ID).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str) -> Service {
        Service {
            name: name.into(),
            ..Service::default()
        }
    }

    #[test]
    fn containers() {
        let mut web = service("web");
        assert_eq!(container("p", &web, 2, '-'), "p-web-2");
        assert_eq!(container("p", &web, 2, '_'), "p_web_2");
        assert_eq!(replaced(&web, 2, '-'), "web-2");
        web.container_name = Some("front".into());
        assert_eq!(container("p", &web, 1, '-'), "front");
        assert_eq!(replaced(&web, 1, '-'), "front");
    }

    #[test]
    fn one_offs_and_replacements() {
        let id = "0123456789abcdef0123456789abcdef";
        assert_eq!(one_off("p", "web", id, '-'), "p-web-run-0123456789ab");
        assert_eq!(temporary(id, "p-web-1"), "0123456789ab_p-web-1");
    }

    #[test]
    fn images() {
        let mut web = service("web");
        assert_eq!(image("p", &web, '-'), "p-web");
        assert_eq!(image("p", &web, '_'), "p_web");
        web.image = Some("nginx".into());
        assert_eq!(image("p", &web, '-'), "nginx");
    }
}
