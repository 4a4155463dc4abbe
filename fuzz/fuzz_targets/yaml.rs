//! Any text is YAML or an error; what is written of it is read as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onepane_diagnostics::FileId;
use onepane_value::{from_yaml, to_yaml};

fuzz_target!(|text: &str| {
    let _ = onepane_yaml::read_documents(text, FileId::new("t.yaml"));
    let Ok(value) = from_yaml(text, None) else { return };
    let Ok(written) = to_yaml(&value) else { return };
    let again = from_yaml(&written.to_str(), None).expect("what is written is YAML");
    let once_more = to_yaml(&again).expect("it was written before");
    assert_eq!(written.as_bytes(), once_more.as_bytes(), "writing is stable");
});
