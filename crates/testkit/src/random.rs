//! Chance that is the same in each run: [`Random`].

/// Numbers that look random and are the same in each run, from a seed.
pub struct Random(pub u64);

impl Random {
    /// The next of them, below `limit`.
    ///
    /// # Panics
    /// If there is none below 0.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}
