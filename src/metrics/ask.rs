//! One question over HTTP that is answered with JSON.

use serde_json::Value;
use tokio::time::Instant;

use crate::probe::address::connect;
use crate::probe::http::{BodyEnd, Request, send};
use crate::probe::place::Place;

/// How much of an answer is read.
const MOST: usize = 8 * 1024 * 1024;

/// Gets `path` (path and query, from the slash on) within `until`: the status and the JSON.
///
/// # Errors
/// Where nobody answered, or not with JSON, for people.
pub(super) async fn get(place: &Place, path: &str, until: Instant) -> Result<(u16, Value), String> {
    let left = || until.saturating_duration_since(Instant::now());
    let (stream, way) = connect(&place.ways, left())
        .await
        .map_err(|(error, _)| error.to_string())?;
    let prefix = place.path.as_deref().unwrap_or_default().trim_end_matches('/');
    let request = Request {
        method: "GET".into(),
        path: format!("{prefix}{path}"),
        host: Place::host_header(&way),
        headers: vec![("accept".into(), "application/json".into())],
        ..Request::default()
    };
    let response = send(stream, &request, left(), |_| MOST)
        .await
        .map_err(|e| e.to_string())?;
    match response.end {
        BodyEnd::Whole => {}
        BodyEnd::Cut => return Err("the answer is too long".into()),
        BodyEnd::TimedOut => return Err("the answer did not end in time".into()),
        BodyEnd::Broken(why) => return Err(why),
    }
    let answer = serde_json::from_slice(&response.body)
        .map_err(|_| format!("answered {} without JSON", response.status))?;
    Ok((response.status, answer))
}

/// Percent-encoded for a query string (RFC 3986, 2.3: all but the unreserved).
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_encoded() {
        assert_eq!(
            encoded("sum(up{a=\"b&c\"}) ä+1"),
            "sum%28up%7Ba%3D%22b%26c%22%7D%29%20%C3%A4%2B1"
        );
    }
}
