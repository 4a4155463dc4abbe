//! Worlds that are another one with a difference: [`answers_of`](crate::answers_of).

/// Answers these questions of a [`World`](crate::World) as the one in a field does, within an `impl World`:
/// `answers_of!(below: list, kind, canonical, now, random, env);`
#[macro_export]
macro_rules! answers_of {
    (@read $field:ident) => {
        fn read(&self, path: &camino::Utf8Path) -> Result<std::sync::Arc<[u8]>, $crate::ReadError> {
            self.$field.read(path)
        }
    };
    (@list $field:ident) => {
        fn list(&self, path: &camino::Utf8Path) -> Result<Vec<$crate::Entry>, $crate::ReadError> {
            self.$field.list(path)
        }
    };
    (@kind $field:ident) => {
        fn kind(&self, path: &camino::Utf8Path) -> Option<$crate::EntryKind> {
            self.$field.kind(path)
        }
    };
    (@canonical $field:ident) => {
        fn canonical(&self, path: &camino::Utf8Path) -> Result<camino::Utf8PathBuf, $crate::ReadError> {
            self.$field.canonical(path)
        }
    };
    (@now $field:ident) => {
        fn now(&self) -> std::time::SystemTime {
            self.$field.now()
        }
    };
    (@random $field:ident) => {
        fn random(&self, bytes: &mut [u8]) {
            self.$field.random(bytes);
        }
    };
    (@env $field:ident) => {
        fn env(&self, name: &str) -> Option<String> {
            self.$field.env(name)
        }
    };
    ($field:ident: $($question:ident),+) => {
        $($crate::answers_of!(@$question $field);)+
    };
}
