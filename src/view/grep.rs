//! Which lines of a log a pattern chooses, and what of them it found.
//!
//! Lines are bytes: what is no UTF-8 neither hinders a match beside it nor is it changed. Colours
//! that a container writes are no part of what is searched, nor is the carriage return before a
//! newline, so that `error: disk` and `full$` find what a reader sees.

use std::borrow::Cow;
use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder};

/// A compiled pattern larger than this is refused, in bytes.
const SIZE_LIMIT: usize = 4 << 20;

/// A pattern that lines are chosen by.
#[derive(Debug, Clone)]
pub struct Grep {
    regex: Regex,
    ignore_case: bool,
    invert: bool,
}

impl Grep {
    /// A regular expression in the syntax of the `regex` crate. `invert` chooses the lines in which
    /// it is not found.
    ///
    /// # Errors
    /// Why it is no regular expression, in one line.
    pub fn new(pattern: &str, ignore_case: bool, invert: bool) -> Result<Self, String> {
        let regex = RegexBuilder::new(pattern)
            .case_insensitive(ignore_case)
            .size_limit(SIZE_LIMIT)
            .build()
            .map_err(|error| reason(&error))?;
        Ok(Self {
            regex,
            ignore_case,
            invert,
        })
    }

    /// Whether a line, without its newline, is chosen.
    pub fn chooses(&self, line: &[u8]) -> bool {
        self.regex.is_match(&visible(line).bytes) != self.invert
    }

    /// Where the pattern is found in a line, as offsets in `line`, in order and apart; nowhere where
    /// the lines without it are chosen.
    pub fn found_in(&self, line: &[u8]) -> Vec<Range<usize>> {
        if self.invert {
            return Vec::new();
        }
        let visible = visible(line);
        self.regex
            .find_iter(&visible.bytes)
            .filter(|found| !found.is_empty())
            .map(|found| visible.offset(found.start())..visible.offset(found.end() - 1) + 1)
            .collect()
    }
}

impl PartialEq for Grep {
    fn eq(&self, other: &Self) -> bool {
        let key = |grep: &Self| (grep.ignore_case, grep.invert);
        self.regex.as_str() == other.regex.as_str() && key(self) == key(other)
    }
}

impl Eq for Grep {}

/// The last line of what the parser says; those before repeat the pattern.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// What a reader sees of a line.
struct Visible<'a> {
    bytes: Cow<'a, [u8]>,
    /// For each sequence left out: where it stood in `bytes`, and how many bytes were left out up to
    /// there.
    gaps: Vec<(usize, usize)>,
}

impl Visible<'_> {
    /// Where in the line the visible byte `at` stands.
    fn offset(&self, at: usize) -> usize {
        let before = self.gaps.partition_point(|(gap, _)| *gap <= at);
        let left_out = before.checked_sub(1).and_then(|last| self.gaps.get(last));
        at + left_out.map_or(0, |(_, bytes)| *bytes)
    }
}

fn visible(line: &[u8]) -> Visible<'_> {
    let end = line
        .iter()
        .rposition(|byte| *byte != b'\r')
        .map_or(0, |at| at + 1);
    let line = line.get(..end).unwrap_or_default();
    if !line.contains(&b'\x1b') {
        return Visible {
            bytes: Cow::Borrowed(line),
            gaps: Vec::new(),
        };
    }
    let mut bytes = Vec::with_capacity(line.len());
    let mut gaps = Vec::new();
    let mut left_out = 0;
    let mut rest = line;
    while let Some((first, others)) = rest.split_first() {
        if let Some(length) = sgr_length(rest) {
            left_out += length;
            gaps.push((bytes.len(), left_out));
            rest = rest.get(length..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = others;
        }
    }
    Visible {
        bytes: Cow::Owned(bytes),
        gaps,
    }
}

/// The length of the SGR sequence (`ESC [`, digits and separators, `m`) that `bytes` begin with.
pub(super) fn sgr_length(bytes: &[u8]) -> Option<usize> {
    /// Longer ones are no colours.
    const LONGEST: usize = 64;
    let parameters = bytes.strip_prefix(b"\x1b[")?;
    let end = parameters
        .iter()
        .position(|byte| !byte.is_ascii_digit() && !matches!(byte, b';' | b':'))?;
    (end <= LONGEST && parameters.get(end) == Some(&b'm')).then_some(end + 3)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn grep(pattern: &str) -> Grep {
        Grep::new(pattern, false, false).unwrap()
    }

    /// What is found, as text.
    fn found(pattern: &str, line: &[u8]) -> Vec<String> {
        let ranges = grep(pattern).found_in(line).into_iter();
        ranges
            .map(|range| line[range].escape_ascii().to_string())
            .collect()
    }

    #[test]
    fn lines_are_chosen_by_a_pattern_its_case_and_its_absence() {
        assert!(grep("err.r").chooses(b"an error"));
        assert!(!grep("Error").chooses(b"an error"));
        assert!(Grep::new("Error", true, false).unwrap().chooses(b"an error"));
        let without = Grep::new("health", false, true).unwrap();
        assert!(without.chooses(b"GET /") && !without.chooses(b"GET /health"));
        assert!(without.found_in(b"GET /health").is_empty());
        assert!(grep("").chooses(b"") && grep("^$").chooses(b"\r"));
    }

    #[test]
    fn bytes_that_are_no_text_hinder_nothing() {
        assert_eq!(found("disk", b"\xff\xfe disk \xc3"), ["disk"]);
        assert_eq!(found(r"(?-u)\xfe", b"\xff\xfe"), [r"\xfe"]);
        assert_eq!(found("ß", "Maß\u{0}".as_bytes()), [r"\xc3\x9f"]);
    }

    #[test]
    fn colours_and_carriage_returns_are_not_searched() {
        let line = b"\x1b[1;31merror\x1b[0m: disk \x1b[4mfull\x1b[m\r";
        assert_eq!(found("error: disk", line), [r"error\x1b[0m: disk"]);
        assert_eq!(found("full$", line), ["full"]);
        assert_eq!(found("^error", line), ["error"]);
        assert!(!grep("31").chooses(line));
        assert_eq!(found("J", b"\x1b[2Jx"), ["J"]);
    }

    #[test]
    fn a_very_long_line_is_searched_to_its_end() {
        let mut line = vec![b'x'; 3 << 20];
        line.extend_from_slice(b"needle");
        assert_eq!(found("needle", &line), ["needle"]);
    }

    #[test]
    fn what_is_no_pattern_is_explained_in_a_line() {
        let reason = |pattern| Grep::new(pattern, false, false).unwrap_err();
        assert_eq!(reason("(foo"), "unclosed group");
        assert_eq!(reason("*"), "repetition operator missing expression");
        assert!(!reason("(?:x{999}){999}").contains('\n'));
    }

    proptest! {
        #[test]
        fn what_is_found_is_in_the_line_and_in_order(
            line in proptest::collection::vec(prop_oneof![
                Just(b"ab".to_vec()), Just(b"\x1b[1m".to_vec()), Just(b"\xff".to_vec()), Just(b"\r".to_vec()),
            ], 0..12),
        ) {
            let line = line.concat();
            let ranges = grep("a|b+|ab").found_in(&line);
            prop_assert!(ranges.is_sorted_by(|one, next| one.end <= next.start));
            prop_assert!(ranges.iter().all(|range| !range.is_empty() && range.end <= line.len()));
            let marked: usize = ranges.iter().map(|r| line[r.clone()].iter().filter(|b| b"ab".contains(b)).count()).sum();
            prop_assert_eq!(marked, line.iter().filter(|b| b"ab".contains(b)).count());
        }
    }
}
