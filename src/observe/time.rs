//! The engine's timestamps as numbers.

/// Nanoseconds since 1970 of an RFC 3339 time, as logs and inspections have them:
/// `2026-11-21T13:17:04.123456789Z`, with zero to nine digits of a second, `Z` or an offset.
/// `None` for anything else. Written by hand: it runs for each line of a log.
pub fn nanos(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let head = bytes.first_chunk::<19>()?;
    for (at, separator) in [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')] {
        if head.get(at) != Some(&separator) {
            return None;
        }
    }
    if !matches!(head.get(10), Some(b'T' | b't' | b' ')) {
        return None;
    }
    let (year, month, day) = (digits(head, 0, 4)?, digits(head, 5, 2)?, digits(head, 8, 2)?);
    let (hour, minute, second) = (digits(head, 11, 2)?, digits(head, 14, 2)?, digits(head, 17, 2)?);
    let is_date = (1..=12).contains(&month) && (1..=31).contains(&day);
    if !is_date || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut rest = bytes.get(19..)?;
    let mut fraction = 0;
    if let Some(after) = rest.strip_prefix(b".") {
        let length = after.iter().take_while(|b| b.is_ascii_digit()).count();
        let (shown, behind) = after.split_at_checked(length)?;
        if shown.is_empty() {
            return None;
        }
        for place in 0..9 {
            let digit = shown.get(place).map_or(0, |b| i64::from(b - b'0'));
            fraction = fraction * 10 + digit;
        }
        rest = behind;
    }
    let offset = match rest {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), zone @ ..] if zone.len() == 5 && zone.get(2) == Some(&b':') => {
            let seconds = digits(zone, 0, 2)? * 3600 + digits(zone, 3, 2)? * 60;
            if *sign == b'-' { -seconds } else { seconds }
        }
        _ => return None,
    };
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset;
    seconds.checked_mul(1_000_000_000)?.checked_add(fraction)
}

fn digits(bytes: &[u8], at: usize, length: usize) -> Option<i64> {
    let mut number = 0;
    for byte in bytes.get(at..at + length)? {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = number * 10 + i64::from(byte - b'0');
    }
    Some(number)
}

/// Days since 1970 of a date of the Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level
/// Date Algorithms", `days_from_civil`; years from 0 on).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// A moment as the engine's calls take it: RFC 3339 with nanoseconds.
pub fn rfc3339(nanos: i64) -> String {
    jiff::Timestamp::from_nanosecond(nanos.into()).map_or_else(|_| String::new(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn engine_times() {
        assert_eq!(nanos("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(
            nanos("2026-11-21T13:17:04.123456789Z"),
            Some(1_795_267_024_123_456_789)
        );
        assert_eq!(nanos("2026-11-21T13:17:04.5Z"), Some(1_795_267_024_500_000_000));
        assert_eq!(nanos("2026-11-21T14:17:04+01:00"), nanos("2026-11-21T13:17:04Z"));
        assert_eq!(nanos("2024-02-29T00:00:00-00:30"), nanos("2024-02-29T00:30:00Z"));
        for wrong in [
            "",
            "2026-11-21",
            "2026-11-21T13:17:04",
            "2026-11-21T13:17:04.Z",
            "2026-13-21T13:17:04Z",
            "2026-11-21T25:17:04Z",
            "2026-11-21T13:17:04+0100",
            "x026-11-21T13:17:04Z",
            "9999-11-21T13:17:04Z",
            "日本-11-21T13:17:04Zxxxx",
        ] {
            assert_eq!(nanos(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_a_calendar(seconds in -2_208_988_800i64..4_102_444_800, fraction in 0i32..1_000_000_000) {
            let time = jiff::Timestamp::new(seconds, 0).unwrap()
                .checked_add(jiff::SignedDuration::new(0, fraction)).unwrap();
            prop_assert_eq!(nanos(&time.to_string()).map(i128::from), Some(time.as_nanosecond()));
        }

        #[test]
        fn never_panics(text in "\\PC{0,40}") {
            let _ = nanos(&text);
        }
    }
}
