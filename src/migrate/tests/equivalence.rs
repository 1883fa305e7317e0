//! What comes out loads, and means what the old file meant.

use super::{loaded, migrate};
use crate::compose::Project;

fn project(text: &str) -> Project {
    let migration = migrate("compose.yml", text).unwrap();
    match loaded(&migration.text) {
        Ok(project) => project,
        Err(error) => panic!("{error}:\n{}", migration.text),
    }
}

const EVERYTHING: &str = "
web:
  build: ./web
  dockerfile: Dockerfile.web
  links: [db:database, cache]
  volumes: ['data:/data', './conf:/conf:ro']
  volume_driver: local
  log_driver: syslog
  log_opt: {tag: web}
  volumes_from: [cache:ro, backup]
db: {image: db, net: bridge}
cache:
  image: cache
  cpuset: 0,1
  mem_limit: 1000000000
side:
  image: side
  net: container:web
";

#[test]
fn everything_of_the_first_format_is_carried_over() {
    let project = project(&EVERYTHING.replace("db: {image: db, net: bridge}", "db: {image: db}"));
    let web = &project.services["web"];
    let build = web.build.as_ref().unwrap();
    assert_eq!(build.context.as_deref(), Some("/project/web"));
    assert_eq!(build.dockerfile.as_deref(), Some("Dockerfile.web"));
    assert_eq!(web.depends_on.keys().collect::<Vec<_>>(), ["cache", "db"]);
    let logging = web.logging.as_ref().unwrap();
    assert_eq!(logging.driver.as_deref(), Some("syslog"));
    assert_eq!(logging.options["tag"], "web");
    assert_eq!(web.volumes_from, ["cache:ro", "container:backup"]);
    let network = project.services["db"].networks["default"].as_ref().unwrap();
    assert_eq!(network.aliases, ["database"]);
    assert_eq!(project.volumes["data"].name.as_deref(), Some("data"));
    assert_eq!(project.volumes["data"].driver.as_deref(), Some("local"));
    assert_eq!(
        project.services["side"].network_mode.as_deref(),
        Some("service:web")
    );
    assert_eq!(project.services["cache"].cpuset.as_deref(), Some("0,1"));
}

#[test]
fn old_attributes_of_the_later_formats_are_carried_over() {
    let project = project(
        "version: '3'\nservices:\n  web:\n    image: a\n    links: [db]\n    volumes: [data:/data]\n  db: {image: b}\n\
         volumes:\n  data:\n    external:\n      name: kept\nnetworks:\n  default: {external: {name: outside}}\n",
    );
    assert!(project.volumes["data"].external);
    assert_eq!(project.volumes["data"].name.as_deref(), Some("kept"));
    assert_eq!(project.networks["default"].name.as_deref(), Some("outside"));
    assert!(project.services["web"].depends_on.contains_key("db"));
}
