use std::time::Duration;

use crate::event::live::{Fact, Happening, Kind, testing::container};
use crate::plan::Instance;
use crate::view::tui::testing::{Driven, NOON};

const STACK: &str = "
services:
  app: {image: example/app}
  nginx:
    image: example/nginx
    depends_on: [app]
";

fn happened(at: i64, service: &str, kind: Kind, text: &str) -> Fact {
    let about = !service.is_empty();
    Fact::Happened(Happening {
        time: NOON + at * 1_000_000_000,
        kind,
        instance: about.then(|| Instance {
            service: service.into(),
            number: 1,
        }),
        service: about.then(|| service.into()),
        container: about.then(|| "3f2a1b0c9d8e7f".into()),
        text: text.into(),
    })
}

fn some() -> Driven {
    let mut driven = Driven::of_stack(STACK);
    driven.fact(Fact::Containers(vec![container("app", 1), container("nginx", 1)]));
    for fact in [
        happened(0, "app", Kind::Created, "created from example/app:1.2"),
        happened(1, "app", Kind::Started, "started"),
        happened(2, "app", Kind::Healthy, "healthy after 1.2 s"),
        happened(3, "nginx", Kind::Started, "started"),
        happened(300, "app", Kind::Died, "exited with code 1"),
        happened(301, "app", Kind::Restarted, "started again, the 1st time"),
        happened(
            302,
            "nginx",
            Kind::Unhealthy,
            "GET /health: 502 Bad Gateway: upstream is not there, which is told in many words so that they do not fit on one line of an ordinary terminal",
        ),
        happened(330, "nginx", Kind::Healthy, "healthy again after 28 s"),
        happened(400, "", Kind::Action, "platform -p shop restart app"),
    ] {
        driven.fact(fact);
    }
    driven.wait(Duration::from_secs(600));
    driven.keys("3");
    driven
}

#[test]
fn everything_on_one_axis() {
    let mut driven = some();
    insta::assert_snapshot!(driven.screen(120, 40));
    insta::assert_snapshot!(driven.screen(80, 24));
    insta::assert_snapshot!(driven.screen(20, 5));
}

#[test]
fn filters() {
    let mut driven = some();
    let count = |driven: &mut Driven, many: &str| {
        let screen = driven.screen(80, 24);
        assert!(screen.contains(many), "{screen}");
    };
    driven.keys("f");
    count(&mut driven, "3 of 9 entries");
    driven.keys("f D X");
    count(&mut driven, "7 of 9 entries");
    driven.keys("a / n g i n x enter");
    count(&mut driven, "3 of 9 entries");
    driven.keys("!");
    count(&mut driven, "6 of 9 entries");
    driven.keys("esc");
    driven.app.shared.selected = Some(Instance {
        service: "nginx".into(),
        number: 1,
    });
    driven.keys("i");
    insta::assert_snapshot!(driven.screen(80, 16));
    driven.keys("a / / ( enter");
    count(&mut driven, "nothing of what happened");
    driven.keys("esc / / ( / enter");
    count(&mut driven, "unclosed group");
}

#[test]
fn from_an_entry_to_the_logs_around_it() {
    let mut driven = some();
    driven.keys("up up up up");
    assert!(driven.screen(80, 24).contains("5 of 9"));
    assert_eq!(
        driven.app.shared.selected.as_ref().map(|i| i.service.as_str()),
        Some("app")
    );
    // What comes late does not move the selection.
    driven.fact(happened(100, "nginx", Kind::Paused, "paused"));
    assert!(driven.screen(80, 24).contains("6 of 10"));
    driven.keys("enter");
    assert_eq!(driven.app.screen(), "logs");
    driven.keys("`");
    driven.keys("end");
    assert!(driven.screen(80, 24).contains("following"));
}

#[test]
fn zoom_and_what_is_remembered() {
    let mut driven = some();
    driven.keys("- D");
    driven.wait(Duration::from_secs(7));
    insta::assert_snapshot!(driven.screen(100, 26));
    let remembered = driven.app.remember();
    let mut next = some();
    next.app.recall(&remembered);
    assert_eq!(next.app.remember(), remembered);
}
