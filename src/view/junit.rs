//! What came of an `up`, as JUnit XML: a suite with a case for each container. Smoke tests have a
//! suite of their own ([`crate::smoke`]).

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::failure;
use super::text::one_line;
use crate::base::Moment;
use crate::event::{FailedService, InstanceView, Snapshot, Stage};
use crate::plan::Instance;

/// The suite `services`: a case for each container and for each operation that failed.
pub fn services(snapshot: &Snapshot) -> TestSuite {
    let project = snapshot.project.as_ref().map_or("", |name| name.as_str());
    let mut suite = TestSuite::new("services");
    suite.set_time(end(snapshot));
    let class = format!("{project}.services");
    let report = snapshot.failure.clone().unwrap_or_default();
    let mut seen: Vec<&Instance> = Vec::new();
    for (instance, view) in &snapshot.instances {
        seen.push(instance);
        let failed = report.services.iter().find(|failed| failed.instance == *instance);
        let status = match failed {
            Some(failed) => failure_status(failed),
            None => status(instance, view),
        };
        let mut case = TestCase::new(instance.to_string(), status);
        case.set_classname(class.as_str());
        if let Some(failed) = failed {
            case.set_time(failed.took);
        } else if let (Some(started), Some(ready)) = (view.started, view.ready) {
            case.set_time(ready.saturating_sub(started));
        }
        suite.add_test_case(case);
    }
    for failed in report
        .services
        .iter()
        .filter(|failed| !seen.contains(&&failed.instance))
    {
        let mut case = TestCase::new(failed.instance.to_string(), failure_status(failed));
        case.set_classname(class.as_str());
        case.set_time(failed.took);
        suite.add_test_case(case);
    }
    for failed in &report.operations {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type("operation");
        status.set_message(one_line(&failed.error).into_owned());
        if let Some(hint) = &failed.hint {
            status.set_description(format!("hint: {}", one_line(hint)));
        }
        let mut case = TestCase::new(one_line(&failed.what).into_owned(), status);
        case.set_classname(class.as_str());
        suite.add_test_case(case);
    }
    suite
}

/// A whole document; ended by a newline. Carries neither dates nor random ids, so that the same run
/// gives the same text.
///
/// # Errors
/// Where XML cannot be written, in words.
pub fn document(snapshot: &Snapshot, suites: impl IntoIterator<Item = TestSuite>) -> Result<String, String> {
    let project = snapshot.project.as_ref().map_or("", |name| name.as_str());
    let mut report = Report::new(project);
    report.set_time(end(snapshot));
    report.add_test_suites(suites);
    let mut text = report.to_string().map_err(|error| error.to_string())?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

fn end(snapshot: &Snapshot) -> Moment {
    snapshot
        .verdict
        .as_ref()
        .map_or(snapshot.at, |verdict| verdict.took)
}

fn failure_status(failed: &FailedService) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(failed.cause.kind());
    status.set_message(one_line(&failed.headline()).into_owned());
    status.set_description(failure::details(failed));
    status
}

/// The status of a container that the failure report does not name.
fn status(instance: &Instance, view: &InstanceView) -> TestCaseStatus {
    let reason = view.reason.as_deref().unwrap_or_default();
    match view.stage {
        Stage::Ready | Stage::Completed | Stage::Running => TestCaseStatus::success(),
        _ if view.kept => TestCaseStatus::success(),
        Stage::Failed => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(one_line(&format!("{instance} failed: {reason}")).into_owned());
            status
        }
        stage => {
            let mut status = TestCaseStatus::skipped();
            let text = if reason.is_empty() {
                stage.as_str().to_owned()
            } else {
                format!("{}: {reason}", stage.as_str())
            };
            status.set_message(one_line(&text).into_owned());
            status
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::testing;

    #[test]
    fn each_container_is_a_case() {
        let mut snapshot = testing::snapshot_at(&testing::up(), 20_000);
        snapshot.failure = Some(testing::report());
        let text = document(&snapshot, [services(&snapshot)]).unwrap();
        assert!(!text.contains('\u{1b}'));
        insta::assert_snapshot!(text, @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="devops" tests="8" skipped="1" failures="3" errors="1" time="10.901">
            <testsuite name="services" tests="8" skipped="1" errors="1" failures="3" time="10.901">
                <testcase name="prometheus" classname="devops.services"/>
                <testcase name="grafana" classname="devops.services">
                    <skipped message="unavailable: no image"/>
                </testcase>
                <testcase name="app" classname="devops.services" time="0.450"/>
                <testcase name="nginx" classname="devops.services" time="0.100"/>
                <testcase name="db" classname="devops.services" time="30.000">
                    <failure message="db did not get ready within 30s" type="not_ready">needed by: nginx → app → db (app needs it healthy)
        last probe: GET http://172.18.0.3:8000/health/ready → 503 Service Unavailable: {&quot;status&quot;:&quot;starting&quot;} (2ms; 41 tries)
        before: the container that ran before runs again
        not started: nginx, prometheus
        defined in: stacks/devops.yaml:12
        hint: its database does not answer: is DATABASE_URL right?
        | connecting to \x1b[31mpostgres\x1b[0m
        | still connecting
        </failure>
                </testcase>
                <testcase name="worker" classname="devops.services" time="0.000">
                    <failure message="worker was killed for memory (exit code 137)" type="exited">hint: the kernel killed it for memory: raise its mem_limit (deploy.resources.limits.memory), or let it use less
        </failure>
                </testcase>
                <testcase name="web" classname="devops.services" time="0.000">
                    <failure message="web could not be started" type="start">because: driver failed programming external connectivity: Bind for 0.0.0.0:80 failed: port is already allocated
        </failure>
                </testcase>
                <testcase name="create network devops_devops" classname="devops.services">
                    <error message="could not find an available address pool" type="operation">hint: remove networks that nothing uses</error>
                </testcase>
            </testsuite>
        </testsuites>
        "#);
    }
}
