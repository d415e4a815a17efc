//! Servers that behave badly and an engine that does what a test tells it.

use std::collections::{BTreeMap, VecDeque};
use std::ops::{Deref, IndexMut};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use indexmap::IndexMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::base::{Clock, ContainerId, ImageId, Moment, NetworkId, ProjectName, ServiceName};
use crate::engine::api::Result;
use crate::engine::{
    BuildProgress, BuildRequest, CreateContainer, Engine, EngineError, EngineErrorKind, EngineEvent,
    EngineInfo, ExecOutcome, ExecSpec, Exit, Inspected, LogLine, LogOptions, LogStream, PullProgress, Wanted,
};
use crate::model::observed::{Attachment, BoundPort};
use crate::model::{
    Container, ContainerState, Image, NetworkSpec, Observed, Project, Service, StackExt, VolumeSpec,
};

/// How a test server answers each connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    /// This, then closes.
    Text(&'static str),
    /// The request itself as the body.
    Echo,
    /// This, then nothing more.
    Stall(&'static str),
    /// Nothing.
    Never,
    /// Closes.
    Close,
    /// Takes the request and resets.
    Reset,
    /// A body without end, as fast as it goes.
    Endless,
    /// A head without end.
    EndlessHead,
    /// A body without end, a byte at a time.
    Drip,
}

/// Serves `answer` on a free port until the test's runtime ends.
pub(crate) async fn serve(answer: Answer) -> u16 {
    serve_each(move |_| answer).await
}

/// Serves each connection (counted from 0) as `answer` says.
pub(crate) async fn serve_each(answer: impl Fn(usize) -> Answer + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        for n in 0.. {
            let Ok((stream, _)) = listener.accept().await else {
                return;
            };
            tokio::spawn(respond(stream, answer(n)));
        }
    });
    port
}

