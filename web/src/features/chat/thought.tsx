// What a model thought before it answered: folded, because the answer is what was asked for.
import { useTranslation } from 'react-i18next';

export function Thought({ text, running }: { text: string; running: boolean }) {
  const { t } = useTranslation();
  return (
    <details className="thought">
      <summary className={running ? 'muted caret' : 'muted'}>
        {t(running ? 'chat.thought.running' : 'chat.thought')}
      </summary>
      <div className="muted" dir="auto">
        {text}
      </div>
    </details>
  );
}
