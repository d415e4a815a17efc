#!/usr/bin/env bash
# The figures that the project promises under faults, measured on this machine's engine:
#   - our own process killed with -9 at random moments and at named steps of `up`, each time one `up` later
#     converged, with an empty plan and nothing touched that is not ours;
#   - ten `up` at once of one project;
#   - the engine's answers stalled, cut or lost at any byte of any response; the engine itself killed;
#   - canary secrets in every place where a stack may hold one;
#   - 16 MB of hostile stack file, in the release build's time and memory.
#
#   bash tests/figures.sh          the full form: 200 rounds, release build, about half an hour on two cores
#   bash tests/figures.sh short    the form that `cargo test` runs, in the release build
#
# A round that fails is repeated with the PLATFORM_TEST_SEED that its test prints.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-full}" = full ]; then
  export PLATFORM_TEST_ROUNDS=${PLATFORM_TEST_ROUNDS:-200}
fi
export PLATFORM_TEST_STRICT=1
started=$SECONDS
cargo test --release --test e2e -- --test-threads=2 \
  killed:: concurrent:: stalls:: engine_restarts:: signals::an_interrupt_at_any_moment secrets:: hostile::
echo "figures: $((SECONDS - started)) s"
