//! Answers to questions about containers.

use std::net::IpAddr;

use hickory_proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, PTR};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};
use rand::seq::SliceRandom as _;

use crate::network::state::Inner;

/// Seconds that an answer may be kept: containers come and go.
const TIME_TO_LIVE: u32 = 5;

/// What becomes of a question.
#[derive(Debug)]
pub(super) enum Answer {
    /// It is answered here.
    Here(Message),
    /// Somebody else has to be asked.
    Elsewhere,
}

/// Answers a question of a container as far as containers are concerned. `may_ask` says whether
/// there is anybody else to ask.
pub(super) fn answer(state: &Inner, container: &str, request: &Message, may_ask: bool) -> Answer {
    let (kind, code) = (request.metadata.message_type, request.metadata.op_code);
    if kind != MessageType::Query || code != OpCode::Query {
        return Answer::Here(refusal(request, ResponseCode::NotImp));
    }
    let [query] = request.queries.as_slice() else {
        return Answer::Here(refusal(request, ResponseCode::FormErr));
    };
    let data = if query.query_class() != DNSClass::IN {
        None
    } else if query.query_type() == RecordType::PTR {
        pointer(state, container, query.name())
    } else {
        addresses(state, container, query.name(), query.query_type())
    };
    match data {
        Some(data) => Answer::Here(response(request, query.name(), data)),
        None if may_ask && !is_ours(state, container, query.name()) => Answer::Elsewhere,
        None => Answer::Here(refusal(request, ResponseCode::NXDomain)),
    }
}

/// An answer without records.
pub(super) fn refusal(request: &Message, code: ResponseCode) -> Message {
    let mut message = Message::response(request.metadata.id, request.metadata.op_code);
    message.metadata.recursion_desired = request.metadata.recursion_desired;
    message.metadata.recursion_available = true;
    message.metadata.response_code = code;
    message.add_queries(request.queries.iter().cloned());
    message
}

fn response(request: &Message, name: &Name, data: Vec<RData>) -> Message {
    let mut message = refusal(request, ResponseCode::NoError);
    let record = |data| Record::from_rdata(name.clone(), TIME_TO_LIVE, data);
    message.add_answers(data.into_iter().map(record));
    message
}

/// The addresses of a family behind a container's name, in an order by chance, so that replicas
/// take turns; empty for a name that has none of this kind, `None` for no container's name.
fn addresses(state: &Inner, container: &str, name: &Name, kind: RecordType) -> Option<Vec<RData>> {
    let name = name.to_utf8();
    let found = state.resolve(container, name.trim_end_matches('.'))?;
    let of_kind = |address| match (kind, address) {
        (RecordType::A, IpAddr::V4(address)) => Some(RData::A(A(address))),
        (RecordType::AAAA, IpAddr::V6(address)) => Some(RData::AAAA(AAAA(address))),
        _ => None,
    };
    let mut data: Vec<RData> = found.into_iter().filter_map(of_kind).collect();
    data.shuffle(&mut rand::rng());
    Some(data)
}

fn pointer(state: &Inner, container: &str, name: &Name) -> Option<Vec<RData>> {
    let name = state.reverse(container, address_of(name)?)?;
    let name = Name::from_utf8(format!("{name}.")).ok()?;
    Some(vec![RData::PTR(PTR(name))])
}

/// Whether nobody else can know about a name: the reverse of an address on the container's
/// networks.
fn is_ours(state: &Inner, container: &str, name: &Name) -> bool {
    address_of(name).is_some_and(|address| state.is_local(container, address))
}

/// The address that `2.0.17.172.in-addr.arpa.` stands for.
fn address_of(name: &Name) -> Option<IpAddr> {
    let net = name.parse_arpa_name().ok()?;
    (net.prefix_len() == net.max_prefix_len()).then(|| net.addr())
}
