//! Builds with both builders.

use futures_util::StreamExt;
use platform::engine::{BuildProgress, BuildRequest, EngineError};
use platform::model::Build;

use super::*;

impl World {
    fn build_request(&self, dockerfile: &str, buildkit: bool) -> BuildRequest {
        let dockerfile = dockerfile.replace("@image@", &self.project.image());
        let mut archive = tar::Builder::new(Vec::new());
        for (path, text) in [
            ("Dockerfile", dockerfile.as_str()),
            ("note.txt", "from the context"),
        ] {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, path, text.as_bytes()).unwrap();
        }
        let context_tar = self.project.dir().join("context.tar");
        std::fs::write(&context_tar, archive.into_inner().unwrap()).unwrap();
        BuildRequest {
            build: Build::default(),
            context_tar,
            dockerfile: "Dockerfile".into(),
            tags: vec![format!("{}:built", self.stack.name)],
            secrets: BTreeMap::new(),
            hidden_args: BTreeMap::new(),
            buildkit,
            no_cache: true,
            platform: None,
        }
    }

    async fn build(&self, request: BuildRequest) -> (String, Result<platform::base::ImageId, EngineError>) {
        let mut stream = self.engine.build(request);
        let mut text = String::new();
        loop {
            match stream.next().await {
                Some(Ok(BuildProgress::Step(line))) => text.push_str(&format!("step {line}\n")),
                Some(Ok(BuildProgress::Output(line))) => text.push_str(&format!("{line}\n")),
                Some(Ok(BuildProgress::Built(id))) => return (text, Ok(id)),
                Some(Err(error)) => return (text, Err(error)),
                None => panic!("the stream ended without a word: {text}"),
            }
        }
    }
}

#[tokio::test]
async fn both_builders_tell_their_progress_and_the_image() {
    let world = World::new().await;
    for buildkit in [false, true] {
        let mut request = world.build_request(
            "FROM @image@\nARG WHO\nCOPY note.txt /note\nRUN echo hello $WHO; cat /note; echo; printf partial\nLABEL a=b\n",
            buildkit,
        );
        request.build.args = [("WHO".to_owned(), "world".to_owned())].into();
        request.build.labels = [("made.by".to_owned(), "a test".to_owned())].into();
        request.build.tags = vec![format!("{}:second", world.stack.name)];
        let (text, built) = world.build(request).await;
        let id = built.unwrap();
        for part in ["hello world", "from the context", "partial", "step "] {
            assert!(text.contains(part), "buildkit {buildkit}: no {part:?} in\n{text}");
        }
        for tag in ["built", "second"] {
            let reference = format!("{}:{tag}", world.stack.name);
            let found = world.engine.image(&reference).await.unwrap().unwrap();
            assert_eq!(found.id.as_ref(), Some(&id), "buildkit {buildkit}");
            assert_eq!(found.labels["made.by"], "a test");
            world.engine.remove_image(&reference).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_failed_build_tells_its_last_lines_and_leaves_nothing() {
    let world = World::new().await;
    for buildkit in [false, true] {
        let request = world.build_request("FROM @image@\nRUN seq 1 60; echo broken >&2; exit 3\n", buildkit);
        let before = world.engine.list_containers(None).await.unwrap();
        let (_, built) = world.build(request).await;
        let error = built.unwrap_err();
        let EngineErrorKind::StreamFailed(message) = &error.kind else {
            panic!("buildkit {buildkit}: {error:?}");
        };
        assert!(
            message.contains('3') && message.contains("broken") && message.contains("\n60\n"),
            "{message}"
        );
        assert!(!message.contains("\n10\n"), "{message}");
        let after = world.engine.list_containers(None).await.unwrap();
        let mine: Vec<&str> = after
            .iter()
            .filter(|c| !before.iter().any(|b| b.id == c.id) && c.command.contains("seq 1 60"))
            .map(|c| c.name.as_str())
            .collect();
        assert!(mine.is_empty(), "buildkit {buildkit}: {mine:?}");
    }
}

#[tokio::test]
async fn secrets_reach_the_step_and_nothing_else() {
    const CANARY: &str = "canary-5f3a9b-secret";
    let world = World::new().await;
    let mut request = world.build_request(
        "FROM @image@\nRUN --mount=type=secret,id=token wc -c < /run/secrets/token\n\
         RUN --mount=type=secret,id=none test ! -e /run/secrets/none\n",
        true,
    );
    request
        .secrets
        .insert("token".into(), Secret::new(CANARY.as_bytes().to_vec()));
    request
        .hidden_args
        .insert("HTTPS_PROXY".into(), "http://hidden-proxy-canary:1".into());
    let (text, built) = world.build(request).await;
    let id = built.unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert!(text.contains(&CANARY.len().to_string()), "{text}");
    let raw = world.project.engine();
    let history = raw.get(&format!("/images/{id}/history")).to_string();
    let image = raw.get(&format!("/images/{id}/json")).to_string();
    for canary in [CANARY, "hidden-proxy-canary"] {
        assert!(!history.contains(canary) && !image.contains(canary) && !text.contains(canary));
    }
    world
        .engine
        .remove_image(&format!("{}:built", world.stack.name))
        .await
        .unwrap();

    let mut classic = world.build_request("FROM @image@\n", false);
    classic.secrets.insert("token".into(), Secret::new(b"x".to_vec()));
    let (_, refused) = world.build(classic).await;
    assert!(matches!(
        refused.unwrap_err().kind,
        EngineErrorKind::Unsupported(_)
    ));
}

#[tokio::test]
async fn a_missing_base_image_and_a_wrong_file_are_told() {
    let world = World::new().await;
    for buildkit in [false, true] {
        let request = world.build_request("FROM 127.0.0.1:1/no/such:1\n", buildkit);
        let (text, built) = world.build(request).await;
        let error = built.unwrap_err();
        assert!(
            matches!(error.kind, EngineErrorKind::RegistryUnreachable(_)),
            "buildkit {buildkit}: {error:?}\n{text}"
        );
        let request = world.build_request("FROM @image@\nNONSENSE x\n", buildkit);
        let (_, built) = world.build(request).await;
        let error = built.unwrap_err().to_string();
        assert!(error.to_lowercase().contains("unknown instruction"), "{error}");
    }
}

#[tokio::test]
async fn a_build_that_nobody_wants_any_more_stops() {
    let world = World::new().await;
    for buildkit in [false, true] {
        let mark = format!("{}-{buildkit}", world.stack.name);
        let dockerfile = format!("FROM @image@\nRUN echo begun; sleep 987 # {mark}\n");
        let mut stream = world.engine.build(world.build_request(&dockerfile, buildkit));
        while let Some(item) = stream.next().await {
            if item.unwrap() == BuildProgress::Output("begun".into()) {
                break;
            }
        }
        drop(stream);
        let began = Instant::now();
        while running(&mark) {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "buildkit {buildkit}: it goes on"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Whether a process of this machine has this text among its arguments.
fn running(text: &str) -> bool {
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        std::fs::read(entry.path().join("cmdline"))
            .is_ok_and(|words| String::from_utf8_lossy(&words).contains(text))
    })
}
