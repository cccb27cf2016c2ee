#!/bin/sh
# confine.sh ROOT FOLDER... -- COMMAND...: runs a command as a hardened container would. It sees
# programs and libraries of this machine and the given folders, all read-only, and an empty /tmp; it
# is user 10001 without capabilities and can gain none. To be started in a mount namespace of its
# own by root: `unshare --mount sh confine.sh ...`. ROOT: an empty folder.
set -eu
root=$1
shift

show() { # the same path inside, read-only
  mkdir -p "$root$1"
  mount --bind "$1" "$root$1"
  mount -o remount,bind,ro "$root$1"
}

mount -t tmpfs -o mode=755 confined "$root"
for path in /usr /bin /sbin /lib /lib64 /etc; do
  if [ -L "$path" ]; then cp -P "$path" "$root$path"; elif [ -d "$path" ]; then show "$path"; fi
done
mkdir -p "$root/dev" "$root/proc" "$root/tmp"
mount -t proc -o ro confined "$root/proc"
for device in null zero random urandom; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mount -t tmpfs -o mode=1777,size=64m confined "$root/tmp"
while [ "$1" != -- ]; do
  show "$1"
  shift
done
shift
mount -o remount,ro "$root"
cd /
exec chroot "$root" setpriv --reuid=10001 --regid=10001 --clear-groups --no-new-privs \
  --inh-caps=-all --bounding-set=-all -- "$@"
