#!/usr/bin/env bash
# Makes .venv and installs this project into it with pinned dependencies: scripts/setup.sh ros | train | dev | all
# Done already for the same pins, it returns at once. PYTHON=… chooses the Python that .venv is made of.
# Where ROS 2 is sourced its own rclpy is used, and the ROS wheels are not installed.
set -euo pipefail
cd "$(dirname "$0")/.."

extras=${1:-all}
venv=.venv
torch=2.13.0

say() { printf '==> %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.10}; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    die "Python 3.10 to 3.13 is needed, and ${PYTHON:-python3} is not one: name one, as in PYTHON=python3.12 make install"
}

# apt_install PACKAGE…: as root or with a sudo that asks nothing; else says what to run.
apt_install() {
    local as_root=()
    command -v apt-get >/dev/null || die "please install what Debian calls: $*"
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || die "please run: sudo apt-get install -y $*"
        as_root=(sudo -n)
    fi
    say "installing system packages: $*"
    "${as_root[@]}" apt-get update -qq -o DPkg::Lock::Timeout=300 || say "apt-get update failed: trying with the lists as they are"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq -o DPkg::Lock::Timeout=300 "$@" >/dev/null ||
        die "please run: sudo apt-get install -y $*"
}

# What Open3D's and OpenCV's wheels load from the system, as library=package.
missing_libraries() {
    "$python" - libusb-1.0.so.0=libusb-1.0-0 libGL.so.1=libgl1 libEGL.so.1=libegl1 libX11.so.6=libx11-6 \
        libgthread-2.0.so.0=libglib2.0-0 <<'PYTHON'
import ctypes, sys

for pair in sys.argv[1:]:
    library, package = pair.split("=")
    try:
        ctypes.CDLL(library)
    except OSError:
        print(package)
PYTHON
}

make_venv() {
    local options=()
    "$python" -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv
    [ "$ros" = sourced ] && options=(--system-site-packages)
    say "making $venv with $("$python" --version), ROS 2 $ros"
    "$python" -m venv --clear "${options[@]}" $venv
    echo "$ros" >$venv/.ros
}

# The CPU build where pip's indexes have it, else the plain one, which brings CUDA along.
install_torch() {
    if $venv/bin/python -c "from importlib.metadata import version as v; assert v('torch').startswith('$torch')" 2>/dev/null; then
        return
    fi
    say "torch $torch"
    $venv/bin/pip install -c constraints.txt "torch==$torch+cpu" 2>/dev/null ||
        $venv/bin/pip install -c constraints.txt "torch==$torch"
}

# Chromium, in which the tests look at reports. Where it cannot be had, .venv/.no-browser allows those tests to skip.
install_browser() {
    rm -f $venv/.no-browser
    if [ -n "$(command -v chromium chromium-browser google-chrome)" ]; then
        return
    fi
    if [ "$(id -u)" -eq 0 ] && grep -qx 'ID=debian' /etc/os-release 2>/dev/null; then
        (apt_install --no-install-recommends chromium) && return
    fi
    say "no Chromium or Chrome here: the tests of reports in a browser will skip"
    touch $venv/.no-browser
}

python=$(find_python)
ros=wheels
if [ -n "${AMENT_PREFIX_PATH:-}" ] && "$python" -c 'import rclpy' 2>/dev/null; then
    ros=sourced
fi

stamp=$("$python" --version; echo "$ros"; cat setup.py constraints.txt scripts/setup.sh | sha256sum)
for done in "$extras" all; do
    if [ "$(cat "$venv/.installed-$done" 2>/dev/null)" = "$stamp" ]; then
        exit 0
    fi
done

packages=$(missing_libraries)
if [ -n "$packages" ]; then
    # shellcheck disable=SC2086  # one word per package
    apt_install $packages
fi

if ! [ -x $venv/bin/python ] || [ "$(cat $venv/.ros 2>/dev/null || echo wheels)" != "$ros" ]; then
    make_venv
fi

wanted=$extras
case $extras in
    all) install_browser; install_torch; wanted=all,view,ray,s3,foxglove,track ;; # what the tests need
    train) install_torch ;;
esac
if [ "$ros" = sourced ]; then # without the wheels
    case $extras in
        all) wanted=sim,report,onnx,int8,las,train,view,ray,s3,foxglove,track,dev ;;
        ros) wanted=sim,report ;;
    esac
fi
say "multimodal_perception with its dependencies (${wanted:-runtime}), pinned by constraints.txt"
$venv/bin/pip install -c constraints.txt -e ".${wanted:+[$wanted]}"
echo "$stamp" >"$venv/.installed-$extras"
say "installed: source $venv/bin/activate, then perception --help"
