//! Arguments of `up`, `down` and `plan`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Arguments of `up`. Those of docker compose, and ours.
#[derive(Debug, Clone, Default, Args)]
pub struct UpArgs {
    /// Services; all where none is named. Their dependencies come along
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,

    /// Return when everything is up and proven
    #[arg(short, long)]
    pub detach: bool,
    /// Return when everything is ready; implies -d
    #[arg(long, conflicts_with = "no_wait")]
    pub wait: bool,
    /// Return when everything is started, without proving it ready
    #[arg(long)]
    pub no_wait: bool,
    /// The longest time to wait for ready
    #[arg(long, value_name = "SECONDS|DURATION")]
    pub wait_timeout: Option<String>,
    /// Run the smoke tests, also when only some services are named
    #[arg(long, conflicts_with = "no_smoke")]
    pub smoke: bool,
    /// Do not run the smoke tests
    #[arg(long)]
    pub no_smoke: bool,
    /// Write a report of the run (.json, .xml for JUnit, else text)
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// Build images before starting
    #[arg(long, conflicts_with = "no_build")]
    pub build: bool,
    /// Do not build images
    #[arg(long)]
    pub no_build: bool,
    /// When images are pulled; each service's own policy where absent
    #[arg(long, value_name = "WHEN")]
    pub pull: Option<PullArg>,
    /// Do not show the progress of pulls
    #[arg(long)]
    pub quiet_pull: bool,
    /// Do not show the output of builds
    #[arg(long)]
    pub quiet_build: bool,

    /// Number of containers of a service
    #[arg(long, value_name = "SERVICE=N")]
    pub scale: Vec<String>,
    /// Replace containers even where nothing changed
    #[arg(long, conflicts_with = "no_recreate")]
    pub force_recreate: bool,
    /// Keep containers even where something changed
    #[arg(long)]
    pub no_recreate: bool,
    /// Replace the dependencies of the named services too
    #[arg(long, conflicts_with = "no_recreate")]
    pub always_recreate_deps: bool,
    /// Give replaced containers new anonymous volumes
    #[arg(short = 'V', long, conflicts_with = "no_recreate")]
    pub renew_anon_volumes: bool,
    /// Remove containers of services that are not in the stack any more
    #[arg(long)]
    pub remove_orphans: bool,
    /// Leave the dependencies of the named services alone
    #[arg(long)]
    pub no_deps: bool,
    /// Create everything and start nothing
    #[arg(long)]
    pub no_start: bool,
    /// Grace period of a stop; each service's own where absent
    #[arg(short, long, value_name = "SECONDS|DURATION")]
    pub timeout: Option<String>,

    /// Stop everything when a container exits
    #[arg(long, conflicts_with = "detach")]
    pub abort_on_container_exit: bool,
    /// Stop everything when a container fails
    #[arg(long, conflicts_with_all = ["detach", "abort_on_container_exit"])]
    pub abort_on_container_failure: bool,
    /// Exit with the code of this service's container; implies --abort-on-container-exit
    #[arg(long, value_name = "SERVICE", conflicts_with = "detach")]
    pub exit_code_from: Option<String>,
    /// Show only the output of this service
    #[arg(long, value_name = "SERVICE", conflicts_with_all = ["detach", "attach_dependencies"])]
    pub attach: Vec<String>,
    /// Show the output of the named services' dependencies too
    #[arg(long, conflicts_with = "detach")]
    pub attach_dependencies: bool,
    /// Do not show the output of this service
    #[arg(long, value_name = "SERVICE")]
    pub no_attach: Vec<String>,
    /// No colours in the output of services
    #[arg(long)]
    pub no_color: bool,
    /// No service names before the output of services
    #[arg(long)]
    pub no_log_prefix: bool,
    /// Show when each line was written
    #[arg(long)]
    pub timestamps: bool,
    /// Keep containers in step with the files that change, as `watch` does
    #[arg(short, long, conflicts_with_all = ["detach", "no_build", "no_start"])]
    pub watch: bool,
    /// Follow the logs instead of opening the dashboard
    #[arg(long)]
    pub no_tui: bool,

    /// How long an engine that stops answering is waited for
    #[arg(long, value_name = "SECONDS|DURATION")]
    pub engine_timeout: Option<String>,
    /// How long another run of the same project is waited for
    #[arg(long, value_name = "SECONDS|DURATION")]
    pub lock_timeout: Option<String>,

