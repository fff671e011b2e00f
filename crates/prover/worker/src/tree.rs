//! How proofs of shards become one: a fixed tree, so that a task has one name whenever and wherever it is made.

/// Proofs that one task merges at most.
pub const ARITY: usize = 4;

/// A proof in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Of a shard, by its place among the shards.
    Shard(usize),
    /// Of a node, by its place among the nodes.
    Node(usize),
}

/// Nodes over `shards` neighbours in order, the last one being the root; as few of them as can be.
///
/// Each level is brought to the next lower power of [`ARITY`] by full nodes from the left and one smaller.
pub fn nodes(shards: usize) -> Vec<Vec<Part>> {
    let mut nodes: Vec<Vec<Part>> = Vec::new();
    let mut level: Vec<Part> = (0..shards).map(Part::Shard).collect();
    while level.len() > ARITY {
        let mut excess = level.len() - lower_power(level.len());
        let mut next = Vec::new();
        let mut rest = level.as_slice();
        while excess > 0 {
            let (merged, after) = rest.split_at(ARITY.min(excess + 1));
            next.push(Part::Node(nodes.len()));
            nodes.push(merged.to_vec());
            excess -= merged.len() - 1;
            rest = after;
        }
        next.extend_from_slice(rest);
        level = next;
    }
    nodes.push(level);
    nodes
}

/// The largest power of [`ARITY`] below `count`.
fn lower_power(count: usize) -> usize {
    let mut power = ARITY;
    while power * ARITY < count {
        power *= ARITY;
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(nodes: &[Vec<Part>], part: Part) -> Vec<usize> {
        match part {
            Part::Shard(index) => vec![index],
            Part::Node(index) => nodes[index]
                .iter()
                .flat_map(|part| leaves(nodes, *part))
                .collect(),
        }
    }

    #[test]
    fn every_shard_is_merged_once_and_in_order() {
        for count in 1..300 {
            let made = nodes(count);
            let root = Part::Node(made.len() - 1);
            assert_eq!(leaves(&made, root), (0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn there_are_no_more_nodes_than_must_be() {
        for count in 2..300 {
            assert_eq!(nodes(count).len(), (count - 1).div_ceil(ARITY - 1));
        }
    }

    #[test]
    fn a_node_merges_at_most_four_and_what_stands_before_it() {
        for count in 1..300 {
            for (place, node) in nodes(count).iter().enumerate() {
                assert!(!node.is_empty() && node.len() <= ARITY);
                assert!(node
                    .iter()
                    .all(|part| matches!(part, Part::Shard(_)) || *part < Part::Node(place)));
            }
        }
    }

    impl PartialOrd for Part {
        fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
            match (self, other) {
                (Self::Node(one), Self::Node(two)) | (Self::Shard(one), Self::Shard(two)) => {
                    one.partial_cmp(two)
                }
                _ => None,
            }
        }
    }
}
