// Builds the UI into dist/web; `vite` alone serves it with reload in front of a server on port 8000.
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const BACKEND = process.env['VENOM_URL'] ?? 'http://127.0.0.1:8000';

/** KaTeX brings each font three times; every browser the UI runs in reads the first form. */
const onlyWoff2 = (): Plugin => ({
  name: 'only-woff2',
  enforce: 'pre',
  transform: (code, id) =>
    /katex.*\.css/.test(id)
      ? code.replace(/,\s*url\([^)]*\.(?:woff|ttf)\)\s*format\("(?:woff|truetype)"\)/g, '')
      : undefined,
});

export default defineConfig({
  plugins: [onlyWoff2(), react()],
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: 'es2023',
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    chunkSizeWarningLimit: 700,
  },
  server: {
    proxy: {
      '/api': { target: BACKEND, changeOrigin: true, headers: { origin: BACKEND } },
      '/openapi.json': { target: BACKEND, changeOrigin: true, headers: { origin: BACKEND } },
      '/v1': { target: BACKEND, changeOrigin: true, headers: { origin: BACKEND } },
      '/ws': { target: BACKEND, ws: true, changeOrigin: true, headers: { origin: BACKEND } },
    },
  },
});
