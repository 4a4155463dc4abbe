//! Written by the helper of this family.

use onepane_template::Function;

pub(crate) const FUNCTIONS: &[Function] = &[];
