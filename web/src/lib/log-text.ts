// A line of a task's log in the reader's language. What none of ours says, such as an engine's own words, stays as it is.
import type { TFunction } from 'i18next';
import { readLogLine } from '../../../src/contract/task-log';

export function logText(t: TFunction, line: string): string {
  const known = readLogLine(line);
  if (!known) return line;
  const { count, intent, stopped, ...values } = known.values;
  return t(`log.${known.code}`, {
    ...values,
    ...(count === undefined ? {} : { count: Number(count) }),
    ...(intent === undefined ? {} : { intent: t(`intent.${intent}`, { defaultValue: intent }) }),
    ...(stopped === undefined ? {} : { stopped: t(`council.stopped.${stopped}`, { defaultValue: stopped }) }),
  });
}
