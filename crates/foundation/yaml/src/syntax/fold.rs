//! [`Fold`]: line breaks within a scalar that is not literal.

/// The line breaks between two lines of a scalar. One is a space; of several, all but the first stay. LS and PS always
/// stay.
#[derive(Default)]
pub(super) struct Fold {
    first: Option<&'static str>,
    /// How many line feeds follow, as long as nothing else does.
    feeds: usize,
    /// All that follow, once there is something else.
    mixed: String,
}

impl Fold {
    pub(super) fn add(&mut self, line_break: &str) {
        let line_break = match line_break {
            "\u{2028}" => "\u{2028}",
            "\u{2029}" => "\u{2029}",
            _ => "\n",
        };
        if self.first.is_none() {
            self.first = Some(line_break);
        } else if line_break == "\n" && self.mixed.is_empty() {
            self.feeds += 1;
        } else {
            if self.mixed.is_empty() {
                self.mixed = "\n".repeat(self.feeds);
            }
            self.mixed.push_str(line_break);
        }
    }

    /// Takes only the breaks behind one that was escaped: those all stay.
    pub(super) fn add_kept(&mut self, line_break: &str) {
        self.first.get_or_insert("");
        self.add(line_break);
    }

    /// Writes all breaks but the first.
    fn rest(&self, into: &mut String) {
        if self.mixed.is_empty() {
            (0..self.feeds).for_each(|_| into.push('\n'));
        } else {
            into.push_str(&self.mixed);
        }
    }

    /// Writes what the breaks are in the scalar's text.
    pub(super) fn write(&self, into: &mut String) {
        let before = into.len();
        if let Some(first) = self.first.filter(|first| *first != "\n") {
            into.push_str(first);
        }
        self.rest(into);
        if self.first == Some("\n") && into.len() == before {
            into.push(' ');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_break_is_a_space_and_of_several_the_first_goes() {
        for (breaks, folded) in [
            (&[][..], ""),
            (&["\n"], " "),
            (&["\n", "\n"], "\n"),
            (&["\n", "\n", "\u{2028}", "\n"], "\n\u{2028}\n"),
            (&["\u{2029}"], "\u{2029}"),
            (&["\u{2029}", "\n"], "\u{2029}\n"),
        ] {
            let mut fold = Fold::default();
            breaks.iter().for_each(|line_break| fold.add(line_break));
            let mut text = String::new();
            fold.write(&mut text);
            assert_eq!(text, folded, "{breaks:?}");
        }
    }
}
