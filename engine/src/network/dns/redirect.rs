//! The name server's port, for containers that have a use for port 53 themselves.
//!
//! The server listens on a port that nobody asks for, and what goes to port 53 of its address is
//! led there by two rules of the namespace's own: as `nft` would write them, but without it, as
//! not every machine has it and a container should not wait for its start.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd as _, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto,
    setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike as _};

/// The port that programs ask.
const ASKED: u16 = 53;

const TABLE: &str = "rcompose-names";
const CHAIN: &str = "output";

/// Kinds of messages (`linux/netfilter/nf_tables.h`), in the subsystem of nftables.
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
const SUBSYSTEM: u16 = 10;
const NEW_TABLE: u16 = SUBSYSTEM << 8;
const DELETE_TABLE: u16 = (SUBSYSTEM << 8) | 2;
const NEW_CHAIN: u16 = (SUBSYSTEM << 8) | 3;
const NEW_RULE: u16 = (SUBSYSTEM << 8) | 6;
/// The kind of an answer.
const ERROR: u16 = 2;

const REQUEST: u16 = 1;
const ACKNOWLEDGE: u16 = 4;
const CREATE: u16 = 0x400;
const APPEND: u16 = 0x800;
/// An attribute that has attributes in it.
const NESTED: u16 = 0x8000;

const IPV4: u8 = 2;
/// Length of a message's head, with that of the subsystem.
const HEAD: usize = 20;

/// Protocols by number: TCP, UDP.
const PROTOCOLS: [u8; 2] = [6, 17];

/// Leads what the namespace of the calling thread sends to port 53 of `address` to `port` there,
/// in place of where it was led before.
///
/// Gives the socket that told the kernel so, to be kept for as long as the name server is: closed
/// at once, it would wait until every processor has taken note of the rules, and meanwhile nobody
/// could give the namespace a link.
///
/// # Errors
/// The kernel's, where it has no nftables say.
pub(super) fn redirect(address: Ipv4Addr, port: u16) -> io::Result<OwnedFd> {
    let socket = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkNetFilter,
    )?;
    setsockopt(&socket, sockopt::ReceiveTimeout, &TimeVal::seconds(2))?;
    let (batch, count) = batch(address, port);
    let kernel = NetlinkAddr::new(0, 0);
    sendto(socket.as_raw_fd(), &batch, &kernel, MsgFlags::empty())?;
    let mut answered = 0;
    let mut buffer = [0; 8192];
    while answered < count {
        let length = recv(socket.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
        answered += check(&buffer[..length])?;
    }
    Ok(socket)
}

/// How many answers these bytes have.
fn check(mut bytes: &[u8]) -> io::Result<usize> {
    let mut count = 0;
    while bytes.len() >= HEAD {
        let number = |at: usize| i32::from_ne_bytes(std::array::from_fn(|i| bytes[at + i]));
        let kind = u16::from_ne_bytes([bytes[4], bytes[5]]);
        let length = usize::try_from(number(0)).unwrap_or(bytes.len());
        if kind == ERROR {
            match number(16) {
                0 => count += 1,
                error => return Err(Errno::from_raw(-error).into()),
            }
        }
        let next = length.next_multiple_of(4).clamp(HEAD, bytes.len());
        bytes = &bytes[next..];
    }
    Ok(count)
}

/// All messages, and how many of them are answered.
fn batch(address: Ipv4Addr, port: u16) -> (Vec<u8>, usize) {
    let mut bytes = message(BATCH_BEGIN, 0, 0, &[]);
    let table = text(1, TABLE);
    let hook = [number(1, 3), number(2, (-100_i32).cast_unsigned())].concat();
    let chain = [
        text(1, TABLE),
        text(3, CHAIN),
        nested(4, &hook),
        text(7, "nat"),
    ]
    .concat();
    let mut messages = vec![
        // Deleting what is not there would be an error.
        message(NEW_TABLE, CREATE, IPV4, &table),
        message(DELETE_TABLE, 0, IPV4, &table),
        message(NEW_TABLE, CREATE, IPV4, &table),
        message(NEW_CHAIN, CREATE, IPV4, &chain),
    ];
    for protocol in PROTOCOLS {
        let expressions = rule(protocol, address, port);
        let rule = [text(1, TABLE), text(2, CHAIN), nested(4, &expressions)].concat();
        messages.push(message(NEW_RULE, CREATE | APPEND, IPV4, &rule));
    }
    let count = messages.len();
    bytes.extend(messages.concat());
    bytes.extend(message(BATCH_END, 0, 0, &[]));
    (bytes, count)
}

