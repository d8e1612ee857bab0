// Starts a server once, as it is going to be started, and lists its tools. Without a network first; with one only where that
// was agreed to and is needed.
import type { OperationContext } from '../../models/model-operation.js';
import { AppError } from '../../shared/errors.js';
import type { ImportPlan } from './import-plan.js';
import type { McpConnection } from './mcp-connection.js';
import type { Launch, ServerManifest, ServerRecord } from './server-definition.js';
import type { ServerLauncher } from './server-launcher.js';
import { manifestOf } from './server-manifest.js';
import { StderrLog } from './stderr-log.js';

export interface ProbeParts {
  launcher: ServerLauncher;
  /** The server whose place it would take. */
  former: ServerRecord | undefined;
  context: OperationContext;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/** @throws AppError as the launcher does, with the last lines the server wrote */
export async function probeServer(
  plan: ImportPlan,
  launch: Launch,
  { launcher, former, context, now }: ProbeParts,
): Promise<ServerManifest> {
  const log = new StderrLog();
  const open = (how: Launch) =>
    launcher.open({
      server: plan.name,
      launch: how,
      trusted: plan.trusted,
      allowPlain: plan.allowPlain,
      protocol: former?.protocol ?? 'auto',
      signal: context.signal,
      log,
    });
  try {
    let connection: McpConnection;
    if (launch.kind === 'http') {
      context.step('probe', 'Asking the server');
      connection = await open(launch);
    } else {
      context.step('probe', 'Trying it without a network');
      connection = await open({ ...launch, network: false }).catch((error) => {
        if (!launch.network || context.signal.aborted) throw error;
        context.step('probe', 'Trying it with the network it was granted');
        return open(launch);
      });
    }
    try {
      // What a person agreed to for the former version holds for what has not changed.
      return await manifestOf(connection, former?.active.manifest ?? null, now(), {
        approveAll: former?.active.manifest == null,
        trusted: plan.trusted,
      });
    } finally {
      await connection.close();
    }
  } catch (error) {
    const said = log.lines(5).join('\n').slice(-500);
    if (error instanceof AppError && said !== '')
      throw new AppError(error.code, `${error.message} It said: ${said}`, { cause: error });
    throw error;
  }
}
