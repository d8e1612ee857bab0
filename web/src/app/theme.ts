// Colours, type and shapes of the whole UI.
import { createTheme, Drawer, type MantineColorsTuple, Modal, Notification } from '@mantine/core';
import i18next from 'i18next';

const venom: MantineColorsTuple = [
  '#e6faf4',
  '#d3f1e8',
  '#a8e2d1',
  '#79d3b8',
  '#53c6a3',
  '#3abd96',
  '#1d9d79',
  '#0a7a5c',
  '#066b50',
  '#005641',
];

/** The title of a dialog is no second banner of the page. */
const DIALOG = { attributes: { header: { role: 'presentation' } } };

export const theme = createTheme({
  primaryColor: 'venom',
  primaryShade: 7,
  colors: {
    venom,
    dark: [
      '#d5d8dc',
      '#b4b9c0',
      '#8f96a0',
      '#5d646f',
      '#3b424c',
      '#2b313a',
      '#20252d',
      '#171b21',
      '#111419',
      '#0b0d11',
    ],
  },
  fontFamily: "'Geist Variable', system-ui, sans-serif",
  fontFamilyMonospace: "'Geist Mono Variable', ui-monospace, monospace",
  headings: { fontWeight: '600' },
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Drawer: Drawer.extend({ defaultProps: DIALOG }),
    Modal: Modal.extend({ defaultProps: DIALOG }),
    Notification: Notification.extend({
      defaultProps: {
        closeButtonProps: {
          // Asked for when one is shown, so that it is in the language of that moment.
          get 'aria-label'() {
            return i18next.t('action.close');
          },
        },
      },
    }),
  },
});
