// How large a JSON schema may be that is to become a grammar. The engine's own cost grows with the square of its choices,
// and while it compiles one nobody else is answered.
import { AppError } from '../../shared/errors.js';

/** What OpenAI takes at most, so that whatever works there is not refused here. */
const MAX_CHOICES = 1_000;
const MAX_CHARS = 120_000;
const MAX_NODES = 20_000;
/** Of JSON; a schema within a schema takes two. */
const MAX_DEPTH = 64;
const CHOICES = ['enum', 'anyOf', 'oneOf', 'allOf'];

/** @throws AppError `invalid_input` */
export function checkSchemaSize(schema: unknown): void {
  const refuse = (why: string): never => {
    throw new AppError('invalid_input', `The JSON schema is too large for a grammar: ${why}.`);
  };
  let choices = 0;
  let chars = 0;
  let nodes = 0;
  const pending: { value: unknown; depth: number }[] = [{ value: schema, depth: 0 }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { value, depth } = next;
    nodes += 1;
    if (depth > MAX_DEPTH) refuse(`more than ${MAX_DEPTH} levels`);
    if (nodes > MAX_NODES) refuse(`more than ${MAX_NODES} parts`);
    if (typeof value === 'string') chars += value.length;
    else if (Array.isArray(value)) for (const item of value) pending.push({ value: item, depth: depth + 1 });
    else if (typeof value === 'object' && value !== null)
      for (const [name, member] of Object.entries(value)) {
        chars += name.length;
        if (CHOICES.includes(name) && Array.isArray(member)) choices += member.length;
        pending.push({ value: member, depth: depth + 1 });
      }
    if (choices > MAX_CHOICES) refuse(`more than ${MAX_CHOICES} choices`);
    if (chars > MAX_CHARS) refuse(`more than ${MAX_CHARS} characters`);
  }
}
