//! Floating-point numbers: rounding, and sprig's arithmetic, which goes through decimals so that 0.1 + 0.2 is 0.3.

use crate::arguments::{Outcome, any, derived, fixed, float, int, variadic};
use crate::cast::to_float64;
use num_bigint::{BigInt, Sign};
use num_integer::Integer;
use onepane_template::{Context, Function, FunctionError, Type};
use onepane_value::{Data, FloatKind, Value, format};

pub(crate) const FUNCTIONS: &[Function] = &[
    fixed("floor", &[Type::Any], |_, arguments| Ok(rounded(arguments, f64::floor))),
    fixed("ceil", &[Type::Any], |_, arguments| Ok(rounded(arguments, f64::ceil))),
    variadic("round", &[Type::Any, Type::Int, Type::Float64], round),
    variadic("maxf", &[Type::Any, Type::Any], |_, arguments| Ok(from_first(arguments, maximum))),
    variadic("minf", &[Type::Any, Type::Any], |_, arguments| Ok(from_first(arguments, |a, b| -maximum(-a, -b)))),
    fixed("add1f", &[Type::Any], |_, arguments| {
        decimal(to_float64(any(arguments, 0)), &[Value::int(1)], |a, b| Ok(a.plus(b, Sign::Plus)))
    }),
    variadic("addf", &[Type::Any], |_, arguments| decimal(0.0, arguments, |a, b| Ok(a.plus(b, Sign::Plus)))),
    variadic("subf", &[Type::Any, Type::Any], |_, arguments| {
        decimal_from_first(arguments, |a, b| Ok(a.plus(b, Sign::Minus)))
    }),
    variadic("mulf", &[Type::Any, Type::Any], |_, arguments| decimal_from_first(arguments, |a, b| Ok(a.times(b)))),
    variadic("divf", &[Type::Any, Type::Any], |_, arguments| decimal_from_first(arguments, Decimal::over)),
];

fn rounded(arguments: &[Value], round: fn(f64) -> f64) -> Value {
    derived(any(arguments, 0), Value::float(round(to_float64(any(arguments, 0)))))
}

/// Rounds at so many places, up from `.5` or from the third argument. The fraction of a negative number is negative and
/// so never reaches that: it rounds down.
fn round(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let up_from = if arguments.len() > 2 { float(arguments, 2)? } else { 0.5 };
    let scale = power_of_ten(int(arguments, 1)?);
    let digits = scale * to_float64(any(arguments, 0));
    // As Go's Modf: the fraction of an infinity is NaN.
    let whole = if digits - digits.trunc() >= up_from { digits.ceil() } else { digits.floor() };
    Ok(derived(any(arguments, 0), Value::float(whole / scale)))
}

fn power_of_ten(exponent: i64) -> f64 {
    let (mut power, mut square, mut left) = (1.0, 10.0, exponent.unsigned_abs());
    while left > 0 {
        if left & 1 == 1 {
            power *= square;
        }
        square *= square;
        left >>= 1;
    }
    if exponent < 0 { 1.0 / power } else { power }
}

fn from_first(arguments: &[Value], combine: fn(f64, f64) -> f64) -> Value {
    let numbers = arguments.get(1..).unwrap_or_default().iter().map(to_float64);
    Value::float(numbers.fold(to_float64(any(arguments, 0)), combine))
}

/// Go's `math.Max`: infinity beats NaN, NaN beats numbers, 0 beats -0.
fn maximum(a: f64, b: f64) -> f64 {
    match (a, b) {
        _ if a == f64::INFINITY || b == f64::INFINITY => f64::INFINITY,
        _ if a.is_nan() || b.is_nan() => f64::NAN,
        _ if a == 0.0 && b == 0.0 => {
            if a.is_sign_negative() {
                b
            } else {
                a
            }
        }
        _ if a > b => a,
        _ => b,
    }
}

type Operation = fn(&Decimal, &Decimal) -> Result<Decimal, FunctionError>;

fn decimal_from_first(arguments: &[Value], operation: Operation) -> Outcome {
    decimal(to_float64(any(arguments, 0)), arguments.get(1..).unwrap_or_default(), operation)
}

fn decimal(start: f64, values: &[Value], operation: Operation) -> Outcome {
    let mut result = Decimal::from_float(start)?;
    for value in values {
        result = operation(&result, &Decimal::from_float(to_float64(value))?)?;
    }
    Ok(Value::float(result.to_float()))
}

/// A number of shopspring/decimal: `digits` × 10^`exponent`.
#[derive(Debug)]
struct Decimal {
    digits: BigInt,
    exponent: i64,
}

impl Decimal {
    /// How many places a quotient has.
    const PLACES: i64 = 16;

    /// The shortest decimal that reads back as the number.
    fn from_float(number: f64) -> Result<Self, FunctionError> {
        if !number.is_finite() {
            let shown = format::sprint(&[Data::Float(number, FloatKind::Bits64).into()]);
            return Err(format!("Cannot create a Decimal from {shown}").into());
        }
        let shown = format!("{number:e}");
        let (mantissa, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}").parse().unwrap_or_default();
        let exponent = exponent.parse().unwrap_or(0i64) - fraction.len() as i64;
        Ok(Self { digits, exponent })
    }

    fn to_float(&self) -> f64 {
        // Rust reads the nearest number, as Go's rational numbers give.
        if self.digits.sign() == Sign::NoSign {
            return 0.0;
        }
        format!("{}e{}", self.digits, self.exponent).parse().unwrap_or(0.0)
    }

    fn plus(&self, other: &Self, sign: Sign) -> Self {
        let exponent = self.exponent.min(other.exponent);
        let other = &other.digits * power(other.exponent - exponent);
        let own = &self.digits * power(self.exponent - exponent);
        Self { digits: if sign == Sign::Minus { own - other } else { own + other }, exponent }
    }

    fn times(&self, other: &Self) -> Self {
        Self { digits: &self.digits * &other.digits, exponent: self.exponent + other.exponent }
    }

    /// The quotient at [`Self::PLACES`] places, halves away from zero.
    fn over(&self, other: &Self) -> Result<Self, FunctionError> {
        if other.digits.sign() == Sign::NoSign {
            return Err("decimal division by 0".into());
        }
        let shift = self.exponent - other.exponent + Self::PLACES;
        let dividend = &self.digits * power(shift);
        let divisor = &other.digits * power(-shift);
        let negative = dividend.sign() != divisor.sign();
        let (quotient, rest) = dividend.magnitude().div_rem(divisor.magnitude());
        let quotient = if rest * 2u8 >= *divisor.magnitude() { quotient + 1u8 } else { quotient };
        let sign = if negative { Sign::Minus } else { Sign::Plus };
        Ok(Self { digits: BigInt::from_biguint(sign, quotient), exponent: -Self::PLACES })
    }
}

/// 10^`exponent`, and 1 for what is below zero.
fn power(exponent: i64) -> BigInt {
    BigInt::from(10u8).pow(u32::try_from(exponent.max(0)).unwrap_or(u32::MAX))
}
