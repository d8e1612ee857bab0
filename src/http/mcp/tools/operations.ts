// operations_*: installations, activations and the like, and how a tool follows one to its end.
import type { McpServer, ServerContext } from '@modelcontextprotocol/server';
import * as contract from '../../../contract/mcp-tools.js';
import type { ModelOperation } from '../../../models/model-operation.js';
import type { ModelOperations } from '../../../models/operations.js';
import { AppError } from '../../../shared/errors.js';
import { toOperation } from '../../routes/model-shapes.js';
import { ProgressReporter } from '../progress.js';
import { answering, requireAdministrator, type ToolCaller } from '../tool-result.js';

const MAX_WAIT_MS = 3_600_000;

export interface OperationToolsParts extends ToolCaller {
  operations: ModelOperations;
  /** Told of every change of every operation. @returns how to stop */
  onOperation: (listener: (operation: ModelOperation) => void) => () => void;
}

export function operationTools(server: McpServer, { operations, ...caller }: OperationToolsParts): void {
  server.registerTool(
    'operations_list',
    {
      title: 'Operations',
      description: 'Installations, activations and other work on models, newest first, with how far they are.',
      inputSchema: contract.OperationsListInput,
      outputSchema: contract.OperationsListResult,
      annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    },
    answering(caller, ({ limit }) => {
      const found = operations.list(limit, caller.owner).map(toOperation);
      return { operations: found, count: found.length };
    }),
  );

  server.registerTool(
    'operations_cancel',
    {
      title: 'Cancel an operation',
      description: 'Stops an operation. What was downloaded is kept for the next attempt.',
      inputSchema: contract.OperationInput,
      outputSchema: contract.OperationResult,
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
    },
    answering(caller, ({ operation_id }, context) => {
      requireAdministrator(context);
      return { operation: toOperation(operations.cancel(operation_id)) };
    }),
  );
}

/**
 * @param options.wait  answers at its end, with progress meanwhile
 * @param options.cancel  a cancelled call takes the operation along
 * @throws AppError of the operation where it failed, `cancelled` when the call was
 */
export async function followOperation(
  { operations, onOperation }: Pick<OperationToolsParts, 'operations' | 'onOperation'>,
  operation: ModelOperation,
  context: ServerContext,
  options: { wait: boolean; cancel: boolean },
): Promise<{ operation: ReturnType<typeof toOperation> }> {
  if (!options.wait) return { operation: toOperation(operation) };
  const id = operation.operationId;
  const progress = new ProgressReporter(context);
  const leave = onOperation((changed) => {
    if (changed.operationId === id)
      progress.report({ done: changed.progress, total: 100, message: `${changed.status}: ${changed.message}` });
  });
  const signal = AbortSignal.any([context.mcpReq.signal, AbortSignal.timeout(MAX_WAIT_MS)]);
  const stopped = Promise.withResolvers<null>();
  const onAbort = () => stopped.resolve(null);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const ended = signal.aborted ? null : await Promise.race([operations.settled(id), stopped.promise]);
    if (ended === null) {
      if (options.cancel && context.mcpReq.signal.aborted) cancelQuietly(operations, id);
      throw new AppError('cancelled', `Operation ${id} is not waited for any more.`, { details: { operation_id: id } });
    }
    if (ended.status !== 'completed')
      throw new AppError(ended.error?.code ?? 'cancelled', ended.error?.message ?? ended.message, {
        details: { operation_id: id },
      });
    return { operation: toOperation(ended) };
  } finally {
    signal.removeEventListener('abort', onAbort);
    leave();
    await progress.end();
  }
}

function cancelQuietly(operations: ModelOperations, id: string): void {
  try {
    operations.cancel(id);
  } catch {
    // It came to its end in the same moment.
  }
}
