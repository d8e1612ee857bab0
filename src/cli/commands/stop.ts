// venom stop: ends the server that `venom start` began, and everything it started.
import { AppError } from '../../shared/errors.js';
import { type CommandContext, describeOther } from '../command-context.js';
import { findServer, stopServer } from '../server-process.js';

const PATIENCE_MS = 11_000;

export async function stop(context: CommandContext): Promise<void> {
  const { files, terminal } = context;
  const record = await findServer(files);
  const begunElsewhere = record === undefined ? await context.ownServer() : undefined;
  if (begunElsewhere !== undefined)
    throw new AppError(
      'conflict',
      `Venom runs at ${begunElsewhere.url}, but \`venom start\` did not begin it: stop it where it was started.`,
    );
  if (record === undefined) {
    const other = await context.otherServer();
    if (other !== undefined) terminal.note(`Another Venom runs at ${other.url} (${describeOther(other)}) and goes on.`);
    return terminal.result({ stopped: false, running: false }, 'Venom is not running.');
  }
  const how = await stopServer(files, record, PATIENCE_MS);
  const text =
    how === 'graceful' ? 'Venom has stopped.' : `Venom did not stop within ${PATIENCE_MS / 1_000} s and was killed.`;
  terminal.result({ stopped: true, running: false, pid: record.pid, graceful: how === 'graceful' }, text);
}
