//! `randAlphaNum` and its family, and the stream of randomness that they and the keys draw from: [`Random`].

use crate::arguments::{Outcome, derived, fixed, int, text};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use onepane_template::{Context, Function, FunctionError, Type};
use onepane_value::Value;
use onepane_world::World;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

pub(crate) const FUNCTIONS: &[Function] = &[
    fixed("randAlphaNum", &[Type::Int], |context, arguments| {
        random_text(context, arguments, b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    }),
    fixed("randAlpha", &[Type::Int], |context, arguments| {
        random_text(context, arguments, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    }),
    fixed("randNumeric", &[Type::Int], |context, arguments| random_text(context, arguments, b"0123456789")),
    fixed("randAscii", &[Type::Int], |context, arguments| {
        random_text(
            context,
            arguments,
            br##" !"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefghijklmnopqrstuvwxyz{|}~"##,
        )
    }),
    fixed("randBytes", &[Type::Int], random_bytes),
    fixed("randInt", &[Type::Int, Type::Int], |context, arguments| {
        let (low, high) = (int(arguments, 0)?, int(arguments, 1)?);
        match high.wrapping_sub(low) {
            ..=0 => Err("invalid argument to Intn".into()),
            range => {
                let below = Random::new(context.world()).below(range.cast_unsigned());
                Ok(Value::int(low.wrapping_add(below.cast_signed())))
            }
        }
    }),
    fixed("shuffle", &[Type::String], |context, arguments| {
        let mut characters: Vec<char> = text(arguments, 0)?.to_str().chars().collect();
        let mut random = Random::new(context.world());
        for last in (1..characters.len()).rev() {
            let other = random.below(last as u64 + 1) as usize;
            characters.swap(last, other);
        }
        Ok(derived(&arguments[0], characters.into_iter().collect::<String>()))
    }),
    fixed("uuidv4", &[], |context, _| {
        let mut bytes = [0; 16];
        Random::new(context.world()).fill(&mut bytes);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let parts = [&bytes[..4], &bytes[4..6], &bytes[6..8], &bytes[8..10], &bytes[10..]].map(hex);
        Ok(parts.join("-").into())
    }),
];

/// So many characters of an alphabet; none where the number is not above zero.
fn random_text(context: &mut dyn Context, arguments: &[Value], alphabet: &[u8]) -> Outcome {
    let count = usize::try_from(int(arguments, 0)?).unwrap_or(0);
    context.charge(count)?;
    let mut random = Random::new(context.world());
    let characters = (0..count).map(|_| char::from(alphabet[random.below(alphabet.len() as u64) as usize]));
    Ok(characters.collect::<String>().into())
}

fn random_bytes(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let count = usize::try_from(int(arguments, 0)?)
        .map_err(|_| FunctionError::from("runtime error: makeslice: len out of range"))?;
    context.charge(count.saturating_mul(2))?;
    let mut bytes = vec![0; count];
    Random::new(context.world()).fill(&mut bytes);
    Ok(STANDARD.encode(bytes).into())
}

/// Randomness without end, grown from what the world gives once.
pub(crate) struct Random(pub(crate) ChaCha20Rng);

impl Random {
    pub(crate) fn new(world: &dyn World) -> Self {
        let mut seed = [0; 32];
        world.random(&mut seed);
        Self(ChaCha20Rng::from_seed(seed))
    }

    /// Another stream from the same seed.
    pub(crate) fn stream(&self, number: u64) -> Self {
        let mut other = ChaCha20Rng::from_seed(self.0.get_seed());
        other.set_stream(number);
        Self(other)
    }

    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }

    /// A number below `limit`, which is not zero, each as likely as any other.
    fn below(&mut self, limit: u64) -> u64 {
        // Numbers in the last, shorter stretch of the range would make some remainders likelier.
        let fair = u64::MAX - u64::MAX % limit;
        loop {
            let number = self.0.next_u64();
            if number < fair {
                return number % limit;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_world::MemoryWorld;

    #[test]
    fn numbers_below_a_limit_reach_all_of_them_and_no_more() {
        let mut random = Random::new(&MemoryWorld::new());
        let mut seen = [0; 7];
        for _ in 0..7000 {
            seen[random.below(7) as usize] += 1;
        }
        assert!(seen.iter().all(|count| (800..1200).contains(count)), "{seen:?}");
        assert_eq!(random.below(1), 0);
        assert_ne!(random.stream(1).below(u64::MAX), random.stream(2).below(u64::MAX));
    }
}
