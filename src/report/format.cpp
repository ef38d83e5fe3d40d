// SPDX-License-Identifier: Apache-2.0
#include "report/format.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/text.hpp"

namespace inferometer::report {
namespace {

constexpr std::size_t kTextLimit = 4096;

std::string grouped(double value) {
  const auto digits = fmt::format("{:.0f}", value);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (!text.empty() && text != "-" && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string significant(double value) {
  if (!std::isfinite(value)) return fmt::format("{}", value);
  const double size = std::abs(value);
  if (size >= 1000) return grouped(value);
  if (size >= 100) return fmt::format("{:.0f}", value);
  if (size >= 10) return fmt::format("{:.1f}", value);
  if (size >= 1 || size == 0) return fmt::format("{:.2f}", value);
  return fmt::format("{:.3g}", value);
}

bool ends(std::string_view key, std::string_view tail) {
  return key.ends_with(tail);
}

std::string number_text(std::string_view key, double value) {
  const bool counted = ends(key, "_samples_per_s") || key.starts_with("rate_");
  if (counted && ends(key, "_per_s")) return rate_text(value);
  if (key == "rate_percentile") return fmt::format("p{:g}", value);
  if (ends(key, "_ns")) return duration_text(value);
  if (ends(key, "_per_s")) return fmt::format("{} G/s", significant(value / 1e9));
  if (ends(key, "_bytes")) return bytes_text(value);
  if (key == "roofline_share" || key == "canary_spread" || key == "peak_flops_spread" ||
      key == "peak_bandwidth_spread")
    return share_text(value);
  if (key == "energy_coverage") return significant(100 * value) + " %";
  if (key.starts_with("ratio_")) return ratio_text(value);
  if (key.starts_with("parity_")) return fmt::format("{:.3g}", value);
  return significant(value);
}

}  // namespace

std::string rate_text(double per_s) {
  return significant(per_s);
}

std::string duration_text(double ns) {
  if (ns < 1e3) return fmt::format("{:.0f} ns", ns);
  if (ns < 1e6) return significant(ns / 1e3) + " us";
  if (ns < 1e9) return significant(ns / 1e6) + " ms";
  return significant(ns / 1e9) + " s";
}

std::string bytes_text(double bytes) {
  if (bytes < 1024) return fmt::format("{:.0f} B", bytes);
  if (bytes < 1024.0 * 1024) return significant(bytes / 1024) + " KiB";
  if (bytes < 1024.0 * 1024 * 1024) return significant(bytes / (1024.0 * 1024)) + " MiB";
  return significant(bytes / (1024.0 * 1024 * 1024)) + " GiB";
}

std::string share_text(double share) {
  return fmt::format("{:.{}f} %", 100 * share, std::abs(share) < 0.0995 ? 1 : 0);
}

std::string ratio_text(double ratio) {
  return std::abs(ratio) < 100 ? fmt::format("{:.3f}", ratio) : significant(ratio);
}

std::string short_machine_id(std::string_view machine_id) {
  return printable(machine_id.substr(0, whole_characters(machine_id, 8)));
}

std::string value_text(const Json& values, std::string_view key) {
  const auto found = values.find(std::string(key));
  if (found == values.end() || found->is_null()) return "";
  if (found->is_boolean()) return found->get<bool>() ? "yes" : "no";
  if (found->is_number_integer() && !ends(key, "_ns") && !ends(key, "_bytes") &&
      !ends(key, "_per_s"))
    return found->dump();
  if (found->is_number()) return number_text(key, found->get<double>());
  return printable(found->is_string() ? found->get<std::string>()
                                      : found->dump(-1, ' ', false, Json::error_handler_t::replace),
                   kTextLimit);
}

std::optional<double> number_of(const Json& values, std::string_view key) {
  const auto found = values.find(std::string(key));
  if (found == values.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

std::string html_text(std::string_view text) {
  std::string safe;
  for (const char letter : text) switch (letter) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      default:
        safe += letter;
    }
  return safe;
}

std::string script_json(const Json& json) {
  std::string safe;
  for (const char letter : json.dump(-1, ' ', true, Json::error_handler_t::replace)) {
    if (letter == '<')
      safe += "\\u003c";
    else
      safe += letter;
  }
  return safe;
}

std::string markdown_text(std::string_view text) {
  std::string safe;
  for (const char letter : text) {
    if (letter == '\n' || letter == '\r') {
      safe += ' ';
      continue;
    }
    if (std::string_view("\\|<>`*_[]").find(letter) != std::string_view::npos) safe += '\\';
    safe += letter;
  }
  return safe;
}

std::string csv_text(std::string_view text) {
  std::string safe;
  if (!text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos)
    safe = '\'';
  safe += text;
  if (safe.find_first_of(",\"\n\r") == std::string::npos) return safe;
  std::string quoted = "\"";
  for (const char letter : safe)
    quoted += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return quoted + "\"";
}

}  // namespace inferometer::report
