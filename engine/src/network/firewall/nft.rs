//! The rules as `nft -f -` reads them: a table of our own for each family.

use std::fmt::Write as _;

use super::rules::Rules;

/// Name of the table of one engine.
pub(super) fn table(tag: &str) -> String {
    format!("rcompose_{tag}")
}

fn family(is_ipv4: bool) -> &'static str {
    if is_ipv4 { "ip" } else { "ip6" }
}

/// Takes the table away; making it first is no error when it is there.
pub(super) fn delete(tag: &str, is_ipv4: bool) -> String {
    let (family, table) = (family(is_ipv4), table(tag));
    format!("table {family} {table}\ndelete table {family} {table}\n")
}

/// Takes a table away that, as `nft list` prints it, has nothing but chains that let everything
/// pass; nothing for others. A chain that has got a rule meanwhile cannot be deleted, and nothing
/// is then.
pub(super) fn delete_unused(listed: &str, table: &str, is_ipv4: bool) -> Option<String> {
    let family = family(is_ipv4);
    let mut text = String::new();
    for line in listed.lines().map(str::trim) {
        if let Some(chain) = line.strip_prefix("chain ") {
            let chain = chain.trim_end_matches(['{', ' ']);
            let _ = writeln!(text, "delete chain {family} {table} {chain}");
            continue;
        }
        let is_open = line.starts_with("type ") && line.ends_with("policy accept;");
        let is_frame =
            matches!(line, "" | "}") || line.starts_with(['#']) || line.starts_with("table ");
        if !is_open && !is_frame {
            return None;
        }
    }
    let _ = writeln!(text, "delete table {family} {table}");
    Some(text)
}

/// Replaces the table, in one step.
pub(super) fn replace(rules: &Rules, is_ipv4: bool) -> String {
    let mut text = delete(&rules.tag, is_ipv4);
    let _ = writeln!(text, "table {} {} {{", family(is_ipv4), table(&rules.tag));
    let _ = writeln!(text, "chain isolation {{");
    for bridge in &rules.bridges {
        let _ = writeln!(text, "oifname \"{}\" drop", bridge.link);
    }
    let _ = writeln!(text, "accept\n}}");
    forward(&mut text, rules, is_ipv4);
    inward(&mut text, rules, is_ipv4);
    let _ = writeln!(
        text,
        "chain outward {{\ntype nat hook postrouting priority 100; policy accept;"
    );
    for (bridge, subnet) in rules.masqueraded(is_ipv4) {
        let (family, link) = (family(is_ipv4), &bridge.link);
        let _ = writeln!(
            text,
            "{family} saddr {subnet} oifname != \"{link}\" masquerade"
        );
    }
    text.push_str("}\n}\n");
    text
}

fn forward(text: &mut String, rules: &Rules, is_ipv4: bool) {
    let _ = writeln!(
        text,
        "chain forward {{\ntype filter hook forward priority 0; policy accept;"
    );
    for bridge in &rules.bridges {
        let link = &bridge.link;
        let verdict = if bridge.talkative { "accept" } else { "drop" };
        let _ = writeln!(text, "iifname \"{link}\" oifname \"{link}\" {verdict}");
        if bridge.internal {
            let _ = writeln!(text, "iifname \"{link}\" drop\noifname \"{link}\" drop");
        }
    }
    for bridge in rules.bridges.iter().filter(|bridge| !bridge.internal) {
        let link = &bridge.link;
        let _ = writeln!(
            text,
            "oifname \"{link}\" ct state established,related accept"
        );
        let _ = writeln!(text, "iifname \"{link}\" jump isolation");
    }
    for redirect in rules.redirects(is_ipv4) {
        let (link, protocol, target) = (&redirect.link, redirect.protocol.name(), redirect.target);
        let (family, address, port) = (family(is_ipv4), target.ip(), target.port());
        let _ = writeln!(
            text,
            "{family} daddr {address} oifname \"{link}\" {protocol} dport {port} accept"
        );
    }
    for bridge in &rules.bridges {
        let _ = writeln!(text, "oifname \"{}\" drop", bridge.link);
    }
    text.push_str("}\n");
}

fn inward(text: &mut String, rules: &Rules, is_ipv4: bool) {
    let family = family(is_ipv4);
    let _ = writeln!(
        text,
        "chain inward {{\ntype nat hook prerouting priority -100; policy accept;"
    );
    let _ = writeln!(text, "fib daddr type != local return");
    for bridge in &rules.bridges {
        let _ = writeln!(text, "iifname \"{}\" return", bridge.link);
    }
    for redirect in rules.redirects(is_ipv4) {
        let address = redirect
            .address()
            .map(|address| format!("{family} daddr {address} "));
        let (protocol, port, target) = (
            redirect.protocol.name(),
            redirect.host.port(),
            redirect.target,
        );
        let _ = writeln!(
            text,
            "{}{protocol} dport {port} dnat to {target}",
            address.unwrap_or_default()
        );
    }
    text.push_str("}\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::firewall::rules::example;

    #[test]
    fn tables_without_rules_are_told_from_others() {
        let table = |inner: &str| {
            format!(
                "table ip nat {{\n\tchain A {{\n\t\ttype nat hook prerouting priority dstnat; policy accept;\n{inner}\t}}\n}}\n"
            )
        };
        let delete = |listed: &str| delete_unused(listed, "nat", true);
        assert_eq!(
            delete(&table("")).as_deref(),
            Some("delete chain ip nat A\ndelete table ip nat\n")
        );
        assert_eq!(delete(&table("\t\tcounter packets 0 bytes 0\n")), None);
        assert_eq!(delete(&table("").replace("accept", "drop")), None);
    }

    #[test]
    fn rules_are_written_down() {
        let expected = r#"table ip rcompose_0a1b2c3d
delete table ip rcompose_0a1b2c3d
table ip rcompose_0a1b2c3d {
chain isolation {
oifname "br-a" drop
oifname "br-b" drop
accept
}
chain forward {
type filter hook forward priority 0; policy accept;
iifname "br-a" oifname "br-a" accept
iifname "br-b" oifname "br-b" accept
iifname "br-b" drop
oifname "br-b" drop
oifname "br-a" ct state established,related accept
iifname "br-a" jump isolation
ip daddr 10.1.0.2 oifname "br-a" tcp dport 80 accept
ip daddr 10.1.0.2 oifname "br-a" tcp dport 80 accept
oifname "br-a" drop
oifname "br-b" drop
}
chain inward {
type nat hook prerouting priority -100; policy accept;
fib daddr type != local return
iifname "br-a" return
iifname "br-b" return
tcp dport 8080 dnat to 10.1.0.2:80
ip daddr 192.0.2.1 tcp dport 8082 dnat to 10.1.0.2:80
}
chain outward {
type nat hook postrouting priority 100; policy accept;
ip saddr 10.1.0.0/24 oifname != "br-a" masquerade
}
}
"#;
        assert_eq!(replace(&example(), true), expected);
    }
}
