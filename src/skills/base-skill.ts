// BaseSkill: what a skill fulfils. Its functions have typed input and give a result or throw a coded error; a failure's
// text never stands in for data.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { AppError } from '../shared/errors.js';
import type { Owner } from '../shared/owner.js';
import type { Permission, ToolDescriptor, ToolSource } from './ports.js';
import type { Workspace } from './workspace.js';

export interface SkillLogger {
  debug(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}

export interface SkillContext {
  /** The owner's; files only through this. */
  workspace: Workspace;
  logger: SkillLogger;
  /** Ends with the turn, with Stop, and with the call's time. */
  signal: AbortSignal;
  /** Who calls, or whose turn does. */
  owner: Owner;
  sessionId: string | null;
  requestId: string | null;
  /** Sensitivity of what goes along. */
  labels: readonly string[];
  onProgress: (done: number, total: number | null, message: string | null) => void;
}

export interface SkillResult {
  /** What a model reads. */
  text: string;
  structured?: unknown;
  /** Sensitivity of the result; sticks to what is made from it. */
  labels?: readonly string[];
  /** Holds words of strangers, such as a page or a file somebody sent. */
  untrusted?: boolean;
}

export interface SkillFunction {
  name: string;
  title: string;
  description: string;
  input: z.ZodObject;
  readOnly: boolean;
  /** May carry what it is given out of the house. */
  egress: boolean;
  permission: Permission;
  run(input: never, context: SkillContext): Promise<SkillResult>;
}

type Described<S extends z.ZodObject> = {
  name: string;
  title?: string;
  description: string;
  input: S;
  readOnly?: boolean;
  egress?: boolean;
  /** By risk where it is not said: what only reads here runs, everything else asks. */
  permission?: Permission;
  run(input: z.output<S>, context: SkillContext): Promise<SkillResult>;
};

/** One function of a skill; its JSON Schema and the type of its input come from the same `input`. */
export function skillFunction<S extends z.ZodObject>(described: Described<S>): SkillFunction {
  const readOnly = described.readOnly ?? false;
  const egress = described.egress ?? false;
  return {
    ...described,
    title: described.title ?? described.name.replaceAll('_', ' '),
    readOnly,
    egress,
    permission: described.permission ?? (readOnly && !egress ? 'always' : 'ask'),
  } as SkillFunction;
}

export abstract class BaseSkill {
  /** `[a-z][a-z0-9]*`: the first half of its tools' names. */
  abstract readonly id: string;
  abstract readonly description: string;
  abstract readonly functions: readonly SkillFunction[];

  /** As the manager, the model and a person see them. */
  descriptors(kind: ToolSource['kind'] = 'builtin'): ToolDescriptor[] {
    return this.functions.map((each) => {
      const definition = {
        name: `${this.id}__${each.name}`,
        description: each.description,
        inputSchema: toJsonSchema(each.input),
      };
      return {
        ...definition,
        title: each.title,
        source: { kind, id: this.id },
        readOnly: each.readOnly,
        egress: each.egress,
        permission: each.permission,
        hash: definitionHash(definition),
      };
    });
  }

  /** @throws AppError `tool_not_found`, `invalid_input`, or whatever the function fails with */
  async invoke(name: string, input: unknown, context: SkillContext): Promise<SkillResult> {
    const found = this.functions.find((each) => each.name === name);
    if (!found) throw new AppError('tool_not_found', `The skill ${this.id} has no function ${name}.`);
    const parsed = found.input.safeParse(input ?? {});
    if (!parsed.success) throw new AppError('invalid_input', inputProblem(parsed.error));
    context.signal.throwIfAborted();
    return found.run(parsed.data as never, context);
  }
}

/** SHA-256 of what a model and a person are shown of a tool. */
export const definitionHash = (definition: { name: string; description: string; inputSchema: unknown }): string =>
  createHash('sha256')
    .update(JSON.stringify([definition.name, definition.description, definition.inputSchema]))
    .digest('hex');

function toJsonSchema(input: z.ZodObject): Record<string, unknown> {
  const { $schema: _, ...schema } = z.toJSONSchema(input, { io: 'input' }) as Record<string, unknown>;
  return { ...schema, additionalProperties: false };
}

function inputProblem(error: z.ZodError): string {
  const problems = error.issues.slice(0, 5).map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`);
  return `The input does not fit: ${problems.join('; ')}.`;
}
