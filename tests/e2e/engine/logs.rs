//! Logs, byte for byte, to the last line.

use futures_util::StreamExt;
use platform::engine::{LogLine, LogOptions, LogStream};

use super::*;
use platform::model::Logging;

async fn all(world: &World, id: &ContainerId, options: LogOptions) -> Vec<LogLine> {
    let read = world.engine.logs(id, options).map(|line| line.unwrap()).collect();
    tokio::time::timeout(Duration::from_secs(30), read).await.unwrap()
}

fn follow() -> LogOptions {
    LogOptions {
        follow: true,
        ..LogOptions::default()
    }
}

fn texts(lines: &[LogLine]) -> Vec<String> {
    lines
        .iter()
        .map(|l| String::from_utf8_lossy(&l.bytes).into_owned())
        .collect()
}

#[tokio::test]
async fn a_followed_log_ends_with_its_last_unterminated_line() {
    let world = World::new().await;
    for round in 0..5 {
        let id = world
            .start(
                &format!("r{round}"),
                &world.service("echo one; echo two >&2; usleep 200000; printf last; exit 1"),
            )
            .await;
        let lines = all(&world, &id, follow()).await;
        let mut sorted = texts(&lines);
        sorted.sort();
        assert_eq!(sorted, ["last", "one", "two"], "round {round}");
        let last = lines.iter().find(|l| l.bytes == "last").unwrap();
        assert!(!last.complete && !last.timestamp.is_empty());
        let stream = |text: &str| lines.iter().find(|l| l.bytes == *text).unwrap().stream;
        assert_eq!(
            (stream("one"), stream("two")),
            (LogStream::Stdout, LogStream::Stderr)
        );
    }
}

#[tokio::test]
async fn long_lines_and_any_bytes_come_through() {
    let world = World::new().await;
    let script = "printf '\\001\\000\\377\\r\\n'; head -c 40000 /dev/zero | tr '\\0' x; echo; \
                  head -c 3000000 /dev/zero | tr '\\0' y; echo; echo end";
    for tty in [false, true] {
        let mut service = world.service(script);
        service.tty = tty;
        // The usual log files hold text only: the engine replaces there what is no UTF-8. Its other
        // kind loses the newline of long lines of a terminal.
        if !tty {
            service.logging = Some(Logging {
                driver: Some("local".into()),
                ..Logging::default()
            });
        }
        let id = world.start(if tty { "tty" } else { "plain" }, &service).await;
        let lines = all(&world, &id, follow()).await;
        let first = if tty {
            "\u{1}\0\u{fffd}\r".as_bytes()
        } else {
            b"\x01\0\xff\r"
        };
        assert_eq!(lines[0].bytes, first, "tty {tty}");
        let rest: Vec<(usize, bool)> = lines[1..].iter().map(|l| (l.bytes.len(), l.cut)).collect();
        assert_eq!(rest, [(40_000, false), (1 << 20, true), (3, false)], "tty {tty}");
    }
}

#[tokio::test]
async fn tail_since_and_a_restart_are_kept_to() {
    let world = World::new().await;
    let id = world
        .start("app", &world.service("for i in 1 2 3 4 5; do echo $i; done"))
        .await;
    world.engine.wait_container(&id).await.unwrap();
    let whole = all(&world, &id, LogOptions::default()).await;
    assert_eq!(texts(&whole), ["1", "2", "3", "4", "5"]);
    let tail = LogOptions {
        tail: Some(2),
        ..LogOptions::default()
    };
    assert_eq!(texts(&all(&world, &id, tail).await), ["4", "5"]);
    let since = LogOptions {
        since: Some(whole[2].timestamp.clone()),
        ..LogOptions::default()
    };
    assert_eq!(texts(&all(&world, &id, since).await), ["3", "4", "5"]);

    // From now on only, over the container's second life.
    let now = LogOptions {
        tail: Some(0),
        ..follow()
    };
    world.engine.start_container(&id).await.unwrap();
    let again = all(&world, &id, now).await;
    assert!(again.len() <= 5, "{again:?}");
    assert_eq!(all(&world, &id, follow()).await.len(), 10);
}
