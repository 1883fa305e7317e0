//! The rules as `iptables-restore --noflush` reads them.

use std::fmt::Write as _;

use super::rules::Rules;

/// Names of the chains of one engine, and from where each is reached.
pub(super) struct Chains {
    pub(super) forward: String,
    pub(super) isolation: String,
    pub(super) inward: String,
    pub(super) outward: String,
}

/// A rule outside our chains that leads into one of them.
pub(super) struct Jump {
    pub(super) table: &'static str,
    pub(super) chain: &'static str,
    pub(super) rule: String,
}

impl Chains {
    pub(super) fn new(tag: &str) -> Self {
        let name = |part: &str| format!("RCOMPOSE-{part}-{tag}");
        Self {
            forward: name("FWD"),
            isolation: name("ISO"),
            inward: name("IN"),
            outward: name("OUT"),
        }
    }

    /// All of them with their tables.
    pub(super) fn all(&self) -> [(&'static str, &str); 4] {
        [
            ("filter", &self.forward),
            ("filter", &self.isolation),
            ("nat", &self.inward),
            ("nat", &self.outward),
        ]
    }

    pub(super) fn jumps(&self) -> [Jump; 3] {
        [
            Jump {
                table: "filter",
                chain: "FORWARD",
                rule: format!("-j {}", self.forward),
            },
            Jump {
                table: "nat",
                chain: "PREROUTING",
                rule: format!("-m addrtype --dst-type LOCAL -j {}", self.inward),
            },
            Jump {
                table: "nat",
                chain: "POSTROUTING",
                rule: format!("-j {}", self.outward),
            },
        ]
    }
}

/// The text that takes the jumps and our chains away.
pub(super) fn removal(chains: &Chains) -> String {
    let mut text = String::new();
    for table in ["filter", "nat"] {
        let _ = writeln!(text, "*{table}");
        for jump in chains.jumps().iter().filter(|jump| jump.table == table) {
            let _ = writeln!(text, "-D {} {}", jump.chain, jump.rule);
        }
        let own = || chains.all().into_iter().filter(|(of, _)| *of == table);
        for action in ["-F", "-X"] {
            for (_, chain) in own() {
                let _ = writeln!(text, "{action} {chain}");
            }
        }
        text.push_str("COMMIT\n");
    }
    text
}

/// The text for one family: our chains are made or emptied and filled, in one step a table; the
/// jumps for which `is_missing` says so are put first in their chains.
pub(super) fn restore(rules: &Rules, is_ipv4: bool, is_missing: impl Fn(&Jump) -> bool) -> String {
    let chains = Chains::new(&rules.tag);
    let mut text = String::new();
    for table in ["filter", "nat"] {
        let _ = writeln!(text, "*{table}");
        match table {
            "filter" => filter(&mut text, &chains, rules, is_ipv4),
            _ => nat(&mut text, &chains, rules, is_ipv4),
        }
        for jump in chains
            .jumps()
            .iter()
            .filter(|jump| jump.table == table && is_missing(jump))
        {
            let _ = writeln!(text, "-I {} {}", jump.chain, jump.rule);
        }
        text.push_str("COMMIT\n");
    }
    text
}

fn filter(text: &mut String, chains: &Chains, rules: &Rules, is_ipv4: bool) {
    let Chains {
        forward, isolation, ..
    } = chains;
    let _ = writeln!(text, ":{forward} - [0:0]\n:{isolation} - [0:0]");
    for bridge in &rules.bridges {
        let link = &bridge.link;
        let verdict = if bridge.talkative { "ACCEPT" } else { "DROP" };
        let _ = writeln!(text, "-A {forward} -i {link} -o {link} -j {verdict}");
        if bridge.internal {
            let _ = writeln!(
                text,
                "-A {forward} -i {link} -j DROP\n-A {forward} -o {link} -j DROP"
            );
        }
    }
    for bridge in rules.bridges.iter().filter(|bridge| !bridge.internal) {
        let link = &bridge.link;
        let _ = writeln!(
            text,
            "-A {forward} -o {link} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
        );
        let _ = writeln!(text, "-A {forward} -i {link} -j {isolation}");
    }
    for redirect in rules.redirects(is_ipv4) {
        let (link, protocol, target) = (&redirect.link, redirect.protocol.name(), redirect.target);
        let (address, port) = (target.ip(), target.port());
        let _ = writeln!(
            text,
            "-A {forward} -d {address} -o {link} -p {protocol} --dport {port} -j ACCEPT"
        );
    }
    for bridge in &rules.bridges {
        // What nobody published is not reached from outside; nor is one network from another.
        let _ = writeln!(text, "-A {forward} -o {} -j DROP", bridge.link);
        let _ = writeln!(text, "-A {isolation} -o {} -j DROP", bridge.link);
    }
    let _ = writeln!(text, "-A {isolation} -j ACCEPT");
}

fn nat(text: &mut String, chains: &Chains, rules: &Rules, is_ipv4: bool) {
    let Chains {
        inward, outward, ..
    } = chains;
    let _ = writeln!(text, ":{inward} - [0:0]\n:{outward} - [0:0]");
    for bridge in &rules.bridges {
        let _ = writeln!(text, "-A {inward} -i {} -j RETURN", bridge.link);
    }
    for redirect in rules.redirects(is_ipv4) {
        let address = redirect
            .address()
            .map(|address| format!("-d {address} "))
            .unwrap_or_default();
        let (protocol, port, target) = (
            redirect.protocol.name(),
            redirect.host.port(),
            redirect.target,
        );
        let _ = writeln!(
            text,
            "-A {inward} {address}-p {protocol} --dport {port} -j DNAT --to-destination {target}"
        );
    }
    for (bridge, subnet) in rules.masqueraded(is_ipv4) {
        let _ = writeln!(
            text,
            "-A {outward} -s {subnet} ! -o {} -j MASQUERADE",
            bridge.link
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::firewall::rules::example;

    #[test]
    fn rules_are_written_down() {
        let text = restore(&example(), true, |jump| jump.chain != "POSTROUTING");
        let expected = "\
*filter
:RCOMPOSE-FWD-0a1b2c3d - [0:0]
:RCOMPOSE-ISO-0a1b2c3d - [0:0]
-A RCOMPOSE-FWD-0a1b2c3d -i br-a -o br-a -j ACCEPT
-A RCOMPOSE-FWD-0a1b2c3d -i br-b -o br-b -j ACCEPT
-A RCOMPOSE-FWD-0a1b2c3d -i br-b -j DROP
-A RCOMPOSE-FWD-0a1b2c3d -o br-b -j DROP
-A RCOMPOSE-FWD-0a1b2c3d -o br-a -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A RCOMPOSE-FWD-0a1b2c3d -i br-a -j RCOMPOSE-ISO-0a1b2c3d
-A RCOMPOSE-FWD-0a1b2c3d -d 10.1.0.2 -o br-a -p tcp --dport 80 -j ACCEPT
-A RCOMPOSE-FWD-0a1b2c3d -d 10.1.0.2 -o br-a -p tcp --dport 80 -j ACCEPT
-A RCOMPOSE-FWD-0a1b2c3d -o br-a -j DROP
-A RCOMPOSE-ISO-0a1b2c3d -o br-a -j DROP
-A RCOMPOSE-FWD-0a1b2c3d -o br-b -j DROP
-A RCOMPOSE-ISO-0a1b2c3d -o br-b -j DROP
-A RCOMPOSE-ISO-0a1b2c3d -j ACCEPT
-I FORWARD -j RCOMPOSE-FWD-0a1b2c3d
COMMIT
*nat
:RCOMPOSE-IN-0a1b2c3d - [0:0]
:RCOMPOSE-OUT-0a1b2c3d - [0:0]
-A RCOMPOSE-IN-0a1b2c3d -i br-a -j RETURN
-A RCOMPOSE-IN-0a1b2c3d -i br-b -j RETURN
-A RCOMPOSE-IN-0a1b2c3d -p tcp --dport 8080 -j DNAT --to-destination 10.1.0.2:80
-A RCOMPOSE-IN-0a1b2c3d -d 192.0.2.1 -p tcp --dport 8082 -j DNAT --to-destination 10.1.0.2:80
-A RCOMPOSE-OUT-0a1b2c3d -s 10.1.0.0/24 ! -o br-a -j MASQUERADE
-I PREROUTING -m addrtype --dst-type LOCAL -j RCOMPOSE-IN-0a1b2c3d
COMMIT
";
        assert_eq!(text, expected);
    }

    #[test]
    fn rules_are_taken_away() {
        let text = removal(&Chains::new("0a1b2c3d"));
        let nat = text.split("COMMIT\n").nth(1).unwrap();
        let expected = "\
*nat
-D PREROUTING -m addrtype --dst-type LOCAL -j RCOMPOSE-IN-0a1b2c3d
-D POSTROUTING -j RCOMPOSE-OUT-0a1b2c3d
-F RCOMPOSE-IN-0a1b2c3d
-F RCOMPOSE-OUT-0a1b2c3d
-X RCOMPOSE-IN-0a1b2c3d
-X RCOMPOSE-OUT-0a1b2c3d
";
        assert_eq!(nat, expected);
    }

    #[test]
    fn names_of_chains_fit() {
        let chains = Chains::new("0a1b2c3d");
        let names = [
            chains.forward,
            chains.isolation,
            chains.inward,
            chains.outward,
        ];
        assert!(names.iter().all(|name| name.len() < 29));
    }
}
