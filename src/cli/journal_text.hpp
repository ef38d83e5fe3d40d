// SPDX-License-Identifier: Apache-2.0
// What `journal` prints.
#pragma once

#include <string>

#include "campaign/journal_contents.hpp"
#include "campaign/journal_verify.hpp"

namespace inferometer::cli {

std::string contents_text(const std::string& name, const campaign::JournalContents& contents);

/// A line a finding, and one that counts them.
std::string verified_text(const std::string& path, const campaign::Verified& verified);
Json verified_json(const std::string& path, const campaign::Verified& verified);

/// Kinds of lines, then the objects within them.
std::string schema_text();

}  // namespace inferometer::cli
