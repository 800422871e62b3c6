# Sourced by the scripts that install a Debian system of another suite into a folder
# of its own, and leave this machine's own packages alone.
#
# The packages come from the first archive of this machine's apt sources that has
# the suite, or from the one that CHANNEL_AA_DEBIAN_MIRROR names.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
keyring=/usr/share/keyrings/debian-archive-keyring.gpg # has the keys of all suites

say() { printf '%s: %s\n' "${0##*/}" "$*"; }
die() { say "$@" >&2; exit 1; }

# quietly COMMAND...: run it, and show the end of its output only if it fails.
quietly() {
    "$@" >"$scratch/log" 2>&1 && return
    tail -n 20 "$scratch/log" >&2
    die "failed: $*; the end of its output is above"
}

# in_namespaces FUNCTION ARGUMENT...: run a function of the script in mount and
# process namespaces of its own. Its mounts and processes end with it, or with this
# script if that is killed.
in_namespaces() {
    unshare --mount --propagation private --pid --fork --kill-child \
        bash -euo pipefail -c "$(declare -f)"'; "$@"' "$0" "$@"
}

# need PACKAGE TEST...: install the package on this machine unless the test succeeds.
need() {
    local package=$1
    shift
    "$@" >/dev/null && return
    say "installing the package $package on this machine"
    quietly apt-get update
    quietly apt-get --yes --no-install-recommends install "$package"
}

# need_command COMMAND [PACKAGE]: install the command on this machine if it is missing.
need_command() { need "${2:-$1}" command -v "$1"; }

# prepare ROOT: end the script unless it runs as root, and wait until no other script
# installs a system beside ROOT. Makes the folder $scratch, removed at the end.
prepare() {
    [ "$(id -u)" = 0 ] || die "run this as root: it installs a Debian system in $1"
    mkdir -p "$(dirname "$1")"
    exec 9<"$(dirname "$1")"
    flock --nonblock 9 || { say "waiting for another installation here to end"; flock 9; }
    scratch=$(mktemp -d)
    partial=$1.partial
    export scratch
    trap 'rm -rf --one-file-system "$scratch" "$partial"' EXIT
}

# The archives in apt's sources, in both formats: deb822 and one-line.
archives() {
    local sources=/etc/apt/sources.list.d one_line=/etc/apt/sources.list
    cat "$sources"/*.sources 2>/dev/null | sed -n 's/^URIs://p' | tr -s '[:space:]' '\n'
    cat "$one_line" "$sources"/*.list 2>/dev/null |
        sed -nE 's/^deb[[:space:]]+(\[[^]]*\][[:space:]]+)?([^[:space:]]+).*/\2/p'
}

# find_mirror SUITE: print the first archive that has the suite; nothing if none has.
find_mirror() {
    local archive
    for archive in ${CHANNEL_AA_DEBIAN_MIRROR:-$(archives | grep -E '^https?://' | sort -u)}; do
        if /usr/lib/apt/apt-helper download-file \
            "${archive%/}/dists/$1/Release" "$scratch/Release" >/dev/null 2>&1 &&
            grep -q "^Codename: $1\$" "$scratch/Release"; then
            printf '%s\n' "$archive"
            return
        fi
    done
}

# install_system SUITE ROOT CHECK PACKAGE...: install a minimal Debian with these
# packages in the folder ROOT, after "CHECK FOLDER" has succeeded for it.
install_system() {
    local suite=$1 root=$2 check=$3 mirror
    shift 3
    [ ! -e "$root" ] || die "$root exists and does not work: remove it, or name another folder"
    rm -rf --one-file-system "$partial"
    need_command debootstrap
    # debootstrap checks the archive's signature with these; it only recommends them.
    need_command gpgv
    need debian-archive-keyring test -e "$keyring"
    mirror=$(find_mirror "$suite")
    [ -n "$mirror" ] || die "no archive in this machine's apt sources has Debian $suite:" \
        "name one that has it in CHANNEL_AA_DEBIAN_MIRROR"
    in_namespaces fill_system "$suite" "$mirror" "$keyring" "$partial" "$@"
    "$check" "$partial"
    mv "$partial" "$root"
}

