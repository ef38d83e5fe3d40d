// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "cli/program.hpp"

int main(int argc, char** argv) {
  return inferometer::cli::run_program({argv + 1, argv + argc}, std::cout, std::cerr);
}
