use std::collections::HashMap;
use std::net::IpAddr;

use bollard_stubs::models::EndpointSettings;
use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};

use super::answer::{Answer, answer};
use crate::network::attachment::{Attachment, Endpoint};
use crate::network::document::{Driver, Network};
use crate::network::ipam::Pool;
use crate::network::state::Inner;

fn network(name: &str, subnet: &str, builtin: bool) -> Network {
    Network {
        id: format!("{name}-id"),
        name: name.to_owned(),
        created: String::new(),
        driver: Driver::Bridge,
        internal: name == "inside",
        attachable: false,
        enable_ipv6: false,
        options: HashMap::new(),
        labels: HashMap::new(),
        ipam_options: None,
        pools: vec![Pool::of(subnet.parse().unwrap(), true)],
        bridge: format!("br-{name}"),
        builtin,
        foreign: false,
    }
}

fn container(name: &str, endpoints: &[(&str, &str, &[&str], &[&str])]) -> Attachment {
    let owned = |texts: &[&str]| Some(texts.iter().map(ToString::to_string).collect());
    let endpoints = endpoints
        .iter()
        .map(|(network, address, aliases, links)| Endpoint {
            network: format!("{network}-id"),
            id: String::new(),
            ipv4: Some(address.parse().unwrap()),
            ipv6: None,
            hardware: [0; 6],
            host_link: "veth0".to_owned(),
            guest_link: "eth0".to_owned(),
            settings: EndpointSettings {
                aliases: owned(aliases),
                links: owned(links),
                ..EndpointSettings::default()
            },
        });
    Attachment {
        container: format!("{name}0123456789abcdef"),
        name: format!("project-{name}-1"),
        hostname: format!("host-{name}"),
        namespace: "/nowhere".into(),
        dns: Vec::new(),
        endpoints: endpoints.collect(),
        publications: Vec::new(),
    }
}

fn state() -> Inner {
    let networks = [
        network("front", "10.1.0.0/24", false),
        network("back", "10.2.0.0/24", false),
        network("inside", "10.3.0.0/24", false),
        network("bridge", "10.4.0.0/24", true),
    ];
    let containers = [
        container(
            "web",
            &[("front", "10.1.0.2", &["web"], &["project-api-1:service"])],
        ),
        container(
            "api",
            &[
                ("front", "10.1.0.3", &["api"], &[]),
                ("back", "10.2.0.3", &["api"], &[]),
            ],
        ),
        container("db", &[("back", "10.2.0.4", &["db", "shared"], &[])]),
        container("db2", &[("back", "10.2.0.5", &["db"], &[])]),
        container("alone", &[("inside", "10.3.0.2", &["alone"], &[])]),
        container(
            "old",
            &[("bridge", "10.4.0.2", &[], &["project-older-1:elder"])],
        ),
        container("older", &[("bridge", "10.4.0.3", &[], &[])]),
    ];
    Inner {
        networks: networks
            .into_iter()
            .map(|network| (network.id.clone(), network))
            .collect(),
        attachments: containers
            .into_iter()
            .map(|one| (one.container.clone(), one))
            .collect(),
    }
}

