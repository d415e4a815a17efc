//! What to try for a service: its `x-platform.probe`, else its health check, else nothing.

use std::time::Duration;

use regex::Regex;

use crate::base::ServiceName;
use crate::model::{Healthcheck, HealthcheckTest, Image, ProbeSpec, ProbeTarget, Service};
use crate::probe::{Pace, Patience};

/// The engine's defaults for a health check (Engine API, `HealthConfig`).
const CHECK_INTERVAL: Duration = Duration::from_secs(30);
const CHECK_TIMEOUT: Duration = Duration::from_secs(30);
const CHECK_RETRIES: u32 = 3;

/// What is tried for a service, and how.
#[derive(Debug, Clone)]
pub struct Probe {
    /// What is tried.
    pub kind: ProbeKind,
    /// How often and how long.
    pub pace: Pace,
    /// Who asked for it.
    pub source: ProbeSource,
}

/// What is tried.
#[derive(Debug, Clone)]
pub enum ProbeKind {
    /// A GET; any 2xx or 3xx passes, redirects are not followed.
    Http(HttpUrl),
    /// A port of the container that accepts a connection.
    Tcp(u16),
    /// A command in the container that exits with 0.
    Exec(Vec<String>),
    /// A line of the container's log since its start that matches.
    Log(Regex),
}

/// Who asked for a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeSource {
    /// `x-platform.probe` of the service.
    Platform,
    /// `healthcheck` of the service, or of its image.
    Healthcheck,
}

/// `http://[host]:port/path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpUrl {
    /// Where it is named; `None` is the container's own address.
    pub host: Option<String>,
    /// The port; 80 where the URL names none.
    pub port: u16,
    /// Path and query, from the slash on.
    pub path: String,
}

