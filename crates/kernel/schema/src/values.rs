//! Texts of a certain form: quantities, times, base64.

/// Whether it is a quantity as Kubernetes reads it: `100m`, `1.5Gi`, `2e3`.
pub fn is_quantity(text: &str) -> bool {
    quantity(text).is_some()
}

/// How much a quantity is, as near as a float comes.
pub fn quantity(text: &str) -> Option<f64> {
    let rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
    let (number, suffix) = rest.split_at(digits);
    if !number.bytes().any(|byte| byte.is_ascii_digit()) || number.bytes().filter(|byte| *byte == b'.').count() > 1 {
        return None;
    }
    let number: f64 = format!("0{number}0").parse().ok()?;
    let number = if digits > 0 && !rest[..digits].contains('.') { number / 10.0 } else { number };
    const SUFFIXES: [(&str, f64); 16] = [
        ("", 1.0),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("Ei", 1_152_921_504_606_846_976.0),
    ];
    let times = match SUFFIXES.iter().find(|(known, _)| *known == suffix) {
        Some((_, times)) => *times,
        None => 10f64.powi(suffix.strip_prefix(['e', 'E'])?.parse().ok()?),
    };
    Some(if text.starts_with('-') { -number * times } else { number * times })
}

/// Whether it is a point in time as RFC 3339 writes it, as far as its form goes.
pub(crate) fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let form = b"dddd-dd-ddTdd:dd:dd";
    bytes.len() > form.len()
        && form
            .iter()
            .zip(bytes)
            .all(|(form, byte)| if *form == b'd' { byte.is_ascii_digit() } else { form.eq_ignore_ascii_case(byte) })
        && (text.ends_with(['Z', 'z']) || text[form.len()..].contains(['+', '-']))
}

/// Whether it is base64 with its padding; line breaks are passed over.
pub(crate) fn is_base64(text: &str) -> bool {
    let bytes: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    let padding = bytes.iter().rev().take_while(|byte| **byte == b'=').count();
    let letters = &bytes[..bytes.len() - padding];
    bytes.len().is_multiple_of(4)
        && padding <= 2
        && letters.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_a_number_and_a_known_suffix() {
        for (text, wanted) in [
            ("1", true),
            ("100m", true),
            ("1.5Gi", true),
            (".5", true),
            ("1e3", true),
            ("12E", true),
            ("-1", true),
            ("1.5.2", false),
            ("1gb", false),
            ("1 Gi", false),
            ("Mi", false),
            ("", false),
            ("1KiB", false),
        ] {
            assert_eq!(is_quantity(text), wanted, "{text}");
        }
    }

    #[test]
    fn quantities_can_be_compared() {
        for (text, wanted) in [("100m", 0.1), ("1", 1.0), ("1.5Gi", 1_610_612_736.0), ("2e3", 2000.0), (".5", 0.5)] {
            let found = quantity(text).expect(text);
            assert!((found - wanted).abs() < 1e-9, "{text}: {found}");
        }
    }

    #[test]
    fn times_and_base64_have_their_forms() {
        assert!(is_time("2026-01-05T10:00:00Z") && is_time("2026-01-05T10:00:00.5+01:00"));
        assert!(!is_time("2026-01-05") && !is_time("yesterday"));
        assert!(is_base64("aGk=") && is_base64("") && !is_base64("a=") && !is_base64("hunter2!"));
    }
}
