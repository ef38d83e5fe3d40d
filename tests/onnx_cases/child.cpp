// SPDX-License-Identifier: Apache-2.0
// Requests and answers are lines of JSON on a socket; what engines print goes elsewhere.
#include "child.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/json.hpp"

namespace inferometer::onnx_cases {
namespace {

using Clock = std::chrono::steady_clock;

void send_line(int fd, const Json& json) {
  // An engine's text need not be UTF-8.
  const std::string line =
      json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  for (std::size_t sent = 0; sent < line.size();) {
    const ssize_t now = ::send(fd, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (now < 0 && errno != EINTR) return;  // the reader will see that the other side has gone
    if (now > 0) sent += static_cast<std::size_t>(now);
  }
}

/// False when nothing came before the deadline.
bool wait_readable(int fd, Clock::time_point deadline) {
  pollfd one{.fd = fd, .events = POLLIN, .revents = 0};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    const int ready = ::poll(&one, 1, static_cast<int>(left.count()));
    if (ready > 0) return true;
    if (ready == 0) return false;
  }
}

enum class Reading { Line, Closed, Late };

Reading read_line(int fd, std::optional<Clock::time_point> deadline, std::string& line) {
  line.clear();
  for (;;) {
    if (deadline && !wait_readable(fd, *deadline)) return Reading::Late;
    char piece[4096];
    const ssize_t size = ::recv(fd, piece, sizeof piece, 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return Reading::Closed;
    line.append(piece, static_cast<std::size_t>(size));
    // One request, one answer: nothing follows a line.
    if (line.back() == '\n') return Reading::Line;
  }
}

}  // namespace

void CaseChild::start() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw Error(Status::Unavailable, std::string("no socket pair: ") + std::strerror(errno));
  socket_ = process::UniqueFd(ends[0]);
  const process::UniqueFd theirs(ends[1]);
  const int output = options_.show_output ? STDERR_FILENO : -1;
  child_.emplace(
      process::Child::spawn({.program = std::filesystem::read_symlink("/proc/self/exe"),
                             .arguments = {options_.engine, "--child", options_.scratch.string()},
                             .output = output,
                             .inherited = theirs.get()}));
}

std::optional<std::string> CaseChild::answer(Outcome& failure) {
  std::string line;
  const Reading reading = read_line(socket_.get(), Clock::now() + options_.limit, line);
  if (reading == Reading::Line) return line;
  const bool late = reading == Reading::Late;
  const process::Ending ending = child_->end();
  failure = late ? Outcome{Status::Timeout,
                           "no answer in " + std::to_string(options_.limit.count()) + " s"}
                 : Outcome{Status::Crashed, process::to_string(ending)};
  child_.reset();
  return std::nullopt;
}

Outcome CaseChild::run(const Case& which, bool frozen) {
  if (!child_) start();
  send_line(socket_.get(), {{"folder", which.folder.string()}, {"frozen", frozen}});
  Outcome outcome;
  const auto line = answer(outcome);
  if (!line) return outcome;
  const Json json = parse_json(*line, "the child's answer");
  return {parse_status(json.at("status").get<std::string>()), json.at("text").get<std::string>()};
}

int serve_cases(const std::string& engine, const std::filesystem::path& scratch) {
  std::string line;
  while (read_line(process::kInheritedFd, std::nullopt, line) == Reading::Line) {
    const Json request = parse_json(line, "request");
    const Outcome outcome = run_case(engine, request.at("folder").get<std::string>(),
                                     request.at("frozen").get<bool>(), scratch);
    send_line(process::kInheritedFd,
              {{"status", to_string(outcome.status)}, {"text", outcome.text}});
  }
  return 0;
}

}  // namespace inferometer::onnx_cases
