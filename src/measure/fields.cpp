// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "measure/outcome.hpp"

// One row per quantity and nowhere else: JSON, CSV, the journal, reports, docs and Python take key,
// title and help from here. A numeric key ends in its unit; a ratio, share or count has none.

#define INFEROMETER_MEMORY_PHASE(phase, what)                                                   \
  Field{"memory_" phase "_bytes", phase " RSS",                                                 \
        "Resident memory " what ", whole process tree (VmRSS)."},                               \
      Field{"memory_" phase "_anon_bytes", phase " anon", "Anonymous part of it (RssAnon)."},   \
      Field{"memory_" phase "_file_bytes", phase " file", "Part mapped from files (RssFile)."}, \
      Field{"memory_" phase "_shmem_bytes", phase " shmem", "Shared-memory part (RssShmem)."},  \
      Field{"memory_" phase "_pss_bytes", phase " PSS",                                         \
            "Proportional share of it: shared pages divided by their users (smaps_rollup)."},   \
      Field{"memory_" phase "_uss_bytes", phase " USS",                                         \
            "Pages of it that nobody else maps (smaps_rollup)."}

#define INFEROMETER_LOAD_STATE(state, what)                                                        \
  Field{"load_" state "_read_ns", state " read", "Reading and parsing the model file, " what "."}, \
      Field{"load_" state "_convert_ns", state " convert",                                         \
            "Turning the model into the engine's own form, " what "."},                            \
      Field{"load_" state "_compile_ns", state " compile", "Optimising and compiling, " what "."}, \
      Field{"load_" state "_allocate_ns", state " allocate",                                       \
            "Allocating weights, buffers and contexts, " what "."},                                \
      Field{"load_" state "_total_ns", state " load",                                              \
            "From the call of load to a model that takes a predict, " what                         \
            ", opening the engine's library included."},                                           \
      Field{"load_" state "_first_inference_ns", state " first inference",                         \
            "The first predict after load, lazy work included, " what "."},                        \
      Field{"load_" state "_second_inference_ns", state " second inference",                       \
            "The second predict after load, " what "."}

