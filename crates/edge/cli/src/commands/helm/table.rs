//! Tables as Helm prints them: columns padded to their widest cell, with tabs between.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The rows as lines. Cells wider than `widest` end in dots; 0 is no limit.
pub(crate) fn table<const N: usize>(rows: &[[String; N]], widest: usize) -> String {
    let width = |text: &str| text.split('\n').map(UnicodeWidthStr::width).max().unwrap_or(0);
    let limit = if widest == 0 { usize::MAX } else { widest };
    let widths: [usize; N] =
        std::array::from_fn(|column| rows.iter().map(|row| width(&row[column]).min(limit)).max().unwrap_or(0));
    let line = |row: &[String; N]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(text, width)| resized(text, width)).collect();
        cells.join("\t") + "\n"
    };
    rows.iter().map(line).collect()
}

fn resized(text: &str, width: usize) -> String {
    let own = text.width();
    if own <= width || width == 0 {
        return format!("{text}{}", " ".repeat(width.saturating_sub(own)));
    }
    let mut out = String::new();
    let mut taken = 0;
    for c in text.chars() {
        // As in Helm, the character that reaches the limit still stands.
        out.push(c);
        let next = taken + c.width().unwrap_or(0);
        if next as isize >= width as isize - 3 {
            break;
        }
        taken = next;
    }
    out + "..."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_padded_and_cut() {
        let rows = [["NAME", "X"], ["a-long-name", "1"]].map(|row| row.map(str::to_owned));
        assert_eq!(table(&rows, 80), "NAME       \tX\na-long-name\t1\n");
        assert_eq!(table(&rows, 8), "NAME    \tX\na-lon...\t1\n");
    }
}
