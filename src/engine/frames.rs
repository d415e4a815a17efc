//! From the bytes of a container's output to whole lines.
//!
//! The engine keeps a log in entries of at most 16 KiB, each with its time, and sends them framed
//! (8 bytes of stream and length before each), or, for a container with a terminal, one after
//! the other without frames. [`Frames`] undoes the framing, [`Entries`] finds the entries, and
//! [`Lines`] joins them to lines.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

use super::{EngineErrorKind, LogLine, LogStream};

/// An entry of this length was cut by the engine: the line goes on in the next one.
const ENTRY: usize = 16 * 1024;
/// Lines longer than this are cut.
pub(super) const LONGEST_LINE: usize = 1 << 20;
/// No frame of the engine is longer than this.
const LONGEST_FRAME: usize = 16 << 20;

type Result<T> = std::result::Result<T, EngineErrorKind>;

/// Undoes the framing of output without a terminal.
#[derive(Debug, Default)]
pub(super) struct Frames {
    buffer: BytesMut,
}

impl Frames {
    /// Takes in bytes as they came.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame.
    pub(super) fn next(&mut self) -> Result<Option<(LogStream, Bytes)>> {
        let Some(&[kind, _, _, _, a, b, c, d]) = self.buffer.first_chunk::<8>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if kind > 3 || length > LONGEST_FRAME {
            return Err(EngineErrorKind::Protocol(
                "the output is not framed as the engine frames it".into(),
            ));
        }
        if self.buffer.len() < 8 + length {
            self.buffer.reserve(8 + length - self.buffer.len());
            return Ok(None);
        }
        self.buffer.advance(8);
        let payload = self.buffer.split_to(length).freeze();
        match kind {
            2 => Ok(Some((LogStream::Stderr, payload))),
            // The engine's own error while it read the log.
            3 => Err(EngineErrorKind::StreamFailed(
                String::from_utf8_lossy(&payload).trim().to_owned(),
            )),
            _ => Ok(Some((LogStream::Stdout, payload))),
        }
    }
}

/// An entry of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Where it was written.
    pub(super) stream: LogStream,
    /// When, as the engine wrote it; empty where it did not.
    pub(super) timestamp: String,
    /// The bytes without the newline.
    pub(super) content: Bytes,
    /// Whether a newline ended it.
    pub(super) newline: bool,
}

/// Finds the entries in a log that was asked for with timestamps.
#[derive(Debug)]
pub(super) enum Entries {
    /// Of a container without a terminal: one entry a frame.
    Framed(Frames),
    /// Of a container with a terminal: entries one after the other.
    Plain(BytesMut),
}

impl Entries {
    /// For a container with or without a terminal.
    pub(super) fn new(tty: bool) -> Self {
        if tty {
            Self::Plain(BytesMut::new())
        } else {
            Self::Framed(Frames::default())
        }
    }

    /// Takes in bytes as they came.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        match self {
            Self::Framed(frames) => frames.push(bytes),
            Self::Plain(buffer) => buffer.extend_from_slice(bytes),
        }
    }

    /// The next entry; with `ended`, also one that nothing follows.
    pub(super) fn next(&mut self, ended: bool) -> Result<Option<Entry>> {
        match self {
            Self::Framed(frames) => {
                let Some((stream, payload)) = frames.next()? else {
                    return Ok(None);
                };
                let (timestamp, content) = split_timestamp(&payload);
                let newline = content.last() == Some(&b'\n');
                let content = &content[..content.len() - usize::from(newline)];
                Ok(Some(Entry {
                    stream,
                    timestamp,
                    content: Bytes::copy_from_slice(content),
                    newline,
                }))
            }
            Self::Plain(buffer) => Ok(next_plain(buffer, ended)),
        }
    }
}

/// The longest timestamp and the space after it.
const STAMP: usize = 36;

