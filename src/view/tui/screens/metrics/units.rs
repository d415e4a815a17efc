//! Numbers in a panel's unit, and the marks of an axis.

/// A value in Grafana's unit (`@grafana/data`, `valueFormats/categories`), in few columns.
pub(super) fn format(value: f64, unit: &str) -> String {
    if !value.is_finite() {
        return "-".into();
    }
    match unit {
        "percentunit" => format!("{}%", short(value * 100.0)),
        "percent" => format!("{}%", short(value)),
        "s" | "dtdurations" | "clocks" => seconds(value),
        "ms" | "dtdurationms" => seconds(value / 1e3),
        "µs" => seconds(value / 1e6),
        "ns" => seconds(value / 1e9),
        "bytes" | "kbytes" | "mbytes" | "gbytes" => {
            let factor = match unit {
                "kbytes" => 1024.0,
                "mbytes" => 1024.0 * 1024.0,
                "gbytes" => 1024.0 * 1024.0 * 1024.0,
                _ => 1.0,
            };
            scaled(value * factor, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB"])
        }
        "decbytes" => scaled(value, 1e3, &["B", "kB", "MB", "GB", "TB", "PB"]),
        "binBps" => scaled(value, 1024.0, &["B/s", "KiB/s", "MiB/s", "GiB/s", "TiB/s"]),
        "Bps" => scaled(value, 1e3, &["B/s", "kB/s", "MB/s", "GB/s", "TB/s"]),
        "bits" => scaled(value, 1e3, &["b", "kb", "Mb", "Gb", "Tb"]),
        "bps" => scaled(value, 1e3, &["b/s", "kb/s", "Mb/s", "Gb/s", "Tb/s"]),
        "hertz" => scaled(value, 1e3, &["Hz", "kHz", "MHz", "GHz"]),
        "reqps" => format!("{} req/s", short(value)),
        "ops" | "iops" => format!("{} ops/s", short(value)),
        "cps" | "rps" | "wps" => format!("{} /s", short(value)),
        "reqpm" | "opm" | "cpm" | "rpm" => format!("{} /min", short(value)),
        "bool_yes_no" => if value == 0.0 { "no" } else { "yes" }.into(),
        "bool" => if value == 0.0 { "false" } else { "true" }.into(),
        "bool_on_off" => if value == 0.0 { "off" } else { "on" }.into(),
        "" | "short" | "none" | "string" | "locale" => short(value),
        // A unit of one's own stands behind (`suffix:km`) or before (`prefix:$`).
        other => match (other.strip_prefix("suffix:"), other.strip_prefix("prefix:")) {
            (Some(suffix), _) => format!("{} {suffix}", short(value)),
            (_, Some(prefix)) => format!("{prefix}{}", short(value)),
            _ => short(value),
        },
    }
}

/// Three digits, and the thousand that they count.
fn short(value: f64) -> String {
    scaled(value, 1e3, &["", "k", "M", "G", "T", "P"])
}

fn scaled(value: f64, base: f64, units: &[&str]) -> String {
    let mut value = value;
    let mut unit = 0;
    while value.abs() >= base * 0.9995 && unit + 1 < units.len() {
        value /= base;
        unit += 1;
    }
    format!(
        "{}{}",
        digits(value),
        units.get(unit).copied().unwrap_or_default()
    )
}

/// Three digits that count, without zeros behind the point.
fn digits(value: f64) -> String {
    let size = value.abs();
    let text = match size {
        _ if size == 0.0 => return "0".into(),
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        0.01.. => format!("{value:.2}"),
        0.0001.. => format!("{value:.4}"),
        _ => return format!("{value:.1e}"),
    };
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

fn seconds(value: f64) -> String {
    let size = value.abs();
    let (value, unit) = match size {
        _ if size == 0.0 => (0.0, "s"),
        86_400.0.. => (value / 86_400.0, "d"),
        3_600.0.. => (value / 3_600.0, "h"),
        120.0.. => (value / 60.0, "min"),
        0.9995.. => (value, "s"),
        0.000_999_5.. => (value * 1e3, "ms"),
        0.000_000_999_5.. => (value * 1e6, "us"),
        _ => (value * 1e9, "ns"),
    };
    format!("{}{unit}", digits(value))
}

/// The bounds of an axis that holds values from `low` to `high`, and its marks: whole steps of 1, 2 or
/// 5. A lower end near 0 is 0. Fixed bounds stay as they are.
pub(super) fn axis(
    low: f64,
    high: f64,
    fixed: (Option<f64>, Option<f64>),
    marks: usize,
) -> (f64, f64, Vec<f64>) {
    let (mut low, mut high) = (fixed.0.unwrap_or(low), fixed.1.unwrap_or(high));
    if !low.is_finite() || !high.is_finite() {
        (low, high) = (0.0, 1.0);
    }
    if fixed.0.is_none() && low > 0.0 && low < high * 0.6 {
        low = 0.0;
    }
    if high <= low {
        let room = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
        high = low + room;
        if fixed.0.is_none() && low != 0.0 {
            low -= room;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful of marks")]
    let rough = (high - low) / marks.max(1) as f64;
    let power = 10.0_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|m| m * power)
        .into_iter()
        .find(|step| *step >= rough * 0.999);
    let step = step.unwrap_or(power * 10.0);
    if fixed.1.is_none() {
        high = (high / step - 1e-9).ceil() * step;
    }
    if fixed.0.is_none() {
        low = (low / step + 1e-9).floor() * step;
    }
    let mut list = Vec::new();
    let mut at = (low / step - 1e-9).ceil() * step;
    while at <= high + step * 1e-6 && list.len() < 50 {
        // What is 0 but for rounding is 0.
        list.push(if at.abs() < step * 1e-6 { 0.0 } else { at });
        at += step;
    }
    (low, high, list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_their_units() {
        let cases = [
            (0.1234, "percentunit", "12.3%"),
            (12.0, "reqps", "12 req/s"),
            (0.0123, "s", "12.3ms"),
            (90.0, "s", "90s"),
            (7_200.0, "s", "2h"),
            (1_536.0, "bytes", "1.5KiB"),
            (1_500.0, "decbytes", "1.5kB"),
            (1_234_567.0, "short", "1.23M"),
            (0.0, "short", "0"),
            (0.000_02, "", "2.0e-5"),
            (-3.5, "none", "-3.5"),
            (1.0, "bool_yes_no", "yes"),
            (3.0, "suffix:km", "3 km"),
            (999.6, "short", "1k"),
            (f64::NAN, "s", "-"),
        ];
        for (value, unit, text) in cases {
            assert_eq!(format(value, unit), text, "{value} {unit}");
        }
    }

    #[test]
    fn axes_have_whole_steps_and_hold_everything() {
        assert_eq!(axis(0.3, 9.7, (None, None), 4), (0.0, 10.0, vec![0.0, 5.0, 10.0]));
        assert_eq!(
            axis(0.0, 1.0, (Some(0.0), Some(1.0)), 4),
            (0.0, 1.0, vec![0.0, 0.5, 1.0])
        );
        let (low, high, marks) = axis(5.0, 5.0, (None, None), 3);
        assert!(low < 5.0 && high > 5.0 && !marks.is_empty());
        for (low, high) in [
            (f64::INFINITY, f64::NEG_INFINITY),
            (-1.0, 1.0),
            (1e-12, 2e-12),
            (1e12, 1.1e12),
            (0.0, 0.0),
        ] {
            let (from, to, marks) = axis(low, high, (None, None), 4);
            assert!(
                from < to && marks.len() < 20,
                "{low} {high}: {from} {to} {marks:?}"
            );
            if low.is_finite() {
                assert!(from <= low && to >= high, "{low} {high}: {from} {to}");
            }
        }
    }
}
