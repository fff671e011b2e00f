//! Durable state of one node.
