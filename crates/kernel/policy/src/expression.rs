//! An expression in CEL and what it is evaluated to: [`Evaluator`].

use crate::library;
use cel::objects::{Key, Map};
use cel::{Context, Env, ExecutionError, Program, Value};
use serde_json::Value as Json;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Why there is no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// It is no CEL.
    Invalid(String),
    /// A part of CEL, or something that only a cluster knows, is missing here.
    Missing(String),
    /// It fails, as it would in a cluster: a field that it reads is not there.
    Fails(String),
}

/// Variables by name, as JSON.
pub(crate) type Variables<'a> = Vec<(&'a str, Json)>;

/// Longer expressions are refused by Kubernetes, too.
const LONGEST: usize = 16 * 1024;
/// How many steps an evaluation may take, roughly.
const MOST_STEPS: f64 = 1e7;

/// Expressions, parsed once.
pub(crate) struct Evaluator {
    env: Arc<Env>,
    programs: HashMap<String, Result<Arc<Program>, Unknown>>,
}

impl Evaluator {
    pub(crate) fn new() -> Self {
        Self { env: Arc::new(library::env()), programs: HashMap::new() }
    }

    /// The value of `text` with `variables`, and with `lazy` ones, which are expressions by themselves and known as
    /// `variables.NAME`, each able to use those before it.
    pub(crate) fn evaluate(
        &mut self,
        text: &str,
        variables: &Variables<'_>,
        lazy: &[(String, String)],
    ) -> Result<Value, Unknown> {
        let largest = variables.iter().map(|(_, value)| largest(value)).max().unwrap_or(1);
        let mut context = Context::with_env(self.env.clone());
        library::declare(&mut context);
        for (name, value) in variables {
            context.add_variable_from_value(*name, value_of(value));
        }
        let mut known: HashMap<Key, Value> = HashMap::new();
        for (name, expression) in lazy.iter().filter(|(name, _)| mentions(text, lazy, name)) {
            context.add_variable_from_value("variables", Value::Map(Map { map: Arc::new(known.clone()) }));
            known.insert(Key::String(Arc::new(name.clone())), self.run(expression, &context, largest)?);
        }
        context.add_variable_from_value("variables", Value::Map(Map { map: Arc::new(known) }));
        self.run(text, &context, largest)
    }

    fn run(&mut self, text: &str, context: &Context<'_, '_>, largest: usize) -> Result<Value, Unknown> {
        let literal = text.matches(',').count() + 1;
        if (largest.max(literal) as f64).powi(nesting(text)) > MOST_STEPS {
            return Err(Unknown::Missing("it would take too many steps".to_owned()));
        }
        let program = self.program(text)?;
        // What the library does not expect must not take the whole run along.
        let outcome = catch_unwind(AssertUnwindSafe(|| program.execute(context)));
        match outcome {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(why(&error)),
            Err(_) => Err(Unknown::Missing("the interpreter gave up".to_owned())),
        }
    }

    fn program(&mut self, text: &str) -> Result<Arc<Program>, Unknown> {
        if let Some(known) = self.programs.get(text) {
            return known.clone();
        }
        let parsed = if text.len() > LONGEST {
            Err(Unknown::Invalid(format!("it is longer than {LONGEST} bytes")))
        } else {
            match catch_unwind(AssertUnwindSafe(|| self.env.compile(text))) {
                Ok(Ok(program)) => match library::missing(&program) {
                    Some(what) => Err(Unknown::Missing(what)),
                    None => Ok(Arc::new(program)),
                },
                Ok(Err(errors)) => {
                    let first = errors.errors.first().map(|error| error.msg.clone()).unwrap_or_default();
                    Err(Unknown::Invalid(first.lines().next().unwrap_or_default().to_owned()))
                }
                Err(_) => Err(Unknown::Missing("the parser gave up".to_owned())),
            }
        };
        self.programs.insert(text.to_owned(), parsed.clone());
        parsed
    }
}

/// Whether an expression has to do with a variable, by itself or through others.
fn mentions(text: &str, lazy: &[(String, String)], name: &str) -> bool {
    let uses = |text: &str, name: &str| text.contains(&format!("variables.{name}")) || text.contains("variables[");
    // Later ones may use earlier ones, never the other way round.
    let mut wanted = vec![text];
    for (other, expression) in lazy.iter().rev() {
        if wanted.iter().any(|text| uses(text, other)) {
            if other == name {
                return true;
            }
            wanted.push(expression);
        }
    }
    false
}

fn why(error: &ExecutionError) -> Unknown {
    match error {
        ExecutionError::NoSuchKey(key) => Unknown::Fails(format!("there is no `{key}`")),
        ExecutionError::IndexOutOfBounds(_) => Unknown::Fails("a list is shorter than it takes it to be".to_owned()),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            Unknown::Fails("it divides by zero".to_owned())
        }
        ExecutionError::UndeclaredReference(name) => Unknown::Missing(format!("`{name}` is not known here")),
        ExecutionError::NoSuchOverload(overload) => {
            Unknown::Missing(format!("`{}` does not take these types here", overload.function()))
        }
        // Others quote values, which may be secret.
        ExecutionError::FunctionError { function, .. } => Unknown::Fails(format!("`{function}` fails")),
        _ => Unknown::Missing("it is of types that do not go together here".to_owned()),
    }
}

