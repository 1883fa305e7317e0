//! What is refused before anything is made.

use super::*;

#[test]
fn what_the_engine_cannot_do_is_refused_before_anything_is_made() {
    let project = project(
        "
services:
  web:
    image: img
    healthcheck: {test: [CMD, a], start_interval: 1s, start_period: 1s}
    deploy: {update_config: {order: start-first}, placement: {constraints: [a]}}
    networks: {default: {gw_priority: 1}}
",
    );
    let error = images(&project, &empty(), &Settings::default(), &Up::default()).unwrap_err();
    let messages: Vec<&str> = error
        .diagnostics
        .iter()
        .map(|d| d.message.as_str())
        .collect();
    assert_eq!(
        messages,
        [
            "service \"web\": healthcheck.start_interval needs an engine with API 1.44 or later, this one has 1.41",
            "service \"web\": networks.default.gw_priority needs an engine with API 1.48 or later, this one has 1.41",
            "service \"web\": deploy.placement is ignored: there is one node",
            "service \"web\": deploy.update_config.order: start-first is not supported; containers are replaced stop-first",
        ]
    );
    assert!(error.diagnostics.iter().all(|d| d.span.is_some()));
    let settings = Settings {
        api: ApiVersion::v1(51),
        strict: true,
        ..Settings::default()
    };
    let plan = images(&project, &empty(), &settings, &Up::default()).unwrap();
    assert_eq!(plan.warnings.len(), 2);
}

#[test]
fn waiting_for_the_health_of_a_service_without_healthcheck_is_refused() {
    let text = "
services:
  web: {image: img, depends_on: {db: {condition: service_healthy}}}
  db: {image: img}
";
    let project = project(text);
    let error = up(&project, &empty(), &Settings::default(), &Up::default()).unwrap_err();
    assert!(error.to_string().contains("no healthcheck"));
    let mut observed = empty();
    observed.images.insert(
        "img".to_owned(),
        Image {
            healthcheck: true,
            ..Image::default()
        },
    );
    assert!(up(&project, &observed, &Settings::default(), &Up::default()).is_ok());
}

#[test]
fn further_mac_addresses_need_a_recent_engine() {
    let one = project("services: {web: {image: img, mac_address: '02:42:ac:11:00:03'}}");
    assert!(up(&one, &empty(), &Settings::default(), &Up::default()).is_ok());
    let project = project(
        "services: {web: {image: img, networks: {a: {priority: 1}, b: {mac_address: '02:42:ac:11:00:03'}}}}\n\
         networks: {a: {}, b: {}}",
    );
    let error = up(&project, &empty(), &Settings::default(), &Up::default()).unwrap_err();
    assert!(error.to_string().contains("mac_address needs"));
}
