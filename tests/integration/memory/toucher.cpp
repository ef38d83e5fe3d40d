// SPDX-License-Identifier: Apache-2.0
// Touches memory as it is told on standard input, a command a line, each answered by "done":
// "anonymous MIB", "file PATH", "shared MIB", "free" (what the last command touched).
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <span>
#include <string>

#include "base/file.hpp"

namespace {

constexpr std::size_t kMiB = 1u << 20;

std::span<std::byte> mapped(std::size_t bytes, int flags, int fd) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (memory == MAP_FAILED) std::abort();
  std::memset(memory, 1, bytes);
  return {static_cast<std::byte*>(memory), bytes};
}

std::span<std::byte> shared(std::size_t bytes) {
  const int fd = ::memfd_create("toucher", 0);
  if (fd < 0 || ::ftruncate(fd, static_cast<off_t>(bytes)) != 0) std::abort();
  return mapped(bytes, MAP_SHARED, fd);
}

void read_all(const std::string& path) {
  static const inferometer::MappedFile file(path);
  volatile unsigned sum = 0;
  for (std::size_t at = 0; at < file.bytes().size(); at += 4096)
    sum = sum + static_cast<unsigned>(file.bytes()[at]);
}

}  // namespace

int main() {
  std::span<std::byte> last;
  for (std::string word, argument; std::cin >> word;) {
    if (word == "free") {
      ::munmap(last.data(), last.size());
    } else if (std::cin >> argument; word == "file") {
      read_all(argument);
    } else {
      const auto bytes = std::stoul(argument) * kMiB;
      last = word == "shared" ? shared(bytes) : mapped(bytes, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    }
    std::cout << "done" << std::endl;
  }
}
