//! The release's namespace where no flag gives one.

use super::flags::Parsed;
use onepane_value::{Data, Value, from_yaml};
use onepane_world::World;

/// `--namespace`, `HELM_NAMESPACE`, the namespace of the kubeconfig's context, `default`.
pub(super) fn namespace(flags: &Parsed, world: &dyn World) -> String {
    let given = flags.text("namespace").map(str::to_owned).or_else(|| world.env("HELM_NAMESPACE"));
    given
        .filter(|name| !name.is_empty())
        .or_else(|| of_kubeconfig(flags, world))
        .unwrap_or_else(|| "default".to_owned())
}

fn of_kubeconfig(flags: &Parsed, world: &dyn World) -> Option<String> {
    let given = flags.text("kubeconfig").map(str::to_owned).or_else(|| world.env("KUBECONFIG"));
    let paths = match given.filter(|paths| !paths.is_empty()) {
        Some(paths) => paths,
        None => format!("{}/.kube/config", world.env("HOME")?),
    };
    // Several files count as one; the first that knows a thing wins.
    let files: Vec<Value> = paths
        .split(':')
        .filter(|path| !path.is_empty())
        .filter_map(|path| world.read(path.into()).ok())
        .filter_map(|bytes| from_yaml(std::str::from_utf8(&bytes).ok()?, None).ok())
        .collect();
    let text = |value: Option<Value>| Some(value?.as_text()?.to_str().into_owned()).filter(|text| !text.is_empty());
    let field = |value: &Value, key: &str| value.as_map().and_then(|map| map.get(key));
    let current = flags.text("kube-context").map(str::to_owned).or_else(|| world.env("HELM_KUBECONTEXT"));
    let current = current.or_else(|| files.iter().find_map(|file| text(field(file, "current-context"))))?;
    files.iter().find_map(|file| {
        let Data::List(contexts) = field(file, "contexts")?.data else { return None };
        let context = contexts.iter().find(|context| text(field(context, "name")).as_ref() == Some(&current))?;
        text(field(&field(context, "context")?, "namespace"))
    })
}
