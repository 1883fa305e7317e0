//! The configuration hashes docker compose labels what it creates with.
//!
//! They decide whether a container, network or volume is still the one that is wanted, so they
//! are the same, bit for bit, as docker compose's.

use sha2::{Digest, Sha256};

use crate::compose::emit;
use crate::compose::model::{Network, Service, Volume};

/// The hash of a service, 64 hexadecimal digits.
///
/// What does not change the container is left out: how the image is built and pulled, the number
/// of replicas, dependencies and profiles. `service:` references must have been replaced by
/// container ids before, and env files merged into the environment.
pub fn service(service: &Service) -> String {
    let mut service = service.clone();
    service.build = None;
    service.pull_policy = None;
    service.scale = None;
    service.depends_on.clear();
    service.profiles.clear();
    if let Some(deploy) = &mut service.deploy {
        deploy.replicas = None;
    }
    sha256(&emit::service_json(&service))
}

/// The hash of a network, 64 hexadecimal digits.
pub fn network(network: &Network) -> String {
    sha256(&emit::network_json(network))
}

/// The hash of a volume, 64 hexadecimal digits; the default driver counts as `local`.
pub fn volume(volume: &Volume) -> String {
    let mut volume = volume.clone();
    volume.driver.get_or_insert_with(|| "local".to_owned());
    sha256(&emit::volume_json(&volume))
}

fn sha256(text: &str) -> String {
    use std::fmt::Write as _;
    Sha256::digest(text.as_bytes())
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_docker_compose_does() {
        let wanted = Service {
            name: "web".to_owned(),
            image: Some("clibb:1".to_owned()),
            networks: [("default".to_owned(), None)].into(),
            scale: Some(3),
            ..Service::default()
        };
        assert_eq!(
            service(&wanted),
            sha256(
                r#"{"command":null,"entrypoint":null,"image":"clibb:1","networks":{"default":null}}"#
            )
        );
        assert!(service(&wanted).starts_with("0e335309fb737405"));
    }

    #[test]
    fn networks_show_ipam_and_volumes_their_driver() {
        let front = Network {
            name: Some("p_front".to_owned()),
            ..Network::default()
        };
        assert_eq!(network(&front), sha256(r#"{"name":"p_front","ipam":{}}"#));
        let data = Volume {
            name: Some("p_data".to_owned()),
            ..Volume::default()
        };
        assert_eq!(
            volume(&data),
            sha256(r#"{"name":"p_data","driver":"local"}"#)
        );
    }
}
