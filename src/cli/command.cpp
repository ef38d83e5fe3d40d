// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"

namespace inferometer::cli {
namespace {

constexpr Command kCommands[] = {
    {"engines", "List the engines, or one engine's params",
     "inferometer engines\n"
     "inferometer engines onnxruntime\n"
     "inferometer engines --json",
     declare_engines},
    {"machine", "Measure what this machine is worth: peaks, noise, how engines behave; kept",
     "inferometer machine\n"
     "inferometer machine --refresh --seconds 120\n"
     "inferometer machine --json",
     declare_machine},
    {"zoo", "Write one of our networks as an ONNX file, or list them",
     "inferometer zoo\n"
     "inferometer zoo resnet50 -o resnet50.onnx\n"
     "inferometer zoo vgg19 -o vgg19.onnx --batch 8 --image-size 64 --seed 2",
     declare_zoo},
    {"inspect", "Show a model's ports, size and operators, and which engines take it",
     "inferometer inspect resnet50.onnx\n"
     "inferometer inspect resnet50.onnx --json",
     declare_inspect},
    {"check", "Compare the outputs of engines with the right answer",
     "inferometer check resnet50.onnx\n"
     "inferometer check resnet50.onnx --engines onnxruntime,openvino -p batch_size=8 --rows "
     "1,5,37\n"
     "inferometer check model.onnx --input x.npy --expect y.npy",
     declare_check},
    {"predict", "Compute outputs from .npy files",
     "inferometer predict resnet50.onnx --input x.npy --output y.npy\n"
     "inferometer predict model.onnx --engine openvino -p batch_size=4 \\\n"
     "    --input image=x.npy --input features=f.npy --output scores=y.npy",
     declare_predict},
    {"run", "Measure one model on one engine",
     "inferometer run resnet50.onnx --engine onnxruntime\n"
     "inferometer run resnet50.onnx --engine openvino -p batch_size=8 -p threads=2 \\\n"
     "    --workload throughput,latency\n"
     "inferometer run resnet50.onnx --engine onnxruntime --workload load --profile\n"
     "inferometer run resnet50.onnx --engine openvino --workload rate --latency-bound-ms 200",
     declare_run},
    {"bench", "Compare models, engines and params, interleaved, into a journal",
     "inferometer bench resnet50.onnx --engines onnxruntime,openvino -o r50.jsonl\n"
     "inferometer bench resnet50.onnx --engines openvino --batch-sizes 1,4,16 \\\n"
     "    -p streams=1,2 --launches 5 -o streams.jsonl\n"
     "inferometer bench resnet50.onnx --engines onnxruntime,openvino -o r50.jsonl --resume",
     declare_bench},
    {"report", "Make something readable from journals",
     "inferometer report r50.jsonl\n"
     "inferometer report r50.jsonl -o r50.html\n"
     "inferometer report monday.jsonl tuesday.jsonl -o both.csv",
     declare_report},
    {"journal", "Look into journals, verify or join them",
     "inferometer journal show r50.jsonl\n"
     "inferometer journal verify r50.jsonl\n"
     "inferometer journal join here.jsonl there.jsonl -o both.jsonl\n"
     "inferometer journal schema --json",
     declare_journal},
};

}  // namespace

std::span<const Command> commands() {
  return kCommands;
}

}  // namespace inferometer::cli
