//! Names and ids as newtypes, so that one cannot stand in for another.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps a value that the caller has already checked or received from the engine.
            pub fn new(value: impl Into<Arc<str>>) -> Self {
                Self(value.into())
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                Self(value.into())
            }
        }

        impl From<String> for $name {
            fn from(value: String) -> Self {
                Self(value.into())
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name_type! {
    /// A Compose project's name: `[a-z0-9][a-z0-9_-]*` (Compose Specification, `name`).
    ProjectName
}
name_type! {
    /// The key of a service in a stack file.
    ServiceName
}
name_type! {
    /// The engine's id of a container, 64 hexadecimal digits.
    ContainerId
}
name_type! {
    /// The engine's id of an image, `sha256:` and 64 hexadecimal digits.
    ImageId
}
name_type! {
    /// The engine's id of a network, 64 hexadecimal digits.
    NetworkId
}

impl ProjectName {
    /// Whether `text` may be a project name (Compose Specification, `name`).
    pub fn is_valid(text: &str) -> bool {
        let mut chars = text.chars();
        chars
            .next()
            .is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
            && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-')
    }

    /// The nearest valid name to `text`, as Compose derives one from a folder's name;
    /// `None` where nothing of it can be kept.
    pub fn normalised(text: &str) -> Option<Self> {
        let kept: String = text
            .to_lowercase()
            .chars()
            .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_' || *c == '-')
            .collect();
        let kept = kept.trim_start_matches(['_', '-']);
        (!kept.is_empty()).then(|| Self::new(kept))
    }
}

macro_rules! short_id {
    ($($name:ident),*) => {$(
        impl $name {
            /// The first twelve hexadecimal digits, as the engine's own tools print an id.
            pub fn short(&self) -> &str {
                let hex = self.0.strip_prefix("sha256:").unwrap_or(&self.0);
                hex.get(..12).unwrap_or(hex)
            }
        }
    )*};
}
short_id!(ContainerId, ImageId, NetworkId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn project_names_are_derived_as_compose_does() {
        let of = |text| ProjectName::normalised(text).map(|n| n.as_str().to_owned());
        assert_eq!(of("My App.v2"), Some("myappv2".into()));
        assert_eq!(of("_-x"), Some("x".into()));
        assert_eq!(of("..."), None);
        assert!(ProjectName::is_valid("a-b_c9"));
        assert!(!ProjectName::is_valid("-a"));
        assert!(!ProjectName::is_valid(""));
    }

    #[test]
    fn short_ids_survive_short_input() {
        assert_eq!(ImageId::from("sha256:0123456789abcdef").short(), "0123456789ab");
        assert_eq!(ContainerId::from("ab").short(), "ab");
    }
}
