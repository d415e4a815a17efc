//! Sorts what went wrong by what a caller can do about it.
//!
//! The engine tells most of it in English text only; the table of real messages at the end of
//! this file is what the words are matched against.

use std::io;
use std::sync::LazyLock;

use bollard::errors::Error as BollardError;
use regex::Regex;

use super::EngineErrorKind as Kind;
use super::raw::{ConnectFailed, SendError};

/// The kind of a request that got no answer.
pub(super) fn send_error(error: &SendError) -> Kind {
    match error {
        SendError::Connect(error) => connect(error),
        SendError::Lost(error) => lost(error),
    }
}

/// The kind of a connection that was not made.
pub(super) fn connect(error: &io::Error) -> Kind {
    if error.kind() == io::ErrorKind::PermissionDenied {
        Kind::PermissionDenied(error.to_string())
    } else {
        Kind::Unreachable(error.to_string())
    }
}

/// The kind of a connection that broke.
pub(super) fn lost(error: &hyper::Error) -> Kind {
    if error.is_parse() {
        return Kind::Protocol(format!("{}; is it an engine that listens there?", chain(error)));
    }
    Kind::OutcomeUnknown(chain(error))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        source = inner.source();
    }
    text
}

/// The kind of an error that bollard returned.
pub(super) fn bollard(error: &BollardError) -> Kind {
    match error {
        BollardError::DockerResponseServerError { status_code, message } => refusal(*status_code, message),
        BollardError::DockerStreamError { error } => stream(error),
        BollardError::IOError { err } => {
            match err.get_ref().and_then(|e| e.downcast_ref::<ConnectFailed>()) {
                Some(ConnectFailed(inner)) => connect(inner),
                None => Kind::OutcomeUnknown(err.to_string()),
            }
        }
        BollardError::HyperResponseError { err } => lost(err),
        BollardError::HyperLegacyError { err } if err.is_connect() => Kind::Unreachable(chain(err)),
        BollardError::HyperLegacyError { err } => Kind::OutcomeUnknown(chain(err)),
        BollardError::JsonSerdeError { err } if err.is_eof() || err.is_io() => {
            Kind::OutcomeUnknown(err.to_string())
        }
        other => Kind::Protocol(other.to_string()),
    }
}

/// The engine's message out of the body of a refusal.
pub(super) fn message_of(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Refusal {
        #[serde(alias = "cause")]
        message: String,
    }
    match serde_json::from_slice::<Refusal>(body) {
        Ok(refusal) => refusal.message,
        Err(_) => String::from_utf8_lossy(body).trim().to_owned(),
    }
}

/// The kind of a refusal by its status and message.
pub(super) fn refusal(status: u16, message: &str) -> Kind {
    let text = message.to_ascii_lowercase();
    if status >= 400
        && let Some(kind) = by_text(&text, message)
    {
        return kind;
    }
    let message = message.to_owned();
    match status {
        304 => Kind::NotModified(message),
        404 => Kind::NotFound(message),
        409 => Kind::Conflict(message),
        501 => Kind::Unsupported(message),
        _ => Kind::Refused { status, message },
    }
}

/// The kind of an error that came in the stream of a pull, import, load or build.
pub(super) fn stream(message: &str) -> Kind {
    let text = message.to_ascii_lowercase();
    by_text(&text, message).unwrap_or_else(|| Kind::StreamFailed(message.to_owned()))
}

/// What the words say, whatever the status.
fn by_text(text: &str, message: &str) -> Option<Kind> {
    let has = |part: &str| text.contains(part);
    let owned = || message.to_owned();
    if has("no space left on device") || has("disk quota exceeded") {
        return Some(Kind::DiskFull(owned()));
    }
    if has("port is already allocated")
        || has("address already in use")
        || (has("failed to bind port") || has("failed to bind host port"))
        || has("ports are not available")
    {
        return Some(Kind::PortTaken {
            port: port_in(text),
            message: owned(),
        });
    }
    if has("could not find an available") && has("address pool")
        || has("all predefined address pools have been fully subnetted")
        || has("pool overlaps with other one")
    {
        return Some(Kind::SubnetsExhausted(owned()));
    }
    if let Some(name) = volume_without_folder(message) {
        return Some(Kind::VolumeWithoutFolder {
            name,
            message: owned(),
        });
    }
    if (has("task ") && has("already exists"))
        || has("id already in use")
        || (has("container with id exists") && has("runtime"))
        || (has("container with given id already exists"))
    {
        return Some(Kind::StaleTask(owned()));
    }
    // 403 on older engines.
    if has("has active endpoints") {
        return Some(Kind::Conflict(owned()));
    }
    if registry_is_gone(text) {
        return Some(Kind::RegistryUnreachable(owned()));
    }
    if has("pull access denied")
        || has("manifest unknown")
        || (has("manifest for") && has("not found"))
        || has("repository does not exist")
        || (has("repository") && has("not found: does not exist"))
        || has("no matching manifest")
        || has("no basic auth credentials")
        || has("name unknown")
        || (has("denied: requested access to the resource is denied"))
        || (has("docker.io/") && has(": not found"))
    {
        return Some(Kind::ImageNotFound(owned()));
    }
    None
}

