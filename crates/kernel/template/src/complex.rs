//! Go's complex numbers, which templates can write (`1i`) and print, and hardly anything else: [`Complex`].

use onepane_value::{FloatKind, Kind, Object, Text, Value, format::sprintf};
use std::borrow::Cow;

/// A `complex128`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Complex {
    pub(crate) real: f64,
    pub(crate) imaginary: f64,
}

impl Object for Complex {
    fn type_name(&self) -> Cow<'static, str> {
        "complex128".into()
    }

    fn kind(&self) -> Kind {
        Kind::Complex(FloatKind::Bits64)
    }

    fn field(&self, _name: &str) -> Option<Value> {
        None
    }

    fn display(&self) -> Option<Text> {
        Some(sprintf(b"(%g%+gi)", &[Value::float(self.real), Value::float(self.imaginary)]))
    }

    fn plain(&self) -> Value {
        self.display().unwrap_or_default().into()
    }

    fn truth(&self) -> bool {
        self.real != 0.0 || self.imaginary != 0.0
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
