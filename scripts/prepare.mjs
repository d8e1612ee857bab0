// Makes the checkout ready to run: packages and builds, each only when something changed. `full` adds the test tools.
import { buildServer, buildWeb } from './build.mjs';
import { install } from './install.mjs';
import { giveUp } from './run.mjs';

const extent = process.argv[2] === 'full' ? 'full' : 'app';
try {
  await install('', extent);
  if (extent === 'full') await install('web', 'full');
  await buildServer();
  await buildWeb(extent);
} catch (error) {
  giveUp(error);
}