# fill_system SUITE MIRROR KEYRING FOLDER PACKAGE...: for install_system, in namespaces.
fill_system() {
    local suite=$1 mirror=$2 keyring=$3 folder=$4
    shift 4
    say "unpacking Debian $suite from $mirror"
    # The script "sid" can unpack every suite from bullseye on, also suites that this
    # machine's debootstrap does not know. An archive whose signature cannot be checked
    # ends it; a suite that is newer than the keyring needs a newer package of that.
    quietly debootstrap --variant=minbase --force-check-gpg --keyring="$keyring" \
        "$suite" "$folder" "$mirror" /usr/share/debootstrap/scripts/sid

    say "installing in it: $*"
    mount -t proc proc "$folder/proc"
    mount --rbind /dev "$folder/dev"
    # The packages' services must not start.
    printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d"
    chmod +x "$folder/usr/sbin/policy-rc.d"
    # The Release file of an archived suite has expired.
    quietly chroot "$folder" apt-get -o Acquire::Check-Valid-Until=false update
    quietly chroot "$folder" apt-get --yes --no-install-recommends install "$@"
    quietly chroot "$folder" apt-get clean
}

# The files and folders that configure pip, and those that they and the environment
# name. The files of an index in a folder "simple" are beside it.
pip_files() {
    local configurations=(/etc/pip.conf /etc/xdg/pip "$HOME/.config/pip" "$HOME/.pip")
    {
        printf '%s\n' "${configurations[@]}"
        env | grep -E '^(PIP_|SSL_CERT_|REQUESTS_CA_BUNDLE=|CURL_CA_BUNDLE=)' || true
        cat "${PIP_CONFIG_FILE:-/dev/null}"
        find "${configurations[@]}" -name pip.conf -exec cat {} + 2>/dev/null || true
    } | grep -vE '^[[:space:]]*[#;]' | grep -oE "/[^][:space:]:;,'\"]+" |
        sed -E 's|/simple/?$||' | sort -u |
        while read -r path; do
            [ ! -e "$path" ] || realpath --no-symlinks "$path"
        done
}

# The environment that pip reads, as assignments for env.
pip_environment() {
    env -0 | grep -zEi '^(PIP_|SSL_CERT_|REQUESTS_CA_BUNDLE=|CURL_CA_BUNDLE=|[a-z]+_proxy=)' || true
}

# pack_checkout: pack the files of this checkout for mount_copy, tracked or not.
pack_checkout() {
    need_command git
    cd "$(dirname "$0")/.."
    git ls-files -z --cached --others --exclude-standard --deduplicate |
        while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
        tar --create --null --no-recursion --files-from=- >"$scratch/checkout.tar"
}

# mount_copy ROOT: mount a copy of a system at $system, with the checkout in /checkout.
# Its changes stay in memory. In namespaces.
mount_copy() {
    local memory=$scratch/memory path
    system=$scratch/memory/system
    mkdir "$memory"
    mount -t tmpfs tmpfs "$memory"
    mkdir "$memory/upper" "$memory/work" "$system"
    mount -t overlay overlay \
        -o "lowerdir=$1,upperdir=$memory/upper,workdir=$memory/work" "$system"
    mount -t proc proc "$system/proc"
    mount --rbind /dev "$system/dev"
    for path in /etc/resolv.conf /etc/hosts; do
        [ ! -e "$path" ] || cp --remove-destination --dereference "$path" "$system$path"
    done
    mkdir "$system/checkout"
    tar --extract --directory "$system/checkout" --no-same-owner <"$scratch/checkout.tar"
}

# configure_pip: let pip in the copy be configured as on this machine.
configure_pip() {
    local path
    pip_files | while read -r path; do
        if [ -d "$path" ]; then
            mkdir -p "$system$path"
        else
            mkdir -p "$system$(dirname "$path")"
            [ -e "$system$path" ] || : >"$system$path"
        fi
        mount --rbind "$path" "$system$path"
    done
}

# in_copy COMMAND...: run it in the copy, with an environment of its own.
in_copy() {
    local environment
    readarray -d '' -t environment < <(pip_environment)
    chroot "$system" /usr/bin/env -i "${environment[@]}" HOME="$HOME" LANG=C.UTF-8 \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}
