//! What tests of this room share: an engine in memory that is being observed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::{Observing, Setting, start};
use crate::base::{ContainerId, Masker, ProjectName};
use crate::engine::fake::FakeEngine;
use crate::event::live::testing::container;
use crate::event::live::{Fact, Link, LogRecord};
use crate::event::request::Needs;
use crate::model::{Container, Project, labels};
use crate::probe::ExecLimit;
use crate::probe::testing::TokioClock;

/// A project `shop` on an engine in memory.
pub(super) struct World {
    pub(super) engine: FakeEngine,
    pub(super) needs: watch::Sender<Needs>,
    pub(super) observing: Observing,
    _stack: watch::Sender<Option<Arc<Project>>>,
    facts: mpsc::Receiver<Fact>,
}

/// A container of the project.
pub(super) fn of_shop(service: &str, number: u32) -> Container {
    let mut container = container(service, number);
    for (name, value) in [
        (labels::PROJECT, "shop".to_owned()),
        (labels::SERVICE, service.to_owned()),
        (labels::NUMBER, number.to_string()),
    ] {
        container.labels.insert(name.to_owned(), value);
    }
    container
}

impl World {
    /// Begins to observe these containers.
    pub(super) fn new(containers: impl IntoIterator<Item = Container>) -> Self {
        Self::with(containers, Needs::default(), None)
    }

    pub(super) fn with(
        containers: impl IntoIterator<Item = Container>,
        needs: Needs,
        project: Option<Project>,
    ) -> Self {
        let engine = FakeEngine::new();
        for container in containers {
            engine.add_container(container);
        }
        let (needs, needed) = watch::channel(needs);
        let (stack_to, stack) = watch::channel(project.map(Arc::new));
        let (told, facts) = mpsc::channel(1024);
        let setting = Setting {
            project: ProjectName::from("shop"),
            stack,
            wall: || 0,
            engine: Arc::new(engine.clone()),
            clock: Arc::new(TokioClock::start()),
            masker: Masker::default(),
            execs: ExecLimit::default(),
        };
        Self {
            observing: start(setting, needed, told),
            engine,
            needs,
            _stack: stack_to,
            facts,
        }
    }

    /// The first fact that `look` finds something in, and after how long.
    pub(super) async fn until<T>(&mut self, mut look: impl FnMut(Fact) -> Option<T>) -> (T, Duration) {
        const LIMIT: Duration = Duration::from_secs(120);
        let began = Instant::now();
        let found = tokio::time::timeout(LIMIT, async {
            loop {
                let fact = self.facts.recv().await.expect("somebody observes");
                if let Some(found) = look(fact) {
                    return found;
                }
            }
        });
        (found.await.expect("it is told"), began.elapsed())
    }

    /// All facts of a time.
    pub(super) async fn during(&mut self, time: Duration) -> Vec<Fact> {
        let until = Instant::now() + time;
        let mut facts = Vec::new();
        while let Ok(Some(fact)) = tokio::time::timeout_at(until, self.facts.recv()).await {
            facts.push(fact);
        }
        facts
    }

    /// Until the first list.
    pub(super) async fn listed(&mut self) -> Vec<Container> {
        self.until(list).await.0
    }

    /// Until the engine is told to be lost, and after how long.
    pub(super) async fn lost(&mut self) -> Duration {
        let found = |fact| matches!(fact, Fact::Engine(Link::Lost { .. })).then_some(());
        self.until(found).await.1
    }

    /// Texts of the lines that come within a time, each with its service.
    pub(super) async fn lines(&mut self, time: Duration) -> Vec<String> {
        let facts = self.during(time).await;
        let lines = facts.into_iter().flat_map(|fact| match fact {
            Fact::Logs(lines) => lines,
            _ => Vec::new(),
        });
        lines
            .map(|line: LogRecord| format!("{}: {}", line.instance, line.text))
            .collect()
    }

    pub(super) fn id(&self, name: &str) -> ContainerId {
        self.engine.id_of(name).expect("it is there")
    }
}

/// A server on this machine that answers each path with JSON; `None` closes the connection.
pub(super) async fn serve(answer: impl Fn(&str) -> Option<serde_json::Value> + Send + Sync + 'static) -> u16 {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                let mut buffer = [0; 4096];
                while !head.windows(4).any(|w| w == b"\r\n\r\n") {
                    match stream.read(&mut buffer).await {
                        Ok(read) if read > 0 => head.extend_from_slice(&buffer[..read]),
                        _ => return,
                    }
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                let path = head.split(' ').nth(1).unwrap_or_default();
                if let Some(body) = answer(path) {
                    let body = body.to_string();
                    let text = format!(
                        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                        body.len()
                    );
                    let _ = stream.write_all(text.as_bytes()).await;
                }
            });
        }
    });
    port
}

/// The containers of a list.
pub(super) fn list(fact: Fact) -> Option<Vec<Container>> {
    match fact {
        Fact::Containers(list) => Some(list),
        _ => None,
    }
}
