//! The report as JUnit XML, for continuous integration.

use quick_junit::{NonSuccessKind, Report as JunitReport, TestCase, TestCaseStatus, TestSuite};

use super::outcome::{Outcome, Report, TestReport};
use super::text::safe;
use crate::base::Masker;

/// One suite named `smoke`, one case for each test; ended by a newline. Carries neither dates
/// nor random ids, so that the same results give the same text.
///
/// # Errors
/// Where XML cannot be written, in words.
pub fn junit(report: &Report, masker: &Masker) -> Result<String, String> {
    let mut suite = TestSuite::new("smoke");
    suite.set_time(report.took);
    for test in &report.tests {
        suite.add_test_case(case(&test.masked(masker), &report.project));
    }
    let mut document = JunitReport::new(masker.mask(&report.project).as_ref());
    document.set_time(report.took);
    document.add_test_suite(suite);
    let mut text = document.to_string().map_err(|e| e.to_string())?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

fn case(test: &TestReport, project: &str) -> TestCase {
    let evidence = test
        .evidence
        .iter()
        .flat_map(|e| e.lines())
        .map(|line| safe(&line))
        .collect::<Vec<_>>()
        .join("\n");
    let status = match &test.outcome {
        Outcome::Passed => TestCaseStatus::success(),
        Outcome::Skipped(reason) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(safe(reason));
            status
        }
        Outcome::Failed(mismatches) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let lines: Vec<String> = mismatches.iter().map(|m| safe(&m.to_string())).collect();
            status.set_message(lines.first().cloned().unwrap_or_default());
            status.set_type(test.kind.as_str());
            status.set_description(format!("{}\n\n{evidence}", lines.join("\n")));
            status
        }
    };
    let mut case = TestCase::new(test.name.as_str(), status);
    case.set_classname(format!("{project}.smoke"));
    case.set_time(test.took);
    if test.attempts > 1 {
        case.add_property(("attempts", test.attempts.to_string().as_str()));
    }
    case
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smoke::testing::report;

    #[test]
    fn one_suite() {
        let masker = Masker::default();
        masker.add("hunter2");
        insta::assert_snapshot!(junit(&report(), &masker).unwrap(), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="p" tests="7" skipped="1" failures="5" errors="0" time="2.034">
            <testsuite name="smoke" tests="7" skipped="1" errors="0" failures="5" time="2.034">
                <testcase name="home" classname="p.smoke" time="0.012"/>
                <testcase name="version" classname="p.smoke" time="0.541">
                    <properties>
                        <property name="attempts" value="3"/>
                    </properties>
                    <failure message="status: expected 200, found 500" type="http">status: expected 200, found 500
        $.version: expected &quot;2&quot;, found &quot;1&quot;

        GET http://127.0.0.1:8080/version?key=••••••
        500 Internal Server Error in 8 ms, 35 bytes
          content-type: application/json
          {&quot;version&quot;:&quot;1&quot;,
           &quot;key&quot;:&quot;••••••\u{7}&quot;}</failure>
                </testcase>
                <testcase name="database" classname="p.smoke" time="0.001">
                    <failure message="connection: expected a connection, found connection refused" type="tcp">connection: expected a connection, found connection refused

        connect to 127.0.0.1:5432
        ended after 1 ms</failure>
                </testcase>
                <testcase name="routes" classname="p.smoke" time="0.110">
                    <failure message="exit: expected exit code 0, found exit code 1" type="exec">exit: expected exit code 0, found exit code 1

        exec in alertmanager: amtool check-config
        exit code 1 in 110 ms
        stderr:
          bad
          file</failure>
                </testcase>
                <testcase name="targets" classname="p.smoke" time="1.300">
                    <properties>
                        <property name="attempts" value="2"/>
                    </properties>
                    <failure message="up{job=&quot;b&quot;}: expected == 1, found 0" type="promql">up{job=&quot;b&quot;}: expected == 1, found 0

        query http://127.0.0.1:9090: up
        3 series in 4 ms
          up{job=&quot;a&quot;} 1
          up{job=&quot;b&quot;} 0
          and 1 more</failure>
                </testcase>
                <testcase name="dashboards" classname="p.smoke" time="0.090">
                    <failure message="Overview / Errors A: expected an answer to rate(x), found bad_data: parse error" type="dashboards">Overview / Errors A: expected an answer to rate(x), found bad_data: parse error

        queries of the dashboards in /d, asked of http://127.0.0.1:9090
        20 queries of 2 dashboards in 90 ms: 16 with data, 3 empty, 1 failed; 1 for other data sources not asked</failure>
                </testcase>
                <testcase name="grafana" classname="p.smoke" time="0.000">
                    <skipped message="grafana is unavailable: no image"/>
                </testcase>
            </testsuite>
        </testsuites>
        "#);
    }

    #[test]
    fn what_xml_cannot_hold_is_left_out() {
        let mut report = report();
        report.tests[0].name = "\u{1b}[31m<a> & \u{0}b".into();
        let text = junit(&report, &Masker::default()).unwrap();
        assert!(
            !text.contains('\u{1b}') && !text.contains('\u{0}') && !text.contains("<a>"),
            "{text}"
        );
    }
}