/// A probe that cannot be tried at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Not a URL that can be probed.
    #[error("`{url}` cannot be probed: {why}")]
    Url {
        /// As written.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Not a regular expression.
    #[error("`{pattern}` is not a regular expression: {why}")]
    Pattern {
        /// As written.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// A command without words.
    #[error("the probe's command is empty")]
    EmptyCommand,
}

/// The probe of a service. `image` is what its container was made from, whose own health
/// check counts where the service does not replace it. `None`: nothing to try.
///
/// A health check that requests a URL is still run as the command it is: only the container
/// knows what its `localhost` means.
///
/// # Errors
/// A probe that is written wrong.
pub fn probe_of(
    name: &ServiceName,
    service: &Service,
    image: Option<&Image>,
) -> Result<Option<Probe>, TargetError> {
    if let Some(spec) = &service.ext.probe {
        return platform_probe(name, spec).map(Some);
    }
    let check = merged_healthcheck(service, image);
    let command = match check.test.as_ref().and_then(HealthcheckTest::to_exec) {
        Some(command) if !check.disable => command,
        _ => return Ok(None),
    };
    if command.is_empty() {
        return Err(TargetError::EmptyCommand);
    }
    Ok(Some(Probe {
        kind: ProbeKind::Exec(command),
        pace: Pace {
            timeout: non_zero(check.timeout).unwrap_or(CHECK_TIMEOUT),
            start_period: check.start_period.unwrap_or_default(),
            patience: Some(Patience {
                retries: check.retries.filter(|r| *r > 0).unwrap_or(CHECK_RETRIES),
                interval: non_zero(check.interval).unwrap_or(CHECK_INTERVAL),
            }),
            deadline: None,
            ..Pace::default()
        },
        source: ProbeSource::Healthcheck,
    }))
}

/// The service's health check over its image's, field by field, as the engine merges them.
pub fn merged_healthcheck(service: &Service, image: Option<&Image>) -> Healthcheck {
    let own = service.healthcheck.clone().unwrap_or_default();
    let inherited = image.and_then(|i| i.healthcheck.clone()).unwrap_or_default();
    Healthcheck {
        test: own.test.or(inherited.test),
        interval: non_zero(own.interval).or(inherited.interval),
        timeout: non_zero(own.timeout).or(inherited.timeout),
        retries: own.retries.filter(|r| *r > 0).or(inherited.retries),
        start_period: non_zero(own.start_period).or(inherited.start_period),
        start_interval: non_zero(own.start_interval).or(inherited.start_interval),
        disable: own.disable,
    }
}

/// Zero means "not said" to the engine.
fn non_zero(duration: Option<Duration>) -> Option<Duration> {
    duration.filter(|d| !d.is_zero())
}

fn platform_probe(name: &ServiceName, spec: &ProbeSpec) -> Result<Probe, TargetError> {
    let kind = match &spec.target {
        ProbeTarget::Http(url) => {
            let mut url = HttpUrl::parse(url)?;
            if url.host.as_deref() == Some(name.as_str()) {
                url.host = None;
            }
            ProbeKind::Http(url)
        }
        ProbeTarget::Tcp(port) => ProbeKind::Tcp(*port),
        ProbeTarget::Exec(command) if command.is_empty() => return Err(TargetError::EmptyCommand),
        ProbeTarget::Exec(command) => ProbeKind::Exec(command.clone()),
        ProbeTarget::Log(pattern) => {
            ProbeKind::Log(Regex::new(pattern).map_err(|e| TargetError::Pattern {
                pattern: pattern.clone(),
                why: last_line(&e.to_string()),
            })?)
        }
    };
    let standard = Pace::default();
    let deadline = non_zero(spec.deadline).or(standard.deadline);
    // A log is not asked again and again: one try reads it from the start to the deadline.
    let timeout = match kind {
        ProbeKind::Log(_) => deadline,
        _ => non_zero(spec.timeout),
    };
    Ok(Probe {
        kind,
        pace: Pace {
            timeout: timeout.unwrap_or(standard.timeout),
            deadline,
            ..standard
        },
        source: ProbeSource::Platform,
    })
}

/// Regex errors draw the pattern over several lines; the last one says what is wrong.
fn last_line(text: &str) -> String {
    let line = text.lines().last().unwrap_or_default().trim();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

impl HttpUrl {
    /// Reads `http://[host][:port][/path][?query]`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let wrong = |why| TargetError::Url {
            url: text.to_owned(),
            why,
        };
        if text.starts_with("https://") {
            return Err(wrong("only http:// is spoken; use a command for https"));
        }
        let rest = text
            .strip_prefix("http://")
            .ok_or_else(|| wrong("it does not begin with http://"))?;
        if rest.chars().any(|c| c.is_control() || c == ' ') {
            return Err(wrong("it contains a space or control character"));
        }
        let split = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(split);
        if authority.contains('@') {
            return Err(wrong("it contains a user name"));
        }
        let (host, port) = split_port(authority).ok_or_else(|| wrong("its port is not a port"))?;
        if host.is_none() && port.is_none() {
            return Err(wrong("it names neither host nor port"));
        }
        let path = path.split('#').next().unwrap_or_default();
        Ok(Self {
            host: host.map(str::to_owned),
            port: port.unwrap_or(80),
            path: if path.starts_with('/') {
                path.to_owned()
            } else {
                format!("/{path}")
            },
        })
    }
}

