//! No engine, no permission, something that is no engine, an engine that hangs.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use crate::support::cli::Cli;
use crate::support::docker::Docker;
use crate::support::project::Project;
use crate::support::proxy::{Fault, Nth, Proxy};

/// A project whose program goes to `socket`, a name in its folder.
fn project() -> Project {
    let project = Project::shared();
    project.stack("services: { web: { image: \"@image@\" } }\n");
    project
}

fn at(project: &Project, socket: &str, args: &[&str]) -> Cli {
    project.platform(args.iter().copied()).env(
        "DOCKER_HOST",
        format!("unix://{}/{socket}", project.dir().display()),
    )
}

#[test]
fn no_socket_is_said_with_the_place_that_was_tried() {
    let project = project();
    for args in [
        &["up", "-d"][..],
        &["down"],
        &["ps"],
        &["logs"],
        &["exec", "web", "true"],
    ] {
        let outcome = at(&project, "none.sock", args).run().expect(4).says("none.sock");
        assert_eq!(outcome.stdout, "", "{outcome}");
        assert!(outcome.duration < Duration::from_secs(5), "{outcome}");
    }
}

#[test]
fn a_socket_that_nobody_listens_on_is_no_engine() {
    let project = project();
    drop(UnixListener::bind(project.dir().join("dead.sock")).unwrap());
    let outcome = at(&project, "dead.sock", &["up", "-d"])
        .run()
        .expect(4)
        .says("dead.sock");
    assert!(outcome.duration < Duration::from_secs(5), "{outcome}");
}

#[test]
fn no_permission_is_not_no_engine() {
    let project = project();
    let socket = project.dir().join("shut.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o000)).unwrap();
    // Root may do anything, and other users may not reach the folder that the binary is in.
    let binary = project.dir().join("platform");
    fs::copy(env!("CARGO_BIN_EXE_platform"), &binary).unwrap();
    let mut cli = project
        .prepare(Cli::new(&binary).args(["up", "-d"]))
        .env("DOCKER_HOST", format!("unix://{}", socket.display()))
        .env("HOME", project.dir());
    if rustix::process::geteuid().is_root() {
        cli = cli.uid(65534);
    }
    let outcome = cli.run().expect(4).says("shut.sock");
    assert!(outcome.stderr.to_lowercase().contains("permission"), "{outcome}");
}

#[test]
fn something_that_is_no_engine_is_told_from_one() {
    let project = project();
    let listener = UnixListener::bind(project.dir().join("odd.sock")).unwrap();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut buffer = [0; 1024];
            drop(client.read(&mut buffer));
            drop(client.write_all(b"SSH-2.0-OpenSSH_9.2\r\n"));
        }
    });
    let outcome = at(&project, "odd.sock", &["ps"])
        .run()
        .expect(4)
        .says("HTTP")
        .says("is it an engine");
    assert!(outcome.duration < Duration::from_secs(20), "{outcome}");
}

#[test]
fn an_engine_that_hangs_is_given_up_after_the_time_asked_for() {
    let project = project();
    let proxy = Proxy::before(&Docker::shared());
    proxy.rule("*", ".", Nth::Every, Fault::StallAfter(0));
    let cli = project
        .platform(["up", "-d", "--engine-timeout", "1s"])
        .engine(&proxy.docker());
    let outcome = cli.run().expect(4);
    assert!(outcome.duration < Duration::from_secs(15), "{outcome}");
}

#[test]
fn a_first_answer_that_is_lost_is_asked_for_again() {
    let project = project();
    for args in [&["up", "-d"][..], &["plan"], &["ps"], &["up", "-d"], &["down"]] {
        for (nth, fault) in [
            (1, Fault::Drop),
            (2, Fault::LoseAnswer),
            (3, Fault::CutAfter(40)),
            (4, Fault::CutAfter(300)),
        ] {
            let proxy = Proxy::before(&Docker::shared());
            proxy.rule("GET", ".", Nth::Only(nth), fault);
            let outcome = project
                .platform(args.iter().copied())
                .engine(&proxy.docker())
                .run();
            assert_eq!(outcome.code(), Some(0), "{fault:?} of question {nth}: {outcome}");
        }
    }
    // All of them lost is said, soon.
    let proxy = Proxy::before(&Docker::shared());
    proxy.rule("GET", ".", Nth::Every, Fault::Drop);
    let outcome = project
        .platform(["up", "-d"])
        .engine(&proxy.docker())
        .run()
        .expect(4)
        .says("answer was lost");
    assert!(outcome.duration < Duration::from_secs(5), "{outcome}");
    assert_eq!(proxy.count("*", "."), 4, "{outcome}");
}
