//! Container log lines, merged: aligned prefixes, and what containers write made safe for a terminal.
//!
//! Where the output is no terminal, the bytes pass as they are. On a terminal only colours (SGR
//! sequences) pass; every other control sequence is written out, so that no log line can move the
//! cursor, set the title or answer for the terminal.

use std::io::{self, Write};
use std::ops::Range;

use super::grep::{Grep, sgr_length};
use super::style::{Style, Tone};
use super::text::{escape, width};
use crate::plan::Instance;

/// How lines are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogStyle {
    /// Whether each line names its container; `--no-log-prefix` says no.
    pub prefix: bool,
    /// Whether each line begins with its time; `--timestamps`.
    pub timestamps: bool,
    /// Whether the output is a terminal.
    pub terminal: bool,
    /// Colours, of prefixes and of what containers write.
    pub style: Style,
}

/// A line of a container's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogEntry<'a> {
    /// The container, as shown (see [`source_name`]).
    pub source: &'a str,
    /// When, RFC 3339.
    pub timestamp: &'a str,
    /// The bytes, without the newline.
    pub bytes: &'a [u8],
    /// Whether the line was cut for its length.
    pub cut: bool,
}

/// How a container is named in front of its lines: `app-1`, as docker compose does.
pub fn source_name(instance: &Instance) -> String {
    format!("{}-{}", instance.service, instance.number)
}

/// Prints lines of many containers.
#[derive(Debug, Clone)]
pub struct LogPrinter {
    style: LogStyle,
    widest: usize,
    line: Vec<u8>,
    /// What is marked in lines, on a terminal with colours.
    marked: Option<Grep>,
}

/// What begins and ends a mark: reverse video, which leaves the container's own colours.
const MARK: &str = "\x1b[7m";
const UNMARK: &str = "\x1b[27m";

/// What stands behind a line that was cut.
const CUT_MARK: &str = " [line cut at 1 MiB]";

impl LogPrinter {
    /// A printer whose prefixes are as wide as the widest of `sources`; later, wider ones widen them.
    pub fn new<'a>(style: LogStyle, sources: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            style,
            widest: sources.into_iter().map(width).max().unwrap_or(0),
            line: Vec::new(),
            marked: None,
        }
    }

    /// Marks what `grep` finds in lines, where the style has colours.
    pub fn marking(self, grep: Option<Grep>) -> Self {
        let marked = grep.filter(|_| self.style.terminal && self.style.style.colour);
        Self { marked, ..self }
    }

    /// Prints how a container ended, in docker compose's words.
    ///
    /// # Errors
    /// The writer's own.
    pub fn ended(&self, source: &str, code: i64, out: &mut dyn Write) -> io::Result<()> {
        let service = source.rsplit_once('-').map_or(source, |(service, _)| service);
        let said = format!("{source} exited with code {code}");
        writeln!(
            out,
            "{}",
            self.style.style.paint(Tone::of_service(service), &said)
        )
    }

    /// Prints a line with one write.
    ///
    /// # Errors
    /// The writer's own.
    pub fn print(&mut self, entry: &LogEntry<'_>, out: &mut dyn Write) -> io::Result<()> {
        self.line.clear();
        if self.style.prefix {
            self.widest = self.widest.max(width(entry.source));
            let spaces = self.widest - width(entry.source);
            let prefix = format!("{}{:spaces$}  | ", entry.source, "");
            // The colour is the service's, the same for all its containers.
            let service = entry
                .source
                .rsplit_once('-')
                .map_or(entry.source, |(service, _)| service);
            let painted = self.style.style.paint(Tone::of_service(service), &prefix);
            self.line.extend_from_slice(painted.as_bytes());
        }
        if self.style.timestamps {
            self.line.extend_from_slice(entry.timestamp.as_bytes());
            self.line.push(b' ');
        }
        if self.style.terminal {
            let marks = self.marked.as_ref().map(|grep| grep.found_in(entry.bytes));
            let marks = marks.unwrap_or_default();
            safe(entry.bytes, &marks, self.style.style.colour, &mut self.line);
        } else {
            self.line.extend_from_slice(entry.bytes);
        }
        if entry.cut {
            self.line.extend_from_slice(CUT_MARK.as_bytes());
        }
        self.line.push(b'\n');
        out.write_all(&self.line)
    }
}

