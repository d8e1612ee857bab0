// The keys that work on every page, and the list of all of them.
import { ActionIcon, Kbd, Modal, Table, Tooltip } from '@mantine/core';
import { useDisclosure, useHotkeys, useOs } from '@mantine/hooks';
import { IconKeyboard } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { Fragment } from 'react';
import { useTranslation } from 'react-i18next';

/** Each with what it does; `mod` is ⌘ on a Mac and Ctrl elsewhere. */
const KEYS = [
  [['mod', 'Shift', 'O'], 'keys.newChat'],
  [['mod', 'K'], 'keys.search'],
  [['Enter'], 'keys.send'],
  [['Shift', 'Enter'], 'keys.newLine'],
  [['Esc'], 'keys.stop'],
  [['mod', 'Shift', 'F'], 'keys.find'],
  [['↑'], 'keys.editLast'],
  [['/'], 'keys.commands'],
  [['?'], 'keys.help'],
] as const;

export function Shortcuts() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const os = useOs();
  const [opened, { open, close }] = useDisclosure(false);
  useHotkeys([
    ['shift+?', open],
    ['?', open],
  ]);
  useHotkeys([['mod+shift+O', () => void navigate({ to: '/' })]], []);
  const nameOf = (key: string) => (key === 'mod' ? (os === 'macos' ? '⌘' : t('keys.ctrl')) : key);
  return (
    <>
      <Tooltip label={t('keys.title')}>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          aria-label={t('keys.title')}
          visibleFrom="sm"
          onClick={open}
        >
          <IconKeyboard size={17} aria-hidden />
        </ActionIcon>
      </Tooltip>
      <Modal
        opened={opened}
        onClose={close}
        title={t('keys.title')}
        centered
        closeButtonProps={{ 'aria-label': t('action.close') }}
      >
        <Table aria-label={t('keys.title')} verticalSpacing={7}>
          <Table.Tbody>
            {KEYS.map(([keys, label]) => (
              <Table.Tr key={label}>
                <Table.Td>{t(label)}</Table.Td>
                <Table.Td ta="right" style={{ whiteSpace: 'nowrap' }}>
                  {keys.map((key, index) => (
                    <Fragment key={key}>
                      {index > 0 && ' + '}
                      <Kbd>{nameOf(key)}</Kbd>
                    </Fragment>
                  ))}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Modal>
    </>
  );
}