/// Whether a message is about a registry that could not be reached at all.
fn registry_is_gone(text: &str) -> bool {
    let of_registry = text.contains("get \"http")
        || text.contains("get http")
        || text.contains("head \"http")
        || text.contains("post \"http")
        || text.contains("/v2/")
        || text.contains("registry")
        || text.contains("failed to do request");
    let gone = [
        "dial tcp",
        "no such host",
        "connection refused",
        "i/o timeout",
        "tls handshake",
        "tls: ",
        "x509:",
        "certificate",
        "connection reset by peer",
        "network is unreachable",
        "no route to host",
        "client.timeout exceeded",
        "request canceled while waiting for connection",
        "server gave http response to https client",
        "proxyconnect",
        "temporary failure in name resolution",
        "unexpected eof",
        ": eof",
        "502 bad gateway",
        "503 service unavailable",
        "504 gateway",
    ];
    of_registry && gone.iter().any(|part| text.contains(part))
}

/// The volume whose own folder a message misses. One that mounts something which is not there
/// (`driver_opts`) is told in other words.
fn volume_without_folder(message: &str) -> Option<String> {
    static MISSED: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r#"\b(?:open|stat|lstat) "?/[^:"]*/volumes/([^/:"]+)/_data"?: no such file or directory"#)
            .ok()
    });
    Some(MISSED.as_ref()?.captures(message)?.get(1)?.as_str().to_owned())
}

