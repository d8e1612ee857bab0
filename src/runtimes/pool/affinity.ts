// Which member served a session or the beginning of a prompt last, because its cache may still hold it.
import { createHash } from 'node:crypto';
import type { LanguageModelV4Prompt } from '@ai-sdk/provider';

const SESSIONS_KEPT = 10_000;
const PREFIXES_KEPT = 20_000;
/** Messages of a prompt that are looked at, from its beginning. */
const MESSAGES_MOST = 64;
/** Of one message, for a picture in it may have millions. */
const CHARS_MOST = 65_536;
/** A beginning shorter than this, such as everybody's system message, is no reason to prefer a member. */
const WORTH_CHARS = 512;

export interface AffinityKeys {
  session: string | undefined;
  /** Hashes of the prompt up to each message, shortest first. */
  prefixes: readonly string[];
}

/** @param model  part of each key: a cache belongs to one model */
export function affinityKeys(
  model: string,
  session: string | undefined,
  messages: readonly { role: string; text: string }[],
): AffinityKeys {
  const hash = createHash('sha256').update(model);
  const prefixes: string[] = [];
  let chars = 0;
  for (const { role, text } of messages.slice(0, MESSAGES_MOST)) {
    hash.update(`\0${role}\0${text.length}\0`).update(text.slice(0, CHARS_MOST));
    chars += text.length;
    // The system message alone is the same for everybody; with a question it is somebody's conversation.
    if (role !== 'system' || chars >= WORTH_CHARS) prefixes.push(hash.copy().digest('base64url'));
  }
  return { session: session ? `${model}\0${session}` : undefined, prefixes };
}

export const promptMessages = (prompt: LanguageModelV4Prompt): { role: string; text: string }[] =>
  prompt.map(({ role, content }) => ({
    role,
    text:
      typeof content === 'string' ? content : content.map((part) => (part.type === 'text' ? part.text : '')).join(''),
  }));

export class Affinity {
  readonly #sessions = new Map<string, string>();
  readonly #prefixes = new Map<string, string>();

  /** The longest known beginning counts. */
  recall({ session, prefixes }: AffinityKeys): { sessionMember: string | undefined; prefixMember: string | undefined } {
    return {
      sessionMember: session === undefined ? undefined : this.#sessions.get(session),
      prefixMember: prefixes.map((prefix) => this.#prefixes.get(prefix)).findLast((member) => member !== undefined),
    };
  }

  remember({ session, prefixes }: AffinityKeys, member: string): void {
    if (session !== undefined) put(this.#sessions, session, member, SESSIONS_KEPT);
    for (const prefix of prefixes) put(this.#prefixes, prefix, member, PREFIXES_KEPT);
  }
}

/** The longest unused goes first. */
function put(map: Map<string, string>, key: string, value: string, most: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= most) return;
  const oldest = map.keys().next();
  if (!oldest.done) map.delete(oldest.value);
}
