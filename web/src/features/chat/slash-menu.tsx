// The commands a message may begin with, offered while one is typed.
import { Text, UnstyledButton } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { SLASH_COMMANDS } from '../../../../src/contract/slash-commands';

export interface SlashChoice {
  /** As it is typed, with `/` or `@`. */
  token: string;
  labelKey: string;
}

const CHOICES: readonly SlashChoice[] = SLASH_COMMANDS.flatMap((command) => [
  { token: `/${command.id}`, labelKey: command.labelKey },
  ...(command.kind === 'provider' ? [{ token: `@${command.id}`, labelKey: command.labelKey }] : []),
]);
const MOST = 8;

/** What fits what was typed so far; empty as soon as the command is complete and something follows. */
export const choicesFor = (text: string): readonly SlashChoice[] =>
  /^[/@][\w-]*$/.test(text)
    ? CHOICES.filter(({ token }) => token.startsWith(text) && token !== text).slice(0, MOST)
    : [];

export function SlashMenu({
  choices,
  selected,
  onChoose,
}: {
  choices: readonly SlashChoice[];
  selected: number;
  onChoose: (choice: SlashChoice) => void;
}) {
  const { t } = useTranslation();
  if (choices.length === 0) return null;
  return (
    <div className="slash-menu panel" role="listbox" aria-label={t('slash.title')} id="slash-menu">
      {choices.map((choice, index) => (
        <UnstyledButton
          key={choice.token}
          id={`slash-${index}`}
          role="option"
          aria-selected={index === selected}
          className="slash-choice"
          tabIndex={-1}
          // Before the field loses its focus.
          onMouseDown={(event) => {
            event.preventDefault();
            onChoose(choice);
          }}
        >
          <Text size="sm" ff="monospace">
            {choice.token}
          </Text>
          <Text size="xs" className="muted" truncate>
            {t(choice.labelKey)}
          </Text>
        </UnstyledButton>
      ))}
    </div>
  );
}
