//! Networks in CIDR notation.

use super::super::value::Value;
use super::{Fault, Function, NUMBER, Outcome, TEXT, blame, fixed, int, text, variadic};
use num_bigint::BigInt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("cidrhost", &[TEXT, NUMBER], host),
    fixed("cidrnetmask", &[TEXT], |arguments| {
        let network = Network::parse(arguments)?;
        Ok(network.text_of(network.mask()).into())
    }),
    fixed("cidrsubnet", &[TEXT, NUMBER, NUMBER], subnet),
    variadic("cidrsubnets", &[TEXT], NUMBER, subnets),
];

/// No network is parted by more bits at once.
const MOST_BITS: i64 = 32;

/// An address without its host part.
#[derive(Clone, Copy)]
struct Network {
    address: u128,
    prefix: u32,
    /// 32 or 128.
    width: u32,
}

impl Network {
    /// As Go reads it: decimal parts without zeros before them, no zone.
    fn parse(arguments: &[Value]) -> Result<Self, Fault> {
        let written = text(arguments, 0)?;
        let wrong = || blame(0, format!("{written:?} is no network in CIDR notation, like 10.0.0.0/8"));
        let (address, prefix) = written.split_once('/').ok_or_else(wrong)?;
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let is_prefix = !prefix.is_empty() && prefix.len() < 10 && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix: u32 = if is_prefix { prefix.parse().map_err(|_| wrong())? } else { return Err(wrong()) };
        let (address, width) = match address {
            IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
            IpAddr::V6(address) => (u128::from(address), 128),
        };
        if prefix > width {
            return Err(wrong());
        }
        let network = Self { address, prefix, width };
        Ok(Self { address: address & network.mask(), ..network })
    }

    fn mask(self) -> u128 {
        self.all() & !self.hosts()
    }

    /// All addresses there are.
    fn all(self) -> u128 {
        u128::MAX >> (128 - self.width)
    }

    /// The part for hosts.
    fn hosts(self) -> u128 {
        u128::MAX.checked_shr(128 - (self.width - self.prefix)).unwrap_or(0)
    }

    fn text_of(self, address: u128) -> String {
        if self.width == 32 {
            return Ipv4Addr::from(address as u32).to_string();
        }
        let address = Ipv6Addr::from(address);
        // Go writes one that stands for an address of 32 bits as that.
        address.to_ipv4_mapped().map_or_else(|| address.to_string(), |address| address.to_string())
    }

    fn text(self) -> String {
        format!("{}/{}", self.text_of(self.address), self.prefix)
    }
}

/// A negative number counts from the last address.
fn host(arguments: &[Value]) -> Outcome {
    let (network, number) = (Network::parse(arguments)?, int(arguments, 1)?);
    let hosts = network.hosts();
    let distance = if number < 0 { u128::from(number.unsigned_abs()) - 1 } else { number.unsigned_abs().into() };
    if distance > hosts {
        return Err(blame(1, format!("a prefix of {} bits has no host {number}", network.prefix)));
    }
    let offset = if number < 0 { hosts - distance } else { distance };
    Ok(network.text_of(network.address | offset).into())
}

/// A negative number is inserted as it is in two's complement, and a prefix may become shorter: what is no address then
/// is an error.
fn subnet(arguments: &[Value]) -> Outcome {
    let (network, bits, number) = (Network::parse(arguments)?, int(arguments, 1)?, int(arguments, 2)?);
    if bits > MOST_BITS {
        return Err(blame(1, format!("a prefix is not made longer by more than {MOST_BITS} bits")));
    }
    let prefix = u32::try_from(i64::from(network.prefix) + bits).ok().filter(|prefix| *prefix <= network.width);
    let prefix = prefix
        .ok_or_else(|| blame(1, format!("a prefix of {} bits can't be made longer by {bits}", network.prefix)))?;
    if bits >= 0 && number.unsigned_abs() >= 1 << bits {
        return Err(blame(2, format!("{bits} bits can't count so many networks")));
    }
    let inserted = BigInt::from(network.address) | (BigInt::from(number) << (network.width - prefix));
    let address = u128::try_from(inserted.magnitude()).ok().filter(|address| *address <= network.all());
    let address = address.ok_or_else(|| blame(2, "there is no such network"))?;
    Ok(Network { address, prefix, ..network }.text().into())
}

/// Networks one after the other, each by so many bits longer than the first.
fn subnets(arguments: &[Value]) -> Outcome {
    let network = Network::parse(arguments)?;
    let mut all = Vec::new();
    // The last address that is taken.
    let mut last: Option<u128> = None;
    for place in 1..arguments.len() {
        let bits = int(arguments, place)?;
        if !(1..=MOST_BITS).contains(&bits) {
            return Err(blame(place, format!("a prefix is made longer by 1 to {MOST_BITS} bits")));
        }
        let prefix = network.prefix + bits as u32;
        if prefix > network.width {
            return Err(blame(place, format!("a prefix of {prefix} bits is too long for an address")));
        }
        let mut next = Network { prefix, ..network };
        // Go's library takes the first address of all for the one behind the last.
        let wraps = last.is_none() && network.address == 0;
        let full = || blame(place, format!("there is no room for another network with a prefix of {prefix} bits"));
        if wraps {
            return Err(full());
        }
        if let Some(last) = last {
            // Where it fits, behind what is taken.
            next.address = (last | next.hosts()).checked_add(1).ok_or_else(full)?;
            if next.address > network.address | network.hosts() {
                return Err(full());
            }
        }
        last = Some(next.address | next.hosts());
        all.push(next.text());
    }
    Ok(Value::texts(all))
}
