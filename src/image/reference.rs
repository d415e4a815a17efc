//! Image references: `[registry/]repository[:tag][@digest]` (distribution's reference grammar).

use std::fmt;

/// The registry that a reference without one means.
pub const DEFAULT_REGISTRY: &str = "docker.io";

/// A parsed image reference.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    /// Host and port of the registry; `docker.io` where none is named.
    pub registry: String,
    /// Repository within the registry, `library/` included for official images.
    pub repository: String,
    /// Tag; `latest` where neither tag nor digest is named.
    pub tag: Option<String>,
    /// `sha256:…`, where it is pinned.
    pub digest: Option<String>,
}

impl Reference {
    /// Reads a reference.
    ///
    /// # Errors
    /// What was expected, as a fragment that fits after "expected".
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const EXPECTED: &str = "an image reference such as nginx:1.26 or registry.example/team/app@sha256:…";
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) if is_digest(digest) => (rest, Some(digest.to_owned())),
            Some(_) => return Err(EXPECTED),
            None => (text, None),
        };
        // A colon after the last slash begins the tag; one before it belongs to the registry's port.
        let name_start = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match rest.get(name_start..).and_then(|n| n.find(':')) {
            Some(colon) => {
                let (name, tag) = rest.split_at(name_start + colon);
                (name, Some(tag.trim_start_matches(':').to_owned()))
            }
            None => (rest, None),
        };
        if tag.as_deref().is_some_and(|t| !is_tag(t)) {
            return Err(EXPECTED);
        }
        let (registry, repository) = match name.split_once('/') {
            Some((host, path)) if is_registry(host) => (host.to_owned(), path.to_owned()),
            _ => (DEFAULT_REGISTRY.to_owned(), name.to_owned()),
        };
        let registry = if registry == "index.docker.io" {
            DEFAULT_REGISTRY.to_owned()
        } else {
            registry
        };
        if !repository.split('/').all(is_component) {
            return Err(EXPECTED);
        }
        let repository = if registry == DEFAULT_REGISTRY && !repository.contains('/') {
            format!("library/{repository}")
        } else {
            repository
        };
        let tag = tag.or_else(|| digest.is_none().then(|| "latest".to_owned()));
        Ok(Self {
            registry,
            repository,
            tag,
            digest,
        })
    }

    /// The name without what is understood: `nginx`, `prom/prometheus`, `quay.io/x/y`.
    pub fn familiar_name(&self) -> String {
        if self.registry != DEFAULT_REGISTRY {
            return format!("{}/{}", self.registry, self.repository);
        }
        self.repository
            .strip_prefix("library/")
            .filter(|rest| !rest.contains('/'))
            .unwrap_or(&self.repository)
            .to_owned()
    }

    /// Whether one of an image's repository digests is the one this reference is pinned to.
    pub fn is_pinned_to_one_of(&self, repo_digests: &[String]) -> bool {
        self.digest.as_ref().is_none_or(|wanted| {
            repo_digests
                .iter()
                .any(|d| d.rsplit_once('@').is_some_and(|(_, digest)| digest == wanted))
        })
    }

    /// Under which reference an image that a recipe makes in its place is kept:
    /// `platform.local/NAME:TAG`, so that it never passes for the original.
    pub fn local_stand_in(&self) -> String {
        let name = self.familiar_name().replace(':', "-");
        format!(
            "platform.local/{name}:{}",
            self.tag.as_deref().unwrap_or("latest")
        )
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.familiar_name())?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

fn is_registry(host: &str) -> bool {
    host.contains(['.', ':']) || host == "localhost" || host.chars().any(|c| c.is_ascii_uppercase())
}

fn is_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, hex)| {
        !algorithm.is_empty() && hex.len() >= 32 && hex.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

fn is_tag(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= 128
        && bytes
            .next()
            .is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

fn is_component(text: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.bytes().next().is_some_and(alphanumeric)
        && text.bytes().next_back().is_some_and(alphanumeric)
        && text
            .bytes()
            .all(|b| alphanumeric(b) || matches!(b, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn reads_what_the_engine_reads() {
        for (text, registry, repository, tag, shown) in [
            (
                "nginx",
                "docker.io",
                "library/nginx",
                Some("latest"),
                "nginx:latest",
            ),
            (
                "nginx:1.26",
                "docker.io",
                "library/nginx",
                Some("1.26"),
                "nginx:1.26",
            ),
            (
                "docker.io/nginx",
                "docker.io",
                "library/nginx",
                Some("latest"),
                "nginx:latest",
            ),
            (
                "prom/prometheus:v2",
                "docker.io",
                "prom/prometheus",
                Some("v2"),
                "prom/prometheus:v2",
            ),
            (
                "localhost:5000/a",
                "localhost:5000",
                "a",
                Some("latest"),
                "localhost:5000/a:latest",
            ),
            (
                "ghcr.io/x/y/z:1",
                "ghcr.io",
                "x/y/z",
                Some("1"),
                "ghcr.io/x/y/z:1",
            ),
        ] {
            let parsed = Reference::parse(text).unwrap();
            assert_eq!(
                (
                    parsed.registry.as_str(),
                    parsed.repository.as_str(),
                    parsed.tag.as_deref()
                ),
                (registry, repository, tag),
                "{text}"
            );
            assert_eq!(parsed.to_string(), shown);
        }
        let pinned = Reference::parse(&format!("nginx:1@{DIGEST}")).unwrap();
        assert_eq!(pinned.tag.as_deref(), Some("1"));
        assert!(pinned.is_pinned_to_one_of(&[format!("nginx@{DIGEST}")]));
        assert!(!pinned.is_pinned_to_one_of(&[]));
        assert_eq!(Reference::parse(&format!("nginx@{DIGEST}")).unwrap().tag, None);
    }

    #[test]
    fn refuses_what_is_no_reference() {
        for text in [
            "",
            ":",
            "a:",
            "A",
            "a//b",
            "a@sha256:1",
            "a b",
            "-a",
            "a/",
            "a:b:c",
            "a@",
            "é",
        ] {
            assert!(Reference::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn stand_ins_never_bear_the_original_name() {
        let of = |text| Reference::parse(text).unwrap().local_stand_in();
        assert_eq!(of("debian:trixie-slim"), "platform.local/debian:trixie-slim");
        assert_eq!(
            of("localhost:5000/x/y"),
            "platform.local/localhost-5000/x/y:latest"
        );
    }
}