/// Appends `bytes` as a terminal may see them: of a line that overwrites itself (carriage returns)
/// the last state, colours where `colour` says so and reset at the end, all else written out.
/// `marks` are offsets in `bytes`, in order.
fn safe(bytes: &[u8], marks: &[Range<usize>], colour: bool, out: &mut Vec<u8>) {
    let shown = last_state(bytes);
    let mut at = shown.start;
    let bytes = bytes.get(shown).unwrap_or_default();
    let plain = |byte: &u8| (0x20..0x7f).contains(byte) || *byte == b'\t';
    if marks.is_empty() && bytes.iter().all(plain) {
        out.extend_from_slice(bytes);
        return;
    }
    let mut open = false;
    let mut marker = Marker { marks, on: false };
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some(c) = rest.chars().next() {
            let length = if let Some(sequence) = sgr(rest) {
                if colour {
                    text.push_str(sequence);
                    marker.resume(&mut text);
                    open = true;
                }
                sequence.len()
            } else {
                marker.reach(at, &mut text);
                if c != '\t' && super::text::is_unsafe(c) {
                    escape(c, &mut text);
                } else {
                    text.push(c);
                }
                c.len_utf8()
            };
            at += length;
            rest = rest.get(length..).unwrap_or_default();
        }
        for byte in chunk.invalid() {
            marker.reach(at, &mut text);
            escape_byte(*byte, &mut text);
            at += 1;
        }
    }
    if open || !marks.is_empty() {
        text.push_str("\x1b[0m");
    }
    out.extend_from_slice(text.as_bytes());
}

/// Begins and ends marks while a line is written.
struct Marker<'a> {
    /// Those that are not over yet.
    marks: &'a [Range<usize>],
    on: bool,
}

impl Marker<'_> {
    /// The byte at `at` is written next.
    fn reach(&mut self, at: usize, text: &mut String) {
        while let Some((first, others)) = self.marks.split_first() {
            if at < first.end {
                break;
            }
            self.marks = others;
        }
        let on = self.marks.first().is_some_and(|mark| mark.contains(&at));
        if on != self.on {
            text.push_str(if on { MARK } else { UNMARK });
            self.on = on;
        }
    }

    /// A sequence was written that may have ended a mark with all other attributes.
    fn resume(&self, text: &mut String) {
        if self.on {
            text.push_str(MARK);
        }
    }
}

fn escape_byte(byte: u8, out: &mut String) {
    escape(char::from(byte), out);
}

/// What a terminal would show in the end of a line with carriage returns in it: the last part that
/// is not empty.
fn last_state(bytes: &[u8]) -> Range<usize> {
    let end = bytes
        .iter()
        .rposition(|byte| *byte != b'\r')
        .map_or(0, |at| at + 1);
    let before = bytes.get(..end).unwrap_or_default();
    let start = before
        .iter()
        .rposition(|byte| *byte == b'\r')
        .map_or(0, |at| at + 1);
    start..end
}

