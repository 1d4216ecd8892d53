#!/usr/bin/env bash
# Writes constraints.txt anew for Python 3.10 to 3.13: pins that still fit stay, and `scripts/pin.sh --upgrade` takes the
# newest. Needs uv (`pip install uv`). torch's CUDA packages are left out: scripts/setup.sh installs its CPU build.
set -euo pipefail
cd "$(dirname "$0")/.."

resolved=$(mktemp)
trap 'rm -f "$resolved"' EXIT
cp constraints.txt "$resolved"
uv pip compile setup.py --all-extras --universal --python-version 3.10 --no-python-downloads \
    --no-header --no-annotate --quiet --output-file "$resolved" "$@"
{
    echo "# Everything that .venv holds, pinned; tried together. Written by scripts/pin.sh."
    grep -vE '^(nvidia|cuda|triton)' "$resolved" |
        sed -E -e "s/ ;.*python_full_version == '(3\.1[0-3])\.\*'.*/ ; python_version == '\\1'/; t" \
            -e "s/ ;.*python_full_version (<|>=) '(3\.1[0-3]\.[0-9]+)'.*/ ; python_full_version \\1 '\\2'/; t" \
            -e "s/ ;.*python_(full_)?version (<|>=) '(3\.1[0-3])'.*/ ; python_version \\2 '\\3'/; t; s/ ;.*//"
} > constraints.txt
