// What bubblewrap does, where there is only util-linux: a view of the machine made of nothing but the folders that are named,
// and no privilege left to change it. Run by `unshare` in namespaces of its own.

/** Arguments: how many to show, and those; how many of them may be changed, and those; the folder to start in; the command. */
const SCRIPT = `set -e
saved=$PATH
PATH=/usr/sbin:/sbin:/usr/bin:/bin
new=/mnt
mount -t tmpfs -o mode=755 tmpfs $new
mkdir $new/tmp $new/proc $new/dev $new/old
mount -t tmpfs -o mode=1777,size=268435456 tmpfs $new/tmp
mount --rbind /proc $new/proc
for node in null zero full random urandom; do
  : >$new/dev/$node
  mount --bind /dev/$node $new/dev/$node
done
ln -s /proc/self/fd $new/dev/fd
readonly_bind() {
  for more in '' ,nosuid,nodev ,nosuid,nodev,noexec; do
    mount -o "remount,bind,ro$more" "$1" 2>/dev/null && return 0
  done
  return 1
}
show() {
  [ -e "$2" ] || return 0
  mkdir -p "$new\${2%/*}"
  if [ -L "$2" ]; then
    case $(readlink "$2") in usr/*)
      [ -e "$new$2" ] || ln -s "$(readlink "$2")" "$new$2"
      return 0 ;;
    esac
  fi
  if [ -d "$2" ]; then mkdir -p "$new$2"; else [ -e "$new$2" ] || : >"$new$2"; fi
  mount --rbind "$2" "$new$2"
  [ "$1" = rw ] || readonly_bind "$new$2"
}
for mode in ro rw; do
  left=$1
  shift
  while [ "$left" -gt 0 ]; do
    show $mode "$1"
    shift
    left=$((left - 1))
  done
done
folder=$1
shift
cd $new
pivot_root . old
umount -l /old
rmdir /old
mount -o remount,ro / 2>/dev/null || true
cd "$folder"
clear=$(command -v setpriv)
PATH=$saved
exec "$clear" --no-new-privs --bounding-set=-all --inh-caps=-all -- "$@"`;

export interface NamespaceView {
  readable: readonly string[];
  writable: readonly string[];
  cwd: string;
}

export const viewOf = ({ readable, writable, cwd }: NamespaceView, command: readonly string[]): string[] => [
  '/bin/sh',
  '-c',
  SCRIPT,
  'venom-view',
  String(readable.length),
  ...readable,
  String(writable.length),
  ...writable,
  cwd,
  ...command,
];
