//! `ports` and `expose`.

use std::net::IpAddr;

use super::Decoder;
use super::reader::{last_of_each, unique};
use crate::model::{PortBinding, Protocol};
use crate::stack::diagnostic::{Code, Finding};
use crate::stack::tree::Node;

const PORT: &[&str] = &[
    "name",
    "mode",
    "host_ip",
    "target",
    "published",
    "protocol",
    "app_protocol",
];
/// A service with more ports than this, ranges spread, is taken for a mistake.
const MOST_PORTS: usize = 16_384;

impl Decoder<'_> {
    pub(super) fn ports(&mut self, node: &Node) -> Vec<PortBinding> {
        let items = self.list("ports", node);
        if self.ports_left == 0 {
            return Vec::new();
        }
        let mut out: Vec<PortBinding> = Vec::new();
        for item in items {
            if item.mapping().is_some() {
                out.extend(self.long_port(item));
            } else {
                out.extend(self.short_port(item));
            }
            if out.len() > MOST_PORTS {
                self.error(
                    Code::Limit,
                    format!("a service has more than {MOST_PORTS} ports"),
                    item.span,
                );
                break;
            }
        }
        self.ports_left = self.ports_left.saturating_sub(out.len());
        if self.ports_left == 0 {
            self.error(Code::Limit, "the stack has too many ports", node.span);
            return Vec::new();
        }
        last_of_each(out, |p| {
            (p.host_ip.clone(), p.target, p.published.clone(), p.protocol)
        })
    }

    fn short_port(&mut self, node: &Node) -> Vec<PortBinding> {
        let Some(text) = self.text_or_number("ports", node) else {
            return Vec::new();
        };
        match parse_short(&text) {
            Ok(ports) => ports,
            Err(problem) => {
                self.findings.push(
                    Finding::error(Code::Value, format!("{text:?} is no port: {problem}"))
                        .at(node.span)
                        .help("write [[host-ip:]published:]target[/protocol], for example \"127.0.0.1:8080:80/tcp\""),
                );
                Vec::new()
            }
        }
    }

    fn long_port(&mut self, node: &Node) -> Option<PortBinding> {
        let table = self.mapping("ports", node)?;
        let mut target = None;
        let mut out = PortBinding {
            name: None,
            host_ip: None,
            target: 0,
            published: None,
            protocol: Protocol::Tcp,
            mode: Some("ingress".to_owned()),
            app_protocol: None,
        };
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "name" => out.name = self.text("name", value),
                "mode" => out.mode = self.text("mode", value),
                "host_ip" => {
                    out.host_ip = self.text("host_ip", value).filter(|ip| !ip.is_empty());
                    if out
                        .host_ip
                        .as_ref()
                        .is_some_and(|ip| ip.parse::<IpAddr>().is_err())
                    {
                        self.expected("host_ip", "an address such as 127.0.0.1 or ::1", value);
                    }
                }
                "target" => target = self.within("target", value, 1, 65_535),
                "published" => {
                    let text = self.text_or_number("published", value).filter(|p| !p.is_empty());
                    if let Some(text) = text {
                        if parse_range(&text).is_ok() {
                            out.published = Some(text);
                        } else {
                            self.expected("published", "a port or a range of ports", value);
                        }
                    }
                }
                "protocol" => out.protocol = self.protocol(value)?,
                "app_protocol" => out.app_protocol = self.text("app_protocol", value),
                other => self.unknown(other, entry, "a port", PORT, &[]),
            }
        }
        if !table.contains_key("target") {
            self.missing("target", "a port", node.span);
        }
        out.target = u16::try_from(target?).ok()?;
        Some(out)
    }

    fn protocol(&mut self, node: &Node) -> Option<Protocol> {
        let text = self.text("protocol", node)?;
        let found = parse_protocol(&text);
        if found.is_none() {
            self.expected("protocol", "tcp, udp or sctp", node);
        }
        found
    }

    /// Ports and ranges as written, checked.
    pub(super) fn expose(&mut self, node: &Node) -> Vec<String> {
        let items = self.list("expose", node);
        let mut out = Vec::new();
        for item in items {
            let Some(text) = self.text_or_number("expose", item) else {
                continue;
            };
            let (range, protocol) = text.split_once('/').unwrap_or((&text, "tcp"));
            if parse_range(range).is_ok() && parse_protocol(protocol).is_some() {
                out.push(text);
            } else {
                self.expected("expose", "a port such as 8080 or 8080/udp", item);
            }
        }
        unique(out)
    }
}