/// Host (an IPv6 address without its brackets) and port of `host:port`, `host`, `:port`.
pub fn split_port(authority: &str) -> Option<(Option<&str>, Option<u16>)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            (host, after.strip_prefix(':').or(after.is_empty().then_some("")))
        }
        None => match authority.rsplit_once(':') {
            Some((host, _)) if host.contains(':') => return None,
            Some((host, port)) => (host, Some(port)),
            None => (authority, Some("")),
        },
    };
    let port = match port? {
        "" => None,
        digits => Some(digits.parse().ok().filter(|p| *p != 0)?),
    };
    Some(((!host.is_empty()).then_some(host), port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ServiceExt;

    fn check(test: Option<HealthcheckTest>) -> Healthcheck {
        Healthcheck {
            test,
            ..Healthcheck::default()
        }
    }

    fn shell(line: &str) -> Option<HealthcheckTest> {
        Some(HealthcheckTest::Shell(line.into()))
    }

    fn image(check: Healthcheck) -> Image {
        Image {
            healthcheck: Some(check),
            ..Image::default()
        }
    }

    fn service(healthcheck: Option<Healthcheck>) -> Service {
        Service {
            healthcheck,
            ..Service::default()
        }
    }

    fn probed(target: ProbeTarget) -> Result<Option<Probe>, TargetError> {
        let service = Service {
            ext: ServiceExt {
                probe: Some(ProbeSpec {
                    target,
                    timeout: None,
                    deadline: Some(Duration::from_secs(5)),
                }),
                ..ServiceExt::default()
            },
            healthcheck: Some(check(shell("false"))),
            ..Service::default()
        };
        probe_of(&"app".into(), &service, None)
    }

    #[test]
    fn a_health_check_is_run_as_it_is_with_the_engines_patience() {
        let own = Healthcheck {
            interval: Some(Duration::from_secs(7)),
            ..check(shell("curl -f http://localhost:8000/health"))
        };
        let from_image = image(Healthcheck {
            timeout: Some(Duration::from_secs(3)),
            start_period: Some(Duration::from_secs(9)),
            ..check(shell("false"))
        });
        let probe = probe_of(&"app".into(), &service(Some(own)), Some(&from_image))
            .unwrap()
            .unwrap();
        let ProbeKind::Exec(command) = &probe.kind else {
            panic!("{probe:?}")
        };
        assert_eq!(command[2], "curl -f http://localhost:8000/health");
        assert_eq!(probe.source, ProbeSource::Healthcheck);
        assert_eq!(
            probe.pace,
            Pace {
                timeout: Duration::from_secs(3),
                start_period: Duration::from_secs(9),
                patience: Some(Patience {
                    retries: 3,
                    interval: Duration::from_secs(7)
                }),
                deadline: None,
                ..Pace::default()
            }
        );
    }

    #[test]
    fn the_images_check_counts_unless_switched_off() {
        let from_image = image(check(Some(HealthcheckTest::Cmd(vec!["true".into()]))));
        let of = |own| probe_of(&"a".into(), &service(own), Some(&from_image)).unwrap();
        assert!(of(None).is_some());
        assert!(of(Some(check(None))).is_some(), "only other fields were set");
        assert!(of(Some(check(Some(HealthcheckTest::None)))).is_none());
        let off = Healthcheck {
            disable: true,
            ..Healthcheck::default()
        };
        assert!(of(Some(off)).is_none());
        assert!(probe_of(&"a".into(), &service(None), None).unwrap().is_none());
    }

    #[test]
    fn our_own_probe_comes_first() {
        let probe = probed(ProbeTarget::Http("http://:8000/health".into()))
            .unwrap()
            .unwrap();
        assert!(
            matches!(probe.kind, ProbeKind::Http(HttpUrl { host: None, port: 8000, ref path }) if path == "/health")
        );
        assert_eq!(probe.pace.deadline, Some(Duration::from_secs(5)));
        assert_eq!(probe.pace.timeout, Duration::from_secs(2));
        let named = probed(ProbeTarget::Http("http://app:8000".into()))
            .unwrap()
            .unwrap();
        assert!(
            matches!(named.kind, ProbeKind::Http(HttpUrl { host: None, .. })),
            "the service's own name is its container"
        );
        assert_eq!(
            probed(ProbeTarget::Log("ready (in".into()))
                .unwrap_err()
                .to_string(),
            "`ready (in` is not a regular expression: unclosed group"
        );
        assert_eq!(
            probed(ProbeTarget::Exec(vec![])).unwrap_err(),
            TargetError::EmptyCommand
        );
    }

    #[test]
    fn urls() {
        let of = |text: &str| {
            HttpUrl::parse(text)
                .map(|u| format!("{:?} {} {}", u.host, u.port, u.path))
                .unwrap_or_else(|e| e.to_string())
        };
        insta::assert_snapshot!(
            [
                "http://:80", "http://h", "http://h:8080/a?b=c#d", "http://[::1]:9/x", "http://[::1]", "http://h?q",
                "https://h", "ftp://h", "http://", "http:///x", "http://h:0/", "http://h:99999", "http://u:p@h/",
                "http://a:b:c/", "http://h/a b",
            ]
            .map(of)
            .join("\n"),
            @r#"
        None 80 /
        Some("h") 80 /
        Some("h") 8080 /a?b=c
        Some("::1") 9 /x
        Some("::1") 80 /
        Some("h") 80 /?q
        `https://h` cannot be probed: only http:// is spoken; use a command for https
        `ftp://h` cannot be probed: it does not begin with http://
        `http://` cannot be probed: it names neither host nor port
        `http:///x` cannot be probed: it names neither host nor port
        `http://h:0/` cannot be probed: its port is not a port
        `http://h:99999` cannot be probed: its port is not a port
        `http://u:p@h/` cannot be probed: it contains a user name
        `http://a:b:c/` cannot be probed: its port is not a port
        `http://h/a b` cannot be probed: it contains a space or control character
        "#
        );
    }
}