async fn respond(mut stream: TcpStream, answer: Answer) {
    let mut request = vec![0; 16 * 1024];
    let read = match answer {
        Answer::Close => 0,
        _ => stream.read(&mut request).await.unwrap_or(0),
    };
    let ok = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    match answer {
        Answer::Text(text) => drop(stream.write_all(text.as_bytes()).await),
        Answer::Echo => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {read}\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(&request[..read]).await;
        }
        Answer::Stall(text) => {
            let _ = stream.write_all(text.as_bytes()).await;
            std::future::pending::<()>().await;
        }
        Answer::Never => std::future::pending().await,
        Answer::Close => {}
        Answer::Reset => stream.set_zero_linger().unwrap(),
        Answer::Endless => {
            let _ = stream.write_all(ok.as_bytes()).await;
            while stream
                .write_all(format!("1000\r\n{}\r\n", "x".repeat(4096)).as_bytes())
                .await
                .is_ok()
            {}
        }
        Answer::EndlessHead => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
            while stream
                .write_all(format!("X-{}: y\r\n", "x".repeat(4096)).as_bytes())
                .await
                .is_ok()
            {}
        }
        Answer::Drip => {
            let _ = stream.write_all(ok.as_bytes()).await;
            while stream.write_all(b"1\r\nx\r\n").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

/// A port of this machine where nobody listens.
pub(crate) async fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

/// A running container `web` with these addresses.
pub(crate) fn container(ips: &[&str]) -> Container {
    Container {
        id: "c0ffee".into(),
        name: "p-web-1".into(),
        service: "web".into(),
        number: 1,
        oneoff: false,
        state: ContainerState::Running,
        health: None,
        image: "sha256:1".into(),
        image_ref: "web".into(),
        labels: BTreeMap::new(),
        addresses: ips
            .iter()
            .map(|ip| {
                let attachment = Attachment {
                    network: NetworkId::from("n"),
                    ip: ip.parse().ok(),
                };
                (format!("net-{ip}"), attachment)
            })
            .collect(),
        ports: Vec::new(),
        volumes: Vec::new(),
        command: String::new(),
        created: 0,
        status: String::new(),
    }
}

/// A published TCP port.
pub(crate) fn published(target: u16, host: &str, port: u16) -> BoundPort {
    BoundPort {
        target,
        protocol: "tcp".into(),
        host: Some((host.into(), port)),
    }
}

/// Tokio's clock, which stands still in tests with paused time.
pub(crate) struct TokioClock(tokio::time::Instant);

impl TokioClock {
    pub(crate) fn start() -> Self {
        Self(tokio::time::Instant::now())
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Moment {
        self.0.elapsed()
    }
}

/// An engine with one container.
pub(crate) struct OneContainer {
    /// The container, or the error that asking for it gives.
    pub(crate) container: Result<Container>,
    /// What each exec in turn does, after how long; the last one stays.
    pub(crate) execs: Mutex<VecDeque<(Duration, Result<ExecOutcome>)>>,
    /// Log lines, each after how long; then the log stays open, unless it ends.
    pub(crate) log: Vec<(Duration, &'static str)>,
    /// Whether the log ends after its lines.
    pub(crate) log_ends: bool,
    /// Commands that were run.
    pub(crate) commands: Mutex<Vec<Vec<String>>>,
    /// How many execs run now, and the most at once.
    pub(crate) live: AtomicUsize,
    pub(crate) most: AtomicUsize,
    /// How often a container was asked for.
    pub(crate) inspects: AtomicUsize,
}

impl OneContainer {
    pub(crate) fn new(container: Container) -> Self {
        Self {
            container: Ok(container),
            execs: Mutex::default(),
            log: Vec::new(),
            log_ends: false,
            commands: Mutex::default(),
            live: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            inspects: AtomicUsize::new(0),
        }
    }

    pub(crate) fn exec_does(self, after_ms: u64, code: i64, stdout: &str) -> Self {
        let outcome = ExecOutcome {
            code,
            stdout: stdout.into(),
            stderr: Vec::new(),
        };
        self.exec_gives(after_ms, Ok(outcome))
    }

    pub(crate) fn exec_gives(self, after_ms: u64, result: Result<ExecOutcome>) -> Self {
        self.execs
            .lock()
            .unwrap()
            .push_back((Duration::from_millis(after_ms), result));
        self
    }
}

/// Counts down when an exec ends or is dropped.
struct Live<'a>(&'a AtomicUsize);

impl Drop for Live<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn no<T>() -> Result<T> {
    Err(EngineError::new(
        "test",
        EngineErrorKind::Unsupported("not in this test".into()),
    ))
}

#[async_trait]
impl Engine for OneContainer {
    async fn inspect(&self, id: &ContainerId) -> Result<Inspected> {
        self.inspects.fetch_add(1, Ordering::SeqCst);
        let container = self.container.clone()?;
        assert_eq!(id, &container.id);
        Ok(Inspected {
            state: container.state.clone(),
            started_at: "2026-11-21T10:00:00.5Z".into(),
            finished_at: "2026-11-21T09:59:50Z".into(),
            error: String::new(),
            restart_count: 0,
            pid: 1,
            tty: false,
            health: None,
            container,
        })
    }

    fn logs(&self, _: &ContainerId, options: LogOptions) -> BoxStream<'static, Result<LogLine>> {
        assert!(options.follow && options.since.as_deref() == Some("2026-11-21T09:59:51Z"));
        let lines = self.log.clone();
        let ends = self.log_ends;
        let tail = async move { if ends { None } else { std::future::pending().await } };
        stream::iter(lines)
            .then(|(after, text)| async move {
                tokio::time::sleep(after).await;
                Ok(LogLine {
                    stream: LogStream::Stdout,
                    timestamp: String::new(),
                    bytes: text.into(),
                    complete: true,
                    cut: false,
                })
            })
            .chain(stream::once(tail).filter_map(|none| async move { none }))
            .boxed()
    }

    async fn exec(&self, _: &ContainerId, spec: &ExecSpec) -> Result<ExecOutcome> {
        let live = self.live.fetch_add(1, Ordering::SeqCst) + 1;
        let _live = Live(&self.live);
        self.most.fetch_max(live, Ordering::SeqCst);
        self.commands.lock().unwrap().push(spec.command.clone());
        let (after, result) = {
            let mut execs = self.execs.lock().unwrap();
            match execs.len() {
                0 | 1 => execs.front().cloned(),
                _ => execs.pop_front(),
            }
            .unwrap()
        };
        let timeout = spec.timeout.unwrap();
        if after > timeout {
            tokio::time::sleep(timeout).await;
            return Err(EngineError::new("exec", EngineErrorKind::TimedOut(timeout)));
        }
        tokio::time::sleep(after).await;
        result
    }

    async fn list_containers(&self, _: Option<&crate::base::ProjectName>) -> Result<Vec<Container>> {
        no()
    }

    async fn ask_registry(&self, _: &str) -> Result<()> {
        no()
    }

    async fn disk_usage(&self) -> Result<crate::engine::DiskUsage> {
        no()
    }

    async fn info(&self) -> Result<EngineInfo> {
        no()
    }
    async fn observe(&self, _: &Wanted) -> Result<Observed> {
        no()
    }
    async fn list_projects(&self) -> Result<Vec<Container>> {
        no()
    }
    async fn create_network(&self, _: &Project, _: &str, _: &NetworkSpec, _: &str) -> Result<NetworkId> {
        no()
    }
    async fn remove_network(&self, _: &NetworkId) -> Result<()> {
        no()
    }
    async fn network_members(&self, _: &NetworkId) -> Result<Vec<String>> {
        no()
    }
    async fn create_volume(&self, _: &Project, _: &str, _: &VolumeSpec, _: &str) -> Result<()> {
        no()
    }
    async fn remove_volume(&self, _: &str) -> Result<()> {
        no()
    }
    async fn remove_files(&self, _: &crate::base::ProjectName) -> Result<()> {
        no()
    }
    async fn exec_attach(
        &self,
        _: &ContainerId,
        _: &ExecSpec,
        _: bool,
    ) -> Result<crate::engine::ExecSession> {
        no()
    }
    async fn load_images(&self, _: &std::path::Path) -> Result<Vec<String>> {
        no()
    }
    async fn create_container(&self, _: &CreateContainer<'_>) -> Result<ContainerId> {
        no()
    }
    async fn start_container(&self, _: &ContainerId) -> Result<()> {
        no()
    }
    async fn stop_container(&self, _: &ContainerId, _: Option<&str>, _: Duration) -> Result<()> {
        no()
    }
    async fn kill_container(&self, _: &ContainerId, _: &str) -> Result<()> {
        no()
    }
    async fn remove_container(&self, _: &ContainerId, _: bool, _: bool) -> Result<()> {
        no()
    }
    async fn rename_container(&self, _: &ContainerId, _: &str) -> Result<()> {
        no()
    }
    async fn wait_container(&self, _: &ContainerId) -> Result<Exit> {
        no()
    }
    async fn events(&self, _: Option<&ProjectName>) -> Result<BoxStream<'static, Result<EngineEvent>>> {
        Ok(stream::empty().boxed())
    }
    async fn image(&self, _: &str) -> Result<Option<Image>> {
        no()
    }
    fn pull(&self, _: &str, _: Option<&str>) -> BoxStream<'static, Result<PullProgress>> {
        stream::empty().boxed()
    }
    fn build(&self, _: BuildRequest) -> BoxStream<'static, Result<BuildProgress>> {
        stream::empty().boxed()
    }
    async fn import_image(&self, _: &Path, _: &str, _: &[String]) -> Result<ImageId> {
        no()
    }
    async fn tag_image(&self, _: &ImageId, _: &str) -> Result<()> {
        no()
    }
    async fn remove_image(&self, _: &str) -> Result<()> {
        no()
    }
    async fn read_image_file(&self, _: &ImageId, _: &str) -> Result<Option<Vec<u8>>> {
        no()
    }
}

