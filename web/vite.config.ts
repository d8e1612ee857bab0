// Builds the UI into dist/web; `vite` alone serves it with reload in front of a server on port 8000.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const BACKEND = process.env['VENOM_URL'] ?? 'http://127.0.0.1:8000';

export default defineConfig({
  plugins: [react()],
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
      '/ws': { target: BACKEND, ws: true, changeOrigin: true, headers: { origin: BACKEND } },
    },
  },
});
