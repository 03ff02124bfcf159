# `./justw` installs what a recipe needs and the machine lacks, then runs it.
set positional-arguments

export PATH := justfile_directory() / ".tools/bin:" + env("PATH")

# list the recipes
@default:
    {{ quote(just_executable()) }} --list --unsorted

# start the whole mesh on this machine; its first build takes minutes (flags: up --help)
[no-exit-message]
@up *args:
    exec ./justw up "$@"

# do all that CI does, or with a filter run only the tests whose names match it
[no-exit-message]
@test *filter:
    {{ if filter == "" { quote(just_executable()) + " everything" } else { 'cargo nextest run --workspace "$@"' } }}

# check format and lints: the quick part of test
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- --deny warnings

# format all Rust
fmt:
    cargo fmt --all

# measure the mesh and the web client, a table each; a row can be run alone by its name
[no-exit-message]
@bench *args:
    exec tests/setup/bench "$@"

# feed random input to one parser of what strangers send, for so many seconds
fuzz target seconds="300":
    cd shared/kez-crypto && exec cargo +nightly fuzz run "$1" -- -max_total_time="$2"

# remove what was built; keys and messages in data/ stay
clean:
    cargo clean
    rm -rf web/dist web/node_modules

[private]
everything: check web
    RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps
    cargo deny --log-level error check bans licenses sources
    tests/setup/check-nats-config
    tests/setup/fuzz-targets
    # Programs and tests at once, so that they share one build of everything they share.
    cargo build --workspace --bins --tests
    "${CARGO_TARGET_DIR:-target}/debug/kez" conform tests/vectors
    cargo test --workspace --doc
    cargo nextest run --workspace
    npm --prefix web run --silent test:mesh
    tests/setup/browser

[private]
web:
    tests/setup/web
    npm --prefix web run --silent all
