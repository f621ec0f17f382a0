"""Debian's Chromium for the browser tests: installed by root, else unpacked into a cache."""

import os
import re
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")
PACKAGES = ("chromium", "fonts-dejavu-core")
LAUNCHER = """#!/bin/sh
# Debian's Chromium, unpacked here because only root may install it.
root='{root}'
export LD_LIBRARY_PATH="{libraries}"
export FONTCONFIG_FILE="$root/fonts.conf"
exec "$root/usr/lib/chromium/chromium" "$@"
"""
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>{root}/usr/share/fonts</dir>
  <cachedir>{root}/var/cache/fontconfig</cachedir>
</fontconfig>
"""


def ensure_chromium(cache, say):
    """Folders to put on the PATH so that ``chromium`` is found; none if it is installed.

    Args:
        cache: Where to unpack it when we are not root.
        say: Tells the user what takes so long.
    """
    launcher = cache / "bin" / "chromium"
    if any(map(shutil.which, NAMES)):
        return []
    if launcher.exists():
        return [launcher.parent]
    if not shutil.which("apt-get"):
        sys.exit("The browser tests need Chromium. Install it so that `chromium` is on the PATH.")
    if os.geteuid() == 0:
        say("installing Chromium")
        apt_get("update")
        apt_get("install", "--yes", "--no-install-recommends", *PACKAGES)
        return []
    say("unpacking Chromium")
    unpack(cache)
    root = cache / "root"
    libraries = sorted({str(library.parent) for library in root.rglob("*.so*")})
    (root / "fonts.conf").write_text(FONTS.format(root=root))
    launcher.parent.mkdir()
    launcher.write_text(LAUNCHER.format(root=root, libraries=":".join(libraries)))
    launcher.chmod(0o755)
    return [launcher.parent]


def unpack(cache):
    """Unpack Chromium and whatever it needs that this system lacks into ``cache/root``."""
    shutil.rmtree(cache, ignore_errors=True)
    debs = cache / "debs"
    for folder in ("lists/partial", "archives/partial", "debs", "root"):
        (cache / folder).mkdir(parents=True)
    own = ["-o", f"Dir::State::Lists={cache}/lists", "-o", f"Dir::Cache={cache}"]
    own += ["-o", "Debug::NoLocking=true"]
    apt_get(*own, "update")
    plan = apt_get(*own, "install", "--simulate", "--no-install-recommends", *PACKAGES)
    apt_get(*own, "download", *re.findall(r"^Inst (\S+)", plan, re.MULTILINE), cwd=debs)
    for deb in sorted(debs.glob("*.deb")):
        subprocess.run(["dpkg-deb", "--extract", deb, cache / "root"], check=True)
    shutil.rmtree(debs)


def apt_get(*arguments, cwd=None):
    """What apt-get prints; a failure ends the program with it."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    command = ["apt-get", "-qq", *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout
