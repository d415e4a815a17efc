//! A socket in front of the engine's that breaks chosen requests, and records all.
//!
//! Each connection carries one request: the proxy asks the engine to close after its answer, which the
//! client obeys. Upgraded connections (attach, exec, sessions) pass through byte by byte.

use std::fs;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use regex::Regex;

use super::docker::Docker;
use super::owner;

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is closed, and the engine never hears of the request.
    Drop,
    /// The engine does it; the connection is closed without a byte of its answer.
    LoseAnswer,
    /// The engine does it at once; its answer comes so much later.
    Delay(Duration),
    /// The engine hears of it so much later, also when the client has gone meanwhile.
    Late(Duration),
    /// So many bytes of the answer (head included) arrive, then nothing, with the connection open, until the
    /// client goes away or the rule is taken back.
    StallAfter(usize),
    /// So many bytes of the answer (head included) arrive, then the connection is closed.
    CutAfter(usize),
    /// The engine never hears of it; this status and message are answered.
    Answer(u16, &'static str),
}

/// Which of the requests that match it a rule is for, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nth {
    /// Every one.
    Every,
    /// This one alone.
    Only(usize),
    /// This one and all after it.
    From(usize),
}

/// A request that came by.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST` …
    pub method: String,
    /// Path and query, without the version in front.
    pub path: String,
    /// The status that the engine answered, if it did.
    pub status: Option<u16>,
    /// What was done to it.
    pub fault: Option<Fault>,
    /// How long the connection was open, once it is closed.
    pub open_for: Option<Duration>,
}

/// A socket in front of an engine. Closed when dropped.
#[derive(Debug)]
pub struct Proxy {
    dir: PathBuf,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    upstream: PathBuf,
    rules: Mutex<Vec<Rule>>,
    log: Mutex<Vec<Request>>,
    open: Mutex<Vec<UnixStream>>,
    refusing: AtomicBool,
    stopped: AtomicBool,
}

#[derive(Debug)]
struct Rule {
    id: u64,
    method: String,
    path: Regex,
    nth: Nth,
    seen: usize,
    fault: Fault,
}

impl Proxy {
    /// Opens one in front of `engine`.
    pub fn before(engine: &Docker) -> Self {
        let dir = Path::new("/tmp").join(owner::unique());
        fs::create_dir(&dir).unwrap();
        let listener = UnixListener::bind(dir.join("p.sock")).unwrap();
        let shared = Arc::new(Shared {
            upstream: engine.socket().to_owned(),
            rules: Mutex::default(),
            log: Mutex::default(),
            open: Mutex::default(),
            refusing: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if accepting.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let serving = Arc::clone(&accepting);
                thread::spawn(move || drop(serving.serve(client)));
            }
        });
        Self { dir, shared }
    }

    /// The engine as seen through the proxy.
    pub fn docker(&self) -> Docker {
        Docker::new(&self.dir.join("p.sock"))
    }

    /// From now on does `fault` to the `nth` request with this method (`*` for any) whose path matches the
    /// regular expression. The first rule that applies to a request decides.
    pub fn rule(&self, method: &str, path: &str, nth: Nth, fault: Fault) {
        let mut rules = self.shared.rules.lock().unwrap();
        let id = rules.iter().map(|rule| rule.id).max().unwrap_or(0) + 1;
        let path = Regex::new(path).unwrap();
        rules.push(Rule {
            id,
            method: method.to_owned(),
            path,
            nth,
            seen: 0,
            fault,
        });
    }

    /// Takes all rules back; what is stalled goes on.
    pub fn heal(&self) {
        self.shared.rules.lock().unwrap().clear();
        self.shared.refusing.store(false, Ordering::SeqCst);
    }

    /// Closes every open connection, and from now on each new one at once, as an engine does that is gone.
    pub fn cut_all(&self) {
        self.shared.refusing.store(true, Ordering::SeqCst);
        self.close_open();
    }

    /// Every request so far, in order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.log.lock().unwrap().clone()
    }

    /// How many requests so far had this method (`*` for any) and a path that matches.
    pub fn count(&self, method: &str, path: &str) -> usize {
        let path = Regex::new(path).unwrap();
        let matching =
            |request: &&Request| (method == "*" || request.method == method) && path.is_match(&request.path);
        self.shared.log.lock().unwrap().iter().filter(matching).count()
    }

    fn close_open(&self) {
        for stream in self.shared.open.lock().unwrap().drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        drop(UnixStream::connect(self.dir.join("p.sock")));
        self.close_open();
        drop(fs::remove_dir_all(&self.dir));
    }
}

impl Shared {
    fn serve(&self, mut client: UnixStream) -> io::Result<()> {
        let begin = Instant::now();
        if self.refusing.load(Ordering::SeqCst) {
            return Ok(());
        }
        self.open.lock().unwrap().push(client.try_clone()?);
        let (head, rest) = read_head(&mut client)?;
        let mut words = head.split(' ');
        let method = words.next().unwrap_or_default().to_owned();
        let path = without_version(words.next().unwrap_or_default()).to_owned();
        let (rule, fault) = self.decide(&method, &path).unzip();
        let index = {
            let mut log = self.log.lock().unwrap();
            log.push(Request {
                method,
                path,
                status: None,
                fault,
                open_for: None,
            });
            log.len() - 1
        };
        let result = match fault {
            Some(Fault::Drop) => Ok(()),
            Some(Fault::Answer(status, message)) => {
                let body = serde_json::json!({ "message": message }).to_string();
                let length = body.len();
                write!(
                    client,
                    "HTTP/1.1 {status} Error\r\nContent-Type: application/json\r\nConnection: close\r\n\
                     Content-Length: {length}\r\n\r\n{body}"
                )
            }
            _ => self.forward(&client, &head, &rest, index, rule, fault),
        };
        drop(client.shutdown(Shutdown::Both));
        self.log.lock().unwrap()[index].open_for = Some(begin.elapsed());
        result
    }

