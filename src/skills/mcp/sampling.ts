// What a server of the 2025 era wants the model to be asked, from the protocol's words to ours and back. Texts only, bounded, and
// nothing of the conversation goes along. Pure.
import type { CreateMessageRequest, CreateMessageResult } from '@modelcontextprotocol/client';
import { AppError } from '../../shared/errors.js';
import type { ModelRequest } from '../skill-ports.js';

const PROMPT_CHARS = 8_000;
const MESSAGES_MAX = 50;
const TOKENS_MAX = 1_000;
const USUAL_TEMPERATURE = 0.7;

/** @throws AppError `mcp_protocol` for what no person could look through */
export function toModelRequest(params: CreateMessageRequest['params']): ModelRequest {
  const { messages, systemPrompt, maxTokens, temperature } = params;
  if (messages.length === 0 || messages.length > MESSAGES_MAX) throw refused('no messages, or too many');
  const said = messages.map(({ role, content }) => ({
    role,
    text: [content]
      .flat()
      .map((block) => {
        if (block.type !== 'text') throw refused('something else than text');
        return block.text;
      })
      .join('\n'),
  }));
  const [only] = said;
  const prompt = said.length === 1 && only ? only.text : said.map(({ role, text }) => `${role}: ${text}`).join('\n\n');
  if (prompt.length + (systemPrompt?.length ?? 0) > PROMPT_CHARS) throw refused(`more than ${PROMPT_CHARS} characters`);
  return {
    prompt,
    system: systemPrompt ?? '',
    maxTokens: Math.max(1, Math.min(TOKENS_MAX, Math.floor(maxTokens))),
    temperature: Math.max(0, Math.min(2, temperature ?? USUAL_TEMPERATURE)),
  };
}

export function toMessageResult(
  { text, model }: { text: string; model: string },
  { stopSequences = [] }: CreateMessageRequest['params'],
): CreateMessageResult {
  const ends = stopSequences.flatMap((stop) => (stop !== '' && text.includes(stop) ? [text.indexOf(stop)] : []));
  const shown = ends.length > 0 ? text.slice(0, Math.min(...ends)) : text;
  return {
    role: 'assistant',
    content: { type: 'text', text: shown },
    model,
    stopReason: ends.length > 0 ? 'stopSequence' : 'endTurn',
  };
}

const refused = (why: string): AppError =>
  new AppError('mcp_protocol', `What the server wants to ask the model has ${why}.`);