fn parse_protocol(text: &str) -> Option<Protocol> {
    match text.to_ascii_lowercase().as_str() {
        "tcp" | "" => Some(Protocol::Tcp),
        "udp" => Some(Protocol::Udp),
        "sctp" => Some(Protocol::Sctp),
        _ => None,
    }
}

/// `80` or `80-89`.
fn parse_range(text: &str) -> Result<(u16, u16), String> {
    let port = |part: &str| {
        part.parse::<u16>()
            .ok()
            .filter(|_| part.bytes().all(|b| b.is_ascii_digit()))
            .ok_or_else(|| format!("{part:?} is not a number from 0 to 65535"))
    };
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (port(first)?, port(last)?),
        None => {
            let one = port(text)?;
            (one, one)
        }
    };
    if first > last {
        return Err(format!("the range {text} runs backwards"));
    }
    Ok((first, last))
}

/// The short form, ranges spread.
pub(in crate::stack) fn parse_short(text: &str) -> Result<Vec<PortBinding>, String> {
    let (address, protocol) = match text.rsplit_once('/') {
        Some((address, protocol)) => (address, protocol),
        None => (text, "tcp"),
    };
    let protocol = parse_protocol(protocol).ok_or_else(|| format!("unknown protocol {protocol:?}"))?;
    let parts: Vec<&str> = address.split(':').collect();
    let (host_ip, published, target) = match parts.as_slice() {
        [target] => (String::new(), "", *target),
        [published, target] => (String::new(), *published, *target),
        [host @ .., published, target] => (host.join(":"), *published, *target),
        [] => return Err("nothing there".to_owned()),
    };
    let host_ip = host_ip
        .strip_prefix('[')
        .and_then(|h| h.strip_suffix(']'))
        .unwrap_or(&host_ip);
    if !host_ip.is_empty() && host_ip.parse::<IpAddr>().is_err() {
        return Err(format!("{host_ip:?} is no IP address"));
    }
    if target.is_empty() {
        return Err("the port in the container is missing".to_owned());
    }
    let (first, last) = parse_range(target)?;
    if first == 0 {
        return Err("a container cannot listen on port 0".to_owned());
    }
    let count = u32::from(last - first) + 1;
    if count as usize > MOST_PORTS {
        return Err(format!("a range of {count} ports"));
    }
    let host = match published {
        "" => None,
        range => Some(parse_range(range)?),
    };
    let published_at = |offset: u16| match host {
        None => Ok(None),
        Some((from, to)) if from == to && count == 1 => Ok(Some(from.to_string())),
        Some((from, to)) if u32::from(to - from) + 1 == count => Ok(Some((from + offset).to_string())),
        Some((from, to)) if count == 1 => Ok(Some(format!("{from}-{to}"))),
        Some(_) => Err("the two ranges differ in length".to_owned()),
    };
    (first..=last)
        .map(|target| {
            Ok(PortBinding {
                name: None,
                host_ip: (!host_ip.is_empty()).then(|| host_ip.to_owned()),
                target,
                published: published_at(target - first)?,
                protocol,
                mode: Some("ingress".to_owned()),
                app_protocol: None,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> String {
        match parse_short(text) {
            Ok(ports) => ports
                .iter()
                .map(|p| {
                    format!(
                        "{}{}->{}/{}",
                        p.host_ip.as_deref().map(|h| format!("{h} ")).unwrap_or_default(),
                        p.published.as_deref().unwrap_or("*"),
                        p.target,
                        p.protocol.as_str()
                    )
                })
                .collect::<Vec<_>>()
                .join(", "),
            Err(problem) => problem,
        }
    }

    #[test]
    fn short_forms() {
        assert_eq!(check("80"), "*->80/tcp");
        assert_eq!(check("8080:80"), "8080->80/tcp");
        assert_eq!(check("90-91:100-101"), "90->100/tcp, 91->101/tcp");
        assert_eq!(check("3000-3001"), "*->3000/tcp, *->3001/tcp");
        assert_eq!(check("8080-8090:80"), "8080-8090->80/tcp");
        assert_eq!(check("127.0.0.1:5000:6000/UDP"), "127.0.0.1 5000->6000/udp");
        assert_eq!(check("127.0.0.1::80"), "127.0.0.1 *->80/tcp");
        assert_eq!(check("[::1]:80:81"), "::1 80->81/tcp");
        assert_eq!(check("::1:80:81"), "::1 80->81/tcp");
        for bad in [
            "", "x", "80/x", "1-2:3-5", "70000", "5-4", "a:1:2", "80:", "0", "1:-1", "+80",
        ] {
            assert!(parse_short(bad).is_err(), "{bad}");
        }
    }
}
