//! `semver` and `semverCompare`, and the version as templates see it: [`VersionObject`].

use crate::arguments::{Outcome, fixed, text};
use onepane_semver::{Constraint, Version};
use onepane_template::{Function, Type};
use onepane_value::{Data, IntKind, Kind, List, Object, Text, Value};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::VecDeque;

pub(crate) const FUNCTIONS: &[Function] = &[
    fixed("semver", &[Type::String], |_, arguments| {
        let version = Version::parse(&text(arguments, 0)?.to_str()).map_err(|error| error.to_string())?;
        Ok(Value::object(VersionObject { version, pointer: true }).with_origin(arguments[0].origin.clone()))
    }),
    fixed("semverCompare", &[Type::String, Type::String], semver_compare),
];

thread_local! {
    /// The last answers: a large chart asks for the version of Kubernetes in each of its files.
    static COMPARED: RefCell<VecDeque<Compared>> = const { RefCell::new(VecDeque::new()) };
}

/// A constraint, a version, and whether that satisfies it.
type Compared = (Text, Text, bool);

const MOST_COMPARED: usize = 8;

fn semver_compare(_: &mut dyn onepane_template::Context, arguments: &[Value]) -> Outcome {
    let (wanted, given) = (text(arguments, 0)?, text(arguments, 1)?);
    let known = |(constraint, version, _): &&Compared| constraint == wanted && version == given;
    let answer = COMPARED.with_borrow(|compared| compared.iter().find(known).map(|(_, _, answer)| *answer));
    if let Some(answer) = answer {
        return Ok(answer.into());
    }
    // The constraint's error comes first, as there.
    let constraint = Constraint::parse(&wanted.to_str()).map_err(|error| error.to_string())?;
    let version = Version::parse(&given.to_str()).map_err(|error| error.to_string())?;
    let answer = constraint.check(&version);
    COMPARED.with_borrow_mut(|compared| {
        compared.truncate(MOST_COMPARED - 1);
        compared.push_front((wanted.clone().without_origin(), given.clone().without_origin(), answer));
    });
    Ok(answer.into())
}

/// A `*semver.Version`, or a `semver.Version`, which what makes another version of one gives.
#[derive(Debug)]
struct VersionObject {
    version: Version,
    pointer: bool,
}

/// Methods of the value.
const METHODS: [&str; 14] = [
    "Major",
    "Minor",
    "Patch",
    "Prerelease",
    "Metadata",
    "String",
    "IncMajor",
    "IncMinor",
    "IncPatch",
    "SetPrerelease",
    "SetMetadata",
    "MarshalText",
    "MarshalJSON",
    "Value",
];

/// Methods that Go gives to the pointer only.
const POINTER_METHODS: [&str; 7] =
    ["Compare", "Equal", "LessThan", "LessThanEqual", "GreaterThan", "GreaterThanEqual", "Original"];

impl Object for VersionObject {
    fn type_name(&self) -> Cow<'static, str> {
        if self.pointer { "*semver.Version".into() } else { "semver.Version".into() }
    }

    fn kind(&self) -> Kind {
        if self.pointer { Kind::Pointer } else { Kind::Struct }
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn has_method(&self, name: &str) -> bool {
        METHODS.contains(&name) || (self.pointer && POINTER_METHODS.contains(&name))
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, String> {
        let version = &self.version;
        let wanted = usize::from(matches!(name, "SetPrerelease" | "SetMetadata"))
            + usize::from(name != "Original" && POINTER_METHODS.contains(&name));
        if arguments.len() != wanted {
            return Err(format!("wrong number of args for {name}: want {wanted} got {}", arguments.len()));
        }
        let number = |number: u64| Value::from(Data::Uint(number, IntKind::Bits64));
        let derived = |version: Option<Version>| match version {
            Some(version) => Ok(Value::object(Self { version, pointer: false })),
            None => Err("version increment would overflow uint64".to_owned()),
        };
        let string = || match arguments[0].as_text() {
            Some(text) => Ok(text.to_str()),
            None => Err(format!("wrong type for value; expected string; got {}", arguments[0].type_name())),
        };
        let compare = || match &arguments[0].data {
            Data::Object(object) => match object.as_any().downcast_ref::<Self>() {
                Some(other) if other.pointer => Ok(version.cmp(&other.version)),
                _ => Err(format!("wrong type for value; expected *semver.Version; got {}", object.type_name())),
            },
            _ => Err(format!("wrong type for value; expected *semver.Version; got {}", arguments[0].type_name())),
        };
        Ok(match name {
            "Major" => number(version.major()),
            "Minor" => number(version.minor()),
            "Patch" => number(version.patch()),
            "Prerelease" => version.prerelease().into(),
            "Metadata" => version.metadata().into(),
            "Original" => version.original().into(),
            "String" | "Value" => version.to_string().into(),
            "MarshalText" | "MarshalJSON" => {
                let text = if name == "MarshalText" { version.to_string() } else { format!("\"{version}\"") };
                List::bytes(text).into()
            }
            "IncMajor" => derived(version.next_major())?,
            "IncMinor" => derived(version.next_minor())?,
            "IncPatch" => derived(version.next_patch())?,
            "SetPrerelease" => derived(Some(version.with_prerelease(&string()?).map_err(|error| error.to_string())?))?,
            "SetMetadata" => derived(Some(version.with_metadata(&string()?).map_err(|error| error.to_string())?))?,
            "Compare" => Value::int(compare()? as i64),
            "Equal" => compare()?.is_eq().into(),
            "LessThan" => compare()?.is_lt().into(),
            "LessThanEqual" => compare()?.is_le().into(),
            "GreaterThan" => compare()?.is_gt().into(),
            "GreaterThanEqual" => compare()?.is_ge().into(),
            _ => return Err(format!("{} has no method {name}", self.type_name())),
        })
    }

    fn display(&self) -> Option<Text> {
        Some(self.version.to_string().into())
    }

    fn plain(&self) -> Value {
        self.version.to_string().into()
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_shows_its_parts_and_compares() {
        let version = |text| VersionObject { version: Version::parse(text).expect("a version"), pointer: true };
        let object = version("v1.2.3-beta.1+build");
        let call = |name: &str, arguments: &[Value]| object.call(name, arguments).expect(name);
        for (name, wanted) in [
            ("Prerelease", "beta.1"),
            ("Metadata", "build"),
            ("Original", "v1.2.3-beta.1+build"),
            ("String", "1.2.3-beta.1+build"),
        ] {
            assert_eq!(call(name, &[]).as_text().expect("a string"), wanted, "{name}");
        }
        assert!(call("Major", &[]).deep_equal(&Data::Uint(1, IntKind::Bits64).into()));
        assert!(call("Compare", &[Value::object(version("1.2.3"))]).deep_equal(&Value::int(-1)));
        let next = call("IncMinor", &[]);
        let Data::Object(next) = next.data else { panic!("{next:?}") };
        assert_eq!(next.display().expect("it prints"), "1.3.0");
        assert!(!next.has_method("Compare"), "Go's Compare belongs to the pointer");
        assert!(object.call("Compare", &["1".into()]).is_err());
    }
}