/// The SGR sequence that `text` begins with.
fn sgr(text: &str) -> Option<&str> {
    text.get(..sgr_length(text.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TERMINAL: LogStyle = LogStyle {
        prefix: true,
        timestamps: false,
        terminal: true,
        style: Style::COLOUR,
    };

    fn printed(style: LogStyle, lines: &[(&str, &[u8])]) -> Vec<u8> {
        let mut printer = LogPrinter::new(style, lines.iter().map(|(source, _)| *source));
        let mut out = Vec::new();
        for (source, bytes) in lines {
            let entry = LogEntry {
                source,
                timestamp: "2026-11-21T12:00:00.000000001Z",
                bytes,
                cut: false,
            };
            printer.print(&entry, &mut out).unwrap();
        }
        out
    }

    fn text(style: LogStyle, lines: &[(&str, &[u8])]) -> String {
        String::from_utf8(printed(style, lines)).unwrap()
    }

    #[test]
    fn prefixes_line_up_and_can_be_left_out() {
        let plain = LogStyle {
            style: Style::PLAIN,
            ..TERMINAL
        };
        insta::assert_snapshot!(text(plain, &[("app-1", b"one"), ("nginx-1", b"two")]), @r"
        app-1    | one
        nginx-1  | two
        ");
        let bare = LogStyle {
            prefix: false,
            timestamps: true,
            ..plain
        };
        insta::assert_snapshot!(text(bare, &[("app-1", b"one")]), @r"2026-11-21T12:00:00.000000001Z one");
    }

    #[test]
    fn only_colours_reach_a_terminal() {
        let line = b"\x1b[1;31mred\x1b[2J\x1b]0;title\x07 \xff\xc2\x9b end";
        assert_eq!(
            text(
                LogStyle {
                    prefix: false,
                    ..TERMINAL
                },
                &[("a", line)]
            ),
            "\x1b[1;31mred\\x1b[2J\\x1b]0;title\\x07 \\xff\\x9b end\x1b[0m\n"
        );
        let without = LogStyle {
            prefix: false,
            style: Style::PLAIN,
            ..TERMINAL
        };
        assert_eq!(text(without, &[("a", b"\x1b[31mred\x1b[0m")]), "red\n");
    }

    #[test]
    fn a_line_that_overwrites_itself_shows_its_last_state() {
        let bare = LogStyle {
            prefix: false,
            ..TERMINAL
        };
        assert_eq!(text(bare, &[("a", b"10%\r50%\r100%\r")]), "100%\n");
        assert_eq!(text(bare, &[("a", b"dos\r")]), "dos\n");
    }

    #[test]
    fn bytes_pass_as_they_are_where_there_is_no_terminal() {
        let bytes: Vec<u8> = (0..=255).filter(|b| *b != b'\n').collect();
        let file = LogStyle {
            prefix: false,
            terminal: false,
            style: Style::PLAIN,
            ..TERMINAL
        };
        let mut expected = bytes.clone();
        expected.push(b'\n');
        assert_eq!(printed(file, &[("a", &bytes)]), expected);
    }

    #[test]
    fn a_huge_line_is_printed_whole() {
        let line = vec![b'x'; 3 << 20];
        let out = printed(TERMINAL, &[("app-1", &line)]);
        assert!(out.len() > line.len());
        let tail = String::from_utf8_lossy(&out[out.len() - 4..]).into_owned();
        assert_eq!(tail, "xxx\n");
    }

    #[test]
    fn what_was_searched_is_marked_and_colours_go_on() {
        let bare = LogStyle {
            prefix: false,
            ..TERMINAL
        };
        let marked = |style: LogStyle, line: &[u8]| {
            let grep = Grep::new("error: disk|full|\u{a0}", false, false).unwrap();
            let mut printer = LogPrinter::new(style, []).marking(Some(grep));
            let mut out = Vec::new();
            let entry = LogEntry {
                source: "a",
                timestamp: "",
                bytes: line,
                cut: false,
            };
            printer.print(&entry, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(marked(bare, b"full of it"), "\x1b[7mfull\x1b[27m of it\x1b[0m\n");
        assert_eq!(
            marked(bare, b"\x1b[31merror\x1b[0m: disk \xff full"),
            "\x1b[31m\x1b[7merror\x1b[0m\x1b[7m: disk\x1b[27m \\xff \x1b[7mfull\x1b[0m\n"
        );
        assert_eq!(marked(bare, b"full\rdone, full\r"), "done, \x1b[7mfull\x1b[0m\n");
        let plain = LogStyle {
            style: Style::PLAIN,
            ..bare
        };
        assert_eq!(marked(plain, b"full"), "full\n");
        let file = LogStyle {
            terminal: false,
            ..bare
        };
        assert_eq!(marked(file, b"full"), "full\n");
    }

    fn hostile() -> impl Strategy<Value = Vec<u8>> {
        let part = prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..12),
            Just(b"\x1b[".to_vec()),
            Just(b"\x1b[31m".to_vec()),
            Just(b"\x1b[38:5:1m".to_vec()),
            Just(b"\x1b]8;;http://x\x1b\\".to_vec()),
            Just(b"\xc2\x9b".to_vec()),
            Just("\u{202e}".as_bytes().to_vec()),
            Just(b"\r".to_vec()),
        ];
        proptest::collection::vec(part, 0..10).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn no_bytes_command_the_terminal(bytes in hostile(), colour: bool) {
            let style = LogStyle { prefix: false, style: Style { colour, unicode: true }, ..TERMINAL };
            let out = text(style, &[("app-1", &bytes)]);
            let body = out.strip_suffix('\n').unwrap();
            let without = regex::Regex::new("\x1b\\[[0-9;:]*m").unwrap().replace_all(body, "");
            prop_assert!(!without.chars().any(|c| c.is_control() && c != '\t'), "{:?}", out);
            prop_assert!(colour || !out.contains('\x1b'));
            prop_assert!(!colour || !body.contains('\x1b') || body.ends_with("\x1b[0m"));
        }
    }
}
