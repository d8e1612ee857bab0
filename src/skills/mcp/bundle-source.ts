// A bundle as a source of a server: found, read, unpacked where it will be built.
import { createReadStream, existsSync, statSync } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import { AppError } from '../../shared/errors.js';
import { isBelow } from '../../shared/is-within.js';
import { type BundleLaunch, bundleLaunch } from './bundle-launch.js';
import { type BundleManifest, readBundleManifest } from './bundle-manifest.js';
import type { BundleSignature } from './bundle-signature.js';
import type { BundleStore } from './bundle-store.js';
import { realPath } from './git-source.js';
import type { ImportSource } from './import-request.js';
import { inspectPython } from './inspect-python.js';
import { readManifestText, unpackBundle } from './unpack-bundle.js';

export type BundleImport = Extract<ImportSource, { kind: 'bundle' }>;

export interface BundleSourceOptions {
  store: BundleStore;
  /** Folders whose bundles may be imported by their path. */
  fileRoots: readonly string[];
  platform: string;
  home: string;
  /** Whose a bundle is. @throws AppError `mcp_import_failed` where it was changed after it was signed */
  judge: (path: string, signal: AbortSignal) => Promise<BundleSignature>;
}

export interface FoundBundle extends BundleLaunch {
  manifest: BundleManifest;
  hash: string;
  location: string;
  signature: BundleSignature;
  dependencies: readonly string[];
  warnings: readonly string[];
}

export class BundleSource {
  readonly #options: BundleSourceOptions;

  constructor(options: BundleSourceOptions) {
    this.#options = options;
  }

  /** What an uploaded bundle is and asks for. @throws AppError `mcp_import_failed`, `not_found` */
  async manifest(hash: string): Promise<BundleManifest> {
    return readBundleManifest(await readManifestText(await this.#options.store.path(hash)));
  }

  /** Whether it could still be unpacked: it is kept for a while only. */
  isKept(hash: string): boolean {
    return this.#options.store.has(hash);
  }

  /** Nothing is read yet. @throws AppError `invalid_input` */
  check({ bundle, path }: BundleImport): void {
    if ((bundle === null) === (path === null))
      throw new AppError('invalid_input', 'Name a bundle either by its hash or by its path.');
    if (path !== null) this.#allowed(path);
  }

  /** Unpacks it and finds out how it starts; nothing of it runs. @throws AppError `mcp_import_failed`, `invalid_input` */
  async look(
    source: BundleImport,
    { into, uv, signal }: { into: string; uv: boolean; signal: AbortSignal },
  ): Promise<FoundBundle> {
    const { store, platform, home, judge } = this.#options;
    const hash = source.bundle ?? (await store.keep(createReadStream(this.#allowed(source.path ?? '')), signal)).hash;
    const manifest = await this.manifest(hash);
    const launch = bundleLaunch(manifest, source.answers, { platform, home });
    const path = await store.path(hash);
    const signature = await judge(path, signal);
    await unpackBundle(path, { into, executables: launch.executables, signal });
    for (const file of [manifest.server.entry_point, ...launch.executables])
      if (!isFile(join(into, file)))
        throw new AppError(
          'mcp_import_failed',
          `This bundle cannot be imported: it has no file ${JSON.stringify(file)}.`,
        );
    const needed = launch.entrypoint === null ? null : uvProject(into, launch.entrypoint, uv);
    const runtimes = Object.entries(manifest.compatibility.runtimes).map(([name, range]) => `${name} ${range}`);
    return {
      ...launch,
      ...(needed && {
        build: needed.build,
        args: [...needed.args, ...launch.args],
        environment: { ...needed.environment, ...launch.environment },
      }),
      manifest,
      hash,
      signature,
      dependencies: needed?.dependencies ?? [],
      ...(needed ? { lock: needed.lock } : {}),
      location: `${manifest.name} ${manifest.version} (${source.path === null ? 'uploaded' : basename(source.path)})`,
      warnings: [
        ...(launch.missing.length > 0 ? [`It does not start without: ${launch.missing.join(', ')}.`] : []),
        ...(runtimes.length > 0 ? [`It was made for ${runtimes.join(', ')}.`] : []),
        ...(needed?.warnings ?? []),
      ],
    };
  }

  /** The same files again, out of the very bytes that were agreed to. */
  async unpackAgain(
    hash: string,
    { into, executables, signal }: { into: string; executables: readonly string[]; signal: AbortSignal },
  ) {
    await unpackBundle(await this.#options.store.path(hash), { into, executables, signal });
  }

  #allowed(path: string): string {
    const found = isAbsolute(path) ? realPath(path) : null;
    const inside = found !== null && this.#options.fileRoots.some((root) => isBelow(realPath(root) ?? root, found));
    if (!inside || !isFile(found))
      throw new AppError('invalid_input', 'A bundle is imported by its path only below MCP_GIT_FILE_ROOTS; upload it.');
    return found;
  }
}

/** What uv would read of it. @throws AppError `mcp_import_failed` */
function uvProject(folder: string, entrypoint: string, uv: boolean) {
  if (!isFile(join(folder, 'pyproject.toml')))
    throw new AppError(
      'mcp_import_failed',
      'This bundle cannot be imported: a server of type uv says what it needs in pyproject.toml, and there is none.',
    );
  return inspectPython(folder, entrypoint, { uv, ignoreLock: false });
}

const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();
