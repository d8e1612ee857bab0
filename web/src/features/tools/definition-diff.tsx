// What changed in a tool since somebody said yes to it, word by word in texts and line by line in schemas.
import { Text } from '@mantine/core';
import { type ChangeObject, diffLines, diffWordsWithSpace } from 'diff';
import { useTranslation } from 'react-i18next';
import { visibleText } from '../../lib/visible-text';
import type { McpTool } from './api/get-servers';

/** Texts that differ everywhere are shown as one removed and one added. */
const EDITS_MAX = 1_000;

export function DefinitionDiff({ changes }: { changes: McpTool['changes'] }) {
  const { t } = useTranslation();
  return changes.map(({ field, before, after }) => (
    <div key={field}>
      <Text size="xs" fw={600} className="muted" mb={2}>
        {t(`tools.diff.${field}`, { defaultValue: field })}
      </Text>
      {typeof after === 'string' && typeof before === 'string' ? (
        <Words before={visibleText(before)} after={visibleText(after)} />
      ) : (
        <Lines before={written(before)} after={written(after)} />
      )}
    </div>
  ));
}

function Words({ before, after }: { before: string; after: string }) {
  const parts = diffWordsWithSpace(before, after, { maxEditLength: EDITS_MAX }) ?? replaced(before, after);
  return (
    <p className="diff diff-words">
      {parts.map((part, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text, in its order
        <Part key={index} part={part} />
      ))}
    </p>
  );
}

export function Lines({ before, after }: { before: string; after: string }) {
  const parts = diffLines(before, after, { maxEditLength: EDITS_MAX }) ?? replaced(before, after);
  return (
    // A region that scrolls must be reachable by keyboard.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
    <pre className="diff diff-lines" tabIndex={0}>
      {parts.flatMap((part, index) =>
        part.value
          .replace(/\n$/, '')
          .split('\n')
          .map((line, number) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the lines of one text, in its order
            <Part key={`${index} ${number}`} part={{ ...part, value: line === '' ? ' ' : line }} line />
          )),
      )}
    </pre>
  );
}

function Part({ part, line = false }: { part: ChangeObject<string>; line?: boolean }) {
  if (part.added) return <ins className={line ? 'diff-line' : undefined}>{part.value}</ins>;
  if (part.removed) return <del className={line ? 'diff-line' : undefined}>{part.value}</del>;
  return <span className={line ? 'diff-line' : undefined}>{part.value}</span>;
}

const replaced = (before: string, after: string): ChangeObject<string>[] => [
  { value: before, removed: true, added: false, count: 1 },
  { value: after, removed: false, added: true, count: 1 },
];

function written(value: unknown): string {
  if (value === null || value === undefined) return '';
  return visibleText(typeof value === 'string' ? value : JSON.stringify(value, null, 2));
}