namespace inferometer::measure {
namespace {

constexpr Field kFields[] = {
    // Throughput. Wall time from rows handed over to outputs readable on the host.
    {"throughput_samples_per_s", "samples/s",
     "Samples per second of the median block: wall time from rows handed over to outputs "
     "readable."},
    {"throughput_lower_samples_per_s", "lower",
     "Lower bound of the rate at 95 %: binomial ranks and the known launch spread for one launch, "
     "Student's t over the medians of two or more."},
    {"throughput_upper_samples_per_s", "upper", "Upper bound of the same."},
    {"throughput_mean_samples_per_s", "samples/s (mean)",
     "All samples of all blocks divided by their total wall time."},
    {"throughput_uncontended_samples_per_s", "samples/s (best decile)",
     "Rate at the 10th percentile of block times: the machine at its least disturbed."},
    {"batch_time_ns", "ns/batch",
     "Median over blocks of wall time divided by the block's batches."},
    {"samples", "samples", "Samples computed in the timed blocks."},
    {"batches", "batches", "Batches computed in the timed blocks."},

    // Latency, closed loop: one timing per batch, all kept.
    {"latency_min_ns", "min", "Smallest latency of one batch."},
    {"latency_mean_ns", "mean", "Mean latency of one batch."},
    {"latency_p50_ns", "p50",
     "Median latency; null until the 99 % early-stopping rule has enough."},
    {"latency_p90_ns", "p90", "90th percentile; null until the early-stopping rule has enough."},
    {"latency_p95_ns", "p95", "95th percentile; null until the early-stopping rule has enough."},
    {"latency_p99_ns", "p99", "99th percentile; null until the early-stopping rule has enough."},
    {"latency_p99_9_ns", "p99.9",
     "99.9th percentile; null until the early-stopping rule has enough."},
    {"latency_max_ns", "max", "Largest latency of one batch."},
    {"latency_timings", "timings", "Number of latencies that the percentiles rest on."},

    // Rate, open loop: one batch an arrival, latencies from the intended start.
    {"rate_within_bound_per_s", "batches/s in bound",
     "Highest rate of batches at which the trial showed that rate_percentile lies within "
     "rate_bound_ns."},
    {"rate_within_bound_samples_per_s", "samples/s in bound", "The same in samples."},
    {"rate_fails_per_s", "fails at",
     "Lowest rate of batches at which it was not shown: the upper end of the bracket."},
    {"rate_capacity_per_s", "closed loop",
     "Batches per second of a closed loop in the same process, just before."},
    {"rate_bound_ns", "bound", "The latency that rate_percentile of the requests must not exceed."},
    {"rate_percentile", "percentile", "The percentile that must lie within the bound."},
    {"rate_latency_p50_ns", "p50",
     "Median latency at the highest rate within the bound; null until the 99 % early-stopping rule "
     "has enough."},
    {"rate_latency_p90_ns", "p90", "90th percentile at that rate, likewise."},
    {"rate_latency_p95_ns", "p95", "95th percentile at that rate, likewise."},
    {"rate_latency_p99_ns", "p99", "99th percentile at that rate, likewise."},
    {"rate_latency_p99_9_ns", "p99.9", "99.9th percentile at that rate, likewise."},
    {"rate_trials", "trials",
     "Every trial of the search: a list of {offered_per_s, achieved_per_s, arrivals, over_limit, "
     "saturated, passes}."},

    // Load, each time in a fresh process. Lazy compilation is charged here wherever it happens;
    // hashing is outside.
    INFEROMETER_LOAD_STATE("warm", "model and engine files in the page cache"),
    INFEROMETER_LOAD_STATE("cold", "model and engine files dropped from the page cache"),
    INFEROMETER_LOAD_STATE("artifact", "with an artifact of an earlier load in the cache"),
    {"worker_load_ns", "load (this worker)",
     "Load of the worker that was checked and measured in rounds, whatever the state of caches."},
    {"load_cold_files_bytes", "cold files",
     "Size of the files that were dropped: the model's, and what the engine maps while loading."},
    {"load_cold_resident_share", "still cached",
     "Share of them that the kernel kept in the page cache all the same."},
    {"first_batch_ratio", "first batch",
     "Median time of the first batch after waking over the median of the block's other batches."},

    // Memory, a pass of its own in a fresh process.
    INFEROMETER_MEMORY_PHASE("process", "of the empty worker"),
    INFEROMETER_MEMORY_PHASE("library", "once the engine's library is open"),
    INFEROMETER_MEMORY_PHASE("model", "once the model is loaded"),
    INFEROMETER_MEMORY_PHASE("steady", "after the last batch"),
    INFEROMETER_MEMORY_PHASE("released",
                             "once the model is unloaded and the C library's heap trimmed"),
    {"memory_load_peak_bytes", "load peak",
     "Highest resident memory while loading (VmHWM, reset at the start of the phase)."},
    {"memory_run_peak_bytes", "run peak",
     "Highest resident memory while running batches (VmHWM, reset at the start of the phase)."},
    {"memory_growth_bytes", "growth",
     "Anonymous memory that each batch after the steady ones adds: a leak, or caches that fill."},
    {"memory_fit_base_bytes", "m0",
     "m0 of the peak's fit M(b) = m0 + m1 b over batch sizes b, least squares, neither negative."},
    {"memory_fit_row_bytes", "m1", "m1 of the same: what each row of a batch adds."},
    {"memory_cgroup_peak_bytes", "cgroup peak",
     "Highest charge of a control group around loading and running, less page cache: the kernel's "
     "second opinion, without what the empty worker had touched."},

    // Energy, a pass of its own in a fresh process. Counters of the hardware or a meter's log,
    // never
    // an estimate; gross and mean are of all domains together.
    {"energy_gross_j_per_sample", "J/sample (gross)",
     "All energy of a window of blocks back to back over the samples computed in it."},
    {"energy_net_j_per_sample", "J/sample (net)",
     "The same less idle power over the window: the mean of before and after."},
    {"energy_mean_w", "mean W", "Mean power in that window."},
    {"energy_idle_before_w", "idle W before",
     "Mean power with the worker loaded, warmed up and parked, before the window."},
    {"energy_idle_after_w", "idle W after", "The same after the window."},
    {"energy_domains", "domains",
     "What was measured: a list of {domain, mean_w}, in the last launch."},
    {"energy_method", "energy by",
     "RAPL, NVML or a power log, and what of them is left out and why."},
    {"energy_coverage", "coverage",
     "Share of the window that readings tell; below 95 % there are no joules, above it their mean "
     "power stands for the rest."},
    {"energy_samples", "samples", "Samples computed in the window."},
    {"energy_window_ns", "window", "Length of the window."},

    // Parity: outputs against the golden, before anything is timed.
    {"parity_golden", "golden",
     "What the outputs were compared with: a file, reference, or unverified."},
    {"parity_output", "output", "The output port with the largest error."},
    {"parity_rel_l2", "rel L2", "|y - golden| / |golden|, the quantity that the gate looks at."},
    {"parity_max_abs_ratio", "max abs", "Largest |y - golden| over largest |golden|."},
    {"parity_cosine", "cosine", "Cosine of the angle between y and golden."},
    {"parity_top1_agreement", "top-1",
     "Share of rows with the same largest element, where the golden's margin exceeds twice the "
     "error."},
    {"parity_top1_rows", "top-1 rows", "Rows whose margin was wide enough to count in top-1."},
    {"parity_log_p_rel_l2", "rel L2 of log p",
     "Error of the logarithm against its spread, for outputs of a softmax (which hides errors)."},
    {"parity_nan", "NaN", "NaN elements of y where the golden has none."},
    {"parity_inf", "Inf", "Infinite elements of y where the golden has none."},
    {"parity_wrong", "wrong elements", "Elements of integer outputs that differ from the golden."},
    {"parity_least_tolerance", "least tolerance",
     "Smallest t for which |y - golden| <= t * (max |golden| + |golden|) everywhere."},
    {"parity_gate", "gate", "The largest parity_rel_l2 that passes at this precision."},
    {"parity_batch_invariant", "batch invariant",
     "Whether a row's output is free of its neighbours."},
    {"parity_deterministic", "deterministic", "Whether a second run gives the same bits."},

    // Comparison within a group: every cell against the common control.
    {"control", "control", "cell_id of the control that ratios refer to."},
    {"ratio_to_control", "ratio",
     "exp(median over rounds of ln t_control - ln t): above 1 is faster than the control."},
    {"ratio_lower", "lower", "Lower bound of the ratio at ratio_confidence."},
    {"ratio_upper", "upper", "Upper bound of the ratio at ratio_confidence."},
    {"ratio_half_width", "+-", "Half of (upper - lower) over the ratio."},
    {"ratio_confidence", "confidence", "Probability that the interval covers the truth."},
    {"ratio_basis", "basis",
     "t over launch medians (5 or more launches), or 1 launch: binomial ranks and the known "
     "spread."},
    {"drift_per_round", "drift", "Theil-Sen slope of the ln ratio over rounds."},
    {"drift_lower", "drift lower", "Lower bound of the slope at ratio_confidence."},
    {"drift_upper", "drift upper", "Upper bound of the slope at ratio_confidence."},
    {"launches", "launches", "Lives of the worker that the figures rest on."},
    {"rounds", "rounds", "Rounds kept, over all launches."},
    {"rounds_rejected", "rejected", "Rounds within which the canary changed by more than 25 %."},

    // Noise: a short FMA burst, then a stream burst, between rounds.
    {"canary_fma_ns", "canary FMA", "Median time of the canary's fixed FMA burst."},
    {"canary_stream_ns", "canary stream", "Median time of the canary's fixed stream burst."},
    {"canary_spread", "canary spread",
     "(p90 - p10) / p50 of the canary's times, the larger of the two."},
    {"noise_verdict", "noise", "fit, noisy or unfit, from the canary."},

    // Roofline.
    {"flops", "FLOP", "2 x multiply-accumulates of Conv, Gemm and MatMul for one batch."},
    {"traffic_bytes", "bytes",
     "Bytes that one batch must move at least: weights, inputs, outputs."},
    {"peak_flops_per_s", "peak FLOP/s", "Measured peak of an FMA loop at this thread count, f32."},
    {"peak_bandwidth_bytes_per_s", "peak B/s",
     "Measured bandwidth of a stream loop at this thread count."},
    {"peak_flops_spread", "peak spread", "(p90 - p10) / p50 over the bursts of the FMA loop."},
    {"peak_bandwidth_spread", "bandwidth spread",
     "(p90 - p10) / p50 over the bursts of the stream loop."},
    {"roofline_floor_ns", "floor", "max(flops / peak, bytes / bandwidth) for one batch."},
    {"roofline_share", "roofline", "roofline_floor_ns over batch_time_ns."},

    // Threads.
    {"cpus_allowed", "CPUs allowed", "CPUs of the worker's affinity mask."},
    {"cpus_used", "CPUs used", "CPU time of all tasks over wall time of the timed blocks."},
    {"cpus_used_by_task", "tasks", "The same by task: a list of {task, name, cpus}."},

    // Profile, a pass of its own: what the engine tells of itself.
    {"profile_nodes", "nodes",
     "A list of {node, kernel, precision, ns} in the engine's order: medians over ten calls."},
    {"profile_total_ns", "all nodes", "Sum over the nodes."},
    {"profile_batch_ns", "batch", "Mean time of a batch of ten while profiling, on our clock."},

    // What goes with every outcome.
    {"engine_version", "version", "The engine library's own version."},
    {"library", "library", "The engine's library file."},
    {"library_hash", "library hash", "XXH3-128 of that file."},
    {"model_hash", "model hash", "XXH3-128 over the model and its external data."},
    {"effective_params", "effective", "Params in force, read back from the engine or proved."},
    {"effective_proof", "proof", "How each effective param is known."},
    {"input_seed", "seed", "Seed of the pool of input rows."},
    {"fingerprint", "environment",
     "The machine and its state before the first launch and after the last, with the change of its "
     "counters over the launches."},
    {"parent_cpu_share", "parent CPU",
     "CPU time of Inferometer's own process over wall time while the rounds ran; the worst "
     "launch."},
    {"canary_share", "canary share",
     "Share of the rounds' wall time that the canary took; the worst launch."},
};

}  // namespace

std::span<const Field> fields() {
  return kFields;
}

const Field& field(std::string_view key) {
  const auto found = std::ranges::find(kFields, key, &Field::key);
  if (found == std::end(kFields)) {
    std::fprintf(stderr, "inferometer: no field '%.*s'\n", static_cast<int>(key.size()),
                 key.data());
    std::abort();
  }
  return *found;
}

}  // namespace inferometer::measure
