//! `platform` beside docker compose: the same stack, the same images, the same engine, in one run.
//!
//! `cargo bench --bench compare -- --help`; method and results: docs/benchmarks.md. It
//! measures and does not judge: the exit code is 0 whichever targets are met.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark reads the clock and prints what it saw"
)]

mod settings;
mod measure;
mod stand;
mod compose;
mod engine;
mod floor;
mod rounds;
mod many;
mod figures;
mod report;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((measure::HELPER, rest)) = arguments
        .split_first()
        .map(|(first, rest)| (first.as_str(), rest))
    {
        return ExitCode::from(u8::try_from(measure::helper(rest)).unwrap_or(1));
    }
    let settings = match settings::Settings::parse(arguments.into_iter()) {
        Ok(settings) => settings,
        Err(text) => {
            println!("{text}");
            return ExitCode::from(2);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("compare: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(measured(&settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("compare: {text}");
            ExitCode::FAILURE
        }
    }
}

/// Everything, cleaned up behind itself however it ends.
async fn measured(settings: &settings::Settings) -> Result<(), String> {
    let stand = stand::Stand::prepare(settings).await?;
    let result = tokio::select! {
        result = rounds::all(settings, &stand) => result,
        signal = stopped() => Err(format!("ended by {signal}")),
    };
    stand.clean().await;
    let figures = result?;
    report::print(settings, &stand, &figures)
}

async fn stopped() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => "interrupt",
        _ = terminate.recv() => "terminate",
    }
}
