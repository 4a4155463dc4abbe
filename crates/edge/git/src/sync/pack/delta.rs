//! Deltas, as `gitformat-pack` describes them: two sizes, and then what is to be copied from the base and what is to be
//! inserted.

use super::{broken, too_large};
use std::io::Result;

/// What a delta makes of its base, into `made`.
pub(super) fn apply(base: &[u8], delta: &[u8], largest: u64, made: &mut Vec<u8>) -> Result<()> {
    made.clear();
    let mut rest = Rest(delta);
    let (from, to) = (rest.size()?, rest.size()?);
    if from != base.len() as u64 {
        return Err(broken(format!("a delta is of {from} bytes, and its base has {}", base.len())));
    }
    if to > largest {
        return Err(too_large(&format!("an object of {to} bytes")));
    }
    while let Some((&order, after)) = rest.0.split_first() {
        rest.0 = after;
        let part = if order & 0x80 != 0 {
            let begin = rest.number(order, 4)? as usize;
            let size = match rest.number(order >> 4, 3)? {
                0 => 0x1_0000,
                size => size as usize,
            };
            let outside = || broken("a delta copies what is not in its base");
            base.get(begin..begin + size).ok_or_else(outside)?
        } else if order > 0 {
            rest.take(order.into())?
        } else {
            return Err(broken("a delta has an order that is none"));
        };
        if (made.len() + part.len()) as u64 > to {
            return Err(broken("a delta makes more than it says"));
        }
        made.extend_from_slice(part);
    }
    if (made.len() as u64) < to {
        return Err(broken("a delta makes less than it says"));
    }
    Ok(())
}

/// What has not been read of a delta.
struct Rest<'d>(&'d [u8]);

impl<'d> Rest<'d> {
    fn take(&mut self, count: usize) -> Result<&'d [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(|| broken("a delta is cut off"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    /// Seven bits in each byte, the lowest first.
    fn size(&mut self) -> Result<u64> {
        let mut size = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            size |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(size);
            }
        }
        Err(broken("a delta has a size that is none"))
    }

    /// A number of so many bytes, the lowest first, of which those are there whose bit is set.
    fn number(&mut self, bits: u8, bytes: u8) -> Result<u32> {
        let mut number = 0;
        for at in (0..bytes).filter(|at| bits & 1 << at != 0) {
            number |= u32::from(self.byte()?) << (8 * at);
        }
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delta_makes_what_it_says_and_nothing_else() {
        let made = |delta: &[u8]| {
            let mut made = Vec::new();
            apply(b"abcdef", delta, 1 << 20, &mut made).map(|()| made).map_err(|error| error.to_string())
        };
        // Copied from 2, 3 bytes; inserted; copied from the begin.
        assert_eq!(made(b"\x06\x06\x91\x02\x03\x01x\x90\x02"), Ok(b"cdexab".to_vec()));
        let refused: [(&[u8], &str); 9] = [
            (b"\x05\x01\x01x", "is of 5 bytes, and its base has 6"),
            (b"\x06\x01\x91\x05\x02", "copies what is not in its base"),
            (b"\x06\x01\x80", "copies what is not in its base"),
            (b"\x06\x01\x9f\xff\xff\xff\xff\xff", "copies what is not in its base"),
            (b"\x06\x01\x00", "an order that is none"),
            (b"\x06\x01\x02xy", "more than it says"),
            (b"\x06\x02\x01x", "less than it says"),
            (b"\x06\x02\x02x", "is cut off"),
            (b"\x06\x81\x80\x80\x01", "too much memory"),
        ];
        for (delta, why) in refused {
            assert!(made(delta).is_err_and(|told| told.contains(why)), "{delta:?}: {why}");
        }
        assert!(
            made(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").is_err_and(|told| told.contains("a size that is"))
        );
    }
}
