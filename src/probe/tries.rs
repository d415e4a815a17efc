//! One try of each kind of probe.

use std::time::Duration;

use futures_util::StreamExt;
use regex::Regex;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::address::{Candidate, ConnectError, Prefer, Via, candidates, connect};
use super::attempt::{EXCERPT, head, tail};
use super::http::{Request, send};
use super::target::HttpUrl;
use super::{Context, Outcome, Probe, ProbeKind};
use crate::base::{Moment, format_duration};
use crate::engine::{EngineError, EngineErrorKind, ExecSpec, Inspected, LogOptions};

/// How old what we know of the container may be after a failure.
const STALE: Duration = Duration::from_millis(500);
/// How long a published port that accepts must stay open: what publishes it may accept for a
/// container that does not, and closes then.
const PUBLISHED_OPEN: Duration = Duration::from_millis(40);
/// How many of the last log lines are kept as evidence.
const LOG_LINES: usize = 5;

/// Makes the tries of one probe; remembers where the container is between them.
pub struct Prober<'a> {
    context: &'a Context<'a>,
    probe: &'a Probe,
    found: Option<(Inspected, Moment)>,
    /// The address that has answered before: the others may each cost a time-out.
    answered: Option<Candidate>,
}

impl<'a> Prober<'a> {
    /// For the probe of a container; nothing is tried yet.
    pub fn new(context: &'a Context<'a>, probe: &'a Probe) -> Self {
        Self {
            context,
            probe,
            found: None,
            answered: None,
        }
    }

    /// One try of at most `timeout`: what was tried, and what came of it.
    pub async fn attempt(&mut self, timeout: Duration) -> (String, Outcome) {
        let until = Instant::now() + timeout;
        let (tried, outcome) = match &self.probe.kind {
            ProbeKind::Http(url) => self.http(url, until).await,
            ProbeKind::Tcp(port) => self.tcp(*port, until).await,
            ProbeKind::Exec(command) => self.exec(command, timeout).await,
            ProbeKind::Log(pattern) => self.log(pattern, until).await,
        };
        let now = self.context.clock.now();
        if outcome != Outcome::Pass
            && self
                .found
                .as_ref()
                .is_some_and(|(_, at)| now.saturating_sub(*at) >= STALE)
        {
            // It may have been restarted and have another address now.
            self.found = None;
        }
        let masker = self.context.masker;
        (masker.mask(&tried).into_owned(), outcome)
    }

    async fn http(&mut self, url: &HttpUrl, until: Instant) -> (String, Outcome) {
        let (ways, host) = match &url.host {
            Some(name) => (vec![named(name, url.port)], name.clone()),
            None => match self.ways(url.port, until).await {
                Ok(ways) => (ways, "localhost".to_owned()),
                Err(outcome) => return (format!("GET {}", self.unplaced(url)), outcome),
            },
        };
        let (stream, way) = match self.connect(&ways, until).await {
            Ok(connected) => connected,
            Err((error, way)) => {
                let place = way.map_or_else(|| self.unplaced(url), |w| format!("http://{w}{}", url.path));
                return (format!("GET {place}"), Outcome::fail(error.to_string()));
            }
        };
        let tried = format!("GET http://{way}{}", url.path);
        let request = Request {
            method: "GET".into(),
            path: url.path.clone(),
            host: format!("{host}:{}", url.port),
            ..Request::default()
        };
        let passes = |status: u16| (200..400).contains(&status);
        // Twice what is kept: a secret at the cut is masked whole.
        let limit = |status| if passes(status) { 0 } else { EXCERPT * 2 };
        let outcome = match send(stream, &request, left(until), limit).await {
            Ok(answer) if passes(answer.status) => Outcome::Pass,
            Ok(answer) => Outcome::Fail {
                what: format!("answered {} {}", answer.status, answer.phrase)
                    .trim_end()
                    .to_owned(),
                status: Some(answer.status),
                excerpt: head(&answer.body, self.context.masker, EXCERPT),
            },
            Err(error) => Outcome::fail(error.to_string()),
        };
        (tried, outcome)
    }

    async fn tcp(&mut self, port: u16, until: Instant) -> (String, Outcome) {
        let ways = match self.ways(port, until).await {
            Ok(ways) => ways,
            Err(outcome) => return (format!("connect to port {port}"), outcome),
        };
        match self.connect(&ways, until).await {
            Ok((stream, way)) => {
                let tried = format!("connect to {way}");
                if way.via == Via::Published && closed_at_once(stream).await {
                    return (
                        tried,
                        Outcome::fail("the published port accepted and closed at once"),
                    );
                }
                (tried, Outcome::Pass)
            }
            Err((error, way)) => {
                let place = way.map_or_else(|| format!("port {port}"), |w| w.to_string());
                (format!("connect to {place}"), Outcome::fail(error.to_string()))
            }
        }
    }