/// JSON as CEL has it: whole numbers are `int`.
pub(crate) fn value_of(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Value::Int(integer),
            (None, float) => Value::Float(float.unwrap_or(0.0)),
        },
        Json::String(text) => Value::String(Arc::new(text.clone())),
        Json::Array(items) => Value::List(Arc::new(items.iter().map(value_of).collect())),
        Json::Object(fields) => {
            let entries = fields.iter().map(|(key, value)| (Key::String(Arc::new(key.clone())), value_of(value)));
            Value::Map(Map { map: Arc::new(entries.collect()) })
        }
    }
}

/// The size of the largest list or map.
fn largest(json: &Json) -> usize {
    match json {
        Json::Array(items) => items.iter().map(largest).max().unwrap_or(1).max(items.len()),
        Json::Object(fields) => fields.values().map(largest).max().unwrap_or(1).max(fields.len()),
        _ => 1,
    }
}

/// How deeply macros that go through lists stand within one another.
fn nesting(text: &str) -> i32 {
    const MACROS: [&str; 8] =
        ["all", "exists", "exists_one", "existsOne", "map", "filter", "transformList", "transformMap"];
    let (mut open, mut depth, mut deepest): (Vec<bool>, i32, i32) = (Vec::new(), 0, 0);
    for (index, character) in text.char_indices() {
        match character {
            '(' => {
                let before = &text[..index];
                let name = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
                let is_macro = MACROS.contains(&name);
                open.push(is_macro);
                depth += i32::from(is_macro);
                deepest = deepest.max(depth);
            }
            ')' => depth -= i32::from(open.pop() == Some(true)),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn evaluated(text: &str) -> Result<Value, Unknown> {
        let object = json!({"spec": {"replicas": 3, "names": ["a", "b"], "cpu": "500m"}, "metadata": {"name": "x"}});
        let lazy = [
            ("twice".to_owned(), "object.spec.replicas * 2".to_owned()),
            ("more".to_owned(), "variables.twice + 1".to_owned()),
        ];
        Evaluator::new().evaluate(text, &vec![("object", object)], &lazy)
    }

    #[test]
    fn expressions_are_true_or_false() {
        for (text, wanted) in [
            ("object.spec.replicas == 3 && object.spec.replicas + 1 > 3", true),
            ("object.spec.names.all(n, n.startsWith('a'))", false),
            ("has(object.spec.absent) ? false : true", true),
            ("'cpu' in object.spec", true),
            ("object.metadata.name.matches('^[a-z]+$')", true),
            ("variables.more == 7", true),
            ("object.spec.names.join('-') == 'a-b'", true),
            ("object.?spec.?absent.orValue(1) == 1", true),
            ("quantity(object.spec.cpu).isLessThan(quantity('1'))", true),
            ("isQuantity('1gb')", false),
            ("quantity('1Gi').compareTo(quantity('1024Mi')) == 0", true),
            ("'abc123'.find('[0-9]+') == '123'", true),
            ("[1, 2, 3].sum() == 6 && [1, 2].isSorted()", true),
        ] {
            assert_eq!(evaluated(text), Ok(Value::Bool(wanted)), "{text}");
        }
    }

    #[test]
    fn what_can_not_be_evaluated_is_said_by_name() {
        assert!(matches!(evaluated("object.spec.absent == 1"), Err(Unknown::Fails(why)) if why.contains("absent")));
        assert!(matches!(evaluated("object.spec."), Err(Unknown::Invalid(_))));
        assert!(
            matches!(evaluated("authorizer.group('').resource('pods').check('get').allowed()"), Err(Unknown::Missing(why)) if why.contains("authorizer"))
        );
        assert!(matches!(evaluated("ip('10.0.0.1').family() == 4"), Err(Unknown::Missing(why)) if why.contains("ip")));
        assert!(matches!(evaluated("nobody == 1"), Err(Unknown::Missing(why)) if why.contains("nobody")));
    }

    #[test]
    fn nobody_makes_it_run_for_long() {
        assert_eq!(nesting("a.all(x, b.exists(y, y == x)) && c.map(z, z)"), 2);
        let list = "[0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9]";
        let deep = (0..12).fold("true".to_owned(), |inner, depth| format!("{list}.all(x{depth}, {inner})"));
        assert!(matches!(evaluated(&deep), Err(Unknown::Missing(why)) if why.contains("steps")));
        let parentheses = format!("{}true{}", "(".repeat(5000), ")".repeat(5000));
        assert!(evaluated(&parentheses).is_err());
    }
}
