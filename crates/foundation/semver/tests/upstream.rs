//! What Masterminds/semver v3.5.0 says of hundreds of versions and constraints (`tables/`, made by running it), and
//! that we say the same.

use onepane_semver::{Constraint, Error, Version};

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('t') => out.push('\t'),
                Some('n') => out.push('\n'),
                other => out.extend(other),
            },
            (c, false) => out.push(c),
        }
    }
    out
}

fn describe(version: Result<Version, Error>) -> String {
    match version {
        Ok(v) => {
            format!("{} {} {} {:?} {:?} {v}", v.major(), v.minor(), v.patch(), v.prerelease(), v.metadata())
        }
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn versions_are_read_as_the_go_library_reads_them() {
    for line in include_str!("tables/versions.tsv").lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let text = unescape(fields[0]);
        assert_eq!(describe(Version::parse(&text)), fields[1], "{text:?}");
        assert_eq!(describe(Version::parse_strict(&text)), fields[2], "{text:?} strictly");
    }
}

#[test]
fn versions_are_ordered_as_the_go_library_orders_them() {
    let rows: Vec<(Version, &str)> = include_str!("tables/order.tsv")
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(version, row)| (Version::parse(version).expect("the table's versions are good"), row))
        .collect();
    for (a, row) in &rows {
        for ((b, _), sign) in rows.iter().zip(row.chars()) {
            let order = a.cmp(b);
            let ours = if order.is_lt() {
                '<'
            } else if order.is_eq() {
                '='
            } else {
                '>'
            };
            assert_eq!(ours, sign, "{a} and {b}");
        }
    }
}

#[test]
fn constraints_take_the_versions_that_the_go_library_takes() {
    let mut lines = include_str!("tables/constraints.tsv").lines();
    let versions: Vec<Version> = lines
        .next()
        .expect("the versions stand on the first line")
        .split('\t')
        .map(|version| Version::parse(version).expect("the table's versions are good"))
        .collect();
    for line in lines {
        let (text, wanted) = line.split_once('\t').expect("two columns");
        let text = unescape(text);
        let ours = match Constraint::parse(&text) {
            Err(error) => format!("error: {error}"),
            Ok(constraint) => {
                let bits: String = versions.iter().map(|v| if constraint.check(v) { '1' } else { '0' }).collect();
                format!("{bits}\t{constraint}")
            }
        };
        assert_eq!(ours, wanted, "{text:?}");
    }
}

#[test]
fn the_next_version_keeps_the_prefix_and_drops_the_rest() {
    let version = Version::parse("v1.2.3-rc.1+build").expect("a version");
    assert_eq!(version.next_patch().expect("it fits").original(), "v1.2.3");
    assert_eq!(version.next_minor().expect("it fits").original(), "v1.3.0");
    assert_eq!(version.next_major().expect("it fits").original(), "v2.0.0");
    assert_eq!(version.with_metadata("x").expect("it is valid").original(), "v1.2.3-rc.1+x");
    assert_eq!(version.with_prerelease("01").expect_err("a leading zero"), Error::SegmentStartsZero);
    assert!(Version::parse("18446744073709551615.0.0").expect("it just fits").next_major().is_none());
}
