//! [`Version`]: reading, printing and ordering.

use crate::Error;
use std::cmp::Ordering;
use std::fmt;

/// Longer texts are refused unread.
const MAX_LENGTH: usize = 256;

/// A semantic version.
///
/// Equality and order follow the specification: build metadata and how the version was written do not count.
#[derive(Clone, Debug)]
pub struct Version {
    major: u64,
    minor: u64,
    patch: u64,
    prerelease: Box<str>,
    metadata: Box<str>,
    original: Box<str>,
}

impl Version {
    /// Reads a version leniently: a leading `v` is dropped, absent numbers are 0, leading zeros are taken.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_LENGTH {
            return Err(Error::VersionTooLong);
        }
        let mut rest = text.strip_prefix('v').unwrap_or(text);
        let major = take_digits(&mut rest).ok_or(Error::Invalid)?;
        let minor = take_dotted_digits(&mut rest);
        let patch = minor.and_then(|_| take_dotted_digits(&mut rest));
        let prerelease = take_identifiers(&mut rest, '-').unwrap_or_default();
        let metadata = take_identifiers(&mut rest, '+').unwrap_or_default();
        if !rest.is_empty() {
            return Err(Error::Invalid);
        }
        let number = |digits: &str| digits.parse().map_err(|_| Error::SegmentOutOfRange(digits.to_owned()));
        let version = Self {
            major: number(major)?,
            minor: minor.map_or(Ok(0), number)?,
            patch: patch.map_or(Ok(0), number)?,
            prerelease: prerelease.into(),
            metadata: metadata.into(),
            original: text.into(),
        };
        check_prerelease(prerelease)?;
        Ok(version)
    }

    /// Reads a version by the letter of the specification: three numbers without leading zeros, no `v`.
    pub fn parse_strict(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error::Empty);
        }
        if text.len() > MAX_LENGTH {
            return Err(Error::VersionTooLong);
        }
        let mut parts = text.splitn(3, '.');
        let (Some(major), Some(minor), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Error::Invalid);
        };
        let (rest, metadata) = rest.split_once('+').map_or((rest, None), |(rest, metadata)| (rest, Some(metadata)));
        if let Some(metadata) = metadata {
            check_metadata(metadata)?;
        }
        let (patch, prerelease) = rest.split_once('-').map_or((rest, None), |(patch, pre)| (patch, Some(pre)));
        if let Some(prerelease) = prerelease {
            check_nonempty_prerelease(prerelease)?;
        }
        for digits in [major, minor, patch] {
            if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(Error::InvalidCharacters);
            }
            if digits.len() > 1 && digits.starts_with('0') {
                return Err(Error::SegmentStartsZero);
            }
        }
        let number = |digits: &str| digits.parse().map_err(|_| Error::StrictSegment(digits.to_owned()));
        Ok(Self {
            major: number(major)?,
            minor: number(minor)?,
            patch: number(patch)?,
            prerelease: prerelease.unwrap_or_default().into(),
            metadata: metadata.unwrap_or_default().into(),
            original: text.into(),
        })
    }

    /// The first number.
    pub fn major(&self) -> u64 {
        self.major
    }

    /// The second number.
    pub fn minor(&self) -> u64 {
        self.minor
    }

    /// The third number.
    pub fn patch(&self) -> u64 {
        self.patch
    }

    /// What stands behind `-`; empty for a release.
    pub fn prerelease(&self) -> &str {
        &self.prerelease
    }

    /// What stands behind `+`.
    pub fn metadata(&self) -> &str {
        &self.metadata
    }

    /// The text that was read.
    pub fn original(&self) -> &str {
        &self.original
    }

    /// The next patch version; of a pre-release, its release. `None` where the number would not fit.
    pub fn next_patch(&self) -> Option<Self> {
        let patch = if self.prerelease.is_empty() { self.patch.checked_add(1)? } else { self.patch };
        Some(self.derived(self.major, self.minor, patch, "", ""))
    }

    /// The next minor version. `None` where the number would not fit.
    pub fn next_minor(&self) -> Option<Self> {
        Some(self.derived(self.major, self.minor.checked_add(1)?, 0, "", ""))
    }

    /// The next major version. `None` where the number would not fit.
    pub fn next_major(&self) -> Option<Self> {
        Some(self.derived(self.major.checked_add(1)?, 0, 0, "", ""))
    }

    /// The version with another pre-release; `""` makes it a release.
    pub fn with_prerelease(&self, prerelease: &str) -> Result<Self, Error> {
        check_prerelease(prerelease)?;
        Ok(self.derived(self.major, self.minor, self.patch, prerelease, &self.metadata))
    }

    /// The version with other build metadata.
    pub fn with_metadata(&self, metadata: &str) -> Result<Self, Error> {
        if !metadata.is_empty() {
            check_metadata(metadata)?;
        }
        Ok(self.derived(self.major, self.minor, self.patch, &self.prerelease, metadata))
    }

    fn derived(&self, major: u64, minor: u64, patch: u64, prerelease: &str, metadata: &str) -> Self {
        let (prerelease, metadata) = (prerelease.into(), metadata.into());
        let mut version = Self { major, minor, patch, prerelease, metadata, original: "".into() };
        let prefix = if self.original.starts_with('v') { "v" } else { "" };
        version.original = format!("{prefix}{version}").into();
        version
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.prerelease.is_empty() {
            write!(f, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

impl std::str::FromStr for Version {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.major, self.minor, self.patch).cmp(&(other.major, other.minor, other.patch)).then_with(|| {
            match (self.prerelease.is_empty(), other.prerelease.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => compare_prereleases(&self.prerelease, &other.prerelease),
            }
        })
    }
}

/// Part by part; what is missing comes before what is there.
pub(crate) fn compare_prereleases(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let (a, b) = (a.next(), b.next());
        if a.is_none() && b.is_none() {
            return Ordering::Equal;
        }
        let order = compare_parts(a.unwrap_or_default(), b.unwrap_or_default());
        if order.is_ne() {
            return order;
        }
    }
}

