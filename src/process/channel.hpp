// SPDX-License-Identifier: Apache-2.0
// One lane: framed messages over a stream socket.
#pragma once

#include <functional>
#include <utility>

#include "process/protocol.hpp"

namespace inferometer::process {

/// Returns when `fd` is ready for `events` (poll's words), or throws.
using Wait = std::function<void(int fd, short events)>;
/// Waits without a limit.
void wait_forever(int fd, short events);

/// Owned by one thread at a time. Throws Error{Invalid} for whatever the protocol refuses and for a
/// peer that ends inside a message.
class Channel {
 public:
  explicit Channel(UniqueFd socket) : socket_(std::move(socket)) {}

  /// Throws Error{Invalid} when the body is above kMaxBody, Error{Crashed} when the peer has gone.
  void send(const Message& message, const Wait& wait);
  /// Reuses `message`. False: the peer has closed its end between messages.
  bool receive(Message& message, const Wait& wait);

  int fd() const noexcept { return socket_.get(); }

 private:
  std::size_t receive_some(void* to, std::size_t size, std::vector<UniqueFd>& fds,
                           const Wait& wait);
  void receive_body(Message& message, std::size_t total, const Wait& wait);

  UniqueFd socket_;
};

/// Two connected, non-blocking, close-on-exec ends. Throws Error{Unavailable}.
std::pair<UniqueFd, UniqueFd> socket_pair();

}  // namespace inferometer::process
