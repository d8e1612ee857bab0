// Entry of the UI: styles, language, providers, routes.
import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import '@fontsource-variable/geist/index.css';
import '@fontsource-variable/geist-mono/index.css';
import './app/global.css';
import { createRoot } from 'react-dom/client';
import { App } from './app/app';
import { startI18n } from './lib/i18n/i18n';
import { noteOpenLayers } from './lib/open-layers';

noteOpenLayers();
await startI18n();
const root = document.getElementById('root');
if (root) createRoot(root).render(<App />);
