//! Traces: what the transactions of sealed blocks, and calls, did step by step.
//!
//! A block is run again upon a view of its parent's state; the writer is not waited for and does not wait.
mod meter;
mod output;
mod script;
mod style;

use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_primitives::Address;
use alloy_rpc_types_trace::filter::{TraceFilter, TraceFilterMode};
use bedroll_core::block::Block;
use bedroll_core::forced::Queue;
use bedroll_core::hook;
use bedroll_core::state::State;
use bedroll_core::stf::{Call, Subject};
use bedroll_core::trie::EMPTY_ROOT;

use super::look::CallSource;
use super::overrides::Overrides;
use super::rerun::Rerun;
use super::{Engine, EngineError, Look};
use crate::View;

pub(super) use meter::{Meter, Metered};
pub(super) use output::Output;
pub use script::serve as serve_scripts;
pub use style::Style;
use style::{Place, Tracer};

/// What one request may cost.
#[derive(Debug, Clone, Copy)]
pub struct TraceBounds {
    /// JSON that it may give.
    pub result_bytes: usize,
    /// Time that it may take.
    pub time: Duration,
}

/// Traces of which calls are wanted.
#[derive(Debug, Clone, Default)]
pub struct TraceWanted {
    /// First and last block.
    pub blocks: (u64, u64),
    /// Any of these calls; empty: anyone.
    pub senders: Vec<Address>,
    /// Any of these is called or created; empty: anyone.
    pub recipients: Vec<Address>,
    /// Both must fit, where both are given; else one is enough.
    pub both: bool,
    /// Leave out so many of the first.
    pub after: u64,
    /// Give at most so many.
    pub count: Option<u64>,
}

/// A sealed block ready to be run again.
struct Bench {
    block: Arc<Block>,
    state: State<CallSource>,
    queue: Queue,
}

impl Engine {
    /// Traces a transaction of a sealed block, or all of them, as JSON.
    ///
    /// # Errors
    /// No such block or transaction, its parent's state is not kept, or a bound is reached (`limit`).
    pub fn trace(
        &self,
        height: u64,
        index: Option<usize>,
        style: &Style,
        bounds: &TraceBounds,
    ) -> Result<Vec<u8>, EngineError> {
        let mut output = Output::new(bounds.result_bytes);
        let mut meter = Meter::new(bounds, style)?;
        let Some(index) = index else {
            output.list(|output| {
                self.each(height, 0, style, &mut meter, |place, tracer, trace| {
                    tracer.listed(place, trace, output)
                })
            })?;
            return Ok(output.into_bytes());
        };
        let mut bench = self.bench(height)?;
        let Bench {
            block,
            state,
            queue,
        } = &mut bench;
        let Some(transaction) = block.transactions.get(index) else {
            let text = format!("block {height} has no transaction {index}");
            return Err(EngineError::invalid("index", text));
        };
        let rules = self.rules_of(&block.header);
        let mut rerun = Rerun::begin(&rules, self.schedule(), block, *queue, state)?;
        rerun.skip_to(state, index)?;
        let subject = rerun.subject(state)?;
        let place = Place::of(block, index, transaction.hash);
        let mut tracer = Tracer::new(style)?;
        let ran = tracer.run(&subject, state, &mut meter)?;
        rerun.check(&ran)?;
        let trace = tracer.finish(&place, &subject, &ran, state)?;
        tracer.single(trace, &mut output)?;
        Ok(output.into_bytes())
    }

    /// Traces of calls in a range of blocks, flat and in order, as JSON.
    ///
    /// # Errors
    /// As [`Self::trace`].
    pub fn filter_traces(
        &self,
        wanted: &TraceWanted,
        bounds: &TraceBounds,
    ) -> Result<Vec<u8>, EngineError> {
        let mut output = Output::new(bounds.result_bytes);
        let mut meter = Meter::new(bounds, &Style::Flat)?;
        let filter = TraceFilter {
            from_address: wanted.senders.clone(),
            to_address: wanted.recipients.clone(),
            mode: if wanted.both {
                TraceFilterMode::Intersection
            } else {
                TraceFilterMode::Union
            },
            ..TraceFilter::default()
        };
        let matcher = filter.matcher();
        let (mut skipped, mut given) = (0u64, 0u64);
        let room = wanted.count.unwrap_or(u64::MAX);
        output.list(|output| {
            for height in wanted.blocks.0.max(1)..=wanted.blocks.1 {
                if given >= room {
                    break;
                }
                self.each(height, 0, &Style::Flat, &mut meter, |_, _, trace| {
                    for row in trace.into_rows() {
                        if given >= room || !matcher.matches(&row.trace) {
                            continue;
                        }
                        if skipped < wanted.after {
                            skipped += 1;
                            continue;
                        }
                        given += 1;
                        output.item(&row)?;
                    }
                    Ok(())
                })?;
            }
            Ok(())
        })?;
        Ok(output.into_bytes())
    }