    /// The first rule that applies.
    fn decide(&self, method: &str, path: &str) -> Option<(u64, Fault)> {
        let mut decided = None;
        for rule in self.rules.lock().unwrap().iter_mut() {
            if (rule.method != "*" && rule.method != method) || !rule.path.is_match(path) {
                continue;
            }
            rule.seen += 1;
            let applies = match rule.nth {
                Nth::Every => true,
                Nth::Only(n) => rule.seen == n,
                Nth::From(n) => rule.seen >= n,
            };
            if applies && decided.is_none() {
                decided = Some((rule.id, rule.fault));
            }
        }
        decided
    }

    fn forward(
        &self,
        client: &UnixStream,
        head: &str,
        rest: &[u8],
        index: usize,
        rule: Option<u64>,
        fault: Option<Fault>,
    ) -> io::Result<()> {
        if let Some(Fault::Late(time)) = fault {
            thread::sleep(time);
        }
        let mut upstream = UnixStream::connect(&self.upstream)?;
        self.open.lock().unwrap().push(upstream.try_clone()?);
        upstream.write_all(closing(head).as_bytes())?;
        upstream.write_all(rest)?;
        // The rest of the request, or the client's half of an upgraded connection; ends with the client.
        let gone = Arc::new(AtomicBool::new(false));
        let (mut from, mut to, flag) = (client.try_clone()?, upstream.try_clone()?, Arc::clone(&gone));
        thread::spawn(move || {
            drop(io::copy(&mut from, &mut to));
            flag.store(true, Ordering::SeqCst);
            drop(to.shutdown(Shutdown::Write));
        });
        self.answer(client, upstream, index, rule, fault, &gone)
    }

    /// Carries the answer back as far as the fault lets it.
    fn answer(
        &self,
        mut client: &UnixStream,
        mut upstream: UnixStream,
        index: usize,
        rule: Option<u64>,
        fault: Option<Fault>,
        gone: &AtomicBool,
    ) -> io::Result<()> {
        let mut sent = 0;
        let mut buffer = [0; 16384];
        loop {
            let count = upstream.read(&mut buffer)?;
            let first = sent == 0;
            if first && count > 0 {
                let line = String::from_utf8_lossy(&buffer[..count.min(16)]).into_owned();
                self.log.lock().unwrap()[index].status =
                    line.split(' ').nth(1).and_then(|code| code.parse().ok());
            }
            let mut bytes = &buffer[..count];
            match fault {
                Some(Fault::LoseAnswer) => return Ok(()),
                Some(Fault::Delay(time)) if first => {
                    self.hold(rule, gone, Some(time));
                }
                Some(Fault::CutAfter(limit)) if sent + count >= limit => {
                    return client.write_all(&bytes[..limit - sent]);
                }
                Some(Fault::StallAfter(limit)) if sent <= limit && sent + count >= limit => {
                    let (now, later) = bytes.split_at(limit - sent);
                    client.write_all(now)?;
                    self.hold(rule, gone, None);
                    bytes = later;
                    sent += now.len();
                }
                _ => {}
            }
            if count == 0 {
                return Ok(());
            }
            client.write_all(bytes)?;
            sent += bytes.len();
        }
    }

    /// Waits until the client is gone, the rule is, the proxy is, or the time is over.
    fn hold(&self, rule: Option<u64>, gone: &AtomicBool, time: Option<Duration>) {
        let begin = Instant::now();
        while !gone.load(Ordering::SeqCst)
            && !self.stopped.load(Ordering::SeqCst)
            && time.is_none_or(|time| begin.elapsed() < time)
            && self
                .rules
                .lock()
                .unwrap()
                .iter()
                .any(|known| Some(known.id) == rule)
        {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Reads a request's head; gives it with its last empty line, and what came after it.
fn read_head(stream: &mut UnixStream) -> io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&buffer[..count]);
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Ok((String::from_utf8_lossy(&bytes).into_owned(), rest));
        }
    }
}

/// The head with `Connection: close`, unless it asks for an upgrade.
fn closing(head: &str) -> String {
    let is_connection = |line: &&str| line.to_ascii_lowercase().starts_with("connection:");
    if head
        .lines()
        .filter(is_connection)
        .any(|line| line.to_ascii_lowercase().contains("upgrade"))
    {
        return head.to_owned();
    }
    let mut lines: Vec<&str> = head
        .trim_end()
        .lines()
        .filter(|line| !is_connection(line))
        .collect();
    lines.push("Connection: close");
    lines.join("\r\n") + "\r\n\r\n"
}

/// `/v1.41/containers/json` without `/v1.41`.
fn without_version(path: &str) -> &str {
    let version = path.strip_prefix("/v").and_then(|rest| rest.split_once('/'));
    match version {
        Some((number, _)) if number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') => {
            &path[number.len() + 2..]
        }
        _ => path,
    }
}
