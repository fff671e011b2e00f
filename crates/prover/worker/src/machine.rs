//! Settings of the proof system: what is measured to fit one small machine, whatever the environment says.
use sp1_core_executor::{SP1CoreOpts, ShardingThreshold, HEIGHT_THRESHOLD};
use sp1_core_machine::riscv::RiscvAir;
use sp1_hypercube::Machine;
use sp1_primitives::SP1Field;
use sp1_prover::worker::SP1WorkerConfig;

/// Cells of a shard's trace. It decides the peak of memory: about 17 GB with this value.
const CELLS_MAX: u64 = 1 << 27;
/// Cycles that a record is allocated for; it grows where there are more.
const CYCLES_RESERVED: usize = 1 << 20;
/// Memory reads of one piece of a run, 16 bytes each.
const READS_MAX: u64 = 1 << 21;

/// The machine that is proved.
pub fn machine() -> Machine<SP1Field, RiscvAir<SP1Field>> {
    RiscvAir::machine()
}

/// How a run is cut. Plans made under other settings have other shards.
pub fn options() -> SP1CoreOpts {
    SP1CoreOpts {
        minimal_trace_chunk_threshold: READS_MAX,
        trace_chunk_slots: 2,
        shard_size: CYCLES_RESERVED,
        sharding_threshold: ShardingThreshold {
            element_threshold: CELLS_MAX,
            height_threshold: HEIGHT_THRESHOLD,
        },
        ..SP1CoreOpts::default()
    }
}

/// One of each worker: tasks come one at a time.
pub fn settings(config: &mut SP1WorkerConfig) {
    let controller = &mut config.controller_config;
    controller.opts = options();
    controller.use_fixed_pk = true;
    controller.num_splicing_workers = 1;
    let core = &mut config.prover_config.core_prover_config;
    core.num_core_workers = 1;
    core.core_buffer_size = 1;
    core.num_setup_workers = 1;
    core.setup_buffer_size = 1;
    core.use_fixed_pk = true;
    let recursion = &mut config.prover_config.recursion_prover_config;
    recursion.num_prepare_reduce_workers = 1;
    recursion.prepare_reduce_buffer_size = 1;
    recursion.num_recursion_executor_workers = 1;
    recursion.recursion_executor_buffer_size = 1;
    recursion.num_recursion_prover_workers = 1;
    recursion.recursion_prover_buffer_size = 1;
    config
        .prover_config
        .deferred_prover_config
        .num_deferred_workers = 1;
}
