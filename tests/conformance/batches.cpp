// SPDX-License-Identifier: Apache-2.0
// Batches: ragged, in flight, in place, from many threads. Every row must be what it is alone.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <thread>

#include "suite.hpp"

namespace inferometer::conformance {
namespace {

constexpr std::int64_t kPool = 37;  // a prime, so that no batch size hides a shifted row

template <std::int64_t kStreams, std::int64_t kInFlight>
void in_flight(const Bench& bench) {
  const auto path = bench.model("tiny_cnn");
  const auto model =
      bench.load(path, {{"batch_size", 8}, {"streams", kStreams}, {"in_flight", kInFlight}});
  const auto inputs = noise_for(*model, kPool);
  const auto expected = bench.golden(path, views(inputs));
  for (int again = 0; again < 3; ++again)
    expect_close(model->predict(views(inputs), {}), expected, "37 rows");
}

void fewer_in_flight_than_streams(const Bench& bench) {
  expect_error(Status::Invalid, "streams=2 in_flight=1",
               [&] { bench.load(bench.model("tiny_cnn"), {{"streams", 2}, {"in_flight", 1}}); });
}

void rows_in_turn(const Bench& bench) {
  const auto path = bench.model("tiny_cnn");
  const auto model = bench.load(path, {{"batch_size", 8}});
  for (const std::int64_t rows : {1, 7, 37, 1, 8}) {
    const auto inputs = noise_for(*model, rows);
    expect_close(model->predict(views(inputs), {}), bench.golden(path, views(inputs)),
                 fmt::format("{} rows", rows));
  }
}

void fixed_batch(const Bench& bench) {
  const auto path = bench.model("tiny_cnn_4");
  const auto model = bench.load(path);
  for (const std::int64_t rows : {4, 1, 7}) {
    const auto inputs = noise_for(*model, rows);
    expect_close(model->predict(views(inputs), {}),
                 bench.golden(bench.model("tiny_cnn"), views(inputs)),
                 fmt::format("{} rows of a file fixed to 4", rows));
  }
}

void other_batch_than_the_file(const Bench& bench) {
  expect_error(Status::Invalid, "batch_size=3 for a file of 4",
               [&] { bench.load(bench.model("tiny_cnn_4"), {{"batch_size", 3}}); });
}

// The same rows in another company.
void neighbours(const Bench& bench) {
  const auto model = bench.load(bench.model("tiny_cnn"), {{"batch_size", 5}});
  const auto inputs = noise_for(*model, 10);
  const auto all = model->predict(views(inputs), {});
  Tensor reversed(DType::F32, inputs[0].shape());
  const std::size_t bytes = inputs[0].view().size_bytes() / 10;
  const auto row = [&](const Tensor& t, std::size_t r, std::size_t size) {
    return static_cast<std::byte*>(t.data()) + r * size;
  };
  for (std::size_t r = 0; r < 10; ++r)
    std::memcpy(row(reversed, r, bytes), row(inputs[0], 9 - r, bytes), bytes);
  const auto back = model->predict(views({reversed}), {});
  Tensor turned(DType::F32, all[0].shape());
  const std::size_t out_bytes = all[0].view().size_bytes() / 10;
  for (std::size_t r = 0; r < 10; ++r)
    std::memcpy(row(turned, r, out_bytes), row(back[0], 9 - r, out_bytes), out_bytes);
  expect_close(turned, all[0], "rows in reverse order");
}

void previous_call(const Bench& bench) {
  const auto model = bench.load(bench.model("tiny_mlp"));
  const std::vector<Tensor> a{noise(DType::F32, {1, 16}, 1)}, b{noise(DType::F32, {1, 16}, 2)};
  const auto first = model->predict(views(a), {});
  const auto other = model->predict(views(b), {});
  expect(std::memcmp(first[0].data(), other[0].data(), first[0].view().size_bytes()) != 0,
         "another input gives the output of the call before");
  expect_close(model->predict(views(a), {}), first, "the first input again");
}

// Memory around the outputs must stay as it was, and every byte of them must be written.
void in_place(const Bench& bench) {
  const auto path = bench.model("tiny_cnn");
  const auto model = bench.load(path, {{"batch_size", 8}});
  const auto inputs = noise_for(*model, kPool);
  const auto expected = bench.golden(path, views(inputs));
  constexpr std::size_t kGuard = 256;
  const std::size_t bytes = expected[0].view().size_bytes();
  std::vector<std::byte> memory(bytes + 2 * kGuard);
  for (const auto poison : {std::byte{0xFF}, std::byte{0x5A}}) {
    std::fill(memory.begin(), memory.end(), poison);
    const View out(static_cast<void*>(memory.data() + kGuard), DType::F32, expected[0].shape());
    model->predict_into(views(inputs), {&out, 1}, {});
    expect_close(Tensor(out, nullptr), expected[0], "written in place");
    const auto untouched = [&](std::size_t from) {
      return std::all_of(memory.begin() + static_cast<std::ptrdiff_t>(from),
                         memory.begin() + static_cast<std::ptrdiff_t>(from + kGuard),
                         [&](std::byte b) { return b == poison; });
    };
    expect(untouched(0) && untouched(kGuard + bytes), "memory beside the output was written");
  }
}

void inputs_are_only_read(const Bench& bench) {
  const auto model = bench.load(bench.model("tiny_cnn"), {{"batch_size", 8}});
  const auto inputs = noise_for(*model, 11), kept = noise_for(*model, 11);
  model->predict(views(inputs), {});
  expect_same_bits(inputs, kept, "inputs after predict");
}

void eight_threads(const Bench& bench) {
  const auto path = bench.model("tiny_cnn");
  const auto model = bench.load(path, {{"batch_size", 4}, {"streams", 2}});
  std::mutex mutex;
  std::string failed;
  std::vector<std::jthread> threads;
  for (std::uint64_t t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      try {
        const std::vector<Tensor> inputs{noise(
            DType::F32, noise_for(*model, 3 + static_cast<std::int64_t>(t))[0].shape(), t + 1)};
        const auto expected = bench.golden(path, views(inputs));
        for (int again = 0; again < 5; ++again)
          expect_close(model->predict(views(inputs), {}), expected, fmt::format("thread {}", t));
      } catch (const std::exception& error) {
        const std::lock_guard lock(mutex);
        failed = error.what();
      }
    });
  threads.clear();
  expect(failed.empty(), failed);
}

}  // namespace

std::vector<Case> batch_cases() {
  return {{"streams_1_in_flight_1", in_flight<1, 1>},
          {"streams_1_in_flight_3", in_flight<1, 3>},
          {"streams_2_in_flight_2", in_flight<2, 2>},
          {"streams_2_in_flight_3", in_flight<2, 3>},
          {"fewer_in_flight_than_streams", fewer_in_flight_than_streams},
          {"rows_in_turn", rows_in_turn},
          {"fixed_batch", fixed_batch},
          {"other_batch_than_the_file", other_batch_than_the_file},
          {"neighbours", neighbours},
          {"previous_call", previous_call},
          {"in_place", in_place},
          {"inputs_are_only_read", inputs_are_only_read},
          {"eight_threads", eight_threads}};
}

}  // namespace inferometer::conformance
