#!/usr/bin/env bash
# What the Makefile installs: `run` (the .venv the farm runs in), `test` (what tests need
# besides, in the same .venv), `peers` (the real servers tests talk to: Debian packages, and
# into .tools/ what Debian does not let be installed beside Postfix, or does not have).
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}
PEERS=(clamav-daemon clamdscan clamav-testfiles spamd spamassassin rspamd postfix haproxy nftables iproute2 swaks curl procps systemd docker.io debootstrap prometheus prometheus-alertmanager)
# Mail servers beside Postfix: unpacked, never installed; then the libraries they want.
UNPACKED=(exim4-daemon-light opensmtpd)
PEERS+=(libdb5.3 libgnutls-dane0 libidn12 libnsl2 libevent-2.1-7)

progress() { if [ -t 2 ]; then printf '\r\033[K%s' "$1" >&2; else printf '%s\n' "$1" >&2; fi; }
progress_end() { if [ -t 2 ]; then printf '\r\033[K' >&2; fi; }
die() { progress_end; printf '%s\n' "$1" >&2; exit 2; }

# pip's own lines become one progress line; on failure the whole log is shown.
pip_install() {
    local label=$1 log; shift
    log=$(mktemp)
    if ! .venv/bin/python -m pip install --disable-pip-version-check "$@" >"$log" 2>&1 < <(:) ; then
        progress_end; cat "$log" >&2; rm -f "$log"
        die "pip could not install $label; see above. Is a package index reachable?"
    fi &
    local job=$! count
    while kill -0 "$job" 2>/dev/null; do
        count=$(grep -c -E '^ *(Collecting|Downloading|Using cached)' "$log" 2>/dev/null || true)
        if [ -t 2 ]; then progress "$label: $count steps, $(tail -n 1 "$log" | cut -c1-60)"; fi
        sleep 0.3
    done
    wait "$job"; rm -f "$log"
}

make_venv() {
    [ -x .venv/bin/python ] && .venv/bin/python -m pip --version >/dev/null 2>&1 && return
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
        || die "Python 3.11 or later is needed; PYTHON=/path/to/python3 make … names another one."
    progress "making .venv"
    rm -rf .venv
    "$PYTHON" -m venv .venv >/dev/null 2>&1 && return
    # Debian's python3 has venv but no pip to put into it: borrow one, from its own pip or from
    # the package that python3-venv would use. Neither needs root or changes the system.
    rm -rf .venv
    if "$PYTHON" -m venv --without-pip .venv >/dev/null 2>&1; then
        "$PYTHON" -m pip --python .venv/bin/python install --quiet pip >/dev/null 2>&1 && return
        pip_from_debian && return
    fi
    rm -rf .venv
    die "This Python cannot make a virtual environment with pip: install python3-venv (apt-get install python3-venv), then try again."
}