/// The host port that a message about a taken port names.
fn port_in(text: &str) -> Option<u16> {
    static BOUND: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?:bind for|listen (?:tcp|udp)[46]?|failed to bind (?:host )?port(?: for)?|exposing port (?:tcp|udp)) (?:\[[^\]]*\]|[0-9.]+|::|):([0-9]+)",
        )
        .ok()
    });
    BOUND.as_ref()?.captures(text)?.get(1)?.as_str().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(kind: &Kind) -> String {
        match kind {
            Kind::Unreachable(_) => "unreachable".into(),
            Kind::PermissionDenied(_) => "permission denied".into(),
            Kind::OutcomeUnknown(_) => "outcome unknown".into(),
            Kind::TimedOut(_) => "timed out".into(),
            Kind::NotFound(_) => "not found".into(),
            Kind::Conflict(_) => "conflict".into(),
            Kind::NotModified(_) => "not modified".into(),
            Kind::PortTaken { port, .. } => format!("port taken {port:?}"),
            Kind::DiskFull(_) => "disk full".into(),
            Kind::SubnetsExhausted(_) => "subnets".into(),
            Kind::VolumeWithoutFolder { name, .. } => format!("volume without folder {name}"),
            Kind::StaleTask(_) => "stale task".into(),
            Kind::RegistryUnreachable(_) => "registry unreachable".into(),
            Kind::ImageNotFound(_) => "image not found".into(),
            Kind::StreamFailed(_) => "stream failed".into(),
            Kind::Unsupported(_) => "unsupported".into(),
            Kind::Refused { status, .. } => format!("refused {status}"),
            Kind::Protocol(_) => "protocol".into(),
        }
    }

    #[test]
    fn refusals_are_sorted_by_what_they_say() {
        let table = [
            (
                500,
                "open /var/lib/docker/volumes/p_Data/_data: no such file or directory",
                "volume without folder p_Data",
            ),
            (
                500,
                "error evaluating symlinks from mount source \"/var/lib/docker/volumes/p_data/_data\": lstat /var/lib/docker/volumes/p_data/_data: no such file or directory",
                "volume without folder p_data",
            ),
            (
                500,
                "failed to mount local volume: mount /none:/var/lib/docker/volumes/p_data/_data, flags: 0x1000: no such file or directory",
                "refused 500",
            ),
            (
                500,
                "driver failed programming external connectivity on endpoint rel-x (1f2e): Bind for 0.0.0.0:18080 failed: port is already allocated",
                "port taken Some(18080)",
            ),
            (
                500,
                "driver failed programming external connectivity on endpoint web (ab): Error starting userland proxy: listen tcp4 127.0.0.1:8081: bind: address already in use",
                "port taken Some(8081)",
            ),
            (
                500,
                "driver failed programming external connectivity on endpoint web (ab): Error starting userland proxy: listen tcp6 [::]:8081: bind: address already in use",
                "port taken Some(8081)",
            ),
            (
                500,
                "failed to set up container networking: driver failed programming external connectivity on endpoint w (x): failed to bind host port for 127.0.0.1:8082:172.18.0.2:80/tcp: address already in use",
                "port taken Some(8082)",
            ),
            (
                500,
                "Ports are not available: exposing port TCP 0.0.0.0:80 -> 127.0.0.1:0: listen tcp 0.0.0.0:80: bind: address already in use",
                "port taken Some(80)",
            ),
            (
                500,
                "Bind for :::9090 failed: port is already allocated",
                "port taken Some(9090)",
            ),
            (
                500,
                "mkdir /var/lib/docker/overlay2/12-init: no space left on device",
                "disk full",
            ),
            (
                500,
                "open /var/lib/docker/network/files/local-kv.db: no space left on device",
                "disk full",
            ),
            (
                404,
                "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
                "subnets",
            ),
            (
                400,
                "all predefined address pools have been fully subnetted",
                "subnets",
            ),
            (
                403,
                "Pool overlaps with other one on this address space",
                "subnets",
            ),
            (
                500,
                "failed to create task for container: task 4f1c already exists: unknown",
                "stale task",
            ),
            (409, "task 9c1ee0: already exists: unknown", "stale task"),
            (
                500,
                "OCI runtime create failed: container with id exists: 4f1c: unknown; runtime",
                "stale task",
            ),
            (500, "id already in use", "stale task"),
            (404, "No such container: devops-app-1", "not found"),
            (404, "No such image: x:latest", "not found"),
            (
                409,
                "Conflict. The container name \"/devops-app-1\" is already in use by container \"ab12\". You have to remove (or rename) that container to be able to reuse that name.",
                "conflict",
            ),
            (409, "remove vol: volume is in use - [ab12]", "conflict"),
            (
                403,
                "error while removing network: network devops id ab has active endpoints",
                "conflict",
            ),
            (409, "network with name rel-net already exists", "conflict"),
            (409, "volume already exists", "conflict"),
            (304, "", "not modified"),
            (
                500,
                "Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io on 10.0.0.2:53: no such host",
                "registry unreachable",
            ),
            (
                500,
                "Get \"https://registry-1.docker.io/v2/\": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)",
                "registry unreachable",
            ),
            (
                500,
                "Get \"https://127.0.0.1:5000/v2/\": dial tcp 127.0.0.1:5000: connect: connection refused",
                "registry unreachable",
            ),
            (
                500,
                "Get \"https://reg.example/v2/\": x509: certificate signed by unknown authority",
                "registry unreachable",
            ),
            (
                500,
                "Get \"https://reg.example/v2/\": http: server gave HTTP response to HTTPS client",
                "registry unreachable",
            ),
            (
                500,
                "error parsing HTTP 502 response body: invalid character '<': \"<html>502 Bad Gateway</html>\" Get \"https://r/v2/\"",
                "registry unreachable",
            ),
            (
                404,
                "pull access denied for nosuch/image, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
                "image not found",
            ),
            (
                404,
                "manifest for nginx:nope not found: manifest unknown: manifest unknown",
                "image not found",
            ),
            (
                404,
                "no matching manifest for linux/s390x in the manifest list entries",
                "image not found",
            ),
            (501, "This node does not do that", "unsupported"),
            (400, "invalid reference format", "refused 400"),
            (
                500,
                "OCI runtime create failed: container_linux.go:380: starting container process caused: exec: \"/nope\": stat /nope: no such file or directory: unknown",
                "refused 500",
            ),
            (500, "i/o timeout", "refused 500"),
        ];
        for (status, message, expected) in table {
            assert_eq!(name(&refusal(status, message)), expected, "{status} {message}");
        }
    }

    #[test]
    fn errors_in_streams_are_sorted_too() {
        let table = [
            (
                "failed to do request: Head \"https://registry-1.docker.io/v2/library/x/manifests/1\": dial tcp 1.2.3.4:443: i/o timeout",
                "registry unreachable",
            ),
            (
                "python:3.14-slim: failed to resolve source metadata for docker.io/library/python:3.14-slim: docker.io/library/python:3.14-slim: not found",
                "image not found",
            ),
            ("write /x: no space left on device", "disk full"),
            (
                "The command '/bin/sh -c false' returned a non-zero code: 1",
                "stream failed",
            ),
            (
                "executor failed running [/bin/sh -c false]: exit code: 1",
                "stream failed",
            ),
        ];
        for (message, expected) in table {
            assert_eq!(name(&stream(message)), expected, "{message}");
        }
    }

    #[test]
    fn connecting_tells_permission_from_absence() {
        let of = |kind| name(&connect(&io::Error::from(kind)));
        assert_eq!(of(io::ErrorKind::PermissionDenied), "permission denied");
        assert_eq!(of(io::ErrorKind::NotFound), "unreachable");
        assert_eq!(of(io::ErrorKind::ConnectionRefused), "unreachable");
    }

    #[test]
    fn messages_are_taken_out_of_any_body() {
        assert_eq!(message_of(br#"{"message":"no"}"#), "no");
        assert_eq!(message_of(b" plain text\n"), "plain text");
        assert_eq!(message_of(b""), "");
    }
}
