//! What tests share: fixtures, the conformance runner, comparison.
