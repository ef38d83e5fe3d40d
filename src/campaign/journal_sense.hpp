// SPDX-License-Identifier: Apache-2.0
// Lines of one machine's journal against each other. Internal: journal_verify.hpp is what uses it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "campaign/journal.hpp"
#include "measure/canary.hpp"

namespace inferometer::campaign {

class JournalSense {
 public:
  using Tell = std::function<void(std::size_t line, std::string problem)>;
  explicit JournalSense(Tell tell) : tell_(std::move(tell)) {}

  void take(std::size_t number, Line line);
  void end();  ///< the journal has no more lines
  /// What was taken.
  const Journal& journal() const noexcept { return journal_; }

 private:
  /// A launch as far as it has been read.
  struct Course {
    struct Between {
      std::size_t line = 0;
      std::int64_t round = 0;
      bool rejected = false;
    };
    std::int64_t rounds = 0, last = 0;             ///< planned; the number of the last one
    std::map<std::string, measure::Cell> cells;    ///< by cell_id
    std::set<std::string> passed;                  ///< cells with a block in round 0
    std::optional<measure::CanaryReading> before;  ///< the last canary
    std::vector<Between> between;                  ///< rounds since then
    bool ended = false;
  };

  void take(Header header);
  void take(Launch launch);
  void take(Round round);
  void take(LaunchEnd end);
  void take(measure::Outcome outcome);
  void problem(std::string text) { tell_(number_, std::move(text)); }
  Course* course_of(std::int64_t launch, const std::string& group, const std::string& what);
  void check_order(const Round& round, const Course& course, const std::string& name);
  void check_canary(const Round& round, Course& course);
  void check_blocks(const Round& round, Course& course, const std::string& name);
  void check_outcomes();

  Tell tell_;
  Journal journal_;
  std::size_t number_ = 0;
  std::map<std::pair<std::int64_t, std::string>, Course> courses_;
  std::set<std::string> cells_;  ///< of all launches
  std::int64_t last_launch_ = 0;
  /// Outcome lines that follow each other: they are compared with the lines before them.
  std::vector<std::pair<std::size_t, measure::Outcome>> outcomes_;
};

}  // namespace inferometer::campaign
