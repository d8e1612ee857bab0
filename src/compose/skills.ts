// Part of the composition: what a model may call.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { everySession } from '../chat/memory/ports.js';
import { RoutedBackgroundModel } from '../chat/results/background-model.js';
import type { Settings } from '../config/settings-schema.js';
import type { ModelManager } from '../models/model-manager.js';
import { findProgram } from '../runtimes/servers/argument-vector.js';
import { systemClock } from '../shared/clock.js';
import { placeOf } from '../shared/owner.js';
import { Approvals } from '../skills/approvals.js';
import type { BaseSkill } from '../skills/base-skill.js';
import { BuiltInSkills } from '../skills/built-in-skills.js';
import { DocsSkill } from '../skills/builtin/docs-skill.js';
import {
  MemorySkill,
  ModelsSkill,
  SystemSkill,
  TimeSkill,
  TranslationSkill,
} from '../skills/builtin/everyday-skills.js';
import { FileSkill } from '../skills/builtin/file-skill.js';
import { GitSkill } from '../skills/builtin/git-skill.js';
import { GuardedFetch } from '../skills/builtin/guarded-fetch.js';
import { ShellSkill } from '../skills/builtin/shell-skill.js';
import { WebSkill } from '../skills/builtin/web-skill.js';
import { WorkSkill } from '../skills/builtin/work-skill.js';
import { CustomSkills } from '../skills/custom/custom-skills.js';
import { SkillEditor } from '../skills/custom/skill-editor.js';
import { Questions } from '../skills/questions.js';
import { SkillManager } from '../skills/skill-manager.js';
import type { ToolGrants } from '../skills/tool-grants.js';
import { Workspaces } from '../skills/workspaces.js';
import { SkillVersionFiles } from '../storage/skill-version-files.js';
import { SqliteQuestions } from '../storage/sqlite-questions.js';
import { SqliteSkills } from '../storage/sqlite-skills.js';
import { removeUnfinished } from '../storage/unfinished-files.js';
import type { ChatRoom } from './chat.js';
import type { McpRoom } from './mcp.js';
import type { ObservationRoom } from './observation.js';
import type { RoutingRoom } from './routing.js';
import type { StorageRoom } from './storage.js';
import type { TasksRoom } from './tasks.js';

const MAX_RESULT_CHARS = 16_000;
const FETCH_TIMEOUT_MS = 20_000;
const MAX_PAGE_BYTES = 2_097_152;
/** A file of a skill that was being written. People's own files lie beside it. */
const UNFINISHED_SKILL_FILE = /^[\w-]+\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.partial$/;
/** Goals and tasks of one session that a status report names. */
const REPORTED = 20;
/** Where programs are, for a server that was started without a search path. */
const USUAL_PATH = '/usr/local/bin:/usr/bin:/bin';

export interface SkillsParts {
  storage: StorageRoom;
  observation: ObservationRoom;
  models: ModelManager;
  chat: ChatRoom;
  routing: RoutingRoom;
  mcp: McpRoom;
  tasks: () => TasksRoom;
  /** PATH. */
  searchPath: string | undefined;
  grants: ToolGrants;
  logger: Logger;
}

export type SkillsRoom = ReturnType<typeof composeSkills>;

export function composeSkills(settings: Settings, parts: SkillsParts) {
  const { models, mcp, logger } = parts;
  const { store, labels, goals, tasks } = parts.storage;
  const { hub: events } = parts.observation;
  const { memory, translator } = parts.chat;
  const repository = new SqliteSkills(store, (error) => logger.warn({ err: error }, 'a call was not counted'));
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
    ...(git ? [new GitSkill({ git, path, isolation: mcp.sandbox.isolation })] : []),
    ...(settings.ENABLE_SHELL_SKILL ? [new ShellSkill(mcp.sandbox)] : []),
    ...(settings.ENABLE_WEB_SKILL ? [new WebSkill(fetcher, settings.WEB_SEARCH_ENDPOINT)] : []),
    new DocsSkill(),
    new TimeSkill(systemClock.now),
    new WorkSkill((asking) => {
      const place = placeOf(asking.sessionId, asking.owner);
      return {
        goals: { counts: goals.counts(null), here: goals.ofSession(place, REPORTED) },
        tasks: {
          counts: tasks.counts(),
          here: tasks.ofSession(place, REPORTED).map(({ request, status }) => ({ content: request.content, status })),
        },
        queue: parts.tasks().orchestrator.queue,
      };
    }),
    new SystemSkill({ reports: () => parts.tasks().services.reports() }),
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
      translate: (text, target, signal) => translator.translateAnswer(text, target, signal),
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
  removeUnfinished([customFolder], UNFINISHED_SKILL_FILE);
  const versions = new SkillVersionFiles(join(settings.VENOM_DATA_DIR, 'custom-skill-versions'), systemClock.now);
  const custom = new CustomSkills({
    folder: customFolder,
    runFolder: join(settings.VENOM_DATA_DIR, 'custom-skills'),
    versions,
    logger,
  });
  const approvalWaitMs = settings.SKILLS_APPROVAL_TIMEOUT_SECONDS * 1_000;
  const resumeTask = (requestId: string) =>
    void parts
      .tasks()
      .orchestrator.resume(requestId)
      .catch((error: unknown) => {
        logger.info({ err: error, request_id: requestId }, 'the task somebody answered for could not be resumed');
      });
  const approvals = new Approvals({
    repository,
    events,
    now: systemClock.now,
    newId: randomUUID,
    waitMs: approvalWaitMs,
    onLateAnswer: resumeTask,
  });
  const questions = new Questions({
    repository: new SqliteQuestions(store),
    events,
    now: systemClock.now,
    newId: randomUUID,
    canResume: (requestId) => {
      const status = tasks.get(requestId)?.status;
      return status !== undefined && status !== 'COMPLETED';
    },
    onLateAnswer: resumeTask,
  });
  const modelForTools = new RoutedBackgroundModel((request) => parts.routing.router.route(request));
  const manager = new SkillManager(
    {
      providers: [builtIn, custom, mcp.tools],
      repository,
      approvals,
      questions,
      model: {
        complete: (request) => modelForTools.complete({ ...request, onlyLocal: false }),
      },
      workspaceOf: (owner) => workspaces.of(owner).root,
      grants: parts.grants,
      events,
      sessionLabels: (sessionId) => labels.of(sessionId),
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
    questions,
    editor: new SkillEditor({ folder: customFolder, skills: custom, versions }),
    /** Looks for changed skills now. */
    refresh: () => custom.scan(),
    /** What the folders hold, and what nobody waits for any more. */
    start: () => Promise.all([custom.scan(), approvals.recover(), questions.recover()]),
    close: async () => {
      custom.close();
      await fetcher.close();
    },
  };
}
