// Shows in the terminal how far an operation on a model is, and waits for its end.
import { setTimeout as sleep } from 'node:timers/promises';
import cliProgress from 'cli-progress';
import type { z } from 'zod';
import type * as Contract from '../contract/models.js';
import { AppError, toErrorCode } from '../shared/errors.js';
import type { ApiClient } from './api-client.js';
import { formatBytes, type Terminal } from './terminal.js';
import { visibleText } from './visible-text.js';

export type Operation = z.output<typeof Contract.Operation>;

const POLL_MS = 250;
const BAR = { format: '{name} |{bar}| {percentage} %  {received} of {size}  {speed}  {step}', hideCursor: true };

const isRunning = ({ status }: Operation): boolean => status === 'pending' || status === 'in_progress';

/** @throws AppError with the operation's own code when it did not succeed */
export async function followOperation(client: ApiClient, terminal: Terminal, operationId: string): Promise<Operation> {
  const get = async () =>
    (await client.get<{ operation: Operation }>(`/api/v1/models/operations/${encodeURIComponent(operationId)}`))
      .operation;
  let operation = await get();
  let bar: cliProgress.SingleBar | undefined;
  let step = '';
  while (isRunning(operation)) {
    if (terminal.interactive && operation.total_bytes) {
      if (!bar) {
        bar = new cliProgress.SingleBar(BAR, cliProgress.Presets.shades_classic);
        bar.start(operation.total_bytes, operation.received_bytes, fields(operation));
      }
      bar.update(operation.received_bytes, fields(operation));
    } else {
      const now = operation.steps.at(-1)?.name ?? '';
      if (now !== step) terminal.note(`${operation.model_name}: ${operation.message}`);
      step = now;
    }
    await sleep(POLL_MS);
    operation = await get();
  }
  bar?.update(operation.received_bytes, fields(operation));
  bar?.stop();
  if (operation.status === 'completed') return operation;
  throw new AppError(toErrorCode(operation.error_code) ?? 'cancelled', operation.error ?? operation.message);
}

const fields = (operation: Operation) => ({
  name: visibleText(operation.model_name),
  received: formatBytes(operation.received_bytes),
  size: formatBytes(operation.total_bytes ?? 0),
  speed: operation.bytes_per_second ? `${formatBytes(operation.bytes_per_second)}/s` : '',
  step: operation.steps.at(-1)?.name ?? '',
});
