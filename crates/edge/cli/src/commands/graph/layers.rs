//! Where the nodes of a picture stand: [`Layers`], in columns from left to right.
//!
//! The usual way to lay out what leads one way: a column for each step from the start, stand-ins where an edge passes
//! a column, orders by the median of the neighbours until fewer edges cross, heights by the mean of the neighbours. Of
//! the crates that do this, `layout-rs` takes seconds and `rust-sugiyama` a second for a few hundred nodes, which a
//! fleet has; this takes time in proportion to the edges.

/// Rounds of ordering, and of moving towards neighbours.
const ORDER_ROUNDS: usize = 12;
const PLACE_ROUNDS: usize = 24;

/// A layout. A place is a node of the graph, or, behind these, a stand-in.
pub(super) struct Layers {
    /// The places of each column, from the top.
    pub(super) columns: Vec<Vec<usize>>,
    /// How far from the top each place is, in rows.
    pub(super) rows: Vec<f64>,
    /// The places that each edge goes through, its ends included.
    pub(super) ways: Vec<Vec<usize>>,
}

impl Layers {
    /// For `count` nodes; `edges` are their ends and lead in no circle.
    pub(super) fn of(count: usize, edges: &[(usize, usize)]) -> Self {
        let column_of = columns(count, edges);
        let width = column_of.iter().max().map_or(0, |last| last + 1);
        let mut columns: Vec<Vec<usize>> = vec![Vec::new(); width];
        (0..count).for_each(|node| columns[column_of[node]].push(node));
        let mut total = count;
        let mut ways = Vec::with_capacity(edges.len());
        for (from, to) in edges {
            let mut way = vec![*from];
            for column in columns.iter_mut().take(column_of[*to]).skip(column_of[*from] + 1) {
                column.push(total);
                way.push(total);
                total += 1;
            }
            way.push(*to);
            ways.push(way);
        }
        let mut left: Vec<Vec<usize>> = vec![Vec::new(); total];
        let mut right: Vec<Vec<usize>> = vec![Vec::new(); total];
        for pair in ways.iter().flat_map(|way| way.windows(2)) {
            right[pair[0]].push(pair[1]);
            left[pair[1]].push(pair[0]);
        }
        order(&mut columns, &left, &right);
        let rows = place(&columns, &left, &right);
        Self { columns, rows, ways }
    }
}

/// The column of each node: right of all that lead to it. What nothing leads to stands as far right as it can.
fn columns(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut outgoing: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut waiting = vec![0usize; count];
    for (from, to) in edges {
        outgoing[*from].push(*to);
        waiting[*to] += 1;
    }
    let starts: Vec<usize> = (0..count).filter(|node| waiting[*node] == 0).collect();
    let mut column = vec![0usize; count];
    let mut ready = starts.clone();
    while let Some(node) = ready.pop() {
        for to in &outgoing[node] {
            column[*to] = column[*to].max(column[node] + 1);
            waiting[*to] -= 1;
            if waiting[*to] == 0 {
                ready.push(*to);
            }
        }
    }
    for start in starts {
        if let Some(nearest) = outgoing[start].iter().map(|to| column[*to]).min() {
            column[start] = nearest.saturating_sub(1);
        }
    }
    column
}

/// Orders each column by the medians of the neighbours in the one before, to and fro; the best order is kept.
fn order(columns: &mut Vec<Vec<usize>>, left: &[Vec<usize>], right: &[Vec<usize>]) {
    let mut position = vec![0usize; left.len()];
    let number = |columns: &[Vec<usize>], position: &mut Vec<usize>| {
        columns.iter().for_each(|column| column.iter().enumerate().for_each(|(at, place)| position[*place] = at));
    };
    number(columns, &mut position);
    let mut best = (crossings(columns, right, &position), columns.clone());
    for round in 0..ORDER_ROUNDS {
        let rightwards = round % 2 == 0;
        let neighbours = if rightwards { left } else { right };
        let mut sequence: Vec<usize> = (0..columns.len()).collect();
        if !rightwards {
            sequence.reverse();
        }
        for column in sequence {
            let median = |place: usize| {
                let mut positions: Vec<usize> = neighbours[place].iter().map(|other| position[*other]).collect();
                positions.sort_unstable();
                // Twice the median, so that the middle of two is a whole number.
                match positions.len() {
                    0 => 2 * position[place],
                    length if length % 2 == 1 => 2 * positions[length / 2],
                    length => positions[length / 2 - 1] + positions[length / 2],
                }
            };
            let mut keyed: Vec<(usize, usize)> = columns[column].iter().map(|place| (median(*place), *place)).collect();
            keyed.sort_by_key(|(median, _)| *median);
            columns[column] = keyed.into_iter().map(|(_, place)| place).collect();
            columns[column].iter().enumerate().for_each(|(at, place)| position[*place] = at);
        }
        let count = crossings(columns, right, &position);
        if count < best.0 {
            best = (count, columns.clone());
        }
    }
    *columns = best.1;
}

