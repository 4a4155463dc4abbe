//! Every case of the helmfile corpus, against the real binary of this build. See `onepane_testkit::conformance`.

use std::path::Path;

fn main() {
    let binary = Path::new(env!("CARGO_BIN_EXE_onepane"));
    let known_failures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/known-failures/helmfile.txt");
    onepane_testkit::conformance::helmfile(binary, &known_failures).exit();
}
