// Skills that somebody put into the workspace: neither offered nor run before somebody said yes to the very bytes, and then
// in a process of their own. A changed file waits for a yes of its own; until then what was approved goes on working.
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError, toAppError } from '../../shared/errors.js';
import { definitionHash, type SkillLogger } from '../base-skill.js';
import type { ToolCall, ToolDescriptor, ToolOutcome, ToolProvider } from '../ports.js';
import { readSkillFolder, type SkillFolder, skillOf } from './skill-folder.js';
import { SkillProcess } from './skill-process.js';
import type { SkillRecord, SkillVersionStore } from './skill-versions.js';

const MAX_SKILLS = 100;
const FRESH_MS = 1_000;
const IDLE_MS = 60_000;

export interface CustomSkillsOptions {
  /** One folder a skill. */
  folder: string;
  /** Where approved bytes lie while they run; ours alone. */
  runFolder: string;
  versions: SkillVersionStore;
  logger: SkillLogger;
}

/** A skill as its owner sees it: what lies in the folder, and what of it was approved. */
export interface CustomSkill {
  name: string;
  /** What lies in the folder; null where that is no skill, and `problem` says why. */
  draft: SkillFolder | null;
  problem: string | null;
  record: SkillRecord | undefined;
}

interface Running {
  hash: string;
  process: SkillProcess;
  idle: NodeJS.Timeout | undefined;
}

export class CustomSkills implements ToolProvider {
  readonly kind = 'custom';
  readonly #options: CustomSkillsOptions;
  readonly #running = new Map<string, Running>();
  #all: readonly CustomSkill[] = [];
  /** Approved and enabled, as approved. */
  #skills: readonly SkillFolder[] = [];
  #tools: readonly ToolDescriptor[] = [];
  #problems: readonly string[] = [];
  #scannedAt = Number.NEGATIVE_INFINITY;
  #scanning: Promise<void> | undefined;

  constructor(options: CustomSkillsOptions) {
    this.#options = options;
  }