fn next_plain(buffer: &mut BytesMut, ended: bool) -> Option<Entry> {
    if buffer.is_empty() {
        return None;
    }
    let stamp = stamp_length(buffer);
    let content = buffer.get(stamp..).unwrap_or_default();
    // Within the first entry's worth of bytes a newline ends it, and after exactly one entry's worth
    // the next may begin in mid-line.
    let newline = content.iter().position(|b| *b == b'\n');
    let (taken, ended_by_newline) = match newline {
        Some(at) if at <= ENTRY => (at, true),
        other => {
            let rest = content.get(ENTRY..).unwrap_or_default();
            if content.len() >= ENTRY
                && (rest.len() >= STAMP || ended || other.is_some())
                && stamp_length(rest) > 0
            {
                (ENTRY, false)
            } else if let Some(at) = other {
                (at, true)
            } else if ended {
                (content.len(), false)
            } else if content.len() >= LONGEST_LINE + ENTRY + STAMP {
                // Some engine that cuts elsewhere; hand it on rather than gather without bound.
                (LONGEST_LINE + ENTRY, false)
            } else {
                return None;
            }
        }
    };
    let timestamp =
        String::from_utf8_lossy(buffer.get(..stamp.saturating_sub(1)).unwrap_or_default()).into_owned();
    let text = content.get(..taken).unwrap_or_default();
    let entry = Entry {
        stream: LogStream::Stdout,
        timestamp,
        content: Bytes::copy_from_slice(text),
        newline: ended_by_newline,
    };
    buffer.advance((stamp + taken + usize::from(ended_by_newline)).min(buffer.len()));
    Some(entry)
}

fn split_timestamp(payload: &[u8]) -> (String, &[u8]) {
    let length = stamp_length(payload);
    let stamp = payload.get(..length.saturating_sub(1)).unwrap_or_default();
    (
        String::from_utf8_lossy(stamp).into_owned(),
        payload.get(length..).unwrap_or_default(),
    )
}

/// The length of a timestamp (`2026-11-21T13:17:04.000000000Z`) and the space after it; 0 where
/// the bytes do not begin with one.
fn stamp_length(bytes: &[u8]) -> usize {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00.";
    let Some(head) = bytes.get(..SHAPE.len()) else {
        return 0;
    };
    let fits = head.iter().zip(SHAPE).all(|(b, s)| match s {
        b'0' => b.is_ascii_digit(),
        other => b == other,
    });
    if !fits {
        return 0;
    }
    bytes
        .iter()
        .take(STAMP)
        .position(|b| *b == b' ')
        .map_or(0, |at| at + 1)
}

/// Joins entries to lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// A terminal ends its lines with a carriage return as well, which is not the line's.
    tty: bool,
    stdout: Pending,
    stderr: Pending,
    ready: VecDeque<LogLine>,
}

#[derive(Debug, Default)]
struct Pending {
    timestamp: String,
    bytes: BytesMut,
    open: bool,
    /// The rest of a line that was cut is not wanted.
    skipping: bool,
}

impl Lines {
    /// For a container with or without a terminal.
    pub(super) fn new(tty: bool) -> Self {
        Self {
            tty,
            ..Self::default()
        }
    }

    /// Takes in an entry.
    pub(super) fn push(&mut self, entry: Entry) {
        let pending = match entry.stream {
            LogStream::Stdout => &mut self.stdout,
            LogStream::Stderr => &mut self.stderr,
        };
        // A short entry without a newline is the last thing a process wrote.
        let last = entry.newline || entry.content.len() < ENTRY;
        if pending.skipping {
            pending.skipping = !last;
            return;
        }
        if last && !pending.open && entry.content.len() <= LONGEST_LINE {
            let line = LogLine {
                stream: entry.stream,
                timestamp: entry.timestamp,
                bytes: entry.content,
                complete: entry.newline,
                cut: false,
            };
            self.ready
                .push_back(line.without_return(self.tty && entry.newline));
            return;
        }
        if !pending.open {
            pending.open = true;
            pending.timestamp = entry.timestamp;
        }
        let room = LONGEST_LINE.saturating_sub(pending.bytes.len());
        let cut = entry.content.len() > room;
        pending
            .bytes
            .extend_from_slice(entry.content.get(..room).unwrap_or(&entry.content));
        if last || cut {
            pending.skipping = cut && !last;
            let line = pending.take(entry.stream, entry.newline || cut, cut);
            self.ready
                .push_back(line.without_return(self.tty && entry.newline && !cut));
        }
    }

