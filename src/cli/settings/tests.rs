use clap::Parser;

use super::*;
use crate::cli::Persona;
use crate::plan::{Orphans, Recreate, Which};

const TTY: Terminal = Terminal {
    stdin: true,
    stdout: true,
    stderr: true,
};

fn env(vars: &[(&str, &str)]) -> Environment {
    Environment::new(
        vars.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
        "/work".into(),
    )
}

fn resolve_in(line: &str, env: &Environment, terminal: Terminal) -> Result<Settings, String> {
    let cli = Cli::try_parse_from(line.split_whitespace()).map_err(|e| e.to_string())?;
    let (global, command) = split(cli);
    Settings::resolve(
        Persona::Platform,
        global,
        command.expect("a command"),
        env,
        terminal,
    )
    .map_err(|e| e.to_text())
}

fn resolve(line: &str) -> Settings {
    resolve_in(line, &env(&[]), Terminal::none()).unwrap()
}

fn up(line: &str) -> UpSettings {
    match resolve(line).command {
        CommandSettings::Up(settings) => *settings,
        other => panic!("{other:?}"),
    }
}

fn refused(line: &str) -> String {
    resolve_in(line, &env(&[]), Terminal::none()).unwrap_err()
}

#[test]
fn arguments_come_before_the_environment() {
    let env = env(&[
        ("COMPOSE_FILE", "a.yaml:/b.yaml"),
        ("COMPOSE_PROJECT_NAME", "from-env"),
        ("COMPOSE_PROFILES", "x, y"),
        ("COMPOSE_ENV_FILES", "one.env,two.env"),
        ("COMPOSE_PARALLEL_LIMIT", "3"),
        ("COMPOSE_PROGRESS", "json"),
        ("PLATFORM_LOG", "warn"),
    ]);
    let by_env = resolve_in("platform ps", &env, TTY).unwrap().global;
    assert_eq!(
        by_env.stack,
        StackSource::Files(vec!["/work/a.yaml".into(), "/b.yaml".into()])
    );
    assert_eq!(by_env.project_name, Some("from-env".into()));
    assert_eq!(by_env.profiles, ["x", "y"]);
    assert_eq!(
        by_env.env_files,
        [Path::new("/work/one.env"), Path::new("/work/two.env")]
    );
    assert_eq!(by_env.parallel, Parallel::AtMost(3));
    assert_eq!(by_env.progress, Progress::Json);
    assert_eq!(by_env.trace, "warn");

    let line = "platform -f - -f c.yaml -p typed --profile z --env-file t.env --parallel -1 --progress quiet ps --verbose --log-level debug";
    let by_args = resolve_in(line, &env, TTY).unwrap().global;
    assert_eq!(
        by_args.stack,
        StackSource::Files(vec!["-".into(), "/work/c.yaml".into()])
    );
    assert_eq!(by_args.project_name, Some("typed".into()));
    assert_eq!(by_args.profiles, ["z"]);
    assert_eq!(by_args.env_files, [Path::new("/work/t.env")]);
    assert_eq!(by_args.parallel, Parallel::Unlimited);
    assert_eq!(by_args.progress, Progress::Quiet);
    assert_eq!(by_args.trace, "debug");
}

#[test]
fn progress_follows_the_terminal() {
    let progress = |line: &str, vars: &[(&str, &str)], terminal| {
        resolve_in(line, &env(vars), terminal).unwrap().global.progress
    };
    let xterm = [("TERM", "xterm")];
    assert_eq!(progress("platform ps", &xterm, TTY), Progress::Tty);
    assert_eq!(progress("platform ps", &xterm, Terminal::none()), Progress::Plain);
    assert_eq!(progress("platform ps", &[("TERM", "dumb")], TTY), Progress::Plain);
    assert_eq!(progress("platform ps", &[], TTY), Progress::Plain);
    assert_eq!(progress("platform --ansi never ps", &xterm, TTY), Progress::Plain);
    assert_eq!(
        progress("platform --ansi never --progress tty ps", &xterm, TTY),
        Progress::Plain
    );
    assert_eq!(
        progress("platform ps --progress tty", &[], Terminal::none()),
        Progress::Tty
    );
    let colour = |vars: &[(&str, &str)]| {
        resolve_in("platform ps", &env(vars), TTY)
            .unwrap()
            .global
            .stdout
            .colour
    };
    assert!(colour(&xterm));
    assert!(!colour(&[("TERM", "xterm"), ("NO_COLOR", "1")]));
    assert!(!colour(&[("TERM", "xterm"), ("COMPOSE_ANSI", "never")]));
}