/// How many pairs of edges between neighbouring columns cross: inversions, counted in a tree of sums.
fn crossings(columns: &[Vec<usize>], right: &[Vec<usize>], position: &[usize]) -> usize {
    let mut total = 0;
    for (column, next) in columns.iter().zip(columns.iter().skip(1)) {
        let mut sums = vec![0usize; next.len() + 1];
        let mut seen = 0;
        for place in column {
            let mut ends: Vec<usize> = right[*place].iter().map(|to| position[*to]).collect();
            ends.sort_unstable();
            for end in &ends {
                let (mut at, mut above) = (end + 1, 0);
                while at > 0 {
                    above += sums[at];
                    at &= at - 1;
                }
                total += seen - above;
            }
            for end in ends {
                let mut at = end + 1;
                while at < sums.len() {
                    sums[at] += 1;
                    at += at & at.wrapping_neg();
                }
                seen += 1;
            }
        }
    }
    total
}

/// Moves each place towards the mean of its neighbours, as far as its own neighbours in the column let it.
fn place(columns: &[Vec<usize>], left: &[Vec<usize>], right: &[Vec<usize>]) -> Vec<f64> {
    let mut rows = vec![0.0; left.len()];
    columns.iter().for_each(|column| column.iter().enumerate().for_each(|(at, place)| rows[*place] = at as f64));
    for round in 0..PLACE_ROUNDS {
        for step in 0..columns.len() {
            let column = if round % 2 == 0 { &columns[step] } else { &columns[columns.len() - 1 - step] };
            let wanted: Vec<f64> = column
                .iter()
                .map(|place| {
                    let around = left[*place].iter().chain(&right[*place]);
                    let (sum, count) = around.fold((0.0, 0.0), |(sum, count), other| (sum + rows[*other], count + 1.0));
                    if count > 0.0 { sum / count } else { rows[*place] }
                })
                .collect();
            // Once pushed down from above and once up from below; the middle of both keeps the distances.
            let mut down = wanted.clone();
            (1..down.len()).for_each(|at| down[at] = down[at].max(down[at - 1] + 1.0));
            let mut up = wanted;
            (0..up.len().saturating_sub(1)).rev().for_each(|at| up[at] = up[at].min(up[at + 1] - 1.0));
            for (at, place) in column.iter().enumerate() {
                rows[*place] = f64::midpoint(down[at], up[at]);
            }
        }
    }
    let top = rows.iter().copied().fold(f64::INFINITY, f64::min);
    rows.iter().map(|row| row - top).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_follow_the_edges_and_rows_keep_their_distance() {
        // Two clusters, a group that both use, one that only the second does, and something that nobody uses.
        let edges = [(0, 2), (1, 3), (3, 2), (0, 4)];
        let layers = Layers::of(6, &edges);
        let column = |node: usize| layers.columns.iter().position(|column| column.contains(&node));
        for (from, to) in edges {
            assert!(column(from) < column(to), "{from} → {to}");
        }
        for column in &layers.columns {
            for pair in column.windows(2) {
                assert!(layers.rows[pair[1]] - layers.rows[pair[0]] >= 1.0 - 1e-9, "{column:?} {:?}", layers.rows);
            }
        }
        assert!(layers.ways.iter().zip(&edges).all(|(way, edge)| (way[0], way[way.len() - 1]) == *edge));
        assert!(Layers::of(0, &[]).columns.is_empty());
    }

    #[test]
    fn edges_that_cross_are_put_straight() {
        // As numbered they all cross.
        let edges: Vec<(usize, usize)> = (0..6).map(|node| (node, 11 - node)).collect();
        let layers = Layers::of(12, &edges);
        let order = |column: usize| layers.columns[column].clone();
        let straight: Vec<usize> = order(0).iter().map(|node| 11 - node).collect();
        assert_eq!(order(1), straight);
    }

    #[test]
    fn a_fleet_is_laid_out_in_no_time() {
        let (clusters, groups, charts) = (200, 40, 160);
        let mut edges = Vec::new();
        for cluster in 0..clusters {
            (0..6).for_each(|step| edges.push((cluster, clusters + (cluster * 7 + step * 11) % groups)));
        }
        for group in 0..groups {
            (0..8)
                .for_each(|step| edges.push((clusters + group, clusters + groups + (group * 5 + step * 13) % charts)));
        }
        edges.sort_unstable();
        edges.dedup();
        let start = std::time::Instant::now();
        let layers = Layers::of(clusters + groups + charts, &edges);
        assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
        assert!(layers.columns.len() >= 3);
    }
}
