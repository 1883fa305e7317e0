use std::sync::Arc;

use bollard_stubs::models::{ContainerConfig, EndpointSettings, HostConfig};
use indexmap::IndexMap;

use super::*;
use crate::container::record::State;
use std::collections::HashMap;

pub(crate) fn live(name: &str) -> Live {
    let record = Record {
        id: "ab12".repeat(16),
        name: name.to_owned(),
        created: "2026-01-01T00:00:00.000000000Z".to_owned(),
        path: "sh".to_owned(),
        args: vec!["-c".to_owned(), "sleep 1".to_owned()],
        image: "app".to_owned(),
        image_id: format!("sha256:{}", "cd34".repeat(16)),
        config: ContainerConfig {
            labels: Some([("tier".to_owned(), "web".to_owned())].into()),
            ..ContainerConfig::default()
        },
        host_config: HostConfig::default(),
        endpoints: IndexMap::from([("front".to_owned(), EndpointSettings::default())]),
        ports: HashMap::new(),
        mounts: Vec::new(),
        state: State {
            status: Status::Exited,
            exit_code: 3,
            ..State::default()
        },
        restart_count: 0,
    };
    Live {
        health: None,
        record: Arc::new(record),
        run: 0,
        exits: 0,
        removed: false,
    }
}

fn passes(filters: &str) -> bool {
    let filters = Filters::parse(Some(filters), FILTERS).unwrap();
    check(&filters).unwrap();
    matches(&filters, &live("shop-web-1"))
}

#[test]
fn filters_pass_and_refuse() {
    for (filters, expected) in [
        (r#"{"name":["web"]}"#, true),
        (r#"{"name":["^/shop-web-1$"]}"#, true),
        (r#"{"name":["^web"]}"#, false),
        (r#"{"label":["tier=web"]}"#, true),
        (r#"{"label":["tier=db"]}"#, false),
        (r#"{"status":["exited"]}"#, true),
        (r#"{"status":["running"]}"#, false),
        (r#"{"exited":["3"]}"#, true),
        (r#"{"exited":["0"]}"#, false),
        (r#"{"id":["ab12"]}"#, true),
        (r#"{"network":["front"]}"#, true),
        (r#"{"network":["back"]}"#, false),
        (r#"{"ancestor":["app:latest"]}"#, true),
        (r#"{"ancestor":["other"]}"#, false),
        (r#"{"health":["none"]}"#, true),
        (r#"{"volume":["data"]}"#, false),
    ] {
        assert_eq!(passes(filters), expected, "{filters}");
    }
}

#[test]
fn wrong_values_are_refused() {
    for filters in [
        r#"{"status":["asleep"]}"#,
        r#"{"exited":["x"]}"#,
        r#"{"health":["ill"]}"#,
    ] {
        let filters = Filters::parse(Some(filters), FILTERS).unwrap();
        assert_eq!(check(&filters).unwrap_err().status, 400);
    }
}

#[test]
fn times_of_prune_are_read() {
    let until_of = |text: &str| {
        let text = format!(r#"{{"until":["{text}"]}}"#);
        until(&Filters::parse(Some(&text), &["until"]).unwrap())
    };
    assert_eq!(
        until_of("0").unwrap().unwrap(),
        "1970-01-01T00:00:00.000000000Z"
    );
    assert!(until_of("24h").unwrap().unwrap() < time::now());
    assert!(until_of("soon").is_err());
}

#[test]
fn summaries_show_the_command() {
    let summary = summary(&live("a1"));
    assert_eq!(summary["Command"], "sh -c 'sleep 1'");
    assert_eq!(summary["Names"][0], "/a1");
}
