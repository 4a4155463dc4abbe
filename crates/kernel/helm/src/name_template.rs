//! `--name-template`.

use onepane_functions::SPRIG;
use onepane_template::{MissingKey, Options, Templates};
use onepane_value::Value;
use onepane_world::World;

/// The name that a template gives, which sees no data and has sprig's functions. The error is Go's text.
pub fn name_from_template(template: &str, world: &dyn World) -> Result<String, String> {
    let options = Options { missing_key: MissingKey::Invalid, set_name: "name-template", ..Options::default() };
    let mut templates = Templates::new(&SPRIG, options);
    templates.parse("name-template", None, template).map_err(|error| error.to_string())?;
    let text = templates
        .execute("name-template", &Value::NIL, world, &onepane_template::Offline)
        .map_err(|error| error.to_string())?;
    Ok(text.to_string())
}
