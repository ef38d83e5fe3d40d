// SPDX-License-Identifier: Apache-2.0
#include "graph/zoo.hpp"

#include "base/text.hpp"
#include "graph/text.hpp"
#include "graph/zoo_networks.hpp"

namespace inferometer::graph {

namespace {

constexpr std::int64_t kLargestImage = 4096;

struct Recipe {
  ZooEntry entry;
  std::int64_t own_size, least_size;  ///< 0: no image
  Graph (*build)(const ZooOptions&, std::int64_t size);
};

const std::vector<Recipe>& recipes() {
  static const std::vector<Recipe> all = {
      {{"vgg19", "VGG19, 1000 classes; its first Gemm follows the image size"}, 224, 32, vgg19},
      {{"resnet50", "ResNet50 v1.5, 1000 classes"}, 224, 32, resnet50},
      {{"densenet201", "DenseNet201, 1000 classes"}, 224, 32, densenet201},
      {{"efficientnet_b0", "EfficientNet-B0, 1000 classes"}, 224, 32, efficientnet_b0},
      {{"tiny_cnn", "a small CNN for tests, 10 classes"}, 32, 8, tiny_cnn},
      {{"tiny_mlp", "three dense layers for tests, [N,16] to [N,10]"},
       0,
       0,
       [](const ZooOptions& options, std::int64_t) { return tiny_mlp(options); }},
      {{"two_in_two_out", "for tests: image and features in, mask and scores out"},
       0,
       0,
       [](const ZooOptions& options, std::int64_t) { return two_in_two_out(options); }},
  };
  return all;
}

const Recipe& find_recipe(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& recipe : recipes()) {
    if (recipe.entry.name == name) return recipe;
    names.push_back(recipe.entry.name);
  }
  const auto near = nearest(name, names);
  throw Error(Status::Invalid,
              fmt::format("zoo: no network '{}'{}; there are {}", printable(name),
                          near.empty() ? "" : fmt::format(", did you mean {}?", near), join(names)),
              {{"network", name}, {"nearest", near}});
}

std::int64_t checked_size(const Recipe& recipe, const ZooOptions& options) {
  const auto size = options.image_size.value_or(recipe.own_size);
  const auto& name = recipe.entry.name;
  if (recipe.own_size == 0) {
    if (options.image_size) throw_invalid("zoo: {} has no image size", name);
    return 0;
  }
  if (size < recipe.least_size || size > kLargestImage) {
    throw_invalid("zoo: {} takes images of {}..{} pixels a side, not {}", name, recipe.least_size,
                  kLargestImage, size);
  }
  return size;
}

}  // namespace

const std::vector<ZooEntry>& zoo_entries() {
  static const auto entries = [] {
    std::vector<ZooEntry> list;
    for (const auto& recipe : recipes()) list.push_back(recipe.entry);
    return list;
  }();
  return entries;
}

Graph zoo(const std::string& name, const ZooOptions& options) {
  const auto& recipe = find_recipe(name);
  if (options.batch && *options.batch < 1) {
    throw_invalid("zoo: batch must be 1 or more, not {}", *options.batch);
  }
  return recipe.build(options, checked_size(recipe, options));
}

}  // namespace inferometer::graph
