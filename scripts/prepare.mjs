// Makes the checkout ready to run: packages and builds, each only when something changed. `full` adds the test tools.
import { buildServer, buildWeb } from './build.mjs';
import { install } from './install.mjs';

const extent = process.argv[2] === 'full' ? 'full' : 'app';
await install('', extent);
if (extent === 'full') await install('web', 'full');
await buildServer();
await buildWeb(extent);
