// Which intents have a procedure, for which words, and with which tools.
import type { IntentId } from '../../intent.js';
import type { ToolBox, ToolRequest } from '../../task-ports.js';
import { executiveProcedure } from './executive.js';
import type { Procedure } from './procedure.js';
import { publisherProcedure, writesAPage } from './publisher.js';
import { releaseProcedure } from './release.js';
import { runsTests, testerProcedure } from './tester.js';

interface OfIntent {
  run: Procedure;
  /** Tools without which it cannot begin. */
  needs: readonly string[];
  takes: (text: string) => boolean;
}

const PROCEDURES: Partial<Record<IntentId, OfIntent>> = {
  E2E_TESTING: { run: testerProcedure, needs: ['shell__run_shell', 'file__list_files'], takes: runsTests },
  RELEASE_PROJECT: { run: releaseProcedure, needs: ['git__get_log_since_tag', 'file__list_files'], takes: () => true },
  DOCUMENTATION: { run: publisherProcedure, needs: ['file__write_file', 'file__list_files'], takes: writesAPage },
  STATUS_REPORT: { run: executiveProcedure, needs: ['work__report'], takes: () => true },
};

/** Null where the words want something else, or a tool it needs may not be called there. */
export function procedureOf(
  { intent, text = '', owner, sessionId }: Omit<ToolRequest, 'forcedTool'>,
  toolBox: Pick<ToolBox, 'has'>,
): Procedure | null {
  const found = PROCEDURES[intent];
  return found?.takes(text) && found.needs.every((tool) => toolBox.has(tool, { owner, sessionId })) ? found.run : null;
}
