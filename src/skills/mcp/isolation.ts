// How far a server's processes are kept away from the machine. Three tiers, the best one that works here; each is a program
// in front of the server's own command.
import { existsSync, realpathSync } from 'node:fs';
import { basename, delimiter, dirname, isAbsolute, join } from 'node:path';
import { AppError } from '../../shared/errors.js';
import { runCommand } from '../../shared/run-command.js';
import { viewOf } from './namespace-view.js';
import { ISOLATION_TIERS, type IsolationTier } from './ports.js';
import { holdsHome } from './program-folder.js';

const PROBE_MS = 5_000;
const FILE_BYTES_MAX = 2_147_483_648;
/** Threads count; only within a namespace of its own, where nobody else's are counted with them. */
const TASKS_MAX = 1_024;
/** Memory of the machine, in truth. */
const TEMPORARY_BYTES_MAX = 268_435_456;
const NAMESPACES = ['--user', '--map-root-user', '--mount', '--ipc', '--pid', '--fork', '--kill-child', '--mount-proc'];
/** The kernel ends it in the moment we end, however we do; and it gains no rights by what it starts. */
const BOUND_TO_US = ['--pdeathsig', 'KILL', '--no-new-privs', '--'];
const NOTHING = ['/bin/sh', '-c', ':'];

/** What a sandbox shows of the system, read-only: programs, libraries, certificates, names; no homes and no data. */
const SYSTEM_PATHS = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/opt',
  '/etc/ssl',
  '/etc/pki',
  '/etc/ca-certificates',
  '/etc/alternatives',
  '/etc/ld.so.cache',
  '/etc/ld.so.conf',
  '/etc/ld.so.conf.d',
  '/etc/localtime',
  '/etc/mime.types',
];
const NETWORK_PATHS = ['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf', '/etc/host.conf', '/etc/services'];

export interface IsolatedCommand {
  command: string;
  args: readonly string[];
  cwd: string;
  /** Whether it may reach the network. Only `plain` cannot keep it from that. */
  network: boolean;
  /** Folders it may read beside the system's. */
  readable: readonly string[];
  /** Folders it may change. */
  writable: readonly string[];
}

interface IsolationPrograms {
  bwrap: string | null;
  unshare: string | null;
  prlimit: string | null;
  /** Only where it can do what it is used for. */
  setpriv: string | null;
}

export class Isolation {
  /** Best first; `plain` is always there. */
  readonly tiers: readonly IsolationTier[];
  readonly #programs: IsolationPrograms;
  /** Older bubblewraps cannot. */
  readonly #sized: readonly string[];

  private constructor(tiers: readonly IsolationTier[], programs: IsolationPrograms, sized: readonly string[]) {
    this.tiers = tiers;
    this.#programs = programs;
    this.#sized = sized;
  }

  /** Tries each: a program that is installed may still be forbidden. */
  static async detect(path: string | undefined): Promise<Isolation> {
    const programs = {
      bwrap: findOnPath('bwrap', path),
      unshare: findOnPath('unshare', path),
      // Runs inside, where the folder of a link may not be seen.
      prlimit: targetOf(findOnPath('prlimit', path)),
    };
    const setpriv = findOnPath('setpriv', path);
    const works = async (command: readonly string[]) =>
      (await runCommand(command, { environment: { PATH: path ?? '' }, timeoutMs: PROBE_MS })).ok;
    const sized = ['--size', String(TEMPORARY_BYTES_MAX)];
    const [sandboxed, sizes, namespaced, bound] = await Promise.all([
      programs.bwrap !== null &&
        works([
          programs.bwrap,
          '--unshare-all',
          '--die-with-parent',
          '--ro-bind',
          '/',
          '/',
          '--proc',
          '/proc',
          '--dev',
          '/dev',
          ...NOTHING,
        ]),
      programs.bwrap !== null &&
        works([programs.bwrap, '--unshare-all', '--ro-bind', '/', '/', ...sized, '--tmpfs', '/tmp', ...NOTHING]),
      programs.unshare !== null &&
        works([
          programs.unshare,
          ...NAMESPACES,
          '--net',
          '--',
          ...viewOf({ readable: SYSTEM_PATHS, writable: [], cwd: '/' }, NOTHING),
        ]),
      setpriv !== null && works([setpriv, ...BOUND_TO_US, ...NOTHING]),
    ]);
    const found = { sandboxed, namespaced, plain: true };
    return new Isolation(
      ISOLATION_TIERS.filter((tier) => found[tier]),
      { ...programs, setpriv: bound ? setpriv : null },
      sizes ? sized : [],
    );
  }

