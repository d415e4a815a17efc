//! Failures as workflow commands of GitHub Actions (Gitea's and Forgejo's understand them too): one
//! `::error` a failure, which the CI system shows beside the line of the stack file.

use std::path::{Path, PathBuf};

use super::failure::{details, operation_headline, tame};
use crate::event::{FailureReport, Snapshot, TestVerdict};
use crate::model::{SourcePlace, SourcePlaces};

/// Where files are, for the CI system to find them again.
#[derive(Debug, Clone, Default)]
pub struct Checkout {
    /// The folder that the command runs in, which relative places are relative to.
    pub cwd: PathBuf,
    /// The root of the checked-out repository, which the CI system's file names are relative to.
    pub root: Option<PathBuf>,
}

impl Checkout {
    /// A file's name relative to the root of the repository where it lies under it, else as it is.
    fn name(&self, file: &Path) -> String {
        let full = self.cwd.join(file);
        let inside = self.root.as_ref().and_then(|root| full.strip_prefix(root).ok());
        inside.unwrap_or(file).display().to_string()
    }

    fn command(&self, place: Option<&SourcePlace>, title: &str, text: &str) -> String {
        let mut properties = Vec::new();
        if let Some(place) = place {
            properties.push(format!("file={}", property(&self.name(&place.file))));
            properties.push(format!("line={}", place.line));
        }
        properties.push(format!("title={}", property(&tame(title))));
        format!("::error {}::{}\n", properties.join(","), message(&tame(text)))
    }
}

/// The annotations of a run that has ended: of what failed and of smoke tests that did, each on a
/// line of its own.
pub fn run(snapshot: &Snapshot, places: &SourcePlaces, checkout: &Checkout) -> String {
    let mut out = snapshot
        .failure
        .as_ref()
        .map(|report| failures(report, checkout))
        .unwrap_or_default();
    for (name, view) in &snapshot.tests {
        if let Some(TestVerdict::Failed { reason }) = &view.verdict {
            out.push_str(&smoke_test(name, reason, places, checkout));
        }
    }
    out
}

/// The annotations of a failure report.
pub fn failures(report: &FailureReport, checkout: &Checkout) -> String {
    let mut out = String::new();
    for failed in &report.services {
        let place = failed.place.as_ref();
        out.push_str(&checkout.command(place, &failed.headline(), &details(failed)));
    }
    for failed in &report.operations {
        let mut text = failed.error.clone();
        if let Some(hint) = &failed.hint {
            text.push_str("\nhint: ");
            text.push_str(hint);
        }
        out.push_str(&checkout.command(None, &operation_headline(failed), &text));
    }
    out
}

/// The annotation of a smoke test that failed; `reason` says what was expected and found.
pub fn smoke_test(name: &str, reason: &str, places: &SourcePlaces, checkout: &Checkout) -> String {
    let title = format!("smoke test {name} failed");
    checkout.command(places.smoke.get(name), &title, reason)
}

/// Escapes the message of a workflow command.
fn message(text: &str) -> String {
    text.trim_end()
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes a property of a workflow command.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::view::testing;

    #[test]
    fn a_failure_is_one_line_with_its_place() {
        let all = failures(&testing::report(), &Checkout::default());
        assert_eq!(all.lines().count(), 4, "one a failure: {all}");
        assert_snapshot!(all, @r#"
        ::error file=stacks/devops.yaml,line=12,title=db did not get ready within 30s::needed by: nginx → app → db (app needs it healthy)%0Alast probe: GET http://172.18.0.3:8000/health/ready → 503 Service Unavailable: {"status":"starting"} (2ms; 41 tries)%0Abefore: the container that ran before runs again%0Anot started: nginx, prometheus%0Adefined in: stacks/devops.yaml:12%0Ahint: its database does not answer: is DATABASE_URL right?%0A| connecting to \x1b[31mpostgres\x1b[0m%0A| still connecting
        ::error title=worker was killed for memory (exit code 137)::hint: the kernel killed it for memory: raise its mem_limit (deploy.resources.limits.memory), or let it use less
        ::error title=web could not be started::because: driver failed programming external connectivity: Bind for 0.0.0.0:80 failed: port is already allocated
        ::error title=could not create network devops_devops::could not find an available address pool%0Ahint: remove networks that nothing uses
        "#);
        assert!(!all.contains('\x1b'));
    }

    #[test]
    fn a_failed_smoke_test_has_the_place_of_its_item() {
        let snapshot = testing::snapshot_at(&testing::up(), 20_000);
        let place = SourcePlace {
            file: "devops.yaml".into(),
            line: 300,
        };
        let places = SourcePlaces {
            smoke: [("version".to_owned(), place)].into(),
            ..SourcePlaces::default()
        };
        let checkout = Checkout {
            cwd: "/builds/repo/stacks".into(),
            root: Some("/builds/repo".into()),
        };
        assert_snapshot!(
            run(&snapshot, &places, &checkout),
            @r#"::error file=stacks/devops.yaml,line=300,title=smoke test version failed::expected "1.2" at $.version, found "1.1""#
        );
        assert_snapshot!(
            smoke_test("gone, 100%", "a\nb", &places, &checkout),
            @"::error title=smoke test gone%2C 100%25 failed::a%0Ab"
        );
    }
}