    async fn exec(&self, command: &[String], timeout: Duration) -> (String, Outcome) {
        let spec = ExecSpec {
            command: command.to_vec(),
            timeout: Some(timeout),
            ..ExecSpec::default()
        };
        let outcome = match self.context.engine.exec(&self.context.container, &spec).await {
            Ok(done) if done.code == 0 => Outcome::Pass,
            Ok(done) => {
                let mut output = done.stdout;
                if !output.is_empty() && !done.stderr.is_empty() && !output.ends_with(b"\n") {
                    output.push(b'\n');
                }
                output.extend_from_slice(&done.stderr);
                Outcome::Fail {
                    what: exit_code(done.code),
                    status: None,
                    excerpt: tail(&output, self.context.masker, EXCERPT),
                }
            }
            Err(error) if matches!(error.kind, EngineErrorKind::TimedOut(after) if after >= timeout) => {
                Outcome::fail(format!("did not end within {}", format_duration(timeout)))
            }
            Err(error) => self.engine_failure(&error),
        };
        (format!("exec {}", shown(command)), outcome)
    }

    async fn log(&mut self, pattern: &Regex, until: Instant) -> (String, Outcome) {
        let tried = format!("log line that matches /{pattern}/");
        let since = match self.inspect(false, until).await {
            Ok(found) => since_this_start(&found.finished_at, &found.started_at),
            Err(outcome) => return (tried, outcome),
        };
        let options = LogOptions {
            follow: true,
            since,
            ..LogOptions::default()
        };
        let mut lines = self.context.engine.logs(&self.context.container, options);
        let mut seen = 0u64;
        let mut last = std::collections::VecDeque::new();
        let ended = loop {
            match tokio::time::timeout_at(until, lines.next()).await {
                Ok(Some(Ok(line))) => {
                    let text = plain_text(&line.bytes);
                    if pattern.is_match(&text) {
                        return (tried, Outcome::Pass);
                    }
                    seen += 1;
                    if last.len() == LOG_LINES {
                        last.pop_front();
                    }
                    last.push_back(text);
                }
                Ok(Some(Err(error))) => return (tried, self.engine_failure(&error)),
                Ok(None) => break "and the log has ended",
                Err(_) => break "so far",
            }
        };
        let what = match seen {
            0 => format!("no line was written {ended}"),
            1 => format!("the only line does not match {ended}"),
            n => format!("none of {n} lines matches {ended}"),
        };
        let last = Vec::from(last).join("\n");
        let excerpt = tail(last.as_bytes(), self.context.masker, EXCERPT);
        (
            tried,
            Outcome::Fail {
                what,
                status: None,
                excerpt,
            },
        )
    }

    /// Where a port of the container can be reached.
    async fn ways(&mut self, port: u16, until: Instant) -> Result<Vec<Candidate>, Outcome> {
        let host = self.context.host;
        let found = self.inspect(true, until).await?;
        let mut ways = candidates(&found.container, port, host, Prefer::Container);
        if ways.is_empty() {
            // It may not be attached yet.
            self.found = None;
        }
        // Stable: all others keep their order behind it.
        ways.sort_by_key(|way| self.answered.as_ref() != Some(way));
        Ok(ways)
    }

    /// Connects, and remembers who answered, be it with a refusal.
    async fn connect(
        &mut self,
        ways: &[Candidate],
        until: Instant,
    ) -> Result<(TcpStream, Candidate), (ConnectError, Option<Candidate>)> {
        let connected = connect(ways, left(until)).await;
        match &connected {
            Ok((_, way)) | Err((ConnectError::Refused, Some(way))) => self.answered = Some(way.clone()),
            Err(_) => self.answered = None,
        }
        connected
    }

    /// The container; with `network`, the one whose network it uses.
    async fn inspect(&mut self, network: bool, until: Instant) -> Result<&Inspected, Outcome> {
        let context = self.context;
        let found = match self.found.take() {
            Some(found) => found,
            None => {
                let id = match &context.network_of {
                    Some(owner) if network => owner,
                    _ => &context.container,
                };
                let asked = tokio::time::timeout_at(until, context.engine.inspect(id)).await;
                match asked {
                    Ok(Ok(found)) => (found, context.clock.now()),
                    Ok(Err(error)) => return Err(self.engine_failure(&error)),
                    Err(_) => {
                        return Err(Outcome::Unknown {
                            what: "the engine did not answer in time".into(),
                        });
                    }
                }
            }
        };
        Ok(&self.found.insert(found).0)
    }

    /// What an engine's refusal says: a container that is gone, paused or restarting has failed
    /// its probe; an engine that is gone says nothing.
    fn engine_failure(&self, error: &EngineError) -> Outcome {
        let what = self.context.masker.mask(&error.kind.to_string()).into_owned();
        if error.is_engine_lost() {
            Outcome::Unknown { what }
        } else {
            Outcome::fail(what)
        }
    }

