// The end of a process group that outlives us: a shell that waits for our end and then ends the group, and whatever carries
// its mark.
import { type ChildProcess, spawn } from 'node:child_process';
import { MARK_VARIABLE } from './process-tree.js';

/** A program may start others while they are ended; gone over again, but not for ever. */
const END = `read -r _
kill -s KILL -- "-$1" 2>/dev/null
for round in 1 2 3 4 5; do
  found=$(grep -lzxF -- "$2" /proc/[0-9]*/environ 2>/dev/null)
  [ -n "$found" ] || exit 0
  for file in $found; do
    pid=\${file#/proc/}
    kill -s KILL "\${pid%/environ}" 2>/dev/null
  done
done`;

/**
 * Acts when this process vanishes without a word, as after `kill -9`: then the pipe the shell reads from closes. It costs a
 * shell's memory, and it is ended with the group, so that it never meets a reused number.
 * @returns ends the guard itself; to be called when the group is gone
 */
export function guardGroup(group: number, mark: string): () => void {
  const guard: ChildProcess = spawn(
    '/bin/sh',
    ['-c', END, 'venom-group-guard', String(group), `${MARK_VARIABLE}=${mark}`],
    { detached: true, stdio: ['pipe', 'ignore', 'ignore'], env: { PATH: '/usr/bin:/bin' } },
  );
  guard.on('error', () => {});
  guard.stdin?.on('error', () => {});
  guard.unref();
  return () => {
    // Before its pipe closes: it must not act for a group that has ended.
    guard.kill('SIGKILL');
    guard.stdin?.destroy();
  };
}
