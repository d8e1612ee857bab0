// venom gpu install: the CUDA build of the embedded runtime, on demand.
import { join } from 'node:path';
import type { CommandContext } from '../command-context.js';
import { installGpuBuild } from '../gpu-build.js';
import { CHECKOUT } from '../installation.js';

export async function installGpu({ settings, terminal }: CommandContext): Promise<void> {
  terminal.note('Fetching the CUDA build (about 600 MB) …');
  const installed = await installGpuBuild(join(CHECKOUT, 'node_modules'), settings.VENOM_DATA_DIR);
  terminal.result(
    installed,
    `The CUDA build ${installed.version} is installed; \`venom stop\` and \`venom start\` use it.`,
  );
}
