// SPDX-License-Identifier: Apache-2.0
#include "process/channel.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace inferometer::process {

namespace {

// Most messages are small: header and body then cost one call.
constexpr std::size_t kFirstRead = 4096;
// A body grows as its bytes arrive, so that a lying length costs a stranger's bytes, not our
// memory.
constexpr std::size_t kBodyStep = 1u << 20;

union ControlBuffer {
  cmsghdr align;
  char bytes[CMSG_SPACE(sizeof(int) * kMaxFds)];
};

void attach(msghdr& message, ControlBuffer& control, const std::vector<UniqueFd>& fds) {
  if (fds.empty()) return;
  const std::size_t bytes = sizeof(int) * fds.size();
  message.msg_control = &control;
  message.msg_controllen = CMSG_SPACE(bytes);
  cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(bytes);
  for (std::size_t i = 0; i < fds.size(); ++i) {
    const int fd = fds[i].get();
    std::memcpy(CMSG_DATA(head) + i * sizeof fd, &fd, sizeof fd);
  }
}

void collect(msghdr& message, std::vector<UniqueFd>& fds) {
  for (cmsghdr* head = CMSG_FIRSTHDR(&message); head; head = CMSG_NXTHDR(&message, head)) {
    if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(head) + i * sizeof fd, sizeof fd);
      fds.emplace_back(fd);
    }
  }
}

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK;
}

[[noreturn]] void ended_inside(const char* what) {
  throw Error(Status::Invalid, fmt::format("message refused: the peer ended inside a {}", what));
}

}  // namespace

void wait_forever(int fd, short events) {
  pollfd one{.fd = fd, .events = events, .revents = 0};
  while (::poll(&one, 1, -1) < 0 && errno == EINTR) {
  }
}

std::pair<UniqueFd, UniqueFd> socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
    throw Error(Status::Unavailable, fmt::format("no socket pair: {}", std::strerror(errno)));
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

void Channel::send(const Message& message, const Wait& wait) {
  Header header{.kind = message.kind,
                .turn = message.turn,
                .fd_count = static_cast<std::uint16_t>(message.fds.size()),
                .sequence = message.sequence,
                .body_bytes = message.body.size()};
  check(header);
  const std::size_t total = sizeof header + message.body.size();
  ControlBuffer control{};
  for (std::size_t sent = 0; sent < total;) {
    const std::size_t head_left = sent < sizeof header ? sizeof header - sent : 0;
    const std::size_t body_at = sent < sizeof header ? 0 : sent - sizeof header;
    iovec parts[2] = {
        {reinterpret_cast<char*>(&header) + (sizeof header - head_left), head_left},
        {const_cast<char*>(message.body.data()) + body_at, message.body.size() - body_at}};
    msghdr out{};
    out.msg_iov = parts;
    out.msg_iovlen = 2;
    if (sent == 0) attach(out, control, message.fds);
    const ssize_t wrote = ::sendmsg(socket_.get(), &out, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (wrote >= 0) {
      sent += static_cast<std::size_t>(wrote);
    } else if (would_block()) {
      wait(socket_.get(), POLLOUT);
    } else if (errno != EINTR) {
      throw Error(Status::Crashed,
                  fmt::format("the peer can't be reached: {}", std::strerror(errno)));
    }
  }
}

std::size_t Channel::receive_some(void* to, std::size_t size, std::vector<UniqueFd>& fds,
                                  const Wait& wait) {
  for (;;) {
    wait(socket_.get(), POLLIN);
    iovec part{to, size};
    ControlBuffer control;
    msghdr in{};
    in.msg_iov = &part;
    in.msg_iovlen = 1;
    in.msg_control = &control;
    in.msg_controllen = sizeof control;
    const ssize_t got = ::recvmsg(socket_.get(), &in, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (got < 0 && (would_block() || errno == EINTR)) continue;
    if (got <= 0) return 0;  // closed; a reset is a close too
    collect(in, fds);
    if (in.msg_flags & MSG_CTRUNC || fds.size() > kMaxFds)
      throw Error(Status::Invalid, "message refused: too many descriptors");
    return static_cast<std::size_t>(got);
  }
}

void Channel::receive_body(Message& message, std::size_t total, const Wait& wait) {
  for (std::size_t have = message.body.size(); have < total;) {
    message.body.resize(std::min(total, have + kBodyStep));
    const std::size_t got =
        receive_some(message.body.data() + have, message.body.size() - have, message.fds, wait);
    if (got == 0) ended_inside("body");
    have += got;
    message.body.resize(have);
  }
}

bool Channel::receive(Message& message, const Wait& wait) {
  std::array<char, kFirstRead> first;
  message.fds.clear();
  std::size_t have = receive_some(first.data(), first.size(), message.fds, wait);
  if (have == 0) return false;
  while (have < sizeof(Header)) {
    const std::size_t got =
        receive_some(first.data() + have, first.size() - have, message.fds, wait);
    if (got == 0) ended_inside("header");
    have += got;
  }
  Header header;
  std::memcpy(&header, first.data(), sizeof header);
  check(header);
  if (have - sizeof header > header.body_bytes)
    throw Error(Status::Invalid, "message refused: bytes beyond its end");
  message.kind = header.kind;
  message.turn = header.turn;
  message.sequence = header.sequence;
  message.body.assign(first.data() + sizeof header, have - sizeof header);
  receive_body(message, header.body_bytes, wait);
  if (message.fds.size() != header.fd_count)
    throw Error(Status::Invalid, fmt::format("message refused: {} descriptors came, {} announced",
                                             message.fds.size(), header.fd_count));
  return true;
}

}  // namespace inferometer::process