/// Serves whatever `answer` makes of each request's head and body, read in one go.
pub(crate) async fn serve_with(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = std::sync::Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut request = vec![0; 16 * 1024];
                let read = stream.read(&mut request).await.unwrap_or(0);
                let text = answer(&String::from_utf8_lossy(&request[..read]));
                let _ = stream.write_all(text.as_bytes()).await;
            });
        }
    });
    port
}

/// A project whose services can be set by name.
pub(crate) struct TestProject(pub(crate) Project);

impl Deref for TestProject {
    type Target = Project;
    fn deref(&self) -> &Project {
        &self.0
    }
}

impl std::ops::Index<&str> for TestProject {
    type Output = Service;
    fn index(&self, name: &str) -> &Service {
        &self.0.services[name]
    }
}

impl IndexMut<&str> for TestProject {
    fn index_mut(&mut self, name: &str) -> &mut Service {
        self.0.services.get_mut(name).unwrap()
    }
}

/// A project `p` with these services, nothing said about them.
pub(crate) fn project(services: &[&str]) -> TestProject {
    TestProject(Project {
        name: "p".into(),
        working_dir: "/p".into(),
        files: Vec::new(),
        env_files: Vec::new(),
        services: services
            .iter()
            .map(|name| (ServiceName::from(*name), Service::default()))
            .collect(),
        disabled: Vec::new(),
        networks: IndexMap::new(),
        volumes: IndexMap::new(),
        secrets: IndexMap::new(),
        configs: IndexMap::new(),
        ext: StackExt::default(),
        extensions: Default::default(),
        nested_extensions: Vec::new(),
        models: Default::default(),
        places: Default::default(),
    })
}

/// These containers are there.
pub(crate) fn observed(containers: Vec<Container>) -> Observed {
    Observed {
        containers,
        ..Observed::default()
    }
}
