//! The mempool: who may wait, in what order they go, what makes room.
mod account;
mod law;
mod order;
mod room;
mod world;
