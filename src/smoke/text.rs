//! The report for people.

use std::fmt::Write;

use super::outcome::{Outcome, Report, TestReport};
use crate::base::Masker;
use crate::probe::attempt::millis;

/// Escape sequences that colour a mark; colour is never its only carrier.
const GREEN: &str = "\u{1b}[32m";
const RED: &str = "\u{1b}[31m";
const YELLOW: &str = "\u{1b}[33m";
const DIM: &str = "\u{1b}[2m";
const PLAIN: &str = "\u{1b}[0m";

/// A line for each test, what was wrong and the evidence below those that failed, and a sum.
pub fn text(report: &Report, masker: &Masker, colour: bool) -> String {
    let mut out = String::new();
    for test in &report.tests {
        out.push_str(&text_line(test, masker, colour));
    }
    let (passed, failed, skipped) = report.counts();
    let mut parts = vec![format!("{passed} passed")];
    for (count, word) in [(failed, "failed"), (skipped, "skipped")] {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    let _ = writeln!(out, "{} in {}", parts.join(", "), millis(report.took));
    out
}

/// One test of [`text`]: its line, ended, and the lines below it.
pub fn text_line(test: &TestReport, masker: &Masker, colour: bool) -> String {
    let test = test.masked(masker);
    let paint = |code: &str, text: &str| {
        if colour {
            format!("{code}{text}{PLAIN}")
        } else {
            text.to_owned()
        }
    };
    let name = safe(&test.name);
    let time = match test.attempts {
        0 | 1 => millis(test.took),
        n => format!("{}, {n} tries", millis(test.took)),
    };
    let mut out = String::new();
    match &test.outcome {
        Outcome::Passed => {
            let _ = writeln!(out, "{} {name}  {}", paint(GREEN, "✓"), paint(DIM, &time));
        }
        Outcome::Skipped(reason) => {
            let _ = writeln!(out, "{} {name}  skipped: {}", paint(YELLOW, "-"), safe(reason));
        }
        Outcome::Failed(mismatches) => {
            let _ = writeln!(out, "{} {name}  {}", paint(RED, "✗"), paint(DIM, &time));
            for mismatch in mismatches {
                let _ = writeln!(out, "    {}", paint(RED, &safe(&mismatch.to_string())));
            }
            for line in test.evidence.iter().flat_map(|e| e.lines()) {
                let _ = writeln!(out, "    {}", paint(DIM, &safe(&line)));
            }
        }
    }
    out
}

/// `text` in one line, with nothing in it that a terminal would act on.
pub(super) fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push_str("  "),
            // Control characters, and those that turn the direction of writing.
            c if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
                out.extend(c.escape_default());
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smoke::testing::report;

    #[test]
    fn a_line_each_and_evidence_below_failures() {
        let masker = Masker::default();
        masker.add("hunter2");
        insta::assert_snapshot!(text(&report(), &masker, false), @r#"
        ✓ home  12 ms
        ✗ version  541 ms, 3 tries
            status: expected 200, found 500
            $.version: expected "2", found "1"
            GET http://127.0.0.1:8080/version?key=••••••
            500 Internal Server Error in 8 ms, 35 bytes
              content-type: application/json
              {"version":"1",
               "key":"••••••\u{7}"}
        ✗ database  1 ms
            connection: expected a connection, found connection refused
            connect to 127.0.0.1:5432
            ended after 1 ms
        ✗ routes  110 ms
            exit: expected exit code 0, found exit code 1
            exec in alertmanager: amtool check-config
            exit code 1 in 110 ms
            stderr:
              bad
              file
        ✗ targets  1.30 s, 2 tries
            up{job="b"}: expected == 1, found 0
            query http://127.0.0.1:9090: up
            3 series in 4 ms
              up{job="a"} 1
              up{job="b"} 0
              and 1 more
        ✗ dashboards  90 ms
            Overview / Errors A: expected an answer to rate(x), found bad_data: parse error
            queries of the dashboards in /d, asked of http://127.0.0.1:9090
            20 queries of 2 dashboards in 90 ms: 16 with data, 3 empty, 1 failed; 1 for other data sources not asked
        - grafana  skipped: grafana is unavailable: no image
        1 passed, 5 failed, 1 skipped in 2.03 s
        "#);
    }

    #[test]
    fn colour_adds_nothing_but_colour() {
        let masker = Masker::default();
        let coloured = text(&report(), &masker, true);
        assert!(coloured.starts_with("\u{1b}[32m✓\u{1b}[0m home  \u{1b}[2m12 ms\u{1b}[0m\n"));
        let stripped = [GREEN, RED, YELLOW, DIM, PLAIN]
            .iter()
            .fold(coloured, |text, code| text.replace(code, ""));
        assert_eq!(stripped, text(&report(), &masker, false));
    }

    #[test]
    fn nothing_acts_on_the_terminal() {
        assert_eq!(
            safe("a\u{1b}[2J\r\u{7}\u{9b}b\tc\u{202e}"),
            "a\\u{1b}[2J\\r\\u{7}\\u{9b}b  c\\u{202e}"
        );
    }
}