    fn unplaced(&self, url: &HttpUrl) -> String {
        let host = url.host.as_deref().unwrap_or_default();
        format!("http://{host}:{}{}", url.port, url.path)
    }
}

/// From when on a container's log is that of its present start; `None` for all of it.
///
/// Lines of an earlier start prove nothing. The engine notes the moment of a start only after
/// the process runs, which may have written by then; and it may note an end before it has read
/// the last lines. So what counts begins between the two, nearer to the end.
fn since_this_start(finished_at: &str, started_at: &str) -> Option<String> {
    const AFTER_END: jiff::SignedDuration = jiff::SignedDuration::from_secs(1);
    let finished: jiff::Timestamp = finished_at.parse().ok()?;
    let Ok(started) = started_at.parse::<jiff::Timestamp>() else {
        return Some(finished_at.to_owned());
    };
    let gap = started.duration_since(finished);
    if gap.is_negative() {
        // It has ended since: of what follows, everything counts from its own start on.
        return Some(started_at.to_owned());
    }
    let since = finished.checked_add((gap / 3).min(AFTER_END)).ok()?;
    Some(since.to_string())
}

fn named(host: &str, port: u16) -> Candidate {
    Candidate {
        host: host.to_owned(),
        port,
        via: Via::Named,
    }
}

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

/// Whether the other side ends the connection before we have said anything.
pub(crate) async fn closed_at_once(mut stream: TcpStream) -> bool {
    let mut byte = [0];
    match tokio::time::timeout(PUBLISHED_OPEN, stream.read(&mut byte)).await {
        Ok(Ok(read)) => read == 0,
        Ok(Err(_)) => true,
        Err(_) => false,
    }
}

/// An exit code, with what shells mean by it.
pub fn exit_code(code: i64) -> String {
    match code {
        126 => "exit code 126 (the command cannot be executed)".to_owned(),
        127 => "exit code 127 (command not found)".to_owned(),
        137 => "exit code 137 (killed)".to_owned(),
        code => format!("exit code {code}"),
    }
}

/// A command for people: `/bin/sh -c` is left out, long ones are cut.
pub fn shown(command: &[String]) -> String {
    const LONGEST: usize = 200;
    let text = match command {
        [shell, flag, line] if shell == "/bin/sh" && flag == "-c" => line.clone(),
        words => words
            .iter()
            .map(|word| {
                if word.is_empty() || word.contains(|c: char| c.is_whitespace() || "'\"$&|;<>*".contains(c)) {
                    format!("'{}'", word.replace('\'', "'\\''"))
                } else {
                    word.clone()
                }
            })
            .collect::<Vec<_>>()
            .join(" "),
    };
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

/// A log line as text, without the escape sequences that colour it.
fn plain_text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' && chars.peek() == Some(&'[') {
            chars.next();
            // Parameters and intermediates, then one final byte (ECMA-48, 5.4).
            for c in chars.by_ref() {
                if ('\u{40}'..='\u{7e}').contains(&c) {
                    break;
                }
            }
        } else if c != '\r' {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_shown_short() {
        let of = |words: &[&str]| shown(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["/bin/sh", "-c", "a  b\n\t&& c"]), "a b && c");
        assert_eq!(
            of(&["pg_isready", "-U", "a b", "it's ", ""]),
            r"pg_isready -U 'a b' 'it'\''s ' ''"
        );
        assert_eq!(of(&["x".repeat(300).as_str()]).chars().count(), 201);
    }

    #[test]
    fn a_log_counts_from_between_the_last_end_and_this_start() {
        let of = |finished, started| since_this_start(finished, started);
        assert_eq!(of("", "2026-11-21T10:00:00.5Z"), None, "the first start");
        let started = "2026-11-21T10:00:00.5Z";
        assert_eq!(
            of("2026-11-21T10:00:00.2Z", started).as_deref(),
            Some("2026-11-21T10:00:00.3Z")
        );
        assert_eq!(
            of("2026-11-20T00:00:00Z", started).as_deref(),
            Some("2026-11-20T00:00:01Z")
        );
        assert_eq!(of("2026-11-21T10:00:09Z", started).as_deref(), Some(started));
        assert_eq!(
            of("2026-11-21T10:00:09Z", "").as_deref(),
            Some("2026-11-21T10:00:09Z")
        );
    }

    #[test]
    fn colours_are_taken_out() {
        assert_eq!(plain_text(b"\x1b[1;32mready\x1b[0m in 3\r"), "ready in 3");
        assert_eq!(plain_text(b"a\x1b[3"), "a");
        assert_eq!(plain_text(b"\xff!"), "\u{fffd}!");
    }
}
