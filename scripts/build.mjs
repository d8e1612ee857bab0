// Builds the back end (rolldown) and the UI (vite) into dist/, each only when its sources changed.
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { install } from './install.mjs';
import { giveUp, mustRun, ROOT } from './run.mjs';
import { hashOf, importedOutside, readStamp, writeStamp } from './stamps.mjs';

const SERVER_ENTRIES = {
  main: 'src/launch.ts',
  cli: 'src/cli/main.ts',
  worker: 'src/runtimes/llama-cpp/worker.ts',
  'document-worker': 'src/documents/document-worker.ts',
};
/** Native, or too large to be worth bundling: loaded from node_modules at run time. */
const EXTERNAL = [/^node-llama-cpp/, /^@node-llama-cpp\//, /^@scalar\//, /^@napi-rs\/keyring/];
/** Parts of Fastify that a server whose schemas are zod's never asks for: found in node_modules should that ever change. */
const UNUSED = [/^@fastify\/(ajv|fast-json-stringify)-compiler$/, /^light-my-request$/];

export const serverBundle = () => ({
  cwd: ROOT,
  input: SERVER_ENTRIES,
  platform: 'node',
  external: [...EXTERNAL, ...UNUSED],
  resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
});

export const serverOutput = (dir) => ({
  dir,
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name]-[hash].js',
  // One character beyond Latin-1 makes the engine keep a file's whole source at two bytes per character.
  charset: 'ascii',
});

export async function buildServer() {
  const from = hashOf(['src', 'package.json', 'package-lock.json', 'tsconfig.json', 'scripts/build.mjs']);
  if (readStamp('dist/server/.built-from') === from) return false;
  console.error('Building the server …');
  const { rolldown } = await import('rolldown');
  const partial = join(ROOT, 'dist', `server.partial.${process.pid}`);
  const bundle = await rolldown(serverBundle());
  await bundle.write({ ...serverOutput(partial), minify: true });
  await bundle.close();
  replaceFolder(partial, 'dist/server');
  writeStamp('dist/server/.built-from', from);
  return true;
}

/** @param {'app' | 'full'} extent  `app` removes the UI's packages again after the build, unless they were there before */
export async function buildWeb(extent) {
  if (!existsSync(join(ROOT, 'web', 'index.html'))) return false;
  const from = hashOf(['web', ...importedOutside('web/src'), 'scripts/build.mjs']);
  if (readStamp('dist/web/.built-from') === from) return false;
  const hadPackages = existsSync(join(ROOT, 'web', 'node_modules'));
  await install('web', 'full', { passingBy: extent === 'app' && !hadPackages });
  console.error('Building the UI …');
  const partial = join(ROOT, 'dist', `web.partial.${process.pid}`);
  const vite = join(ROOT, 'web', 'node_modules', 'vite', 'bin', 'vite.js');
  await mustRun(process.execPath, [vite, 'build', '--logLevel', 'warn', '--outDir', partial, '--emptyOutDir'], {
    cwd: join(ROOT, 'web'),
  });
  replaceFolder(partial, 'dist/web');
  writeStamp('dist/web/.built-from', from);
  // The built UI needs none of its packages; without them an installation is less than half as large.
  if (extent === 'app' && !hadPackages) rmSync(join(ROOT, 'web', 'node_modules'), { recursive: true, force: true });
  return true;
}

/** A running server never sees half a build. */
function replaceFolder(partial, target) {
  rmSync(join(ROOT, target), { recursive: true, force: true });
  renameSync(partial, join(ROOT, target));
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await buildServer()
    .then(() => buildWeb('full'))
    .catch(giveUp);
}