#[test]
fn wrong_values_are_refused_with_what_was_expected() {
    let bad_env = |name, value| resolve_in("platform ps", &env(&[(name, value)]), TTY).unwrap_err();
    insta::assert_snapshot!(bad_env("COMPOSE_PROGRESS", "fancy"), @"error: COMPOSE_PROGRESS is `fancy`; expected auto, tty, plain, json or quiet");
    insta::assert_snapshot!(bad_env("COMPOSE_PARALLEL_LIMIT", "many"), @"error: COMPOSE_PARALLEL_LIMIT is `many`; expected a whole number");
    insta::assert_snapshot!(refused("platform -p My.App ps"), @r"
    error: invalid project name `My.App`: only lower-case letters, digits, `-` and `_`, beginning with a letter or digit

    hint: `myapp` would do
    ");
    insta::assert_snapshot!(refused("platform --stack ../x ps"), @r"
    error: `../x` is no name of a stack

    hint: --stack takes the name of a file in stacks/ without .yaml; -f takes a path
    ");
    insta::assert_snapshot!(refused("platform -f a --stack b ps"), @"error: --stack cannot be used together with -f");
    insta::assert_snapshot!(refused("platform --parallel 0 ps"), @"error: --parallel must be 1 or more, or -1 for no limit");
    insta::assert_snapshot!(refused("platform up --scale app"), @"error: scale is `app`; expected SERVICE=N");
    insta::assert_snapshot!(refused("platform up --wait-timeout soon"), @"error: --wait-timeout is `soon`; expected seconds, or a duration such as 1m30s, 10s or 250ms");
    insta::assert_snapshot!(refused("platform up --watch --wait"), @"error: --wait cannot be combined with --abort-on-container-exit, --abort-on-container-failure, --exit-code-from, --attach, --attach-dependencies or --watch");
    insta::assert_snapshot!(refused("platform ps --format {{.Nme}}"), @"error: --format: `.Nme` is no field; there is .ID, .Name, .Names, .Image, .Command, .Project, .Service, .CreatedAt, .RunningFor, .State, .Status, .Health, .ExitCode, .Ports, .Networks, .Labels");
    insta::assert_snapshot!(refused("platform ps --filter status=up"), @"error: --filter has `status=up`; expected one of created, running, paused, restarting, removing, exited, dead");
    insta::assert_snapshot!(refused("platform logs -n few"), @"error: --tail is `few`; expected a number of lines or `all`");
    insta::assert_snapshot!(refused("platform --dry-run exec app true"), @"error: `exec` has no dry run");
}

#[test]
fn up_refuses_what_makes_no_sense_together() {
    for line in [
        "platform up -d --abort-on-container-exit",
        "platform up -d --exit-code-from app",
        "platform up -d --attach app",
        "platform up --wait --abort-on-container-failure",
        "platform up --wait --attach app",
        "platform up --wait --no-wait",
        "platform up --no-wait --wait-timeout 3",
        "platform up --no-wait --smoke",
        "platform up --smoke --no-smoke",
        "platform up --build --no-build",
        "platform up --force-recreate --no-recreate",
        "platform up --always-recreate-deps --no-recreate",
        "platform up -V --no-recreate",
        "platform up --no-start --wait",
    ] {
        assert!(refused(line).starts_with("error: "), "{line}");
    }
    let ignoring = env(&[("COMPOSE_IGNORE_ORPHANS", "1")]);
    assert!(resolve_in("platform up --remove-orphans", &ignoring, TTY).is_err());
}

#[test]
fn up_means_ready_and_smoke_tested() {
    let settings = up("platform up -d");
    assert_eq!(settings.wait, Wait::Ready { timeout: None });
    assert_eq!(settings.smoke, SmokeChoice::Auto);
    assert_eq!(settings.attach, None);
    assert_eq!(settings.lock_timeout, LOCK_TIMEOUT);
    assert_eq!(settings.what.recreate, Recreate::WhenChanged);

    let settings = up(
        "platform up --wait --wait-timeout 90 -t 1m --scale app=3 --scale web=0 --force-recreate -V --no-deps app app web",
    );
    assert_eq!(
        settings.wait,
        Wait::Ready {
            timeout: Some(Duration::from_secs(90))
        }
    );
    assert_eq!(settings.attach, None);
    assert_eq!(settings.what.stop_timeout, Some(Duration::from_secs(60)));
    assert_eq!(settings.what.scale, [("app".into(), 3), ("web".into(), 0)]);
    let options = settings.what.up_options(Default::default());
    assert_eq!(options.services, ["app".into(), "web".into()]);
    assert_eq!(options.recreate, Recreate::Always);
    assert!(
        options.no_deps
            && options.renew_anon_volumes
            && options.orphans == Orphans::Warn
            && !options.no_start
    );

    let settings = up("platform up --no-wait");
    assert_eq!(
        (settings.wait, settings.smoke),
        (Wait::Started, SmokeChoice::Never)
    );
    let settings = up("platform up --no-start");
    assert!(!settings.what.start && settings.attach.is_none());
}

#[test]
fn attached_up_opens_the_dashboard_only_on_a_terminal() {
    let attach = |line: &str, vars: &[(&str, &str)], terminal| match resolve_in(line, &env(vars), terminal)
        .unwrap()
        .command
    {
        CommandSettings::Up(settings) => settings.attach.unwrap(),
        other => panic!("{other:?}"),
    };
    let xterm = [("TERM", "xterm")];
    assert!(attach("platform up", &xterm, TTY).dashboard);
    assert!(!attach("platform up", &xterm, Terminal::none()).dashboard);
    assert!(!attach("platform up --no-tui", &xterm, TTY).dashboard);
    assert!(!attach("platform up --menu=false", &xterm, TTY).dashboard);
    assert!(!attach("platform up", &[("TERM", "xterm"), ("COMPOSE_MENU", "0")], TTY).dashboard);
    let one = attach(
        "platform up --exit-code-from app --no-color --timestamps",
        &xterm,
        TTY,
    );
    assert_eq!(one.abort, Abort::ExitCodeFrom("app".into()));
    assert!(!one.dashboard && one.style.timestamps && one.style.prefix && !one.style.style.colour);
}

#[test]
fn exec_takes_a_terminal_only_where_there_is_one() {
    let exec = |line: &str, terminal| match resolve_in(line, &env(&[("HERE", "1")]), terminal)
        .unwrap()
        .command
    {
        CommandSettings::Exec(settings) => settings,
        other => panic!("{other:?}"),
    };
    let settings = exec(
        "platform exec -e A=b -e HERE -e GONE -u 1:2 -w /x app ls -la --color",
        TTY,
    );
    assert_eq!(settings.command, ["ls", "-la", "--color"]);
    assert_eq!(settings.env, ["A=b", "HERE=1"]);
    assert!(settings.tty);
    assert!(!exec("platform exec -T app sh", TTY).tty);
    assert!(!exec("platform exec app sh", Terminal::none()).tty);
    assert!(!exec("platform exec -d app sh", TTY).tty);
}

#[test]
fn config_lists_one_thing() {
    let list = |line: &str| match resolve(line).command {
        CommandSettings::Config(settings) => settings.list,
        other => panic!("{other:?}"),
    };
    assert_eq!(list("platform config"), ConfigList::Stack(ConfigFormat::Yaml));
    assert_eq!(
        list("platform config --format json"),
        ConfigList::Stack(ConfigFormat::Json)
    );
    assert_eq!(list("platform config -q"), ConfigList::Nothing);
    assert_eq!(list("platform config --hash *"), ConfigList::Hashes(vec![]));
    assert_eq!(
        list("platform config --hash a,b"),
        ConfigList::Hashes(vec!["a".into(), "b".into()])
    );
    assert!(Cli::try_parse_from(["platform", "config", "--services", "--images"]).is_err());
}

#[test]
fn no_flag_of_a_command_hides_one_of_every_command() {
    use clap::CommandFactory;

    let mut root = Cli::command();
    root.build();
    let global: Vec<_> = Cli::command()
        .get_arguments()
        .map(|a| a.get_id().clone())
        .collect();
    for command in Cli::command().get_subcommands() {
        for arg in command.get_arguments() {
            assert!(
                !global.contains(arg.get_id()),
                "{} {}",
                command.get_name(),
                arg.get_id()
            );
        }
    }
}

#[test]
fn the_env_file_beside_a_stack_that_is_found_counts() {
    let dir = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let settled = |cwd: &str, args: &[&str]| {
        let cwd = dir.path().join(cwd);
        let args = ["platform"].iter().chain(args).copied().chain(["ps"]);
        let (global, _) = split(Cli::try_parse_from(args).unwrap());
        let env = with_env_files(&global, Environment::new([], cwd));
        let global = GlobalSettings::resolve(Persona::Platform, global, &env, TTY).unwrap();
        (global.progress, global.parallel, global.stack)
    };
    // Above, as docker compose looks for it.
    write("compose.yaml", "services: {}");
    write(
        ".env",
        "COMPOSE_PROGRESS=json\nCOMPOSE_ANSI=never\nCOMPOSE_PARALLEL_LIMIT=3\nCOMPOSE_FILE=other.yaml\n",
    );
    write("deep/er/x", "");
    let search = StackSource::Search;
    assert_eq!(
        settled("deep/er", &[]),
        (Progress::Json, Parallel::AtMost(3), search.clone())
    );
    // The nearer one wins, variable by variable.
    write("deep/er/.env", "COMPOSE_PROGRESS=quiet\n");
    assert_eq!(
        settled("deep/er", &[]),
        (Progress::Quiet, Parallel::AtMost(3), search.clone())
    );
    assert_eq!(
        settled("deep/er", &["--env-file", "none"]),
        (Progress::Plain, Parallel::Default, search)
    );
    // In stacks/, also by name.
    write("a/stacks/one.yaml", "services: {}");
    write("a/stacks/.env", "COMPOSE_PARALLEL_LIMIT=7\n");
    let (_, parallel, _) = settled("a", &["--stack", "one"]);
    assert_eq!(parallel, Parallel::AtMost(7));
    // With -f, only the one beside it.
    let file = dir.path().join("a/stacks/one.yaml");
    let (progress, parallel, _) = settled("deep/er", &["-f", &file.to_string_lossy()]);
    assert_eq!((progress, parallel), (Progress::Plain, Parallel::AtMost(7)));
}

#[test]
fn kill_create_and_scale_are_read() {
    let lifecycle = |line: &str| match resolve(line).command {
        CommandSettings::Lifecycle(settings) => settings,
        other => panic!("{other:?}"),
    };
    let kill = lifecycle("platform kill -s usr1 --remove-orphans app app");
    assert_eq!(kill.change.as_str(), "kill");
    assert_eq!(
        kill.which,
        Which::OfStack {
            services: vec!["app".into()],
            oneoff: true,
            orphans: true
        }
    );
    insta::assert_snapshot!(refused("platform kill -s TREM"), @r"
    error: `TREM` is no signal; expected a name such as SIGHUP or a number

    hint: did you mean `TERM`?
    ");
    insta::assert_snapshot!(refused("platform scale app"), @"error: scale is `app`; expected SERVICE=N");
    insta::assert_snapshot!(refused("platform ls --filter state=up"), @"error: --filter is `state=up`; expected name=REGEX");
    insta::assert_snapshot!(refused("platform --dry-run wait app"), @"error: `wait` has no dry run");

    let create = up("platform create --force-recreate app");
    assert_eq!((create.command, create.what.start), ("create", false));
    assert_eq!((create.attach, create.smoke), (None, SmokeChoice::Never));
    assert_eq!(create.what.recreate, Recreate::Always);
    let scale = up("platform scale --no-deps app=3 db=0");
    assert_eq!((scale.command, scale.what.dependencies), ("scale", false));
    assert_eq!(scale.what.services, ["app".into(), "db".into()]);
    assert_eq!(scale.what.scale, [("app".into(), 3), ("db".into(), 0)]);
    assert_eq!((scale.attach, scale.smoke), (None, SmokeChoice::Never));
}
