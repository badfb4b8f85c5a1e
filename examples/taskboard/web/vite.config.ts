import react from '@vitejs/plugin-react';
import { loadEnv } from 'vite';
import { defineConfig } from 'vitest/config';

export default defineConfig(({ mode }) => {
  // Where the program listens that `npm run dev` asks for data.
  const taskboard = loadEnv(mode, '.', 'TASKBOARD_').TASKBOARD_URL ?? 'http://127.0.0.1:8080';
  return {
    plugins: [react()],
    // The client is a link to a folder with a node_modules of its own: its hook must not find a second React there.
    resolve: { dedupe: ['react'] },
    server: {
      proxy: { // the Host header stays that of the page, or the program would see a foreign origin
        '/api': { target: taskboard },
        '/ws': { target: taskboard, ws: true },
      },
    },
    build: {
      target: 'es2022',
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0, // the policy of the page allows files only
    },
    test: { include: ['src/**/*.test.ts'] },
  };
});
