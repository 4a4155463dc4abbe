//! Images and replicas.

use super::{KustomizationDraft, entry, name_of, refused, string};
use crate::transform::split_image;
use onepane_diagnostics::Result;
use onepane_yaml::Node;
use onepane_yaml::Place::{Item, Key};

/// What `edit set image` says of an image. `*` keeps what there is, and nothing takes it away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageChange {
    /// The name that manifests have.
    pub name: String,
    /// The name in its place.
    pub new_name: String,
    /// The tag in place of theirs.
    pub new_tag: String,
    /// The digest in place of a tag.
    pub digest: String,
}

impl ImageChange {
    /// Reads `image=new:tag@digest`, with any of the parts left out but not all.
    ///
    /// # Errors
    /// `kustomize-edit`.
    pub fn parse(text: &str) -> Result<Self> {
        let (key, value) = text.split_once('=').map_or((None, text), |(key, value)| (Some(key), value));
        let (name, tag, digest) = split_image(value);
        if name == text {
            let forms = ["<image>=<newimage>", "<image>=<newimage>:<newtag>", "<image>=<newimage>@<digest>"];
            return Err(refused(format!("invalid format of image `{text}`"))
                .hint(format!("write <image>:<newtag>, <image>@<digest>, {}, or with both", forms.join(", "))));
        }
        let (name, new_name) = key.map_or((name, ""), |key| (key, name));
        let [name, new_name, new_tag, digest] = [name, new_name, tag, digest].map(str::to_owned);
        Ok(Self { name, new_name, new_tag, digest })
    }
}

impl KustomizationDraft {
    /// Sets the entry of `images` for an image.
    pub fn set_image(&mut self, change: &ImageChange) -> Result<()> {
        let fields = [("newName", &change.new_name), ("newTag", &change.new_tag), ("digest", &change.digest)];
        let Some(index) = self.keep_one("images", &change.name)? else {
            let fields = fields.into_iter().filter(|(_, value)| *value != "*");
            let fields = fields.chain([("name", &change.name)]).map(|(field, value)| (field, string(value)));
            return self.insert_by_name("images", &change.name, entry(fields));
        };
        for (field, value) in fields.into_iter().filter(|(_, value)| *value != "*") {
            self.put_text(&[Key("images"), Item(index)], field, value)?;
        }
        Ok(())
    }

    /// Sets the entry of `replicas` for a resource.
    pub fn set_replicas(&mut self, name: &str, count: i64) -> Result<()> {
        let value = Node::scalar(count.to_string());
        match self.keep_one("replicas", name)? {
            None => self.insert_by_name("replicas", name, entry([("count", value), ("name", string(name))])),
            Some(index) => self.draft.set(&[Key("replicas"), Item(index), Key("count")], value),
        }
    }

    /// The entry with a name; where there are several, Kustomize keeps the last.
    fn keep_one(&mut self, field: &str, name: &str) -> Result<Option<usize>> {
        let items = self.draft.items(&[Key(field)]).iter().enumerate();
        let mut found: Vec<usize> = items.filter(|(_, item)| name_of(item) == name).map(|(index, _)| index).collect();
        let Some(last) = found.pop() else { return Ok(None) };
        for index in found.iter().rev() {
            self.draft.remove(&[Key(field), Item(*index)])?;
        }
        Ok(Some(last - found.len()))
    }
}
