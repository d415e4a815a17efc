//! Benchmarks of what computes: loading, planning, gates, log framing, the dashboard. No engine, no clock,
//! no files but the reference stack's.
//!
//! `cargo bench --bench pure [NAME]`
#![expect(clippy::unwrap_used, reason = "a benchmark stops with a panic")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io;
use std::path::{Path, PathBuf};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use platform::base::{ContainerId, ImageId, Moment, ServiceName};
use platform::engine::decode_log;
use platform::event::live::{Fact, Level, Live, LogRecord};
use platform::execute::ExecuteOptions;
use platform::execute::gate::Progress;
use platform::execute::site::UnderWay;
use platform::execute::state::State;
use platform::model::{Observed, Project};
use platform::plan::{Action, ImageState, Instance, Plan, UpOptions, plan_up};
use platform::stack::load::PathKind;
use platform::stack::{Disk, Files, LoadRequest, load};
use platform::view::tui::app::Message;
use platform::view::tui::draw::draw;
use platform::view::tui::keymap::Key;
use platform::view::tui::theme::Theme;
use platform::view::tui::{App, Settings, Shared};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// One stack file, in memory.
struct One(String);

impl Files for One {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        match self.kind(path) {
            Some(PathKind::File) => Ok(self.0.clone().into_bytes()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn read_stdin(&self) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn kind(&self, path: &Path) -> Option<PathKind> {
        path.ends_with("compose.yaml").then_some(PathKind::File)
    }

    fn list(&self, _: &Path) -> Vec<String> {
        Vec::new()
    }
}

/// Services in chains of ten, each with what an ordinary service has.
fn generated(services: usize) -> String {
    let mut text = "name: many\nx-common: &common\n  restart: unless-stopped\n  cap_drop: [ALL]\n  logging: {driver: json-file, options: {max-size: 10m}}\nservices:\n".to_owned();
    for number in 0..services {
        text += &format!(
            "  s{number}:\n    <<: *common\n    image: example/s{number}:${{TAG:-1.2.3}}\n    command: [serve, --port, \"80\", --name, s{number}]\n    environment:\n      NAME: s{number}\n      LEVEL: ${{LEVEL:-info}}\n    ports: [\"{}:80\"]\n    volumes: [\"data{number}:/data\", \"./conf:/conf:ro\"]\n    healthcheck: {{test: [CMD, check], interval: 5s}}\n",
            10_000 + number
        );
        if number % 10 > 0 {
            text += &format!(
                "    depends_on: {{s{}: {{condition: service_healthy}}}}\n",
                number - 1
            );
        }
    }
    text += "volumes:\n";
    for number in 0..services {
        text += &format!("  data{number}:\n");
    }
    text
}

fn request(folder: &str, file: &str) -> LoadRequest {
    LoadRequest {
        working_dir: folder.into(),
        files: vec![file.into()],
        ..LoadRequest::default()
    }
}

fn project(services: usize) -> Project {
    load(&request("/p", "compose.yaml"), &One(generated(services)))
        .project
        .unwrap()
}

fn loader(c: &mut Criterion) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let reference = request(&root.display().to_string(), "stacks/devops.yaml");
    assert!(
        load(&reference, &Disk).project.is_some(),
        "the reference stack loads"
    );
    let mut group = c.benchmark_group("load");
    group.bench_function("reference stack", |b| {
        b.iter(|| load(black_box(&reference), &Disk))
    });
    let (many, file) = (request("/p", "compose.yaml"), One(generated(500)));
    assert_eq!(load(&many, &file).project.unwrap().services.len(), 500);
    group
        .throughput(Throughput::Bytes(file.0.len() as u64))
        .sample_size(20);
    group.bench_function("500 services", |b| b.iter(|| load(black_box(&many), &file)));
    group.finish();
}

fn images(project: &Project) -> BTreeMap<ServiceName, ImageState> {
    let id = ImageId::from("sha256:1".to_owned());
    project
        .services
        .keys()
        .map(|name| (name.clone(), ImageState::Present(id.clone())))
        .collect()
}

fn plan(project: &Project) -> Plan {
    plan_up(
        project,
        &Observed::default(),
        &images(project),
        &UpOptions::default(),
    )
}

fn planner(c: &mut Criterion) {
    let project = project(100);
    let images = images(&project);
    let (nothing, options) = (Observed::default(), UpOptions::default());
    assert!(
        plan(&project).steps.len() >= 300,
        "a network, volumes, creates and starts"
    );
    c.bench_function("plan/100 services from nothing", |b| {
        b.iter(|| plan_up(black_box(&project), &nothing, &images, &options));
    });
}

/// All of a plan, each step done and each container ready the moment it can be.
fn walk(plan: &Plan) -> usize {
    let room = ExecuteOptions::default().room(UnderWay::default());
    let mut state = State::new(plan);
    let mut done = 0;
    while !state.is_through() {
        let next = state.advance(plan, room);
        assert!(!next.start.is_empty(), "a plan without failures goes on");
        for id in next.start {
            done += 1;
            let step = plan.step(id).unwrap();
            match &step.action {
                Action::CreateContainer { .. } => state.done(id, Some(ContainerId::from("c".to_owned()))),
                Action::StartContainer { instance, .. } => {
                    state.done(id, None);
                    state.table.insert(instance.clone(), Progress::Ready);
                }
                _ => state.done(id, None),
            }
        }
    }
    done
}

fn gates(c: &mut Criterion) {
    let plan = plan(&project(100));
    assert_eq!(walk(&plan), plan.steps.len());
    c.bench_function("gates/100 services to the end", |b| {
        b.iter(|| walk(black_box(&plan)))
    });
}

/// A log as the engine sends it: `lines` lines of 80 bytes, framed, with timestamps.
fn framed(lines: usize) -> Vec<u8> {
    let mut log = Vec::new();
    for number in 0..lines {
        let line = format!(
            "2026-11-21T13:17:04.{number:09}Z {:<79}\n",
            format!("line {number}")
        );
        log.extend([1, 0, 0, 0]);
        log.extend(u32::try_from(line.len()).unwrap().to_be_bytes());
        log.extend(line.as_bytes());
    }
    log
}

fn logs(c: &mut Criterion) {
    const LINES: usize = 100_000;
    let log = framed(LINES);
    assert_eq!(decode_log(log.chunks(16 * 1024), false).unwrap().len(), LINES);
    let mut group = c.benchmark_group("logs");
    group
        .throughput(Throughput::Elements(LINES as u64))
        .sample_size(20);
    group.bench_function("framed lines", |b| {
        b.iter(|| decode_log(black_box(&log).chunks(16 * 1024), false));
    });
    group.finish();
}

/// The dashboard's logs screen with 100,000 lines, a quarter of them JSON, and a filter.
fn dashboard(c: &mut Criterion) {
    const LINES: i64 = 100_000;
    let record = |at: i64| {
        let text = match at % 4 {
            0 => format!(
                r#"{{"level":"info","msg":"request done","path":"/items/{at}","ms":{}}}"#,
                at % 900
            ),
            _ => format!(r#"172.18.0.1 - - "GET /items/{at} HTTP/1.1" 200 {}"#, at % 5_000),
        };
        let service = format!("s{}", at % 50);
        LogRecord {
            instance: Instance {
                service: service.as_str().into(),
                number: 1,
            },
            container: service.into(),
            stderr: false,
            time: at,
            level: Level::of_line(&text),
            text: text.into(),
        }
    };
    let live = Live::new("many".into(), None);
    let mut app = App::new(Shared::new(live, Theme::default(), Settings::default()));
    let mut at = 0;
    let mut push = |app: &mut App, lines: i64| {
        let records = (at..at + lines).map(record).collect();
        at += lines;
        app.update(Moment::ZERO, at, Message::Fact(Box::new(Fact::Logs(records))))
    };
    let press =
        |app: &mut App, key: &str| app.update(Moment::ZERO, 0, Message::Key(Key::parse(key).unwrap()));
    app.update(Moment::ZERO, 0, Message::Resize(120, 40));
    for key in ["2", "/", "m", "s", "=", "7", "enter"] {
        press(&mut app, key);
    }
    push(&mut app, LINES);
    assert_eq!(app.screen(), "logs");
    let mut group = c.benchmark_group("dashboard");
    group.throughput(Throughput::Elements(200)).sample_size(20);
    group.bench_function("200 more log lines with a filter", |b| {
        b.iter(|| push(&mut app, 200))
    });
    group.throughput(Throughput::Elements(LINES.unsigned_abs()));
    group.bench_function("another filter of 100,000 log lines", |b| {
        b.iter(|| press(&mut app, "!"))
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("drawing the logs", |b| {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 120, 40));
        b.iter(|| draw(black_box(&app), &mut buffer));
    });
    group.finish();
}

criterion_group!(benches, loader, planner, gates, logs, dashboard);
criterion_main!(benches);
