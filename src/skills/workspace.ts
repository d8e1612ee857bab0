// The folder skills may touch, and nothing beside it: every path is resolved through its links and compared as a path.
import { randomUUID } from 'node:crypto';
import { constants, mkdirSync, realpathSync } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { AppError } from '../shared/errors.js';
import { isWithin } from '../shared/is-within.js';

const MAX_PATH_CHARS = 4_096;
const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;
// What git runs by itself lies in there: whoever writes it decides what the next git command does.
const GIT_FOLDER = /^(\.git|git~[0-9])[ .]*$/i;

export class Workspace {
  /** Its real path. */
  readonly root: string;

  /** Created where it does not exist. */
  constructor(root: string) {
    mkdirSync(root, { recursive: true, mode: 0o700 });
    this.root = realpathSync(root);
  }

  /**
   * The real path of something that exists. Also the root itself.
   * @throws AppError `invalid_input`, `forbidden` outside the workspace, `not_found`
   */
  async existing(path: string): Promise<string> {
    const joined = this.#joined(path);
    const real = await realpath(joined).catch((cause: unknown) => {
      throw missing(path, cause);
    });
    this.#mustBeInside(real, path);
    return real;
  }

  /**
   * Where something new would lie: its folder's real path and its own name, links in between resolved.
   * @throws AppError `invalid_input`, `forbidden`; also for the root, and for what git keeps in `.git`
   */
  async target(path: string): Promise<string> {
    const joined = this.#joined(path);
    let folder = dirname(joined);
    const rest: string[] = [basename(joined)];
    for (;;) {
      const real = await realpath(folder).catch(async (error: NodeJS.ErrnoException) => {
        // A link to nowhere would be followed by whoever creates the folder.
        if (error.code !== 'ENOENT' || (await isLink(folder))) throw outside(path);
        return null;
      });
      if (real !== null) {
        const whole = join(real, ...rest);
        this.#mustBeInside(whole, path);
        if (whole === this.root) throw new AppError('forbidden', 'The workspace itself cannot be changed.');
        if (
          relative(this.root, whole)
            .split(sep)
            .some((part) => GIT_FOLDER.test(part))
        )
          throw new AppError('forbidden', `${shown(path)} is git's own; use the git skill.`);
        return whole;
      }
      rest.unshift(basename(folder));
      folder = dirname(folder);
    }
  }

  /** As tools name it: relative, with forward slashes. */
  name(real: string): string {
    return relative(this.root, real).split(sep).join('/') || '.';
  }

  /** @throws AppError `invalid_input` for what is no plain file or larger than `maxBytes` */
  async read(path: string, maxBytes: number): Promise<Buffer> {
    const real = await this.existing(path);
    const file = await open(real, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch((cause: unknown) => {
      throw missing(path, cause);
    });
    try {
      const found = await this.#checked(file, real, path);
      if (!found.isFile()) throw new AppError('invalid_input', `${shown(path)} is no file.`);
      if (found.size > maxBytes)
        throw new AppError('invalid_input', `${shown(path)} has ${found.size} bytes; at most ${maxBytes} are read.`);
      return await file.readFile();
    } finally {
      await file.close();
    }
  }

  /** The whole file or nothing: written beside it and put in its place. A link there is replaced, not followed. */
  async write(path: string, content: string | Uint8Array): Promise<string> {
    const whole = await this.target(path);
    const folder = dirname(whole);
    await mkdir(folder, { recursive: true });
    this.#mustBeInside(await realpath(folder), path);
    if (
      await lstat(whole).then(
        (found) => found.isDirectory(),
        () => false,
      )
    )
      throw new AppError('invalid_input', `${shown(path)} is a folder.`);
    const beside = join(folder, `.${randomUUID()}.tmp`);
    const file = await open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      await this.#checked(file, beside, path);
      await file.writeFile(content);
      await file.sync();
      await file.close();
      await rename(beside, whole);
    } catch (error) {
      await file.close().catch(() => {});
      await rm(beside, { force: true });
      throw error;
    }
    return whole;
  }

  /** What was opened is what the path says, and still inside: a folder may have been swapped for a link meanwhile. */
  async #checked(file: FileHandle, real: string, path: string) {
    const [opened, there] = await Promise.all([
      file.stat(),
      realpath(real).then((now) => {
        this.#mustBeInside(now, path);
        return stat(now);
      }),
    ]);
    if (opened.ino !== there.ino || opened.dev !== there.dev) throw outside(path);
    return opened;
  }

  #joined(path: string): string {
    if (typeof path !== 'string' || path.trim() === '') throw new AppError('invalid_input', 'The path is empty.');
    if (path.length > MAX_PATH_CHARS || path.includes('\0'))
      throw new AppError('invalid_input', 'The path is malformed.');
    const joined = resolve(this.root, path);
    this.#mustBeInside(joined, path);
    return joined;
  }

  #mustBeInside(real: string, path: string): void {
    if (!isWithin(this.root, real)) throw outside(path);
  }
}

const outside = (path: string) => new AppError('forbidden', `${shown(path)} is outside the workspace.`);

const missing = (path: string, cause: unknown) =>
  ['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '')
    ? new AppError('not_found', `There is no ${shown(path)} in the workspace.`, { cause })
    : (cause as NodeJS.ErrnoException).code === 'ELOOP'
      ? outside(path)
      : new AppError('forbidden', `${shown(path)} cannot be opened.`, { cause });

const isLink = (path: string) =>
  lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );

const shown = (path: string) => (path.length > 200 ? `${path.slice(0, 200)}…` : path);
