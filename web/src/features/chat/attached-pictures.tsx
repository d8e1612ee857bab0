// Pictures that go along with the next message: chosen or pasted, shown small, taken away again.
import { ActionIcon, FileButton, Group, Text } from '@mantine/core';
import { IconPhotoPlus, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

export interface Picture {
  name: string;
  dataUrl: string;
}

const TYPES = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'];
const MOST = 4;
/** Of all together, below the largest request the server takes. */
const MOST_BYTES = 7_000_000;

export function useAttachedPictures() {
  const [pictures, setPictures] = useState<readonly Picture[]>([]);
  const [refused, setRefused] = useState(false);
  const add = async (files: readonly File[]) => {
    const read = await Promise.all(
      files
        .filter(({ type }) => TYPES.includes(type))
        .map(async (file) => ({ name: file.name, dataUrl: await asDataUrl(file) })),
    );
    const all = [...pictures, ...read];
    const tooMuch = all.length > MOST || all.reduce((sum, { dataUrl }) => sum + dataUrl.length * 0.75, 0) > MOST_BYTES;
    setRefused(tooMuch || read.length < files.length);
    if (!tooMuch) setPictures(all);
  };
  const remove = (index: number) => {
    setRefused(false);
    setPictures(pictures.filter((_, place) => place !== index));
  };
  const clear = () => {
    setRefused(false);
    setPictures([]);
  };
  return { pictures, refused, add, remove, clear };
}

const asDataUrl = (file: File): Promise<string> =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });

export function AttachButton({ onFiles }: { onFiles: (files: File[]) => void }) {
  const { t } = useTranslation();
  return (
    <FileButton multiple accept={TYPES.join(',')} onChange={onFiles}>
      {(props) => (
        <ActionIcon {...props} size={36} radius="xl" variant="subtle" color="gray" aria-label={t('chat.attach')}>
          <IconPhotoPlus size={18} aria-hidden />
        </ActionIcon>
      )}
    </FileButton>
  );
}

export function AttachedPictures({
  pictures,
  refused,
  onRemove,
}: {
  pictures: readonly Picture[];
  refused: boolean;
  onRemove: (index: number) => void;
}) {
  const { t } = useTranslation();
  if (pictures.length === 0 && !refused) return null;
  return (
    <Group gap="xs" px="sm" pb={6}>
      {pictures.map(({ name, dataUrl }, index) => (
        <div key={dataUrl.slice(-80)} className="attached-picture">
          <img src={dataUrl} alt={name} />
          <ActionIcon
            size={18}
            radius="xl"
            variant="filled"
            color="dark"
            aria-label={t('chat.detach', { name })}
            onClick={() => onRemove(index)}
          >
            <IconX size={12} aria-hidden />
          </ActionIcon>
        </div>
      ))}
      {refused && (
        <Text size="xs" c="var(--mantine-color-red-light-color)" role="alert">
          {t('chat.attach.refused', { count: MOST, megabytes: MOST_BYTES / 1_000_000 })}
        </Text>
      )}
    </Group>
  );
}
