// Kinds of isolation as machines have them that lack the better ones.
import { existsSync, mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findOnPath, Isolation } from '../../src/skills/mcp/isolation.js';
import type { IsolationTier } from '../../src/skills/mcp/ports.js';

/** The best it has is this; or less, where this machine does not allow it. */
export function machineWith(tier: IsolationTier): Promise<Isolation> {
  const bin = mkdtempSync(join(tmpdir(), 'venom-programs-'));
  const programs = { sandboxed: ['bwrap', 'unshare'], namespaced: ['unshare'], plain: [] }[tier];
  for (const name of [...programs, 'prlimit']) {
    const found = findOnPath(name, process.env['PATH']);
    if (found !== null && existsSync(found)) symlinkSync(found, join(bin, name));
  }
  return Isolation.detect(bin);
}