/// Numbers come before words. A number too large for 64 bits is a word, and so it is in the Go library.
fn compare_parts(a: &str, b: &str) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    if a.is_empty() || b.is_empty() {
        return a.len().cmp(&b.len());
    }
    // `+1` can't occur, so Rust's and Go's readings of digits agree.
    match (a.parse::<u64>(), b.parse::<u64>()) {
        (Err(_), Err(_)) => a.cmp(b),
        (Err(_), Ok(_)) => Ordering::Greater,
        (Ok(_), Err(_)) => Ordering::Less,
        (Ok(x), Ok(y)) if x > y => Ordering::Greater,
        (Ok(_), Ok(_)) => Ordering::Less,
    }
}

fn take_digits<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let end = rest.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, after) = rest.split_at(end);
    *rest = after;
    (!digits.is_empty()).then_some(digits)
}

fn take_dotted_digits<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let mut after = rest.strip_prefix('.')?;
    let digits = take_digits(&mut after)?;
    *rest = after;
    Some(digits)
}

/// `sign` and the dotted identifiers behind it, without the sign.
pub(crate) fn take_identifiers<'a>(rest: &mut &'a str, sign: char) -> Option<&'a str> {
    let after = rest.strip_prefix(sign)?;
    let mut end = 0;
    loop {
        let part = after[end..].bytes().position(|byte| !is_identifier(byte)).map_or(after.len(), |at| end + at);
        if part == end {
            // A dot without a part behind it does not belong to the identifiers.
            end = end.checked_sub(1)?;
            break;
        }
        end = part;
        if after.as_bytes().get(end) != Some(&b'.') {
            break;
        }
        end += 1;
    }
    let (identifiers, after) = after.split_at(end);
    *rest = after;
    Some(identifiers)
}

fn is_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

fn check_prerelease(prerelease: &str) -> Result<(), Error> {
    if prerelease.is_empty() { Ok(()) } else { check_nonempty_prerelease(prerelease) }
}

fn check_nonempty_prerelease(prerelease: &str) -> Result<(), Error> {
    for part in prerelease.split('.') {
        if part.is_empty() {
            return Err(Error::InvalidPrerelease);
        }
        if part.bytes().all(|byte| byte.is_ascii_digit()) {
            if part.len() > 1 && part.starts_with('0') {
                return Err(Error::SegmentStartsZero);
            }
        } else if !part.bytes().all(is_identifier) {
            return Err(Error::InvalidPrerelease);
        }
    }
    Ok(())
}

fn check_metadata(metadata: &str) -> Result<(), Error> {
    let valid = metadata.split('.').all(|part| !part.is_empty() && part.bytes().all(is_identifier));
    if valid { Ok(()) } else { Err(Error::InvalidMetadata) }
}
