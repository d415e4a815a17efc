//! A request and what must come back.

use std::time::Duration;

use bytes::Bytes;
use regex::Regex;
use serde_json::Value;

use super::json_path::{At, find, same, shown};
use super::outcome::{EXCERPT, Evidence, Mismatch, Seen};
use super::runner::{Setting, Tried};
use crate::base::format_duration;
use crate::model::smoke::{HttpExpect, HttpRequest};
use crate::probe::address::connect;
use crate::probe::attempt::{head, millis};
use crate::probe::http::{BodyEnd, Request, Response, send};
use crate::probe::place::{Place, locate};

/// How much of a body is read to look for what is expected.
const MOST: usize = 4 * 1024 * 1024;
/// Headers that are always shown.
const OF_INTEREST: [&str; 6] = [
    "content-type",
    "location",
    "server",
    "retry-after",
    "via",
    "x-request-id",
];

/// One try.
pub(super) async fn check(
    setting: &Setting<'_>,
    request: &HttpRequest,
    expect: &HttpExpect,
    timeout: Duration,
) -> Tried {
    let began = setting.clock.now();
    let place = match locate(&request.at, setting.project, setting.observed, setting.host) {
        Ok(place) => place,
        Err(why) => return Tried::nowhere(why),
    };
    let path = &joined(place.path.as_deref().unwrap_or_default(), &request.path);
    let took = || setting.clock.now().saturating_sub(began);
    let (stream, way) = match connect(&place.ways, timeout).await {
        Ok(connected) => connected,
        Err((error, way)) => {
            let place = way.map_or(place.name, |w| w.to_string());
            let tried = format!("{} http://{place}{path}", request.method);
            return Tried::unanswered(tried, took(), "connection", "a connection", error.to_string());
        }
    };
    let tried = format!("{} http://{way}{path}", request.method);
    let message = Request {
        method: request.method.clone(),
        path: path.clone(),
        host: Place::host_header(&way),
        headers: request
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        body: Bytes::from(request.body.clone().unwrap_or_default()),
    };
    let left = timeout.saturating_sub(took());
    match send(stream, &message, left, |_| MOST).await {
        Err(error) => Tried::unanswered(tried, took(), "response", "one", error.to_string()),
        Ok(response) => {
            let took = took();
            Tried {
                mismatches: compare(&response, expect, took),
                evidence: Some(Evidence {
                    tried,
                    took,
                    seen: Seen::Http {
                        status: response.status,
                        phrase: response.phrase,
                        headers: of_interest(&response, expect),
                        body: head(&response.body, setting.masker, EXCERPT),
                        bytes: response.body.len(),
                    },
                }),
            }
        }
    }
}

/// A URL's own path and the test's `path` after it.
fn joined(own: &str, path: &str) -> String {
    match (own.trim_end_matches('/'), path) {
        ("", path) => path.to_owned(),
        (_, "" | "/") => own.to_owned(),
        (own, path) => format!("{own}{path}"),
    }
}

fn of_interest(response: &Response, expect: &HttpExpect) -> Vec<(String, String)> {
    let wanted = |name: &str| {
        OF_INTEREST.contains(&name) || expect.headers.keys().any(|h| h.eq_ignore_ascii_case(name))
    };
    response
        .headers
        .iter()
        .filter(|(name, _)| wanted(name))
        .cloned()
        .collect()
}

