//! Compose durations: `1h30m`, `1.5s`, `300ms`, `20us`, `10ns` (Compose Specification, 11 "Specifying durations").

use std::time::Duration;

/// Units in order of size, with their nanoseconds.
const UNITS: [(&str, f64); 8] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3600e9),
    ("d", 86_400e9),
];

/// Reads a duration.
///
/// # Errors
/// What was expected, as a fragment that fits after "expected".
pub fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    const EXPECTED: &str = "a duration such as 1m30s, 10s or 250ms";
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(EXPECTED);
    }
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    let mut nanos = 0f64;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or(EXPECTED)?;
        let number: f64 = rest[..digits].parse().map_err(|_| EXPECTED)?;
        rest = &rest[digits..];
        let unit_len = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        let factor = UNITS
            .iter()
            .find(|(unit, _)| *unit == &rest[..unit_len])
            .ok_or(EXPECTED)?
            .1;
        nanos += number * factor;
        rest = &rest[unit_len..];
    }
    if nanos > u64::MAX as f64 {
        return Err("a duration of less than 584 years");
    }
    Ok(Duration::from_nanos(nanos.round() as u64))
}

/// Writes a duration as Go's `time.Duration` does (`1m30s`, `250ms`), which is what Compose prints.
pub fn format_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let fraction = |value: u128, unit: u128| {
        let whole = value / unit;
        let part = value % unit;
        if part == 0 {
            whole.to_string()
        } else {
            let width = unit.ilog10() as usize;
            format!("{whole}.{}", format!("{part:0width$}").trim_end_matches('0'))
        }
    };
    match nanos {
        0 => "0s".to_owned(),
        1..=999 => format!("{nanos}ns"),
        1_000..=999_999 => format!("{}µs", fraction(nanos, 1_000)),
        1_000_000..=999_999_999 => format!("{}ms", fraction(nanos, 1_000_000)),
        _ => {
            let seconds = nanos / 1_000_000_000;
            let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
            let rest = nanos - (hours * 3600 + minutes * 60) * 1_000_000_000;
            let mut out = String::new();
            if hours > 0 {
                out.push_str(&format!("{hours}h"));
            }
            if hours > 0 || minutes > 0 {
                out.push_str(&format!("{minutes}m"));
            }
            out.push_str(&format!("{}s", fraction(rest, 1_000_000_000)));
            out
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_as_go_does() {
        for (text, printed) in [
            ("1m30s", "1m30s"),
            ("90s", "1m30s"),
            ("1.5s", "1.5s"),
            ("250ms", "250ms"),
            ("1h", "1h0m0s"),
            ("10us", "10µs"),
            ("1.5h", "1h30m0s"),
            ("0", "0s"),
            ("1ns", "1ns"),
        ] {
            assert_eq!(format_duration(parse_duration(text).unwrap()), printed, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_duration() {
        for text in ["", "10", "s", "1x", "-1s", "1..2s", "1s2", "9999999999h"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
