//! Entries of `configMapGenerator:` and `secretGenerator:`.

use super::{KustomizationDraft, entry, name_of, refused, string, text_of};
use crate::decode::Decoder;
use crate::generate::{Generated, generate};
use crate::kustomization::{GeneratorFields, decode, read_generator};
use crate::load::Loader;
use crate::options::LoadRestrictor;
use camino::Utf8Path;
use onepane_diagnostics::Result;
use onepane_world::World;
use onepane_yaml::Node;
use onepane_yaml::Place::{Item, Key};

/// What an edit gives a generator.
#[derive(Clone, Debug, Default)]
pub struct GeneratorSources {
    /// `path` or `key=path`.
    pub files: Vec<String>,
    /// `key=value`.
    pub literals: Vec<String>,
    /// Files of `key=value` lines.
    pub envs: Vec<String>,
    /// `create`, `merge` or `replace`; nothing leaves it.
    pub behavior: String,
    /// Whether the name stays without a hash.
    pub no_hash: bool,
    /// The type of a secret that is new.
    pub secret_type: String,
}

impl Generated {
    /// The field of a kustomization.
    fn field(self) -> &'static str {
        match self {
            Self::ConfigMap => "configMapGenerator",
            Self::Secret => "secretGenerator",
        }
    }
}

impl KustomizationDraft {
    /// The generator with a name in a namespace; none is `default`.
    pub fn generator(&self, kind: Generated, name: &str, namespace: &str) -> Option<usize> {
        let items = self.draft.items(&[Key(kind.field())]);
        items.iter().position(|item| name_of(item) == name && same_namespace(text_of(item, "namespace"), namespace))
    }

    /// Adds sources to a generator, a new one where there is none yet, and gives back its place.
    pub fn add_to_generator(
        &mut self,
        kind: Generated,
        name: &str,
        namespace: &str,
        sources: &GeneratorSources,
    ) -> Result<usize> {
        let lists = [("envs", &sources.envs), ("files", &sources.files), ("literals", &sources.literals)];
        let options = sources.no_hash.then(|| ("options", entry([("disableNameSuffixHash", Node::scalar("true"))])));
        let Some(index) = self.generator(kind, name, namespace) else {
            let texts = [
                ("behavior", &*sources.behavior),
                ("name", name),
                ("namespace", namespace),
                ("type", &*sources.secret_type),
            ];
            let list = |items: &[String]| Node::sequence(items.iter().map(|item| string(item)).collect());
            let fields = texts.map(|(field, text)| (field, string(text))).into_iter();
            let fields = fields.chain(lists.map(|(field, items)| (field, list(items)))).chain(options);
            self.draft.push(&[Key(kind.field())], entry(fields))?;
            return Ok(self.draft.items(&[Key(kind.field())]).len() - 1);
        };
        let place = [Key(kind.field()), Item(index)];
        for (field, items) in lists {
            for item in items {
                match self.draft.items(&[place[0], place[1], Key(field)]) {
                    [] => self.put(&place, field, Node::sequence(vec![string(item)]))?,
                    _ => self.draft.push(&[place[0], place[1], Key(field)], string(item))?,
                }
            }
        }
        if sources.no_hash {
            self.put(&[place[0], place[1], Key("options")], "disableNameSuffixHash", Node::scalar("true"))?;
        }
        if !sources.behavior.is_empty() {
            self.put_text(&place, "behavior", &sources.behavior)?;
        }
        Ok(index)
    }

    /// Gives a literal of a generator another value.
    ///
    /// # Errors
    /// `kustomize-edit` where it has none with this key.
    pub fn set_literal(&mut self, kind: Generated, index: usize, key: &str, value: &str) -> Result<()> {
        let place = [Key(kind.field()), Item(index), Key("literals")];
        let has_key = |item: &Node| item.as_str().and_then(|text| text.split_once('=')).is_some_and(|(k, _)| k == key);
        let Some(literal) = self.draft.items(&place).iter().position(has_key) else {
            return Err(refused(format!("key '{key}' not found in resource")));
        };
        self.draft.set(&[place[0], place[1], place[2], Item(literal)], string(&format!("{key}={value}")))
    }

    /// Moves a generator to another namespace.
    pub fn set_generator_namespace(&mut self, kind: Generated, index: usize, namespace: &str) -> Result<()> {
        self.put_text(&[Key(kind.field()), Item(index)], "namespace", namespace)
    }

    /// Takes the generators with these names away, in a namespace, and gives back the names that there were.
    pub fn remove_generators(&mut self, kind: Generated, names: &[&str], namespace: &str) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for name in names {
            while let Some(index) = self.generator(kind, name, namespace) {
                self.draft.remove(&[Key(kind.field()), Item(index)])?;
                found.push((*name).to_owned());
            }
        }
        Ok(found)
    }

    /// Makes what a generator describes, from files of `world`, to see whether it can be made.
    ///
    /// # Errors
    /// Those of generating.
    pub fn check_generator(&self, kind: Generated, index: usize, world: &dyn World) -> Result<()> {
        let (Some(root), Some(node)) = (self.draft.root(), self.draft.get(&[Key(kind.field()), Item(index)])) else {
            return Ok(());
        };
        let fields = match kind {
            Generated::ConfigMap => GeneratorFields::ConfigMap,
            Generated::Secret => GeneratorFields::Secret,
        };
        let generator = read_generator(&Decoder::strict("Kustomization"), node, fields)?;
        let options = decode(root)?.generator_options;
        let loader = Loader::new(world, None, Utf8Path::new("."), LoadRestrictor::RootOnly)?;
        generate(kind, &generator, options.as_ref(), &loader, false).map(drop)
    }
}

/// The namespace that is not said is `default`.
fn same_namespace(a: &str, b: &str) -> bool {
    [a, b].map(|said| said.is_empty() || said == "default") == [true; 2] || a == b
}
