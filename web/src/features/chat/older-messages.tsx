// Above the messages that are shown: earlier ones, read when the reader comes to them, or at once when they are searched.
import { Button, Center } from '@mantine/core';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';

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
  const read = useRef(onRead);
  read.current = onRead;
  useEffect(() => {
    if (reading) return;
    if (all) {
      read.current();
      return;
    }
    const element = place.current;
    if (!element) return;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && read.current(), {
      root: element.closest('.chat-scroll'),
      rootMargin: '600px 0px 0px',
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [reading, all]);
  return (
    <Center mb="md" className="chat-older" ref={place}>
      <Button size="xs" variant="default" loading={reading} onClick={onRead}>
        {t('chat.older')}
      </Button>
    </Center>
  );
}
