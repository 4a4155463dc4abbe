//! Any text is a template or an error, with a place inside the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onepane_template::{Options, Templates};

fuzz_target!(|text: &str| {
    let mut templates = Templates::new(&onepane_functions::HELM, Options::default());
    if let Err(error) = templates.parse("t", None, text) {
        assert!(!error.message.is_empty());
    }
});
