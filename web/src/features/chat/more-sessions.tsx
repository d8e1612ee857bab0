// At the end of the list of conversations: the next ones, read when the reader comes to them.
import { Button } from '@mantine/core';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { useWhenSeen } from '../../lib/use-when-seen';

const REGION = { selector: '.session-list', margin: '0px 0px 300px' };

export function MoreSessions({ reading, onRead }: { reading: boolean; onRead: () => void }) {
  const { t } = useTranslation();
  const place = useRef<HTMLButtonElement>(null);
  useWhenSeen(place, REGION, onRead, !reading);
  return (
    <Button ref={place} variant="subtle" size="xs" fullWidth loading={reading} onClick={onRead}>
      {t('sessions.more')}
    </Button>
  );
}