    /// Runs all transactions of a block from `first` on, and hands each one's trace over.
    fn each(
        &self,
        height: u64,
        first: usize,
        style: &Style,
        meter: &mut Meter,
        mut take: impl FnMut(&Place, &Tracer, style::Trace) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let mut bench = self.bench(height)?;
        let Bench {
            block,
            state,
            queue,
        } = &mut bench;
        let rules = self.rules_of(&block.header);
        let mut rerun = Rerun::begin(&rules, self.schedule(), block, *queue, state)?;
        rerun.skip_to(state, first)?;
        while let Some(transaction) = block.transactions.get(rerun.next()) {
            let place = Place::of(block, rerun.next(), transaction.hash);
            let subject = rerun.subject(state)?;
            let mut tracer = Tracer::new(style)?;
            let ran = tracer.run(&subject, state, meter)?;
            let trace = tracer.finish(&place, &subject, &ran, state)?;
            take(&place, &tracer, trace)?;
            rerun.settle(state, ran)?;
            meter.forget_recorded();
        }
        Ok(())
    }

    fn bench(&self, height: u64) -> Result<Bench, EngineError> {
        let (block, parent, queue) = self.before(height)?;
        Ok(Bench {
            queue,
            state: State::new(EMPTY_ROOT, CallSource::sealed(parent)),
            block,
        })
    }

    /// A sealed block, its parent's view, and the queue as the block left it.
    pub(super) fn before(&self, height: u64) -> Result<(Arc<Block>, View, Queue), EngineError> {
        let Some(before) = height.checked_sub(1) else {
            return Err(EngineError::invalid("height", "genesis is not traceable"));
        };
        let Some(block) = self.block(height)? else {
            return Err(EngineError::invalid("height", format!("no block {height}")));
        };
        let (parent, after) = (
            self.store.view(Some(before))?,
            self.store.view(Some(height))?,
        );
        if parent.hash() != block.header.parent_hash || after.hash() != block.hash {
            let text = format!("block {height} left the chain meanwhile");
            return Err(EngineError::invalid("stale", text));
        }
        let queue = self.queue_of(after)?;
        Ok((block, parent, queue))
    }

    fn queue_of(&self, view: View) -> Result<Queue, EngineError> {
        if !self.rules.is_bedroll() {
            return Ok(Queue::default());
        }
        let mut state = State::new(EMPTY_ROOT, CallSource::sealed(view));
        Ok(hook::read_queue(&mut state, self.rules.light_client)?)
    }
}

impl Look {
    /// Traces a call on top of this block, as JSON.
    ///
    /// # Errors
    /// The call cannot be made, overrides or options cannot be read, or a bound is reached (`limit`).
    pub fn trace_call(
        &self,
        call: &Call,
        overrides: Overrides<'_>,
        style: &Style,
        bounds: &TraceBounds,
    ) -> Result<Vec<u8>, EngineError> {
        let mut output = Output::new(bounds.result_bytes);
        let mut meter = Meter::new(bounds, style)?;
        let (mut state, setting, _) = self.prepare(overrides)?;
        let subject = Subject::of_call(&self.rules, &setting, call);
        let mut tracer = Tracer::new(style)?;
        let ran = tracer.run(&subject, &mut state, &mut meter)?;
        let trace = tracer.finish(&Place::none(), &subject, &ran, &mut state)?;
        tracer.single(trace, &mut output)?;
        Ok(output.into_bytes())
    }
}

/// A call and what is wanted of its trace.
#[derive(Debug, Clone)]
pub struct TracedCall {
    /// What to run.
    pub call: Call,
    /// How to tell of it.
    pub style: Style,
}

impl Look {
    /// Traces calls that run one after the other on top of this block, each upon what those before it left, as a JSON
    /// list.
    ///
    /// # Errors
    /// As [`Self::trace_call`]; the bounds are for all together.
    pub fn trace_calls(
        &self,
        calls: &[TracedCall],
        overrides: Overrides<'_>,
        bounds: &TraceBounds,
    ) -> Result<Vec<u8>, EngineError> {
        let mut output = Output::new(bounds.result_bytes);
        let (mut state, setting, _) = self.prepare(overrides)?;
        let mut meter = Meter::new(bounds, &Style::Flat)?;
        output.list(|output| {
            for TracedCall { call, style } in calls {
                meter.turn_to(style)?;
                let subject = Subject::of_call(&self.rules, &setting, call);
                let mut tracer = Tracer::new(style)?;
                let ran = tracer.run(&subject, &mut state, &mut meter)?;
                let trace = tracer.finish(&Place::none(), &subject, &ran, &mut state)?;
                output.separate();
                tracer.single(trace, output)?;
                state.apply(ran.state)?;
            }
            Ok(())
        })?;
        Ok(output.into_bytes())
    }
}

/// When a request that begins now has to have ended.
pub(super) fn end_of(bounds: &TraceBounds) -> Instant {
    Instant::now() + bounds.time
}
