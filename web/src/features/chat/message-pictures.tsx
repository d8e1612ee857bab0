// Pictures that came with a message and are kept with it.
import { Group, Skeleton } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { type Message, usePicture } from './api/sessions';

export function MessagePictures({ sessionId, message }: { sessionId: string; message: Message }) {
  const { pictures = [] } = message;
  if (pictures.length === 0) return null;
  return (
    <Group gap="xs" justify="flex-end" mb={6}>
      {[...new Set(pictures.map(({ hash }) => hash))].map((hash, index) => (
        <MessagePicture key={hash} sessionId={sessionId} hash={hash} number={index + 1} />
      ))}
    </Group>
  );
}

function MessagePicture({ sessionId, hash, number }: { sessionId: string; hash: string; number: number }) {
  const { t } = useTranslation();
  const picture = usePicture(sessionId, hash);
  if (!picture.data) return <Skeleton w={64} h={64} radius="md" visible={!picture.isError} />;
  return (
    <a className="message-picture" href={picture.data} download={`picture-${number}`}>
      <img src={picture.data} alt={t('chat.picture', { number })} />
    </a>
  );
}
