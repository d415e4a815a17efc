//! Calls the library and returns its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    platform::cli::main_impl(std::env::args_os(), platform::cli::Environment::of_process())
}
