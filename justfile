# The README's two commands and what else a developer runs.

# The whole pipeline on the digits built in.
demo:
    cargo run -- demo

# All tests.
test:
    cargo test

# The analysis side alone: no burn, seconds instead of minutes.
analysis:
    cargo test --no-default-features

# Everything that must pass.
ci:
    bash .ci/run

# Draws the golden figures anew; look at them before you commit them.
bless:
    PRUNEPHASE_BLESS=1 cargo test --no-default-features figure

# Licences and advisories (cargo install cargo-deny).
deny:
    cargo deny check
