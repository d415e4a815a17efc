//! Byte sizes: `64m`, `1gb`, `2.5GiB`, `1024` (Compose Specification, 12 "Specifying byte values").

/// Reads a size in bytes. Units are powers of 1024, as the engine reads them.
///
/// # Errors
/// What was expected, as a fragment that fits after "expected".
pub fn parse_bytes(text: &str) -> Result<u64, &'static str> {
    const EXPECTED: &str = "a size such as 512k, 64m or 1gb";
    let text = text.trim();
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let number: f64 = text[..split].parse().map_err(|_| EXPECTED)?;
    let power = match text[split..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 1,
        "m" | "mb" | "mib" => 2,
        "g" | "gb" | "gib" => 3,
        "t" | "tb" | "tib" => 4,
        "p" | "pb" | "pib" => 5,
        _ => return Err(EXPECTED),
    };
    let bytes = number * 1024f64.powi(power);
    if bytes > i64::MAX as f64 {
        return Err("a size of less than 8 EiB");
    }
    Ok(bytes as u64)
}

/// Writes a size for people: `1.5 GiB`.
pub fn format_bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{bytes} B")
    } else {
        format!("{value:.1} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sizes_in_powers_of_1024() {
        assert_eq!(parse_bytes("64m"), Ok(64 << 20));
        assert_eq!(parse_bytes("1.5gb"), Ok(3 << 29));
        assert_eq!(parse_bytes("10"), Ok(10));
        assert_eq!(parse_bytes("2 KiB"), Ok(2048));
        for bad in ["", "m", "1q", "-1", "99999999p"] {
            assert!(parse_bytes(bad).is_err(), "{bad}");
        }
        assert_eq!(format_bytes(1536), "1.5 KiB");
    }
}