    /// Accepted for docker compose's sake: nothing is ever asked
    #[arg(short, long, hide = true)]
    pub yes: bool,
    /// Accepted for docker compose's sake: as --no-tui where false
    #[arg(long, hide = true, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub menu: Option<bool>,
}

/// `--pull`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PullArg {
    /// On each run
    Always,
    /// Where the engine does not have the image
    Missing,
    /// Not at all
    Never,
    /// As each service says
    Policy,
}

/// Arguments of `down`.
#[derive(Debug, Clone, Default, Args)]
pub struct DownArgs {
    /// Services; all where none is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Remove containers of services that are not in the stack any more
    #[arg(long)]
    pub remove_orphans: bool,
    /// Remove images: `local` those without a name of their own, `all` every one
    #[arg(long, value_name = "WHICH")]
    pub rmi: Option<RmiArg>,
    /// Grace period of a stop; each container's own where absent
    #[arg(short, long, value_name = "SECONDS|DURATION")]
    pub timeout: Option<String>,
    /// Remove the stack's named volumes, and anonymous ones
    #[arg(short, long)]
    pub volumes: bool,
    /// How long an engine that stops answering is waited for
    #[arg(long, value_name = "SECONDS|DURATION")]
    pub engine_timeout: Option<String>,
    /// How long another run of the same project is waited for
    #[arg(long, value_name = "SECONDS|DURATION")]
    pub lock_timeout: Option<String>,
}

/// `--rmi`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RmiArg {
    /// Images that the stack builds and does not name
    Local,
    /// Every image that a service uses
    All,
}

/// Arguments of `plan`: those of `up` that change what is done.
#[derive(Debug, Clone, Default, Args)]
pub struct PlanArgs {
    /// Services; all where none is named. Their dependencies come along
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// How the plan is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: PlanFormatArg,
    /// Exit with 1 where there is something to do
    #[arg(long)]
    pub exit_code: bool,
    /// Number of containers of a service
    #[arg(long, value_name = "SERVICE=N")]
    pub scale: Vec<String>,
    /// Replace containers even where nothing changed
    #[arg(long, conflicts_with = "no_recreate")]
    pub force_recreate: bool,
    /// Keep containers even where something changed
    #[arg(long)]
    pub no_recreate: bool,
    /// Replace the dependencies of the named services too
    #[arg(long, conflicts_with = "no_recreate")]
    pub always_recreate_deps: bool,
    /// Give replaced containers new anonymous volumes
    #[arg(short = 'V', long, conflicts_with = "no_recreate")]
    pub renew_anon_volumes: bool,
    /// Remove containers of services that are not in the stack any more
    #[arg(long)]
    pub remove_orphans: bool,
    /// Leave the dependencies of the named services alone
    #[arg(long)]
    pub no_deps: bool,
    /// Create everything and start nothing
    #[arg(long)]
    pub no_start: bool,
}

/// `plan --format`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum PlanFormatArg {
    /// For people
    #[default]
    Text,
    /// For machines
    Json,
}

/// Arguments of `start`.
#[derive(Debug, Clone, Default, Args)]
pub struct StartArgs {
    /// Services; all where none is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Accepted for docker compose's sake: what is started is always proven ready
    #[arg(long, hide = true)]
    pub wait: bool,
    /// The longest time to wait for ready
    #[arg(long, value_name = "SECONDS|DURATION")]
    pub wait_timeout: Option<String>,
}

/// Arguments of `stop` and `restart`.
#[derive(Debug, Clone, Default, Args)]
pub struct StopArgs {
    /// Services; all where none is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Grace period of a stop; each service's own where absent
    #[arg(short, long, value_name = "SECONDS|DURATION")]
    pub timeout: Option<String>,
}

/// Arguments of `dashboard`.
#[derive(Debug, Clone, Default, Args)]
pub struct DashboardArgs {
    /// Refuse everything that changes the project
    #[arg(long, alias = "readonly")]
    pub read_only: bool,
    /// Settings file; default ~/.config/platform/dashboard.toml
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// Print the default settings as a file to begin with
    #[arg(long)]
    pub print_settings: bool,
}
