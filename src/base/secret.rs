//! Values that must never be shown, and the mask that keeps them out of text.

use std::fmt;
use std::sync::{Arc, RwLock};

/// What stands in the place of a masked value.
pub const MASK: &str = "••••••";

/// A value that `Debug` and `Display` never show.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself; the caller takes care where it goes.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// Replaces known secret values wherever they occur in text that is about to be shown.
///
/// Cheap to clone; all clones share the same set.
#[derive(Clone, Default)]
pub struct Masker {
    values: Arc<RwLock<Vec<String>>>,
}

/// Values shorter than this are not masked: hiding every `1` hides everything.
const SHORTEST_MASKED: usize = 4;

impl Masker {
    /// Adds a value to hide. Multi-line values are hidden line by line as well.
    pub fn add(&self, value: &str) {
        let mut values = self.values.write().unwrap_or_else(|e| e.into_inner());
        for part in std::iter::once(value.trim()).chain(value.lines().map(str::trim)) {
            if part.len() >= SHORTEST_MASKED && !values.iter().any(|v| v == part) {
                values.push(part.to_owned());
            }
        }
        // Longest first, so that a value that contains another is hidden whole.
        values.sort_by_key(|v| std::cmp::Reverse(v.len()));
    }

    /// `text` with every known value replaced by [`MASK`].
    pub fn mask<'t>(&self, text: &'t str) -> std::borrow::Cow<'t, str> {
        let values = self.values.read().unwrap_or_else(|e| e.into_inner());
        let mut out = std::borrow::Cow::Borrowed(text);
        for value in values.iter() {
            if out.contains(value.as_str()) {
                out = std::borrow::Cow::Owned(out.replace(value.as_str(), MASK));
            }
        }
        out
    }
}

impl fmt::Debug for Masker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Masker")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_the_longest_value_whole() {
        let masker = Masker::default();
        masker.add("hunter2");
        masker.add("hunter2-extended");
        masker.add("abc");
        assert_eq!(
            masker.mask("a hunter2-extended b hunter2 abc"),
            format!("a {MASK} b {MASK} abc")
        );
        assert_eq!(format!("{:?}", Secret::new("x")), MASK);
    }
}
