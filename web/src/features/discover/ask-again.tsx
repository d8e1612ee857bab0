// A place that did not answer may by now.
import { Button } from '@mantine/core';
import { useTranslation } from 'react-i18next';

export function AskAgain({ loading, onClick }: { loading: boolean; onClick: () => void }) {
  const { t } = useTranslation();
  return (
    <Button size="compact-xs" variant="default" loading={loading} onClick={onClick}>
      {t('state.retry')}
    </Button>
  );
}
