// SPDX-License-Identifier: Apache-2.0
// A worker without an engine. Environment ROGUE_GREETING: what it does instead of greeting. Param
// `act`: what its model does instead of computing; `outputs=dynamic` or `symbolic`, `in_flight=n`:
// its model's shape.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>

#include "process/fake_runner.hpp"
#include "process/worker_main.hpp"

namespace {

using namespace inferometer;
using namespace inferometer::process;

constexpr int kSocket = 3;

void write_to_parent(const std::string& bytes) {
  if (::send(kSocket, bytes.data(), bytes.size(), 0) < 0) std::perror("send");
}

std::string frame(const Header& header) {
  std::string bytes;
  append(bytes, header);
  return bytes;
}

[[noreturn]] void hang() {
  for (;;) ::pause();
}

void greet_wrongly(const std::string& how) {
  wait_forever(kSocket, POLLIN);
  std::array<char, 4096> hello;
  if (::recv(kSocket, hello.data(), hello.size(), 0) <= 0) std::exit(1);
  if (how == "garbage") write_to_parent("HTTP/1.1 400 Bad Request\r\n\r\n");
  if (how == "oversize")
    write_to_parent(frame({.turn = Turn::Answer, .sequence = 1, .body_bytes = 1ull << 40}));
  if (how == "truncated")
    write_to_parent(frame({.turn = Turn::Answer, .sequence = 1, .body_bytes = 100}) + "abc");
  if (how == "sequence") write_to_parent(frame({.turn = Turn::Answer, .sequence = 77}));
  if (how == "request") write_to_parent(frame({.turn = Turn::Request, .sequence = 1}));
  if (how == "not_json")
    write_to_parent(frame({.turn = Turn::Failure, .sequence = 1, .body_bytes = 3}) + "{{{");
  if (how == "other_version")
    write_to_parent(frame({.turn = Turn::Answer, .sequence = 1, .body_bytes = 15}) +
                    R"({"version":"x"})");
  if (how == "closed") ::close(kSocket);
  if (how == "truncated" || how == "exit") std::exit(9);
  hang();
}

void eat_memory() {
  constexpr std::size_t kPiece = 8u << 20;
  for (int i = 0; i < 512; ++i) {
    auto* piece = static_cast<char*>(std::malloc(kPiece));
    if (!piece) break;
    std::memset(piece, 1, kPiece);
    std::printf("ate %d\n", i);
  }
  hang();
}

void leave_a_child() {
  const pid_t child = ::fork();
  if (child == 0) hang();
  std::printf("child %d\n", static_cast<int>(child));
  std::fflush(stdout);
}

void die_by(int signal) {
  std::signal(signal, SIG_DFL);  // sanitizers catch it
  ::raise(signal);
}

void act(const std::string& what, const std::stop_token& stop) {
  if (what == "crash") die_by(SIGSEGV);
  if (what == "abort") die_by(SIGABRT);
  if (what == "exit") ::_exit(17);
  if (what == "hang") hang();
  if (what == "eat") eat_memory();
  if (what == "garbage") {
    write_to_parent("not a message, not at all");
    hang();
  }
  if (what == "bad_alloc") throw std::bad_alloc();
  if (what == "child") leave_a_child();
  if (what == "noisy") {
    for (int i = 0; i < 20'000; ++i) std::printf("line %d of a noisy engine\n", i);
    std::fflush(stdout);
  }
  if (what == "babble")
    for (;;) std::printf("and another thing\n");
  if (what == "wait_for_stop") {
    std::printf("waiting\n");
    std::fflush(stdout);
    while (!stop.stop_requested()) std::this_thread::yield();
  }
}

std::string text_param(const Params& params, const std::string& name) {
  const auto found = params.find(name);
  return found == params.end() ? "" : to_string(found->second);
}

std::shared_ptr<core::Runner> load_fake(const std::filesystem::path& path, const Params& params) {
  if (path == "/refused.onnx")
    throw Error(Status::LoadFailed, "no such model", {{"node", "Conv_1"}});
  const std::string in_flight = text_param(params, "in_flight");
  const std::string outputs = text_param(params, "outputs");
  auto runner =
      std::make_shared<FakeRunner>(outputs == "dynamic"    ? FakeRunner::Outputs::DataDependent
                                   : outputs == "symbolic" ? FakeRunner::Outputs::Symbolic
                                                           : FakeRunner::Outputs::Fixed,
                                   in_flight.empty() ? 1 : std::stoi(in_flight));
  runner->before_run = [what = text_param(params, "act")](const std::stop_token& stop) {
    act(what, stop);
  };
  return runner;
}

}  // namespace

int main(int argc, char** argv) {
  if (const char* how = std::getenv("ROGUE_GREETING")) greet_wrongly(how);
  return worker_main(argc, argv,
                     {.load = load_fake,
                      .probe =
                          [](const std::string& engine, const std::string&) {
                            if (engine == "crashing") die_by(SIGSEGV);
                            return EngineStatus{.name = engine, .available = true};
                          },
                      .canary = [](const Json& request) { return request; }});
}