/// `meta l4proto PROTOCOL ip daddr ADDRESS th dport 53 dnat to ADDRESS:PORT`
fn rule(protocol: u8, address: Ipv4Addr, port: u16) -> Vec<u8> {
    let address = address.octets();
    let payload = |base: u32, offset: u32, length: u32| {
        let parts = [
            number(1, 1),
            number(2, base),
            number(3, offset),
            number(4, length),
        ];
        expression("payload", &parts.concat())
    };
    let equals = |value: &[u8]| {
        let parts = [number(1, 1), number(2, 0), nested(3, &attribute(1, value))];
        expression("cmp", &parts.concat())
    };
    let immediate = |register: u32, value: &[u8]| {
        let parts = [number(1, register), nested(2, &attribute(1, value))];
        expression("immediate", &parts.concat())
    };
    let nat = [
        number(1, 1),
        number(2, IPV4.into()),
        number(3, 1),
        number(5, 2),
    ];
    [
        expression("meta", &[number(1, 1), number(2, 16)].concat()),
        equals(&[protocol]),
        payload(1, 16, 4),
        equals(&address),
        payload(2, 2, 2),
        equals(&ASKED.to_be_bytes()),
        immediate(1, &address),
        immediate(2, &port.to_be_bytes()),
        expression("nat", &nat.concat()),
    ]
    .concat()
}

fn expression(name: &str, data: &[u8]) -> Vec<u8> {
    nested(1, &[text(1, name), nested(2, data)].concat())
}

fn nested(kind: u16, content: &[u8]) -> Vec<u8> {
    attribute(kind | NESTED, content)
}

fn text(kind: u16, text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    attribute(kind, &bytes)
}

fn number(kind: u16, value: u32) -> Vec<u8> {
    attribute(kind, &value.to_be_bytes())
}

fn attribute(kind: u16, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 4).unwrap_or(u16::MAX);
    let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn message(kind: u16, flags: u16, family: u8, attributes: &[u8]) -> Vec<u8> {
    let is_batch = matches!(kind, BATCH_BEGIN | BATCH_END);
    let flags = flags | REQUEST | if is_batch { 0 } else { ACKNOWLEDGE };
    let subsystem = if is_batch { SUBSYSTEM } else { 0 };
    let length = u32::try_from(HEAD + attributes.len()).unwrap_or(u32::MAX);
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    // Its number, and the sender's.
    bytes.extend([0; 8]);
    bytes.extend([family, 0]);
    bytes.extend(subsystem.to_be_bytes());
    bytes.extend_from_slice(attributes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_aligned_and_whole() {
        let (bytes, count) = batch(Ipv4Addr::new(127, 0, 0, 11), 4000);
        assert_eq!(count, 6);
        let (mut at, mut kinds) = (0, Vec::new());
        while at < bytes.len() {
            let length = u32::from_ne_bytes(std::array::from_fn(|i| bytes[at + i]));
            assert_eq!(length % 4, 0);
            kinds.push(u16::from_ne_bytes([bytes[at + 4], bytes[at + 5]]));
            at += length as usize;
        }
        assert_eq!(at, bytes.len());
        assert_eq!((kinds[0], kinds[7]), (BATCH_BEGIN, BATCH_END));
    }

    #[test]
    fn answers_are_counted_and_errors_told() {
        let answer = |error: i32| {
            let mut bytes = message(ERROR, 0, 0, &[0; 16]);
            bytes[16..20].copy_from_slice(&error.to_ne_bytes());
            bytes
        };
        assert_eq!(check(&[answer(0), answer(0)].concat()).unwrap(), 2);
        let error = check(&answer(-libc_not_supported())).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc_not_supported()));
        assert_eq!(check(&[0; 7]).unwrap(), 0);
    }

    fn libc_not_supported() -> i32 {
        Errno::EOPNOTSUPP as i32
    }
}
