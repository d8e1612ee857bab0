// The skills that are part of Venom, as one provider of tools. They run in this process, because they are ours.
import { AppError, toAppError } from '../shared/errors.js';
import type { BaseSkill, SkillLogger } from './base-skill.js';
import type { ToolCall, ToolDescriptor, ToolOutcome, ToolProvider } from './ports.js';
import type { Workspaces } from './workspaces.js';

export class BuiltInSkills implements ToolProvider {
  readonly kind = 'builtin';
  readonly #skills: readonly BaseSkill[];
  readonly #tools: readonly ToolDescriptor[];
  readonly #workspaces: Pick<Workspaces, 'of'>;
  readonly #logger: SkillLogger;

  constructor(skills: readonly BaseSkill[], parts: { workspaces: Pick<Workspaces, 'of'>; logger: SkillLogger }) {
    this.#skills = skills;
    this.#tools = skills.flatMap((skill) => skill.descriptors());
    this.#workspaces = parts.workspaces;
    this.#logger = parts.logger;
  }

  get skills(): readonly { id: string; description: string }[] {
    return this.#skills;
  }

  tools(): readonly ToolDescriptor[] {
    return this.#tools;
  }

  async call(call: ToolCall): Promise<ToolOutcome> {
    const [id = '', name = ''] = call.name.split('__');
    const skill = this.#skills.find((each) => each.id === id);
    try {
      if (!skill) throw notFound(call.name);
      const result = await skill.invoke(name, call.input, {
        workspace: this.#workspaces.of(call.owner),
        logger: this.#logger,
        signal: call.signal,
        owner: call.owner,
        sessionId: call.sessionId,
        requestId: call.requestId,
        labels: call.labels,
        onProgress: call.onProgress ?? (() => {}),
      });
      return {
        text: result.text,
        structured: result.structured ?? null,
        failed: false,
        errorCode: null,
        labels: result.labels ?? [],
        untrusted: result.untrusted ?? false,
      };
    } catch (thrown) {
      call.signal.throwIfAborted();
      const error = toAppError(thrown);
      if (error.code === 'tool_not_found') throw error;
      if (error.code === 'internal') this.#logger.warn({ err: thrown, tool: call.name }, 'a skill failed');
      return {
        text: error.code === 'internal' ? `${call.name} failed.` : error.message,
        structured: null,
        failed: true,
        errorCode: error.code === 'internal' ? 'tool_failed' : error.code,
        labels: [],
        untrusted: false,
      };
    }
  }
}

const notFound = (name: string) => new AppError('tool_not_found', `There is no tool ${name.slice(0, 100)}.`);
