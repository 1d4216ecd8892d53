#!/usr/bin/env bash
# Times the network and its peers on an NVIDIA GPU, with CUDA graphs, torch.compile and TensorRT; about ten minutes.
#
#   benchmarks/gpu.sh [KITTI_OBJECT]
#
# Leaves out/gpu.json and fills the table of docs/performance.md. PYTHON: a Python that has this project and a torch that
# sees the GPU; without one, .venv-gpu is made, with the wheels of torch for CUDA, ONNX Runtime and TensorRT.
set -euo pipefail
cd "$(dirname "$0")/.."

sees_gpu() { "$1" -c 'import mmseg, torch, sys; sys.exit(not torch.cuda.is_available())' 2>/dev/null; }

command -v nvidia-smi >/dev/null || { echo "gpu.sh: nvidia-smi is missing: is there an NVIDIA GPU with its driver?" >&2; exit 2; }
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader

python=${PYTHON:-python3}
if ! sees_gpu "$python"; then
    python=.venv-gpu/bin/python
    [ -x $python ] || python3 -m venv .venv-gpu
    $python -m pip install -q -c constraints.txt torch -e ".[train]" onnxruntime-gpu tensorrt
    sees_gpu $python || { echo "gpu.sh: torch sees no GPU; what nvidia-smi says of the driver must fit torch's CUDA" >&2; exit 2; }
fi
PYTHONPATH=$PWD exec "$python" benchmarks/gpu.py out/gpu.json docs/performance.md "$@"