/// What `from` gets to hear: the code and the answers, sorted; `None` when another server is asked.
fn ask(
    from: &str,
    name: &str,
    kind: RecordType,
    may_ask: bool,
) -> Option<(ResponseCode, Vec<String>)> {
    let mut request = Message::query();
    request.metadata.id = 42;
    request.add_query(Query::query(Name::from_utf8(name).unwrap(), kind));
    let from = format!("{from}0123456789abcdef");
    let Answer::Here(message) = answer(&state(), &from, &request, may_ask) else {
        return None;
    };
    // What goes over the wire is what is looked at.
    let message = Message::from_vec(&message.to_vec().unwrap()).unwrap();
    assert_eq!(
        (message.metadata.id, &message.queries),
        (42, &request.queries)
    );
    let mut data: Vec<String> = message
        .answers
        .iter()
        .map(|record| match &record.data {
            RData::A(address) => address.0.to_string(),
            RData::PTR(name) => name.0.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    data.sort();
    Some((message.metadata.response_code, data))
}

#[expect(clippy::unnecessary_wraps, reason = "what `ask` gives")]
fn found(addresses: &[&str]) -> Option<(ResponseCode, Vec<String>)> {
    Some((
        ResponseCode::NoError,
        addresses.iter().map(ToString::to_string).collect(),
    ))
}

#[test]
fn containers_have_several_names() {
    for name in [
        "api.",
        "API.",
        "project-api-1.",
        "host-api.",
        "api012345678.",
        "api.front.",
        "service.",
    ] {
        assert_eq!(
            ask("web", name, RecordType::A, true),
            found(&["10.1.0.3"]),
            "{name}"
        );
    }
    assert_eq!(ask("db", "api.", RecordType::A, true), found(&["10.2.0.3"]));
}

#[test]
fn replicas_all_answer_and_take_turns() {
    assert_eq!(
        ask("api", "db.", RecordType::A, true),
        found(&["10.2.0.4", "10.2.0.5"])
    );
    let firsts: std::collections::BTreeSet<IpAddr> = (0..64)
        .map(|_| {
            let mut request = Message::query();
            request.add_query(Query::query(
                Name::from_ascii("db.").unwrap(),
                RecordType::A,
            ));
            let Answer::Here(message) = answer(&state(), "api0123456789abcdef", &request, true)
            else {
                panic!("asked elsewhere");
            };
            message.answers[0].data.ip_addr().unwrap()
        })
        .collect();
    assert_eq!(firsts.len(), 2);
}

#[test]
fn other_networks_are_not_seen() {
    assert_eq!(ask("web", "db.", RecordType::A, true), None);
    assert_eq!(ask("web", "db.back.", RecordType::A, true), None);
    assert_eq!(ask("db", "service.", RecordType::A, true), None);
    assert_eq!(
        ask("web", "db.", RecordType::A, false),
        Some((ResponseCode::NXDomain, vec![]))
    );
}

#[test]
fn the_default_bridge_knows_links_alone() {
    assert_eq!(ask("old", "project-older-1.", RecordType::A, true), None);
    assert_eq!(
        ask("old", "elder.", RecordType::A, true),
        found(&["10.4.0.3"])
    );
}

#[test]
fn a_name_without_the_kind_that_is_asked_for_has_no_records() {
    assert_eq!(ask("web", "api.", RecordType::AAAA, true), found(&[]));
    assert_eq!(ask("web", "api.", RecordType::MX, true), found(&[]));
    assert_eq!(
        ask("web", "nowhere.", RecordType::AAAA, false),
        Some((ResponseCode::NXDomain, vec![]))
    );
}

#[test]
fn addresses_have_names() {
    let reverse = |from, name| ask(from, name, RecordType::PTR, true);
    assert_eq!(
        reverse("api", "4.0.2.10.in-addr.arpa."),
        found(&["project-db-1.back."])
    );
    let nobody = Some((ResponseCode::NXDomain, vec![]));
    assert_eq!(reverse("api", "99.0.2.10.in-addr.arpa."), nobody);
    assert_eq!(reverse("web", "4.0.2.10.in-addr.arpa."), None);
}

#[test]
fn internal_networks_ask_nobody_else() {
    let state = state();
    assert_eq!(state.upstreams("alone0123456789abcdef"), None);
    assert_eq!(state.upstreams("web0123456789abcdef"), Some(vec![]));
}

#[test]
fn what_is_no_plain_question_is_refused() {
    let request = Message::query();
    let Answer::Here(message) = answer(&state(), "web0123456789abcdef", &request, true) else {
        panic!("asked elsewhere");
    };
    assert_eq!(message.metadata.response_code, ResponseCode::FormErr);
}
