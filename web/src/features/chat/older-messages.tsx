// Above the messages that are shown: earlier ones, read when the reader comes to them, or at once when they are searched.
import { Button, Center } from '@mantine/core';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { useWhenSeen } from '../../lib/use-when-seen';

const REGION = { selector: '.chat-scroll', margin: '600px 0px 0px' };

export function OlderMessages({
  reading,
  all,
  onRead,
}: {
  reading: boolean;
  /** Not one page, but all there are. */
  all: boolean;
  onRead: () => void;
}) {
  const { t } = useTranslation();
  const place = useRef<HTMLDivElement>(null);
  useWhenSeen(place, REGION, onRead, !reading && !all);
  // Each page that has come calls for the next.
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is called is the same each time
  useEffect(() => {
    if (all && !reading) onRead();
  }, [all, reading]);
  return (
    <Center mb="md" className="chat-older" ref={place}>
      <Button size="xs" variant="default" loading={reading} onClick={onRead}>
        {t('chat.older')}
      </Button>
    </Center>
  );
}