pip_from_debian() {
    local folder wheel; folder=$(mktemp -d)
    ( cd "$folder" && apt-get download python3-pip-whl && dpkg-deb -x ./*.deb . ) >/dev/null 2>&1 || true
    for wheel in "$folder"/usr/share/python-wheels/pip-*.whl; do
        .venv/bin/python "$wheel/pip" install --quiet --no-index "$wheel" >/dev/null 2>&1 || true
    done
    rm -rf "$folder"
    .venv/bin/python -m pip --version >/dev/null 2>&1
}

install_run() {
    make_venv
    progress "installing what the farm runs with"
    pip_install "packages of the farm" --require-hashes -r requirements.lock
    local members=()
    for member in libs/contracts libs/rulebook libs/service_kit services/edge-proxy services/scanner services/policy libs/lab; do
        members+=(-e "$member")
    done
    mkdir -p libs/contracts/generated/smtpgated
    progress "installing the farm itself"
    pip_install "the farm itself" --no-deps --no-build-isolation "${members[@]}"
    progress_end
}

install_test() {
    progress "installing what the tests need"
    pip_install "packages of the tests" --require-hashes -r requirements-dev.lock
    progress_end
    # With mypy-protobuf here now, the next `make proto` also writes typed stubs.
    rm -f libs/contracts/generated/.built
}

install_peers() {
    install_packages
    unpack_servers
    install_node haraka
    install_node grafana-types
    fetch_spf_suite
}

install_packages() {
    local missing=() sudo=() package
    for package in "${PEERS[@]}"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    command -v node >/dev/null && command -v npm >/dev/null || missing+=(nodejs npm)
    [ ${#missing[@]} -eq 0 ] && return
    command -v apt-get >/dev/null || die "The tests talk to real servers (${missing[*]}) and know only apt-get to install them."
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || die "The tests need the Debian packages ${missing[*]}; run: sudo apt-get install ${missing[*]}"
        sudo=(sudo -n)
    fi
    progress "installing Debian packages: ${missing[*]}"; [ -t 2 ] && echo >&2
    local log; log=$(mktemp)
    if ! { "${sudo[@]}" apt-get update && "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get \
            -o DPkg::Lock::Timeout=550 install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
        cat "$log" >&2; die "apt-get could not install ${missing[*]}; see above."
    fi
    rm -f "$log"
}

unpack_servers() {
    local package folder log; log=$(mktemp)
    for package in "${UNPACKED[@]}"; do
        [ -d ".tools/unpacked/$package" ] && continue
        progress "unpacking $package"
        folder=$(mktemp -d)
        # Without lists of packages apt-get knows none: then they are fetched first.
        if ! ( cd "$folder" && { apt-get download "$package" || { apt-get update && apt-get download "$package"; }; } \
                && dpkg -x ./*.deb tree ) >"$log" 2>&1; then
            cat "$log" >&2; die "apt-get could not fetch $package; see above."
        fi
        mkdir -p .tools/unpacked
        mv "$folder/tree" ".tools/unpacked/$package"
        rm -rf "$folder"
    done
    rm -f "$log"; progress_end
}

install_node() {
    local name=$1 lock=tools/$1/package-lock.json folder=.tools/$1 log
    cmp -s "$lock" "$folder/.installed" && return
    log=$(mktemp)
    progress "installing $name"
    rm -rf "$folder"; mkdir -p "$folder"
    cp "tools/$name/package.json" "$lock" "$folder"
    if ! ( cd "$folder" && npm ci --ignore-scripts --omit=optional --no-audit --no-fund ) >"$log" 2>&1; then
        cat "$log" >&2; die "npm could not install $name; see above."
    fi
    cp "$lock" "$folder/.installed"
    rm -f "$log"; progress_end
}

# The test suite of RFC 7208 is in pyspf's source archive, not in its wheel.
fetch_spf_suite() {
    local pin=pyspf==2.0.14 hash=sha256:57a7ef01bda090173aafb6af0106251686ed73f03db4e911fcd34c57fc347186 folder log
    [ -f .tools/spf/rfc7208-tests.yml ] && return
    make_venv
    log=$(mktemp); folder=$(mktemp -d)
    progress "fetching the SPF test suite"
    printf '%s --hash=%s\n' "$pin" "$hash" >"$folder/wanted"
    if ! { .venv/bin/python -m pip download --disable-pip-version-check --no-deps --no-binary :all: \
            --require-hashes -d "$folder" -r "$folder/wanted" && tar --no-same-owner -xzf "$folder"/pyspf-*.tar.gz -C "$folder"; } >"$log" 2>&1; then
        cat "$log" >&2; die "pip could not fetch the source of ${pin}; see above."
    fi
    rm -rf .tools/spf; mkdir -p .tools
    mv "$folder"/pyspf-*/test .tools/spf
    rm -rf "$folder" "$log"; progress_end
}

case ${1:-} in
    run) install_run ;;
    test) install_test ;;
    peers) install_peers ;;
    *) die "usage: tools/install.sh run|test|peers" ;;
esac
