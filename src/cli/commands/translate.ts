// venom translate: a text, or what is in the pipe, piece by piece as it is ready.
import { EventSourceParserStream } from 'eventsource-parser/stream';
import type { z } from 'zod';
import type { TranslateResponse, TranslationWarning } from '../../contract/translation.js';
import { AppError, toErrorCode } from '../../shared/errors.js';
import type { CommandContext } from '../command-context.js';

const WHOLE_MS = 600_000;

export interface TranslateOptions {
  to: string;
  from?: string;
}

export async function translate(
  context: CommandContext,
  words: readonly string[],
  { to, from }: TranslateOptions,
): Promise<void> {
  const text = await context.input.question(words);
  if (text === '') throw new AppError('invalid_input', 'Say what to translate, or put it into a pipe.');
  const { terminal } = context;
  const client = await context.server();
  const body = { text, target_lang: to, ...(from === undefined ? {} : { source_lang: from }) };
  if (terminal.json) {
    const answer = await client.post<z.output<typeof TranslateResponse>>('/api/v1/translate', body, WHOLE_MS);
    return terminal.result(answer, '');
  }
  const response = await client.stream('/api/v1/translate/stream', body, AbortSignal.timeout(WHOLE_MS));
  let last = '';
  for await (const { event, data } of response.body
    ?.pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream()) ?? []) {
    if (event === 'done') return terminal.write(last.endsWith('\n') ? '' : '\n');
    if (event === 'warning')
      terminal.note(`venom: ${(JSON.parse(data) as z.output<typeof TranslationWarning>).message}`);
    if (event === 'content') {
      last = (JSON.parse(data) as { text: string }).text;
      terminal.write(last);
    }
    if (event === 'error') {
      const { code, message } = JSON.parse(data) as { code: string; message: string };
      throw new AppError(toErrorCode(code) ?? 'translation_failed', message);
    }
  }
  throw new AppError('upstream_truncated', 'The translation broke off.');
}
