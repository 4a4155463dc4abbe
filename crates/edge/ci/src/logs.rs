//! What containers print: lines, and how much of them is kept.

use std::collections::VecDeque;

/// Longer lines are cut into several.
const LONGEST_LINE: usize = 16 << 10;
/// Of a log, its beginning is kept,
const HEAD: usize = 1 << 20;
/// and its end.
const TAIL: usize = 3 << 20;

/// Bytes that come bit by bit, as lines.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    partial: Vec<u8>,
}

impl Lines {
    /// The lines that end in these bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8], line: &mut dyn FnMut(&str)) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let mut rest = part;
            while !rest.is_empty() {
                let room = LONGEST_LINE - self.partial.len();
                let (now, later) = rest.split_at(room.min(rest.len()));
                self.partial.extend_from_slice(now);
                rest = later;
                if self.partial.ends_with(b"\n") || self.partial.len() == LONGEST_LINE {
                    self.end(line);
                }
            }
        }
    }

    /// What is left when nothing more comes.
    pub(crate) fn finish(&mut self, line: &mut dyn FnMut(&str)) {
        if !self.partial.is_empty() {
            self.end(line);
        }
    }

    fn end(&mut self, line: &mut dyn FnMut(&str)) {
        let text = String::from_utf8_lossy(&self.partial);
        line(text.trim_end_matches(['\n', '\r']));
        self.partial.clear();
    }
}

/// The beginning and the end of a log.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeptLog {
    head: String,
    tail: VecDeque<String>,
    tail_bytes: usize,
    left_out: usize,
}

impl KeptLog {
    pub(crate) fn push(&mut self, line: &str) {
        if self.tail.is_empty() && self.head.len() + line.len() < HEAD {
            self.head.push_str(line);
            self.head.push('\n');
            return;
        }
        self.tail_bytes += line.len() + 1;
        self.tail.push_back(line.to_owned());
        while self.tail_bytes > TAIL
            && let Some(first) = self.tail.pop_front()
        {
            self.tail_bytes -= first.len() + 1;
            self.left_out += 1;
        }
    }

    /// The last lines.
    pub(crate) fn last(&self, count: usize) -> Vec<String> {
        let head = self.head.lines().rev().map(str::to_owned);
        let mut last: Vec<String> = self.tail.iter().rev().cloned().chain(head).take(count).collect();
        last.reverse();
        last
    }

    pub(crate) fn text(&self) -> String {
        let mut text = self.head.clone();
        if self.left_out > 0 {
            text += &format!("… {} lines are left out …\n", self.left_out);
        }
        for line in &self.tail {
            text += line;
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(parts: &[&[u8]]) -> Vec<String> {
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        let mut keep = |line: &str| found.push(line.to_owned());
        parts.iter().for_each(|part| lines.feed(part, &mut keep));
        lines.finish(&mut keep);
        found
    }

    #[test]
    fn lines_come_whole_however_they_are_cut() {
        assert_eq!(lines(&[b"a\nb", b"c\r\n", b"\nd"]), ["a", "bc", "", "d"]);
        assert_eq!(lines(&[b"\xff\n"]), ["\u{fffd}"]);
        let long = vec![b'x'; 3 * LONGEST_LINE + 5];
        let found = lines(&[&long, b"\nend\n"]);
        assert_eq!(found.iter().map(String::len).sum::<usize>(), long.len() + 3);
        assert!(found.iter().all(|line| line.len() <= LONGEST_LINE) && found.last().is_some_and(|last| last == "end"));
    }

    #[test]
    fn of_a_long_log_the_beginning_and_the_end_are_kept() {
        let mut log = KeptLog::default();
        for number in 0..1_000_000 {
            log.push(&format!("line {number}"));
        }
        let text = log.text();
        assert!(text.len() < HEAD + TAIL + 100, "{}", text.len());
        assert!(text.starts_with("line 0\n") && text.ends_with("line 999999\n") && text.contains("lines are left out"));
        assert_eq!(log.last(2), ["line 999998", "line 999999"]);
        let mut short = KeptLog::default();
        short.push("a");
        assert_eq!((short.last(5), short.text()), (vec!["a".to_owned()], "a\n".to_owned()));
    }
}
