import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { loadEnv, type Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

// The entry is small and loads the application with import(). The browser fetches both at once, and
// later what the application loads with import().
const preloadApplication: Plugin = {
  name: 'preload-application',
  transformIndexHtml: {
    order: 'post',
    handler: (_html, { chunk }) =>
      (chunk?.dynamicImports ?? []).map((fileName) => ({
        tag: 'link',
        attrs: { rel: 'modulepreload', crossorigin: '', href: `/${fileName}` },
        injectTo: 'head' as const,
      })),
  },
};

// Writes each script and style sheet in Brotli too, which the program sends to browsers that accept
// it. Versions of Node may encode differently, so a file that is still valid is kept.
function brotli(): Plugin {
  const folder = 'dist/assets/';
  const before = new Map<string, Buffer>();
  return {
    name: 'brotli',
    apply: 'build',
    buildStart() {
      if (!existsSync(folder)) return;
      for (const name of readdirSync(folder)) if (name.endsWith('.br')) before.set(name, readFileSync(folder + name));
    },
    closeBundle() {
      for (const name of readdirSync(folder)) {
        const content = readFileSync(folder + name);
        const known = before.get(`${name}.br`);
        writeFileSync(
          `${folder}${name}.br`,
          known && brotliDecompressSync(known).equals(content) ? known : brotliCompressSync(content),
        );
      }
    },
  };
}

export default defineConfig(({ mode }) => {
  // The address of the program that `npm run dev` forwards requests to.
  const taskboard = loadEnv(mode, '.', 'TASKBOARD_').TASKBOARD_URL ?? 'http://127.0.0.1:8080';
  return {
    plugins: [react(), preloadApplication, brotli()],
    // The client is a link to a folder that has its own node_modules. Its hook must use the
    // page's React.
    resolve: { dedupe: ['react'] },
    server: {
      proxy: {
        // the Host header stays that of the page, so the program sees its own origin
        '/api': { target: taskboard },
        '/ws': { target: taskboard, ws: true },
      },
    },
    build: {
      target: 'es2022',
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0, // the policy of the page allows files only
      license: { fileName: 'licenses.txt' }, // of the packages in the scripts, served beside them
    },
    test: { include: ['src/**/*.test.ts'] },
  };
});