  get best(): IsolationTier {
    return this.tiers[0] ?? 'plain';
  }

  /** @throws AppError `mcp_untrusted` when a server nobody vouched for would run with nothing around it */
  choose({ trusted, allowPlain }: { trusted: boolean; allowPlain: boolean }): IsolationTier {
    if (this.best === 'plain' && !trusted && !allowPlain)
      throw new AppError(
        'mcp_untrusted',
        'Nothing here can isolate this server: install bubblewrap, or let an administrator allow it to run without isolation.',
      );
    return this.best;
  }

  wrap(tier: IsolationTier, { command, args, cwd, network, readable, writable }: IsolatedCommand): string[] {
    const { bwrap, unshare, prlimit, setpriv } = this.#programs;
    const limits = ['--core=0', '--nofile=4096', `--fsize=${FILE_BYTES_MAX}`];
    if (tier !== 'plain') limits.push(`--nproc=${TASKS_MAX}`);
    const own = [...(prlimit === null ? [] : [prlimit, ...limits, '--']), command, ...args];
    // The others end with the process in front, which bubblewrap and unshare see to.
    if (tier === 'plain') return [...(setpriv === null ? [] : [setpriv, ...BOUND_TO_US]), ...own];
    const shown = [
      ...SYSTEM_PATHS,
      ...(prlimit === null ? [] : [prlimit]),
      ...(network ? NETWORK_PATHS : []),
      ...interpreterFolders(command),
      ...readable,
    ];
    if (tier === 'namespaced')
      return [
        unshare as string,
        ...NAMESPACES,
        ...(network ? [] : ['--net']),
        '--',
        ...viewOf({ readable: shown, writable, cwd }, own),
      ];
    return [
      bwrap as string,
      '--unshare-all',
      ...(network ? ['--share-net'] : []),
      '--die-with-parent',
      '--cap-drop',
      'ALL',
      '--proc',
      '/proc',
      '--dev',
      '/dev',
      ...this.#sized,
      '--tmpfs',
      '/tmp',
      ...shown.flatMap((path) => ['--ro-bind-try', path, path]),
      ...writable.flatMap((path) => ['--bind', path, path]),
      // What holds the folders is memory.
      '--remount-ro',
      '/',
      '--chdir',
      cwd,
      '--',
      ...own,
    ];
  }
}

/** Where a program and what it needs lie: what its `bin` folder is in, for links what their target's is in too. */
function interpreterFolders(command: string): string[] {
  if (!isAbsolute(command)) return [];
  const folders = new Set([prefixOf(command)]);
  try {
    folders.add(prefixOf(realpathSync(command)));
  } catch {
    // Spawning it will say so.
  }
  return [...folders];
}

/** Never the root or a home, which hold everything. */
function prefixOf(program: string): string {
  const folder = dirname(program);
  if (holdsHome(folder)) return program;
  return basename(folder) === 'bin' && !holdsHome(dirname(folder)) ? dirname(folder) : folder;
}

const targetOf = (path: string | null): string | null => path && realpathSync(path);

export function findOnPath(name: string, path: string | undefined): string | null {
  for (const folder of (path ?? '').split(delimiter))
    if (isAbsolute(folder) && existsSync(join(folder, name))) return join(folder, name);
  return null;
}
