//! Numbers over time in one line of text.

/// Bars of the newest `columns` values from 0 to the greatest of them (or `top`, where given),
/// oldest first.
pub fn spark(values: &[f64], columns: usize, top: Option<f64>, unicode: bool) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    const ASCII: [char; 8] = ['_', '.', ':', '-', '=', '+', '*', '#'];
    let bars = if unicode { BARS } else { ASCII };
    let newest = values
        .get(values.len().saturating_sub(columns)..)
        .unwrap_or_default();
    let greatest = newest
        .iter()
        .copied()
        .filter(|v| v.is_finite())
        .fold(0.0, f64::max);
    let top = top.unwrap_or(greatest).max(f64::MIN_POSITIVE);
    newest
        .iter()
        .map(|value| {
            let part = (value / top).clamp(0.0, 1.0);
            if part.is_nan() {
                return ' ';
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "0.0 to 7.0 as an index"
            )]
            let step = (part * 7.0).round() as usize;
            bars.get(step).copied().unwrap_or(' ')
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_reach_from_nothing_to_the_greatest() {
        assert_eq!(spark(&[9.0, 0.0, 1.0, 2.0, 4.0], 4, None, true), "▁▃▅█");
        assert_eq!(spark(&[1.0, 2.0], 9, Some(4.0), true), "▃▅");
        assert_eq!(spark(&[0.0, 0.0], 9, None, true), "▁▁");
        assert_eq!(spark(&[f64::NAN, 8.0], 9, None, false), " #");
        assert_eq!(spark(&[1.0], 0, None, true), "");
        assert_eq!(spark(&[], 3, None, true), "");
    }
}
