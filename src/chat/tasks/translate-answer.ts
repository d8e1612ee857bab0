// The answer in the language the request asks for.
import { toAppError } from '../../shared/errors.js';
import type { AnswerTranslator } from '../task-ports.js';
import type { RequestTracer } from '../tracing/request-tracer.js';
import type { LiveTask } from './live-task.js';
import { logLine } from './log-lines.js';

/** Where it cannot be translated, the text stays as it is, and the task says so. @throws the signal's reason */
export async function translateAnswer(
  live: LiveTask,
  text: string,
  { translator, tracer }: { translator: AnswerTranslator | null; tracer: RequestTracer },
): Promise<string> {
  const target = live.task.request.preferredLanguage;
  if (target === null || translator === null) return text;
  try {
    const translated = await translator.translate(text, target, live.signal);
    if (translated === null) return text;
    live.update({ translation: { source: translated.source, target, applied: true } });
    tracer.step(live.id, 'Orchestrator', 'translate_response', JSON.stringify({ target }));
    return translated.text;
  } catch (error) {
    live.signal.throwIfAborted();
    const { code } = toAppError(error);
    live.update({ translation: { target, applied: false, error: code } });
    live.log(logLine('not_translated', { code }));
    tracer.step(live.id, 'Orchestrator', 'translate_response', code, 'error');
    return text;
  }
}
