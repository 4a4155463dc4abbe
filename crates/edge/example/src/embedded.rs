//! The files inside the binary, by path and in order.

use rust_embed::{Embed, EmbeddedFile};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Files by path below their folder, with `/` between the parts.
pub(crate) type Files = BTreeMap<Cow<'static, str>, Cow<'static, [u8]>>;

/// The company's repository without the services.
pub(crate) fn shop() -> Files {
    collect(Shop::iter(), Shop::get)
}

/// One service's repository.
pub(crate) fn service(name: &str) -> Files {
    let below = |path: Cow<'static, str>| path.strip_prefix(name)?.strip_prefix('/').map(str::to_owned);
    collect(Services::iter(), Services::get)
        .into_iter()
        .filter_map(|(path, contents)| Some((Cow::Owned(below(path)?), contents)))
        .collect()
}

/// The repository of a company that has nothing yet.
pub(crate) fn skeleton() -> Files {
    collect(Skeleton::iter(), Skeleton::get)
}

#[derive(Embed)]
#[folder = "shop/"]
#[exclude = "helm-charts/rendered/*"]
struct Shop;

// `bin` is what `make build` leaves.
#[derive(Embed)]
#[folder = "services/"]
#[exclude = "*/bin/*"]
struct Services;

#[derive(Embed)]
#[folder = "skeleton/"]
struct Skeleton;

fn collect(paths: impl Iterator<Item = Cow<'static, str>>, get: impl Fn(&str) -> Option<EmbeddedFile>) -> Files {
    paths.filter_map(|path| get(&path).map(|file| (path, file.data))).collect()
}