/// Everything in a response that is not as expected.
pub(super) fn compare(response: &Response, expect: &HttpExpect, took: Duration) -> Vec<Mismatch> {
    let mut mismatches = Vec::new();
    let status_good = match expect.status.as_slice() {
        [] => (200..300).contains(&response.status),
        wanted => wanted.contains(&response.status),
    };
    if !status_good {
        let wanted: Vec<String> = expect.status.iter().map(u16::to_string).collect();
        let wanted = match wanted.as_slice() {
            [] => "200 to 299".to_owned(),
            some => some.join(" or "),
        };
        mismatches.push(Mismatch::new("status", wanted, response.status.to_string()));
    }
    for (name, pattern) in &expect.headers {
        mismatches.extend(header(response, name, pattern));
    }
    mismatches.extend(
        match &response.end {
            BodyEnd::Whole | BodyEnd::Cut => None,
            BodyEnd::TimedOut => Some(format!("no end after {} bytes", response.body.len())),
            BodyEnd::Broken(why) => Some(format!("{why} after {} bytes", response.body.len())),
        }
        .map(|found| Mismatch::new("body", "all of it", found)),
    );
    let text = String::from_utf8_lossy(&response.body);
    if let Some(wanted) = &expect.body
        && !text.contains(wanted.as_str())
    {
        mismatches.push(Mismatch::new(
            "body",
            format!("{wanted:?} in it"),
            found_in(response),
        ));
    }
    if let Some(pattern) = &expect.matches {
        match Regex::new(pattern) {
            Err(_) => mismatches.push(wrong_pattern("body", pattern)),
            Ok(regex) if regex.is_match(&text) => {}
            Ok(_) => {
                let wanted = format!("a match of /{pattern}/");
                mismatches.push(Mismatch::new("body", wanted, found_in(response)));
            }
        }
    }
    let is_partial = matches!(response.end, BodyEnd::TimedOut | BodyEnd::Broken(_));
    if !expect.json.is_empty() && !is_partial {
        match serde_json::from_slice::<Value>(&response.body) {
            Err(error) => {
                let found = match response.end {
                    BodyEnd::Cut => format!("more than {}", crate::base::format_bytes(MOST as u64)),
                    _ if response.body.is_empty() => "an empty body".to_owned(),
                    _ => format!("no JSON ({error})"),
                };
                mismatches.push(Mismatch::new("body", "JSON", found));
            }
            Ok(root) => {
                for (path, wanted) in &expect.json {
                    mismatches.extend(json(&root, path, wanted));
                }
            }
        }
    }
    if let Some(within) = expect.within
        && took > within
    {
        let wanted = format!("within {}", format_duration(within));
        mismatches.push(Mismatch::new("time", wanted, millis(took)));
    }
    mismatches
}

fn header(response: &Response, name: &str, pattern: &str) -> Option<Mismatch> {
    let what = format!("header {}", name.to_lowercase());
    let Ok(regex) = Regex::new(pattern) else {
        return Some(wrong_pattern(what, pattern));
    };
    let values: Vec<&str> = response
        .headers
        .iter()
        .filter(|(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
        .collect();
    if values.iter().any(|value| regex.is_match(value)) {
        return None;
    }
    let found = match values.as_slice() {
        [] => "no such header".to_owned(),
        some => some.join(" and "),
    };
    Some(Mismatch::new(what, format!("a match of /{pattern}/"), found))
}

fn json(root: &Value, path: &str, wanted: &Value) -> Option<Mismatch> {
    let found = match find(root, path) {
        Err(expected) => return Some(Mismatch::new(path, expected, "no path")),
        Ok(At::Value(value)) if same(value, wanted) => return None,
        Ok(At::Value(value)) => shown(value),
        Ok(At::Missing(why)) => why,
    };
    Some(Mismatch::new(path, shown(wanted), found))
}

/// A body for a mismatch; the evidence has it in full.
fn found_in(response: &Response) -> String {
    match (response.body.len(), &response.end) {
        (0, _) => "an empty body".to_owned(),
        (n, BodyEnd::Cut) => format!("nothing of the kind in the first {n} bytes"),
        (n, _) => format!("nothing of the kind in {n} bytes"),
    }
}

pub(super) fn wrong_pattern(what: impl Into<String>, pattern: &str) -> Mismatch {
    Mismatch::new(
        what,
        "a regular expression",
        format!("/{pattern}/, which is none"),
    )
}
