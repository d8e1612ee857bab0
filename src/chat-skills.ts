// Skills, put together for compose.ts: every `new` of what a model may call is here.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { everySession } from './chat/memory/ports.js';
import type { EventSink } from './chat/ports.js';
import type { ServiceMonitor } from './chat/services/service-monitor.js';
import type { Translator } from './chat/translation/translator.js';
import type { chatMemory } from './chat-memory.js';
import type { Settings } from './config/settings-schema.js';
import type { ModelManager } from './models/model-manager.js';
import { findProgram } from './runtimes/servers/argument-vector.js';
import { systemClock } from './shared/clock.js';
import { placeOf } from './shared/owner.js';
import { Approvals } from './skills/approvals.js';
import type { BaseSkill } from './skills/base-skill.js';
import { BuiltInSkills } from './skills/built-in-skills.js';
import { DocsSkill } from './skills/builtin/docs-skill.js';
import {
  MemorySkill,
  ModelsSkill,
  SystemSkill,
  TimeSkill,
  TranslationSkill,
} from './skills/builtin/everyday-skills.js';
import { FileSkill } from './skills/builtin/file-skill.js';
import { GitSkill } from './skills/builtin/git-skill.js';
import { GuardedFetch } from './skills/builtin/guarded-fetch.js';
import { ShellSkill, type ShellSkillOptions } from './skills/builtin/shell-skill.js';
import { WebSkill } from './skills/builtin/web-skill.js';
import { type WorkFacts, WorkSkill } from './skills/builtin/work-skill.js';
import { CustomSkills } from './skills/custom/custom-skills.js';
import { SkillEditor } from './skills/custom/skill-editor.js';
import type { ToolProvider } from './skills/ports.js';
import { SkillManager } from './skills/skill-manager.js';
import type { ToolGrants } from './skills/tool-grants.js';
import { Workspaces } from './skills/workspaces.js';
import { SkillVersionFiles } from './storage/skill-version-files.js';
import { SqliteSkills } from './storage/sqlite-skills.js';
import type { SqliteStore } from './storage/sqlite-store.js';

const MAX_RESULT_CHARS = 16_000;
const FETCH_TIMEOUT_MS = 20_000;
const MAX_PAGE_BYTES = 2_097_152;
/** Where programs are, for a server that was started without a search path. */
const USUAL_PATH = '/usr/local/bin:/usr/bin:/bin';

export interface ChatSkillsParts {
  settings: Settings;
  store: SqliteStore;
  events: EventSink;
  models: ModelManager;
  memory: Pick<ReturnType<typeof chatMemory>, 'memory' | 'searchTool'>;
  translator: Translator;
  sessionLabels: (sessionId: string) => readonly string[];
  /** A task that ended with a former process while it waited for an answer. */
  resumeTask: (id: string) => Promise<unknown>;
  services: () => ServiceMonitor;
  /** Goals, tasks and queue, and those of one session by name. */
  /** What is worked on here; `place` as of `placeOf`. */
  work: (place: string | null) => WorkFacts;
  /** PATH. */
  searchPath: string | undefined;
  /** Where commands of models run, if anywhere. */
  sandbox: ShellSkillOptions;
  /** Tools from elsewhere. */
  providers: readonly ToolProvider[];
  grants: ToolGrants;
  logger: Logger;
}

export function chatSkills(parts: ChatSkillsParts) {
  const { settings, models, memory, logger, events } = parts;
  const repository = new SqliteSkills(parts.store, (error) => logger.warn({ err: error }, 'a call was not counted'));
  const workspaces = new Workspaces({
    house: settings.WORKSPACE_ROOT || join(settings.VENOM_DATA_DIR, 'workspace'),
    users: join(settings.VENOM_DATA_DIR, 'workspaces'),
  });
  const path = parts.searchPath || USUAL_PATH;
  const git = findProgram('git', path);
  const fetcher = new GuardedFetch({
    privateHosts: settings.WEB_PRIVATE_HOSTS,
    timeoutMs: FETCH_TIMEOUT_MS,
    maxBytes: MAX_PAGE_BYTES,
    userAgent: 'Venom',
  });
  const skills: BaseSkill[] = [
    new FileSkill(),
    ...(git ? [new GitSkill({ git, path, isolation: parts.sandbox.isolation })] : []),
    ...(settings.ENABLE_SHELL_SKILL ? [new ShellSkill(parts.sandbox)] : []),
    ...(settings.ENABLE_WEB_SKILL ? [new WebSkill(fetcher, settings.WEB_SEARCH_ENDPOINT)] : []),
    new DocsSkill(),
    new TimeSkill(systemClock.now),
    new WorkSkill((asking) => parts.work(placeOf(asking.sessionId, asking.owner))),
    new SystemSkill({ reports: () => parts.services().reports() }),
    new MemorySkill({
      search: (query, options) => memory.searchTool.search(query, options),
      add: ({ text, category, labels, asking }) =>
        memory.memory.add({
          text,
          category,
          labels,
          requestId: asking.requestId,
          scope: everySession(asking.owner),
          kind: 'fact',
          origin: 'assistant',
          source: 'memory skill',
        }),
    }),
    new TranslationSkill({
      translate: (text, target, signal) => parts.translator.translateAnswer(text, target, signal),
    }),
    new ModelsSkill({
      list: async () =>
        (await models.list()).models.map(({ name, provider, sizeBytes }) => ({ name, provider, sizeBytes })),
      describe: async (name) => {
        const found = await models.describe(name);
        return found && { ...found };
      },
      loaded: async () => (await models.loaded()).map(({ name, runtime }) => ({ name, provider: runtime })),
    }),
  ];
  const builtIn = new BuiltInSkills(skills, { workspaces, logger });
  const customFolder = join(workspaces.house.root, 'custom');
  const versions = new SkillVersionFiles(join(settings.VENOM_DATA_DIR, 'custom-skill-versions'), systemClock.now);
  const custom = new CustomSkills({
    folder: customFolder,
    runFolder: join(settings.VENOM_DATA_DIR, 'custom-skills'),
    versions,
    logger,
  });
  const approvalWaitMs = settings.SKILLS_APPROVAL_TIMEOUT_SECONDS * 1_000;
  const approvals = new Approvals({
    repository,
    events,
    now: systemClock.now,
    newId: randomUUID,
    waitMs: approvalWaitMs,
    onLateAnswer: (requestId) =>
      void parts.resumeTask(requestId).catch((error: unknown) => {
        logger.info({ err: error, request_id: requestId }, 'the task of an approval could not be resumed');
      }),
  });
  const manager = new SkillManager(
    {
      providers: [builtIn, custom, ...parts.providers],
      repository,
      approvals,
      grants: parts.grants,
      events,
      sessionLabels: parts.sessionLabels,
    },
    {
      offeredTokens: settings.SKILLS_OFFERED_TOKENS,
      callTimeoutMs: settings.SKILLS_CALL_TIMEOUT_SECONDS * 1_000,
      approvalWaitMs,
      maxResultChars: MAX_RESULT_CHARS,
    },
  );
  return {
    manager,
    approvals,
    editor: new SkillEditor({ folder: customFolder, skills: custom, versions }),
    /** Looks for changed skills now. */
    refresh: () => custom.scan(),
    /** What the folders hold, and approvals nobody waits for any more. */
    start: () => Promise.all([custom.scan(), approvals.recover()]),
    close: async () => {
      custom.close();
      await fetcher.close();
    },
  };
}