    /// The next line.
    pub(super) fn next(&mut self) -> Option<LogLine> {
        self.ready.pop_front()
    }

    /// The log is over: what was held back is the last of it.
    pub(super) fn finish(&mut self) {
        for (pending, stream) in [
            (&mut self.stdout, LogStream::Stdout),
            (&mut self.stderr, LogStream::Stderr),
        ] {
            if pending.open {
                let line = pending.take(stream, false, false);
                self.ready.push_back(line);
            }
            pending.skipping = false;
        }
    }
}

impl LogLine {
    fn without_return(mut self, ended_by_terminal: bool) -> Self {
        if ended_by_terminal && self.bytes.last() == Some(&b'\r') {
            self.bytes.truncate(self.bytes.len() - 1);
        }
        self
    }
}

impl Pending {
    fn take(&mut self, stream: LogStream, complete: bool, cut: bool) -> LogLine {
        self.open = false;
        LogLine {
            stream,
            timestamp: std::mem::take(&mut self.timestamp),
            bytes: std::mem::take(&mut self.bytes).freeze(),
            complete,
            cut,
        }
    }
}

/// The lines of a whole log, as the engine sent it in pieces.
///
/// # Errors
/// Bytes that are not framed as the engine frames them.
pub fn decode_log<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, tty: bool) -> Result<Vec<LogLine>> {
    let (mut entries, mut lines) = (Entries::new(tty), Lines::new(tty));
    let mut out = Vec::new();
    for piece in pieces {
        entries.push(piece);
        while let Some(entry) = entries.next(false)? {
            lines.push(entry);
        }
        out.extend(std::iter::from_fn(|| lines.next()));
    }
    while let Some(entry) = entries.next(true)? {
        lines.push(entry);
    }
    lines.finish();
    out.extend(std::iter::from_fn(|| lines.next()));
    Ok(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STAMP_TEXT: &str = "2026-11-21T13:17:04.123456789Z";

    /// A log as the engine writes it: each line in entries of at most 16 KiB.
    fn log_of(lines: &[(LogStream, Vec<u8>)], tty: bool, last_newline: bool) -> Vec<u8> {
        let mut out = Vec::new();
        for (at, (stream, line)) in lines.iter().enumerate() {
            let mut text = line.clone();
            if at + 1 < lines.len() || last_newline {
                if tty {
                    text.push(b'\r');
                }
                text.push(b'\n');
            }
            // The engine fills its buffer; a newline in the next one makes an entry of its own.
            for chunk in text.chunks(ENTRY) {
                let mut entry = format!("{STAMP_TEXT} ").into_bytes();
                entry.extend_from_slice(chunk);
                if !tty {
                    let kind = match stream {
                        LogStream::Stdout => 1,
                        LogStream::Stderr => 2,
                    };
                    out.extend_from_slice(&[kind, 0, 0, 0]);
                    out.extend_from_slice(&(entry.len() as u32).to_be_bytes());
                }
                out.extend_from_slice(&entry);
            }
        }
        out
    }

    fn decode(log: &[u8], tty: bool, piece: usize) -> Vec<LogLine> {
        decode_log(log.chunks(piece.max(1)), tty).unwrap()
    }

    fn line() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![8 => any::<u8>(), 1 => Just(0x01u8), 1 => Just(b'\r')]
            .prop_map(|b| if b == b'\n' { b' ' } else { b });
        prop_oneof![
            6 => prop::collection::vec(byte, 0..60),
            1 => prop::sample::select(vec![ENTRY - 2, ENTRY - 1, ENTRY, ENTRY + 1, 2 * ENTRY, 40_000])
                .prop_map(|n| vec![b'x'; n]),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn lines_come_out_as_they_were_written(
            lines in prop::collection::vec((any::<bool>(), line()), 1..8),
            last_newline in any::<bool>(),
            piece in 1usize..5000,
        ) {
            // Entries of two streams never share a line, so that order within each stream is what counts.
            let lines: Vec<(LogStream, Vec<u8>)> = lines
                .into_iter()
                .map(|(err, l)| (if err { LogStream::Stderr } else { LogStream::Stdout }, l))
                .collect();
            let out = decode(&log_of(&lines, false, last_newline), false, piece);
            for stream in [LogStream::Stdout, LogStream::Stderr] {
                let expected: Vec<&[u8]> = lines.iter().filter(|(s, _)| *s == stream).map(|(_, l)| l.as_slice()).collect();
                let got: Vec<&[u8]> = out.iter().filter(|l| l.stream == stream).map(|l| l.bytes.as_ref()).collect();
                // Nothing is written for an empty line without a newline.
                let expected = match expected.split_last() {
                    Some((last, rest)) if last.is_empty() && got.len() == rest.len() && !last_newline => rest.to_vec(),
                    _ => expected,
                };
                prop_assert!(got == expected, "lines of {stream:?} differ");
            }
            prop_assert!(out.iter().all(|l| l.timestamp == STAMP_TEXT && !l.cut));
        }

        #[test]
        fn a_terminals_lines_come_out_as_they_were_written(
            lines in prop::collection::vec(line(), 1..8),
            piece in 1usize..5000,
        ) {
            let written: Vec<(LogStream, Vec<u8>)> = lines.iter().map(|l| (LogStream::Stdout, l.clone())).collect();
            let out = decode(&log_of(&written, true, true), true, piece);
            let got: Vec<Vec<u8>> = out.iter().map(|l| l.bytes.to_vec()).collect();
            prop_assert!(got == lines, "lengths {:?}", got.iter().map(Vec::len).collect::<Vec<_>>());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), tty in any::<bool>(), piece in 1usize..50) {
            let (mut entries, mut lines) = (Entries::new(tty), Lines::new(tty));
            for chunk in bytes.chunks(piece) {
                entries.push(chunk);
                while let Ok(Some(entry)) = entries.next(false) {
                    lines.push(entry);
                }
            }
            while let Ok(Some(entry)) = entries.next(true) {
                lines.push(entry);
            }
            lines.finish();
        }
    }

    #[test]
    fn a_line_of_more_than_a_megabyte_is_cut_with_a_mark() {
        for tty in [false, true] {
            let long = vec![b'y'; 3 << 20];
            let log = log_of(
                &[(LogStream::Stdout, long), (LogStream::Stdout, b"next".to_vec())],
                tty,
                true,
            );
            let lines = decode(&log, tty, 4096);
            assert_eq!(lines.len(), 2, "tty {tty}");
            assert!(lines[0].cut && lines[0].complete);
            assert_eq!(lines[0].bytes.len(), LONGEST_LINE);
            assert_eq!(lines[1].bytes, "next");
        }
    }

    #[test]
    fn the_last_line_without_newline_is_kept_and_marked() {
        let log = log_of(&[(LogStream::Stderr, b"fatal: x".to_vec())], false, false);
        let lines = decode(&log, false, 1000);
        assert_eq!(
            lines,
            [LogLine {
                stream: LogStream::Stderr,
                timestamp: STAMP_TEXT.into(),
                bytes: Bytes::from_static(b"fatal: x"),
                complete: false,
                cut: false
            }]
        );
    }

    #[test]
    fn a_terminals_first_byte_is_not_taken_for_a_frame() {
        let log = log_of(&[(LogStream::Stdout, vec![1, 0, 0, 0, 0, 0, 0, 9])], true, true);
        assert_eq!(decode(&log, true, 3)[0].bytes.as_ref(), [1, 0, 0, 0, 0, 0, 0, 9]);
    }

    #[test]
    fn what_is_no_frame_is_an_error() {
        let mut frames = Frames::default();
        frames.push(b"plain text");
        assert!(frames.next().is_err());
        let mut failed = Frames::default();
        failed.push(&[3, 0, 0, 0, 0, 0, 0, 3, b'b', b'a', b'd']);
        assert_eq!(failed.next(), Err(EngineErrorKind::StreamFailed("bad".into())));
    }
}
