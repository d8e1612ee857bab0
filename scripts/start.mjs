// `make start`: gets the checkout ready, then hands over to the CLI.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './run.mjs';

await import('./prepare.mjs');
process.argv = [process.execPath, join(ROOT, 'bin', 'venom.js'), 'start', ...process.argv.slice(2)];
await import(pathToFileURL(join(ROOT, 'dist', 'server', 'cli.js')).href);
