// What goes along with the next message: pictures and text files, chosen, pasted or dropped, shown small, taken away again.
import { ActionIcon, FileButton, Group, Text } from '@mantine/core';
import { IconFileText, IconPaperclip, IconX } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { bytes } from '../../lib/format';

interface Attached {
  id: number;
  name: string;
}
interface Picture extends Attached {
  dataUrl: string;
}
interface TextFile extends Attached {
  text: string;
}

const PICTURE_TYPES = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'];
const MOST_PICTURES = 4;
/** Of all together, below the largest request the server takes. */
const MOST_PICTURE_BYTES = 7_000_000;
const MOST_FILES = 8;
/** Of all together, so that there is room for the words of the message itself. */
const MOST_FILE_CHARS = 40_000;
const TEXT_ENDINGS =
  'txt,md,markdown,csv,tsv,json,jsonl,yaml,yml,toml,ini,xml,html,css,js,mjs,cjs,ts,tsx,jsx,py,rb,go,rs,java,kt,swift,c,h,cpp,hpp,cs,php,sh,sql,log,diff,patch,tex';
const ACCEPT = [...PICTURE_TYPES, 'text/*', ...TEXT_ENDINGS.split(',').map((ending) => `.${ending}`)].join(',');

const endingOf = (name: string): string => /\.(\w+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
const isText = ({ type, name }: File): boolean =>
  type.startsWith('text/') || TEXT_ENDINGS.split(',').includes(endingOf(name));

export type Attachments = ReturnType<typeof useAttachments>;

let nextId = 0;

export function useAttachments() {
  const [pictures, setPictures] = useState<readonly Picture[]>([]);
  const [files, setFiles] = useState<readonly TextFile[]>([]);
  const [refused, setRefused] = useState(false);
  const add = async (given: readonly File[]) => {
    const seen = given.filter(({ type }) => PICTURE_TYPES.includes(type));
    const read = given.filter((file) => !seen.includes(file) && isText(file) && file.size <= MOST_FILE_CHARS * 4);
    const newPictures = await Promise.all(
      seen.map(async (file) => ({ id: nextId++, name: file.name, dataUrl: await asDataUrl(file) })),
    );
    const newFiles = await Promise.all(
      read.map(async (file) => ({ id: nextId++, name: file.name, text: await file.text() })),
    );
    const allPictures = [...pictures, ...newPictures];
    const allFiles = [...files, ...newFiles];
    const pictureBytes = allPictures.reduce((sum, { dataUrl }) => sum + dataUrl.length * 0.75, 0);
    const fileChars = allFiles.reduce((sum, { text }) => sum + text.length, 0);
    const picturesFit = allPictures.length <= MOST_PICTURES && pictureBytes <= MOST_PICTURE_BYTES;
    const filesFit =
      allFiles.length <= MOST_FILES &&
      fileChars <= MOST_FILE_CHARS &&
      !newFiles.some(({ text }) => text.includes('\0'));
    setRefused(!picturesFit || !filesFit || seen.length + read.length < given.length);
    if (picturesFit) setPictures(allPictures);
    if (filesFit) setFiles(allFiles);
  };
  const remove = (id: number) => {
    setRefused(false);
    setPictures(pictures.filter((each) => each.id !== id));
    setFiles(files.filter((each) => each.id !== id));
  };
  const clear = () => {
    setRefused(false);
    setPictures([]);
    setFiles([]);
  };
  return { pictures, files, refused, add, remove, clear };
}

/** The message with its files below it, each fenced so that nothing in a file can end its own fence. */
export const withFiles = (text: string, files: Attachments['files']): string =>
  [
    text,
    ...files.map(({ name, text: content }) => {
      const longest = Math.max(2, ...[...content.matchAll(/`+/g)].map(([ticks]) => ticks.length));
      const fence = '`'.repeat(longest + 1);
      return `${name}\n${fence}${endingOf(name)}\n${content.replace(/\n$/, '')}\n${fence}`;
    }),
  ].join('\n\n');

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
    <FileButton multiple accept={ACCEPT} onChange={onFiles}>
      {(props) => (
        <ActionIcon
          {...props}
          size={36}
          radius="xl"
          variant="subtle"
          color="gray"
          aria-label={t('chat.attach')}
          title={t('chat.attach')}
        >
          <IconPaperclip size={18} aria-hidden />
        </ActionIcon>
      )}
    </FileButton>
  );
}

export function AttachmentRow({ attachments }: { attachments: Attachments }) {
  const { t, i18n } = useTranslation();
  const { pictures, files, refused, remove } = attachments;
  if (pictures.length === 0 && files.length === 0 && !refused) return null;
  return (
    <Group gap="xs" px="sm" pb={6}>
      {pictures.map(({ id, name, dataUrl }) => (
        <Chip key={id} name={name} className="attached-picture" onRemove={() => remove(id)}>
          <img src={dataUrl} alt={name} />
        </Chip>
      ))}
      {files.map(({ id, name, text }) => (
        <Chip key={id} name={name} className="attached-file panel" onRemove={() => remove(id)}>
          <IconFileText size={18} aria-hidden style={{ flex: 'none' }} />
          <div style={{ minWidth: 0 }}>
            <Text size="xs" fw={500} truncate>
              {name}
            </Text>
            <Text size="xs" className="muted">
              {bytes(new Blob([text]).size, i18n.language)}
            </Text>
          </div>
        </Chip>
      ))}
      {refused && (
        <Text size="xs" c="var(--mantine-color-red-light-color)" role="alert">
          {t('chat.attach.refused', {
            most: MOST_PICTURES,
            megabytes: MOST_PICTURE_BYTES / 1_000_000,
            kilobytes: MOST_FILE_CHARS / 1_000,
          })}
        </Text>
      )}
    </Group>
  );
}

function Chip({
  name,
  className,
  onRemove,
  children,
}: {
  name: string;
  className: string;
  onRemove: () => void;
  children: ReactNode;
}) {
  const { t } = useTranslation();
  return (
    <div className={`attached ${className}`} title={name}>
      {children}
      <ActionIcon
        size={18}
        radius="xl"
        variant="filled"
        color="dark"
        className="attached-remove"
        aria-label={t('chat.detach', { name })}
        onClick={onRemove}
      >
        <IconX size={12} aria-hidden />
      </ActionIcon>
    </div>
  );
}