  /** As they were a moment ago; looks again by itself. */
  tools(): readonly ToolDescriptor[] {
    if (performance.now() - this.#scannedAt > FRESH_MS) void this.scan();
    return this.#tools;
  }

  get problems(): readonly string[] {
    return this.#problems;
  }

  /** In the order of their names, as they were when last looked at. */
  list(): readonly CustomSkill[] {
    return this.#all;
  }

  /** Reads the folders; what is no skill is left out and named in `problems`. */
  scan(): Promise<void> {
    this.#scanning ??= this.#scan().finally(() => {
      this.#scannedAt = performance.now();
      this.#scanning = undefined;
    });
    return this.#scanning;
  }

  /** Not satisfied with a look that has begun before it was asked. */
  async rescan(): Promise<void> {
    await this.#scanning;
    await this.scan();
  }

  async call(call: ToolCall): Promise<ToolOutcome> {
    // Its folder may be gone.
    await this.scan();
    const tool = this.#tools.find(({ name }) => name === call.name);
    const skill = this.#skills.find(({ name }) => toolId(name) === tool?.source.id);
    if (!tool || !skill) throw new AppError('tool_not_found', `There is no tool ${call.name.slice(0, 100)}.`);
    const name = call.name.slice(tool.source.id.length + 2);
    if (name === READ) return outcome({ text: skill.instructions?.body ?? '', structured: null }, false);
    try {
      const running = await this.#started(skill);
      return outcome(await running.process.call(name, call.input, call.signal), true);
    } catch (thrown) {
      call.signal.throwIfAborted();
      const error = toAppError(thrown);
      const text = error.code === 'internal' ? `${call.name} failed.` : error.message;
      return { ...outcome({ text, structured: null }, true), failed: true, errorCode: 'tool_failed' };
    }
  }

  close(): void {
    for (const { process: child, idle } of this.#running.values()) {
      clearTimeout(idle);
      child.stop();
    }
    this.#running.clear();
  }

  async #started(skill: SkillFolder): Promise<Running> {
    let running = this.#running.get(skill.name);
    if (!running || running.hash !== skill.hash || running.process.ended) {
      running?.process.stop();
      clearTimeout(running?.idle);
      const folder = await this.#laidOut(skill);
      running = { hash: skill.hash, process: new SkillProcess(folder), idle: undefined };
      this.#running.set(skill.name, running);
    }
    const started = running;
    clearTimeout(started.idle);
    started.idle = setTimeout(() => this.#rest(skill.name, started), IDLE_MS).unref();
    return started;
  }

  #rest(name: string, running: Running): void {
    if (running.process.busy) {
      running.idle = setTimeout(() => this.#rest(name, running), IDLE_MS).unref();
      return;
    }
    running.process.stop();
    if (this.#running.get(name) === running) this.#running.delete(name);
  }

  /** The bytes that were hashed, in a folder nobody else writes to. */
  async #laidOut(skill: SkillFolder): Promise<string> {
    const folder = join(this.#options.runFolder, `${skill.name}-${skill.hash.slice(0, 16)}`);
    await rm(folder, { recursive: true, force: true });
    for (const [path, bytes] of skill.files) {
      await mkdir(dirname(join(folder, path)), { recursive: true, mode: 0o700 });
      await writeFile(join(folder, path), bytes, { mode: 0o600 });
    }
    return folder;
  }

  async #scan(): Promise<void> {
    const { folder, logger } = this.#options;
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    const all: CustomSkill[] = [];
    const skills: SkillFolder[] = [];
    const problems: string[] = [];
    const names = entries.filter((each) => each.isDirectory() && !each.name.startsWith('.')).map(({ name }) => name);
    for (const name of names.sort().slice(0, MAX_SKILLS)) {
      const skill = await this.#look(name);
      all.push(skill);
      if (skill.problem !== null) problems.push(skill.problem);
      try {
        const inUse = this.#inUse(skill);
        if (inUse) skills.push(inUse);
      } catch (thrown) {
        problems.push(toAppError(thrown).message);
      }
    }
    this.#all = all;
    for (const problem of problems.filter((each) => !this.#problems.includes(each)))
      logger.warn({ problem }, 'a custom skill was left out');
    const same =
      skills.length === this.#skills.length && skills.every(({ hash }, index) => hash === this.#skills[index]?.hash);
    this.#problems = problems;
    if (same) return;
    this.#skills = skills;
    this.#tools = skills.flatMap(toolsOf);
  }

  async #look(name: string): Promise<CustomSkill> {
    const record = this.#options.versions.get(name);
    try {
      return { name, record, draft: await readSkillFolder(join(this.#options.folder, name)), problem: null };
    } catch (thrown) {
      return { name, record, draft: null, problem: toAppError(thrown).message };
    }
  }

  /** The bytes that were approved, from the folder where they lie there still. @throws AppError `store_corrupt` */
  #inUse({ name, draft, record }: CustomSkill): SkillFolder | null {
    if (!record?.enabled) return null;
    if (draft?.hash === record.approved) return draft;
    const known = this.#skills.find((skill) => skill.name === name && skill.hash === record.approved);
    if (known) return known;
    const stored = skillOf(name, this.#options.versions.files(name, record.approved));
    if (stored.hash !== record.approved)
      throw new AppError('store_corrupt', `The approved version of ${name} is not what it was.`);
    return stored;
  }
}

const READ = 'read_instructions';
const toolId = (name: string): string => `custom_${name}`;

function toolsOf({ name, hash, manifest, instructions }: SkillFolder): ToolDescriptor[] {
  const source = { kind: 'custom' as const, id: toolId(name) };
  const described = (toolName: string, description: string, inputSchema: Record<string, unknown>) => {
    const definition = { name: `${source.id}__${toolName}`, description, inputSchema };
    return {
      ...definition,
      source,
      permission: 'ask' as const,
      hash: definitionHash({ ...definition, name: `${definition.name}@${hash}` }),
    };
  };
  const functions = Object.entries(manifest?.functions ?? {}).map(([toolName, each]) => ({
    ...described(toolName, each.description, each.input),
    title: `${name}: ${toolName.replaceAll('_', ' ')}`,
    readOnly: each.readOnly,
    // Not every Node keeps a process from the network.
    egress: true,
  }));
  if (!instructions) return functions;
  return [
    ...functions,
    {
      ...described(READ, `How to: ${instructions.description}`, {
        type: 'object',
        properties: {},
        additionalProperties: false,
      }),
      title: instructions.name,
      readOnly: true,
      egress: false,
    },
  ];
}

const outcome = ({ text, structured }: { text: string; structured: unknown }, untrusted: boolean): ToolOutcome => ({
  text,
  structured,
  failed: false,
  errorCode: null,
  labels: [],
  untrusted,
});
